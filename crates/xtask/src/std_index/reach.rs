//! Marks what a user of the crate can reach: public items by public paths, what their signatures name, and the `impl`s of those.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use super::names::{Names, Target};
use super::raw_item::is_punct;
use super::tree::{Crate, Entry, Item, ItemKind, Visibility};

/// Public, but nothing that a program names by this path.
const NOT_EXPOSED: [&str; 1] = ["intrinsics"];

pub(super) fn mark(krate: Crate) -> Crate {
    let mut reach = Reach { names: Names::new(krate), exposed: HashSet::new(), pending: Vec::new() };
    reach.expose(0);
    reach.keep_exported_macros();
    loop {
        reach.follow();
        if !reach.keep_impls() {
            break;
        }
    }
    let mut krate = reach.names.krate;
    keep_external_globs(&mut krate);
    krate
}

struct Reach {
    names: Names,
    exposed: HashSet<usize>,
    /// Kept items whose signatures were not looked at yet.
    pending: Vec<(usize, usize)>,
}

impl Reach {
    fn expose(&mut self, module: usize) {
        if NOT_EXPOSED.contains(&self.names.krate.modules[module].name.as_str()) || !self.exposed.insert(module) {
            return;
        }
        for position in 0..self.names.krate.modules[module].entries.len() {
            match &self.names.krate.modules[module].entries[position] {
                Entry::Module(id) => {
                    let id = *id;
                    if self.names.krate.modules[id].visibility == Visibility::Public {
                        self.expose(id);
                    }
                }
                Entry::Item(item) if item.visibility == Visibility::Public => self.keep(module, position),
                Entry::Use(import) if import.visibility == Visibility::Public => {
                    let paths: Vec<Vec<String>> = import.leaves.iter().map(|leaf| leaf.path.clone()).collect();
                    for (leaf, path) in paths.into_iter().enumerate() {
                        self.expose_import(module, position, leaf, &path);
                    }
                }
                Entry::Item(_) | Entry::Use(_) => {}
            }
        }
    }

    fn expose_import(&mut self, module: usize, entry: usize, leaf: usize, path: &[String]) {
        let targets = self.names.resolve(module, path, true);
        for target in targets {
            self.names.keep_leaf(module, entry, leaf);
            match target {
                Target::Module(id) => self.expose(id),
                Target::Item(owner, position) => self.keep(owner, position),
                Target::External => {}
            }
        }
    }

    fn keep_exported_macros(&mut self) {
        for module in 0..self.names.krate.modules.len() {
            for position in 0..self.names.krate.modules[module].entries.len() {
                let entry = &self.names.krate.modules[module].entries[position];
                if matches!(entry, Entry::Item(item) if item.is_exported_macro()) {
                    self.keep(module, position);
                }
            }
        }
    }

    fn keep(&mut self, module: usize, position: usize) {
        let item = self.names.item_mut(module, position);
        if !item.kept {
            item.kept = true;
            self.pending.push((module, position));
        }
    }

    fn follow(&mut self) {
        while let Some((module, position)) = self.pending.pop() {
            let item = self.names.item(module, position);
            let is_macro = matches!(item.kind, ItemKind::Macro { .. });
            for path in paths(item.syntax.to_token_stream(), is_macro) {
                let targets = self.names.resolve(module, &path, true);
                for target in targets {
                    if let Target::Item(owner, position) = target
                        && (is_macro || named_in_signatures(self.names.item(owner, position)))
                    {
                        self.keep(owner, position);
                    }
                }
            }
        }
    }

    /// Keeps every `impl` whose trait and types are kept; tells whether there was a new one.
    fn keep_impls(&mut self) -> bool {
        let mut found = false;
        for module in 0..self.names.krate.modules.len() {
            for position in 0..self.names.krate.modules[module].entries.len() {
                let Entry::Item(Item { syntax, kept: false, .. }) = &self.names.krate.modules[module].entries[position] else {
                    continue;
                };
                let syn::Item::Impl(block) = &**syntax else { continue };
                if block.items.is_empty() && block.trait_.is_none() {
                    continue;
                }
                let mut head = block.self_ty.to_token_stream();
                if let Some((implemented, _)) = &block.trait_ {
                    implemented.to_tokens(&mut head);
                }
                let hidden = paths(head, false).iter().any(|path| {
                    let targets = self.names.resolve(module, path, false);
                    targets.iter().any(|target| match target {
                        Target::Item(owner, position) => {
                            let item = self.names.item(*owner, *position);
                            item.kind == ItemKind::Type && !item.kept
                        }
                        _ => false,
                    })
                });
                if !hidden {
                    self.keep(module, position);
                    found = true;
                }
            }
        }
        found
    }
}

/// Functions and macros are never named by a signature; a path that looks like it is a parameter's name.
fn named_in_signatures(item: &Item) -> bool {
    item.kind == ItemKind::Type || matches!(*item.syntax, syn::Item::Const(_))
}

/// Every path in the tokens; in a macro only those that start with `$crate`.
fn paths(tokens: TokenStream, in_macro: bool) -> HashSet<Vec<String>> {
    let mut found = HashSet::new();
    collect_paths(tokens, in_macro, &mut found);
    found
}

fn collect_paths(tokens: TokenStream, in_macro: bool, found: &mut HashSet<Vec<String>>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let separator = |position: usize| is_punct(trees.get(position), ':') && is_punct(trees.get(position + 1), ':');
    let mut position = 0;
    while position < trees.len() {
        match &trees[position] {
            TokenTree::Group(group) => collect_paths(group.stream(), in_macro, found),
            TokenTree::Ident(first) => {
                let start = position;
                let mut path = vec![first.to_string()];
                while separator(position + 1)
                    && let Some(TokenTree::Ident(segment)) = trees.get(position + 3)
                {
                    path.push(segment.to_string());
                    position += 3;
                }
                let before = start.checked_sub(1).and_then(|before| trees.get(before));
                let is_lifetime = is_punct(before, '\'');
                let declares = matches!(before, Some(TokenTree::Ident(word)) if word == "fn");
                let is_field = path.len() == 1 && is_punct(trees.get(position + 1), ':') && !separator(position + 1);
                let continues = is_punct(before, ':') && start > 1 && is_punct(trees.get(start - 2), ':');
                let from_macro = path[0] == "crate" && is_punct(before, '$');
                if !is_lifetime && !declares && !is_field && !continues && (!in_macro || from_macro) {
                    found.insert(path);
                }
            }
            _ => {}
        }
        position += 1;
    }
}

/// Names that come from another crate by a glob cannot be seen here, so such a glob stays where anything else stays.
fn keep_external_globs(krate: &mut Crate) {
    for module in &mut krate.modules {
        let needed = module.entries.iter().any(|entry| matches!(entry, Entry::Item(item) if item.kept));
        for entry in &mut module.entries {
            let Entry::Use(import) = entry else { continue };
            for leaf in &mut import.leaves {
                let external =
                    leaf.path.first().is_some_and(|first| matches!(first.as_str(), "core" | "alloc" | "std" | "alloc_crate"));
                if needed && leaf.name.is_none() && external && leaf.path[0] != krate.name {
                    leaf.kept = true;
                }
            }
        }
    }
}
