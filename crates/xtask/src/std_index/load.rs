//! Reads a crate's files into one tree, with `cfg` evaluated and macros in item position expanded.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::attributes::{Attributes, resolve_inside};
use super::macros::{Macros, Scope};
use super::raw_item::{self, RawItem, RawKind, after_visibility, with_body};
use super::tree::{Crate, Entry, Item, ItemKind, Module, Use, Visibility, leaves};
use super::{cfg, members, normalize, shape};

/// Modules that are no part of the index: machine intrinsics, vectors, and what only backtraces need.
const LEFT_OUT: [&str; 6] = ["core_arch", "arch", "core_simd", "std_float", "simd", "backtrace_rs"];
const EXPANSION_DEPTH: usize = 64;

pub(super) struct Loader {
    pub(super) macros: Macros,
    pub(super) errors: Vec<String>,
    files: HashMap<PathBuf, TokenStream>,
    modules: Vec<Module>,
    /// The first pass only collects macros, which may be used by path before the place where they stand.
    collecting: bool,
}

/// Where the files of child modules are.
#[derive(Clone)]
struct Place {
    /// The folder of this file, for `#[path]` outside of inline modules.
    file_folder: PathBuf,
    /// The folder of the module's children.
    child_folder: PathBuf,
    inline: bool,
}

impl Loader {
    pub(super) fn new() -> Loader {
        Loader { macros: Macros::default(), errors: Vec::new(), files: HashMap::new(), modules: Vec::new(), collecting: false }
    }

    /// Loads the crate whose root file is `folder/src/lib.rs`.
    pub(super) fn load(&mut self, name: &'static str, folder: &Path) -> Crate {
        let source = folder.join("src");
        let place = Place { file_folder: source.clone(), child_folder: source.clone(), inline: false };
        for collecting in [true, false] {
            self.collecting = collecting;
            self.macros.unexpanded.clear();
            self.errors.clear();
            self.modules = vec![Module {
                parent: 0,
                name: name.to_owned(),
                visibility: Visibility::Public,
                prefix: TokenStream::new(),
                entries: Vec::new(),
            }];
            let tokens = self.read(&source.join("lib.rs"));
            self.items(0, tokens, &place, &mut Scope::new(), 0);
        }
        self.files.clear();
        Crate { name, modules: std::mem::take(&mut self.modules) }
    }

