//! From the facts of a crate's files to its definitions and modules. Resolves nothing.

use std::sync::Arc;

use agentlint_diagnostics::FileId;
use agentlint_syntax::{
    Name,
    ast::{self, ItemId, ItemKind, SourceFile},
    name,
};

use crate::ahead::Ahead;
use crate::def::DefKind;
use crate::definitions::{Collected, CrateDefs, DeclaredImpl, Expansion, ROOT, TypeNames, WrittenTrait};
use crate::expand::{CallSite, ExternMacro, MacroScope, Markers};
use crate::input::{CrateFiles, CrateId, CrateNode, Loader};
use crate::module_data::{CollectedModule, ModuleImport};
use crate::stored::{StoredDef, StoredVisible};

pub(crate) fn collect(krate: CrateId, node: &CrateNode, files: &CrateFiles, outside: &Outside<'_>) -> CrateDefs {
    let macros = MacroScope::new(krate, node.is_member, files.facts.iter(), outside);
    // Nearly every item becomes one definition.
    let count = files.facts.values().map(|facts| facts.items.len()).sum::<usize>() + 1;
    let (defs, names) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let out = Collected { defs, names, facts: files.facts.clone(), ..Collected::default() };
    let compiles_tests = node.cfg.flags.contains(&name("test"));
    let mut collector =
        Collector { krate, node, files, outside, macros, inline: Vec::new(), real_file: files.root, out, compiles_tests };
    let is_test = matches!(node.kind, crate::input::CrateKind::Test);
    collector.out.add(node.name, StoredDef { is_test, ..StoredDef::root(files.root.0) });
    collector.out.modules.insert(ROOT, CollectedModule::default());
    if let Some(file) = files.facts.get(&files.root) {
        let file = Arc::clone(file);
        collector.items(&file, files.root, &file.root, ROOT, ROOT);
    }
    CrateDefs::new(krate, collector.out, collector.macros.known())
}

/// What the walk through a crate asks of others.
pub(crate) struct Outside<'a> {
    pub(crate) loader: &'a dyn Loader,
    pub(crate) extern_macro: ExternMacro<'a>,
    pub(crate) markers: &'a Markers,
    pub(crate) ahead: &'a Ahead,
}

struct Collector<'a> {
    krate: CrateId,
    node: &'a CrateNode,
    compiles_tests: bool,
    files: &'a CrateFiles,
    outside: &'a Outside<'a>,
    macros: MacroScope<'a>,
    /// The inline modules between the present file and the present module.
    inline: Vec<Name>,
    /// The file on the disk that is being read: of an expansion, the one with the call.
    real_file: FileId,
    out: Collected,
}