    fn read(&mut self, file: &Path) -> TokenStream {
        if let Some(tokens) = self.files.get(file) {
            return tokens.clone();
        }
        let text = fs::read_to_string(file).unwrap_or_else(|error| {
            self.errors.push(format!("{}: {error}", file.display()));
            String::new()
        });
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| {
            self.errors.push(format!("{}: {error}", file.display()));
            TokenStream::new()
        });
        self.files.insert(file.to_owned(), tokens.clone());
        tokens
    }

    fn items(&mut self, module: usize, tokens: TokenStream, place: &Place, scope: &mut Scope, depth: usize) {
        for raw in raw_item::split(tokens, &mut self.errors) {
            if raw.attributes.enabled() {
                self.item(module, raw, place, scope, depth);
            }
        }
    }

    fn item(&mut self, module: usize, raw: RawItem, place: &Place, scope: &mut Scope, depth: usize) {
        match &raw.kind {
            RawKind::Module(..) => self.module(module, &raw, place, scope, depth),
            RawKind::MacroRules(name, rules) => {
                let exported = raw.attributes.has("macro_export");
                if raw.attributes.has("rustc_builtin_macro") {
                    self.macro_item(module, name, TokenStream::new(), exported, &raw);
                } else {
                    self.macros.define(name, rules.clone(), Some(scope));
                    self.macro_item(module, name, rules.clone(), exported, &raw);
                }
            }
            RawKind::MacroTwo(name, rules) => {
                if raw.attributes.has("rustc_builtin_macro") {
                    self.macro_item(module, name, TokenStream::new(), false, &raw);
                } else {
                    self.macros.define(name, rules.clone(), None);
                    self.macro_item(module, name, rules.clone(), false, &raw);
                }
            }
            RawKind::Call(name, arguments) if name == "include" => {
                let file = arguments.to_string();
                if !file.contains("_docs.rs") {
                    let tokens = self.read(&place.file_folder.join(file.trim_matches('"')));
                    self.items(module, tokens, place, scope, depth);
                }
            }
            RawKind::Call(name, arguments) => {
                if let Some(output) = self.call(name, arguments.clone(), scope, depth) {
                    self.items(module, output, place, scope, depth + 1);
                }
            }
            _ if self.collecting => {}
            RawKind::ForeignBlock => {}
            _ => self.leaf(module, &raw, scope, depth),
        }
    }

    fn module(&mut self, parent: usize, raw: &RawItem, place: &Place, scope: &mut Scope, depth: usize) {
        let RawKind::Module(name, content) = &raw.kind else { return };
        let name = name.as_str();
        if parent == 0 && LEFT_OUT.contains(&name) {
            return;
        }
        let folder = if place.inline { &place.child_folder } else { &place.file_folder };
        let path = raw.attributes.value("path").map(|path| folder.join(path));
        let name_of_file = name.trim_start_matches("r#");
        let own_folder = place.child_folder.join(name_of_file);
        let (tokens, inner_place) = match (content.clone(), path) {
            (Some(content), path) => {
                let child_folder = path.unwrap_or(own_folder);
                (content, Place { file_folder: place.file_folder.clone(), child_folder, inline: true })
            }
            (None, Some(file)) => {
                let folder = file.parent().map(Path::to_owned).unwrap_or_default();
                (self.read(&file), Place { file_folder: folder.clone(), child_folder: folder, inline: false })
            }
            (None, None) => {
                let file = place.child_folder.join(format!("{name_of_file}.rs"));
                let (file, file_folder) = if file.exists() {
                    (file, place.child_folder.clone())
                } else {
                    (own_folder.join("mod.rs"), own_folder.clone())
                };
                (self.read(&file), Place { file_folder, child_folder: own_folder, inline: false })
            }
        };
        let kept = raw.attributes.kept();
        let keyword = raw.tokens.iter().position(|tree| matches!(tree, TokenTree::Ident(word) if word == "mod")).unwrap_or(0);
        let prefix = normalize::item(raw.tokens[..keyword].iter().cloned().collect());
        let id = self.modules.len();
        self.modules.push(Module {
            parent,
            name: name.to_owned(),
            visibility: visibility(&raw.tokens),
            prefix: quote!(#kept #prefix mod),
            entries: Vec::new(),
        });
        self.modules[parent].entries.push(Entry::Module(id));
        if raw.attributes.has("macro_use") {
            self.items(id, tokens, &inner_place, scope, depth);
        } else {
            self.items(id, tokens, &inner_place, &mut scope.clone(), depth);
        }
    }

    fn call(&mut self, name: &str, arguments: TokenStream, scope: &Scope, depth: usize) -> Option<TokenStream> {
        match name {
            "cfg_select" => cfg::select(arguments),
            "cfg_if" => cfg::select_if(arguments),
            "compile_error" | "global_asm" => None,
            _ if depth >= EXPANSION_DEPTH => {
                self.errors.push(format!("`{name}!` does not come to an end"));
                None
            }
            _ => self.macros.expand(name, arguments, scope),
        }
    }

    /// The items of an `impl` or `trait`, with macro calls expanded and disabled ones gone.
    fn members(&mut self, tokens: TokenStream, scope: &Scope, depth: usize, found: &mut Vec<RawItem>) {
        for raw in raw_item::split(tokens, &mut self.errors) {
            if !raw.attributes.enabled() {
                continue;
            }
            if let RawKind::Call(name, arguments) = &raw.kind {
                if let Some(output) = self.call(name, arguments.clone(), scope, depth) {
                    self.members(output, scope, depth + 1, found);
                }
                continue;
            }
            found.push(raw);
        }
    }

    fn leaf(&mut self, module: usize, raw: &RawItem, scope: &Scope, depth: usize) {
        let tokens: TokenStream = match &raw.kind {
            RawKind::Function => match raw.tokens.split_last() {
                // The compiler's own functions have no body, which syn takes only in traits.
                Some((TokenTree::Punct(_), head)) => quote!(#(#head)* {}),
                _ => with_body(&raw.tokens, TokenStream::new()),
            },
            RawKind::Constant(Some(value)) => members::constant(&raw.tokens, *value),
            RawKind::Trait | RawKind::Impl => match raw.tokens.last() {
                Some(TokenTree::Group(body)) => {
                    let mut found = Vec::new();
                    self.members(body.stream(), scope, depth, &mut found);
                    let owner = members::Owner::of(raw);
                    let body = found.iter().filter_map(|member| owner.member(member)).collect();
                    let head = normalize::item(with_body(&raw.tokens, TokenStream::new()));
                    with_body(&head.into_iter().collect::<Vec<_>>(), body)
                }
                _ => raw.tokens.iter().cloned().collect(),
            },
            _ => raw.tokens.iter().cloned().collect(),
        };
        let is_container = matches!(raw.kind, RawKind::Trait | RawKind::Impl);
        let tokens = if is_container { tokens } else { normalize::item(resolve_inside(tokens)) };
        let tokens = if is_container { members::resolve_head(tokens) } else { tokens };
        let tokens = if matches!(raw.kind, RawKind::Enum) { shape::without_discriminants(tokens) } else { tokens };
        self.syntax(module, &raw.attributes, tokens, visibility(&raw.tokens));
    }

    fn syntax(&mut self, module: usize, attributes: &Attributes, tokens: TokenStream, visibility: Visibility) {
        let kept = attributes.kept();
        let shown = || tokens.to_string().chars().take(200).collect::<String>();
        let mut syntax = match syn::parse2::<syn::Item>(quote!(#kept #tokens)) {
            Ok(syn::Item::Verbatim(_)) => return self.errors.push(format!("syntax that syn has no node for: {}", shown())),
            Ok(item) => item,
            Err(error) => return self.errors.push(format!("{error}: {}", shown())),
        };
        shape::drop_private_fields(&mut syntax);
        if let syn::Item::Use(syntax) = syntax {
            let leaves = leaves(&syntax.tree);
            self.modules[module].entries.push(Entry::Use(Use { visibility, syntax, leaves }));
            return;
        }
        if let Some((name, kind)) = shape::name_and_kind(&syntax) {
            self.modules[module].entries.push(Entry::Item(Item {
                name,
                visibility,
                kind,
                syntax: Box::new(syntax),
                kept: false,
            }));
        }
    }

    fn macro_item(&mut self, module: usize, name: &str, rules: TokenStream, exported: bool, raw: &RawItem) {
        if self.collecting {
            return;
        }
        let attributes = raw.attributes.kept();
        let Ok(ident) = syn::parse_str::<syn::Ident>(name) else { return };
        let prefix = after_visibility(&raw.tokens, 0);
        let is_macro_two = matches!(raw.kind, RawKind::MacroTwo(..));
        // A `pub macro` is printed through the same node; its visibility tells the two apart.
        let rules = shape::macro_rules(rules);
        let tokens = quote!(#attributes macro_rules! #ident { #rules });
        match syn::parse2::<syn::Item>(tokens) {
            Ok(syntax) => self.modules[module].entries.push(Entry::Item(Item {
                name: name.to_owned(),
                visibility: if is_macro_two && prefix == 1 { Visibility::Public } else { Visibility::Private },
                kind: ItemKind::Macro { exported },
                syntax: Box::new(syntax),
                kept: false,
            })),
            Err(error) => self.errors.push(format!("macro `{name}`: {error}")),
        }
    }
}

fn visibility(tokens: &[TokenTree]) -> Visibility {
    if after_visibility(tokens, 0) == 1 { Visibility::Public } else { Visibility::Private }
}