impl Collector<'_> {
    fn items(&mut self, file: &Arc<SourceFile>, id: FileId, items: &[ItemId], parent: u32, module: u32) {
        for item in items {
            self.item(file, id, *item, parent, module);
        }
    }

    fn item(&mut self, file: &Arc<SourceFile>, id: FileId, item_id: ItemId, parent: u32, module: u32) {
        let item = &file.items[item_id];
        if item.cfg.as_ref().is_some_and(|cfg| !self.node.cfg.holds(cfg)) {
            return;
        }
        if !self.compiles_tests && matches!(item.kind, ItemKind::Function(_)) && is_marked_test(item) {
            return;
        }
        let kind = match &item.kind {
            ItemKind::Module(_) => DefKind::Module,
            ItemKind::Function(_) => DefKind::Function,
            ItemKind::Struct(_) => DefKind::Struct,
            ItemKind::Union(_) => DefKind::Union,
            ItemKind::Enum(_) => DefKind::Enum,
            ItemKind::Trait(_) => DefKind::Trait,
            ItemKind::Impl(_) => DefKind::Impl,
            ItemKind::TypeAlias(_) if self.is_assoc_holder(parent) => DefKind::AssocType,
            ItemKind::TypeAlias(_) => DefKind::TypeAlias,
            ItemKind::Const(_) => DefKind::Const,
            ItemKind::Static(_) => DefKind::Static,
            ItemKind::MacroRules(_) => DefKind::MacroRules,
            ItemKind::ExternBlock(items) => return self.items(file, id, items, parent, module),
            ItemKind::Use(imports) => return self.imports(imports, item, module),
            ItemKind::ExternCrate(declared) => {
                let bound = declared.alias.unwrap_or(item.name);
                if item.attributes.iter().any(|a| a.path == "macro_use") {
                    self.macros.use_crate(item.name);
                    self.out.macro_use.push(item.name);
                }
                let data = self.out.modules.entry(module).or_default();
                return data.extern_crates.push((bound, item.name));
            }
            ItemKind::MacroCall(call) => {
                let site = CallSite { call, within: file, file: id, item: item_id, span: item.span, module };
                return self.macro_call(&site, parent, module);
            }
        };
        if kind == DefKind::MacroRules {
            self.macros.declare(item.name, file, item_id);
        }
        let def = self.define(kind, item, item_id, id, parent, module);
        match &item.kind {
            ItemKind::Module(declared) => self.module(file, id, item_id, declared, def),
            ItemKind::Enum(declared) => self.variants(declared, item, item_id, id, def, module),
            ItemKind::Trait(declared) => self.members(file, id, &declared.items, def, module),
            ItemKind::Impl(declared) => {
                if !declared.is_negative {
                    let (written_trait, self_head) = (written_trait(declared), declared.self_head);
                    self.out.impls.push(DeclaredImpl { def, module, written_trait, self_head });
                }
                self.members(file, id, &declared.items, def, module);
            }
            ItemKind::Function(ast::Function { body: Some(body), .. })
            | ItemKind::Const(ast::Const { body: Some(body), .. })
            | ItemKind::Static(ast::Static { body: Some(body), .. }) => {
                self.out.owners.push(def);
                self.blocks(file, id, *body, def, module);
            }
            _ => {}
        }
    }

    /// The items of a trait or an impl.
    fn members(&mut self, file: &Arc<SourceFile>, id: FileId, items: &[ItemId], holder: u32, module: u32) {
        if !items.is_empty() {
            self.out.members.insert(holder, Vec::with_capacity(items.len()));
        }
        self.items(file, id, items, holder, module);
    }

    fn is_assoc_holder(&self, def: u32) -> bool {
        matches!(self.out.defs[def as usize].kind, DefKind::Trait | DefKind::Impl)
    }

    fn define(&mut self, kind: DefKind, item: &ast::Item, item_id: ItemId, file: FileId, parent: u32, module: u32) -> u32 {
        let holder = self.out.defs[parent as usize];
        let visibility = match holder.kind {
            DefKind::Trait => StoredVisible::Everywhere,
            _ => self.visibility(&item.visibility, module),
        };
        let is_test = holder.is_test || is_test(item);
        let def = StoredDef { kind, parent, module, file: file.0, item: item_id, variant: 0, visibility, is_test };
        let id = self.out.add(item.name, def);
        match kind {
            DefKind::Struct | DefKind::Enum | DefKind::Union => {
                self.out.types.entry(item.name).or_insert(TypeNames::Adt);
            }
            DefKind::Trait => {
                self.out.traits.insert(item.name);
            }
            DefKind::TypeAlias => {
                self.out.types.insert(item.name, TypeNames::Alias);
            }
            _ => {}
        }
        if self.is_assoc_holder(parent) {
            self.out.members.entry(parent).or_default().push(id);
        } else if kind != DefKind::Impl && item.name != "_" {
            self.out.modules.entry(module).or_default().items.entry(item.name).or_default().push(id);
        }
        id
    }

    fn visibility(&self, written: &ast::Visibility, module: u32) -> StoredVisible {
        match written {
            ast::Visibility::Public => StoredVisible::Everywhere,
            ast::Visibility::Inherited => StoredVisible::Within(module),
            ast::Visibility::Crate => StoredVisible::Within(ROOT),
            ast::Visibility::In(path) => match path.segments.first().map(|s| s.name.as_str()) {
                Some("self") => StoredVisible::Within(module),
                Some("super") => {
                    let supers = path.segments.iter().take_while(|segment| segment.name == "super");
                    let up = supers.fold(module, |at, _| self.out.defs[self.plain_module(at) as usize].module);
                    StoredVisible::Within(up)
                }
                _ => StoredVisible::Within(ROOT),
            },
        }
    }

    /// The module that a block stands in.
    fn plain_module(&self, mut module: u32) -> u32 {
        while self.out.modules.get(&module).is_some_and(|data| data.is_block) {
            module = self.out.defs[module as usize].module;
        }
        module
    }

    fn imports(&mut self, imports: &[ast::Import], item: &ast::Item, module: u32) {
        let visibility = self.visibility(&item.visibility, module);
        let data = self.out.modules.entry(module).or_default();
        for import in imports {
            data.add_import(ModuleImport { import: import.clone(), visibility });
        }
    }

    fn module(&mut self, file: &Arc<SourceFile>, id: FileId, item_id: ItemId, declared: &ast::Module, def: u32) {
        self.out.modules.insert(def, CollectedModule::default());
        let item = &file.items[item_id];
        let mark = self.macros.mark();
        match &declared.items {
            Some(items) => {
                self.inline.push(item.name);
                self.items(file, id, items, def, def);
                self.inline.pop();
            }
            None => {
                let Some((behind, facts)) = self.module_file(id, item_id, item) else { return };
                if facts.cfg.as_ref().is_some_and(|cfg| !self.node.cfg.holds(cfg)) {
                    return;
                }
                let inline = std::mem::take(&mut self.inline);
                let real_file = std::mem::replace(&mut self.real_file, behind);
                self.items(&facts, behind, &facts.root, def, def);
                self.inline = inline;
                self.real_file = real_file;
            }
        }
        if !item.attributes.iter().any(|a| a.path == "macro_use") {
            self.macros.leave(mark);
        }
    }

    /// The file behind `mod name;`. The loader found those written in files; those that macros make are asked for here.
    fn module_file(&mut self, id: FileId, item_id: ItemId, item: &ast::Item) -> Option<(FileId, Arc<SourceFile>)> {
        if let Some(behind) = self.files.modules.get(&(id, item_id)) {
            return Some((*behind, Arc::clone(self.files.facts.get(behind)?)));
        }
        let (behind, facts) = self.outside.loader.submodule(self.krate, self.real_file, &self.inline, item)?;
        // A file that holds the call of a macro that declares the same file would never end.
        if self.out.facts.contains_key(&behind) {
            return None;
        }
        self.out.facts.insert(behind, Arc::clone(&facts));
        self.macros.add_all(behind, &facts);
        Some((behind, facts))
    }

    fn macro_call(&mut self, site: &CallSite<'_>, parent: u32, module: u32) {
        let Some((id, facts)) = self.macros.expand(site, &self.out) else { return };
        self.out.expansions.push(Expansion { called_in: self.real_file.0, key: self.macros.key_of(id) });
        self.out.facts.insert(id, Arc::clone(&facts));
        self.macros.depth += 1;
        self.items(&facts, id, &facts.root, parent, module);
        self.macros.depth -= 1;
    }

    fn variants(&mut self, declared: &ast::Enum, item: &ast::Item, item_id: ItemId, file: FileId, def: u32, module: u32) {
        let base = self.out.defs[def as usize];
        let visibility = self.visibility(&item.visibility, module);
        for (position, variant) in declared.variants.iter().enumerate() {
            if variant.cfg.as_ref().is_some_and(|cfg| !self.node.cfg.holds(cfg)) {
                continue;
            }
            let of_enum = StoredDef { kind: DefKind::Variant, parent: def, module, file: file.0, item: item_id, ..base };
            let id = self.out.add(variant.name, StoredDef { variant: position as u32, visibility, ..of_enum });
            self.out.members.entry(def).or_default().push(id);
        }
    }

    /// Blocks of a body that declare items become modules of their own, nested as the blocks are.
    fn blocks(&mut self, file: &Arc<SourceFile>, id: FileId, body_id: ast::BodyId, owner: u32, module: u32) {
        let Ok(at) = file.declaring.binary_search_by_key(&body_id, |declaring| declaring.body) else { return };
        let mut open: Vec<(agentlint_syntax::Span, u32)> = Vec::new();
        for (expr, span, items) in &file.declaring[at].blocks {
            let (expr, span) = (*expr, *span);
            while open.last().is_some_and(|(outer, _)| !outer.covers(span)) {
                open.pop();
            }
            let parent = open.last().map_or(module, |(_, def)| *def);
            let base = self.out.defs[owner as usize];
            let block = StoredDef { kind: DefKind::Module, parent, module: parent, ..base };
            let def = self.out.add(name(""), block);
            self.out.modules.insert(def, CollectedModule::block());
            self.out.blocks.insert((id.0, body_id, expr), def);
            self.items(file, id, items, def, def);
            open.push((span, def));
        }
    }
}

fn written_trait(declared: &ast::Impl) -> Option<WrittenTrait> {
    if declared.is_plain {
        return Some(WrittenTrait { segments: [declared.trait_name?].into(), leading_colon: false });
    }
    let path = declared.header.trait_path.as_ref()?;
    Some(WrittenTrait { segments: path.segments.iter().map(|segment| segment.name).collect(), leading_colon: path.leading_colon })
}

fn is_test(item: &ast::Item) -> bool {
    let measures = |attribute: &ast::Attribute| attribute.path.ends_with("::bench");
    matches!(&item.cfg, Some(cfg) if needs_test(cfg)) || is_marked_test(item) || item.attributes.iter().any(measures)
}

/// Whether the item is compiled for tests alone because an attribute makes it one.
fn is_marked_test(item: &ast::Item) -> bool {
    let marked = |attribute: &ast::Attribute| {
        let last = attribute.path.rsplit("::").next().unwrap_or("");
        matches!(last, "test" | "rstest" | "test_case") || attribute.path.as_str() == "bench"
    };
    item.attributes.iter().any(marked)
}

/// Whether the predicate can hold only where tests are compiled.
fn needs_test(cfg: &ast::CfgExpr) -> bool {
    match cfg {
        ast::CfgExpr::Flag(flag) => *flag == "test",
        ast::CfgExpr::All(all) => all.iter().any(needs_test),
        ast::CfgExpr::Any(any) => !any.is_empty() && any.iter().all(needs_test),
        _ => false,
    }
}
