//! Names looked up in a crate's module tree, as far as its own `use` items lead.

use std::collections::{HashMap, HashSet};

use super::tree::{Crate, Entry, Item};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Target {
    Module(usize),
    /// Module and position among its entries.
    Item(usize, usize),
    /// Something of another crate.
    External,
}

/// The crate with an index over its names. Imports that a lookup went through are marked as kept.
pub(super) struct Names {
    pub(super) krate: Crate,
    scopes: Vec<Scope>,
    exported_macros: HashMap<String, Target>,
}

#[derive(Default)]
struct Scope {
    names: HashMap<String, Vec<Definition>>,
    /// Entry and leaf of each glob import.
    globs: Vec<(usize, usize)>,
}

#[derive(Clone, Copy)]
enum Definition {
    Direct(Target),
    Import { entry: usize, leaf: usize },
}

/// Lookups under way, so that imports that go round in circles end.
type Busy = HashSet<(usize, String)>;

const EXTERNAL_CRATES: [&str; 4] = ["core", "alloc", "std", "alloc_crate"];

/// Crates that std is built from and that the index does not describe.
const MISSING_CRATES: [&str; 9] =
    ["libc", "hashbrown", "std_detect", "unwind", "backtrace_rs", "cfg_if", "addr2line", "object", "rustc_demangle"];
/// `core::primitive` re-exports them.
const PRIMITIVES: [&str; 17] =
    ["bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64"];

impl Names {
    pub(super) fn new(krate: Crate) -> Names {
        let mut exported_macros = HashMap::new();
        let mut scopes = Vec::new();
        for (module, data) in krate.modules.iter().enumerate() {
            let mut scope = Scope::default();
            for (position, entry) in data.entries.iter().enumerate() {
                match entry {
                    Entry::Module(id) => {
                        scope.define(&krate.modules[*id].name, Definition::Direct(Target::Module(*id)));
                    }
                    Entry::Item(item) if !item.name.is_empty() => {
                        let target = Target::Item(module, position);
                        scope.define(&item.name, Definition::Direct(target));
                        if item.is_exported_macro() {
                            exported_macros.insert(item.name.clone(), target);
                        }
                    }
                    Entry::Item(_) => {}
                    Entry::Use(import) => {
                        for (leaf, data) in import.leaves.iter().enumerate() {
                            match &data.name {
                                Some(name) => scope.define(name, Definition::Import { entry: position, leaf }),
                                None => scope.globs.push((position, leaf)),
                            }
                        }
                    }
                }
            }
            scopes.push(scope);
        }
        Names { krate, scopes, exported_macros }
    }

    pub(super) fn item(&self, module: usize, position: usize) -> &Item {
        match &self.krate.modules[module].entries[position] {
            Entry::Item(item) => item,
            _ => unreachable!("targets of this kind are made from items only"),
        }
    }

    pub(super) fn item_mut(&mut self, module: usize, position: usize) -> &mut Item {
        match &mut self.krate.modules[module].entries[position] {
            Entry::Item(item) => item,
            _ => unreachable!("targets of this kind are made from items only"),
        }
    }

    /// What the path means in the module, in any namespace; an item ends the walk. With `mark`, imports on the way are kept.
    pub(super) fn resolve(&mut self, module: usize, path: &[String], mark: bool) -> Vec<Target> {
        self.walk(module, path, mark, &mut Busy::new())
    }

    fn walk(&mut self, module: usize, path: &[String], mark: bool, busy: &mut Busy) -> Vec<Target> {
        let Some((first, mut rest)) = path.split_first() else { return Vec::new() };
        let mut targets = match first.as_str() {
            "crate" => vec![Target::Module(0)],
            "self" => vec![Target::Module(module)],
            "super" => vec![Target::Module(self.krate.modules[module].parent)],
            name if MISSING_CRATES.contains(&name) => Vec::new(),
            name => self.lookup(module, name, mark, busy),
        };
        if targets.is_empty() && first == self.krate.name {
            targets.push(Target::Module(0));
        } else if targets.is_empty() && (EXTERNAL_CRATES.contains(&first.as_str()) || PRIMITIVES.contains(&first.as_str())) {
            targets.push(Target::External);
        }
        while let Some((segment, after)) = rest.split_first() {
            let mut next = Vec::new();
            for target in targets {
                match target {
                    Target::Module(id) if segment == "super" => next.push(Target::Module(self.krate.modules[id].parent)),
                    Target::Module(id) if segment == "self" => next.push(Target::Module(id)),
                    Target::Module(id) => next.extend(self.lookup(id, segment, mark, busy)),
                    found => next.push(found),
                }
            }
            targets = next;
            rest = after;
        }
        targets
    }

    fn lookup(&mut self, module: usize, name: &str, mark: bool, busy: &mut Busy) -> Vec<Target> {
        let key = (module, name.to_owned());
        let is_new = busy.insert(key.clone());
        let mut targets = Vec::new();
        for definition in self.scopes[module].names.get(name).cloned().unwrap_or_default() {
            match definition {
                Definition::Direct(target) => targets.push(target),
                // `pub use self::once::once` goes through a module of its own name, and no further round.
                Definition::Import { .. } if !is_new => {}
                Definition::Import { entry, leaf } => {
                    let path = self.leaf_path(module, entry, leaf);
                    let found = self.walk(module, &path, mark, busy);
                    if mark && !found.is_empty() {
                        self.keep_leaf(module, entry, leaf);
                    }
                    targets.extend(found);
                }
            }
        }
        if !is_new {
            return targets;
        }
        if targets.is_empty() {
            for (entry, leaf) in self.scopes[module].globs.clone() {
                let path = self.leaf_path(module, entry, leaf);
                let mut found = Vec::new();
                for target in self.walk(module, &path, mark, busy) {
                    match target {
                        Target::Module(id) => found.extend(self.lookup(id, name, mark, busy)),
                        Target::Item(owner, position) if has_variant(self.item(owner, position), name) => found.push(target),
                        Target::Item(..) => {}
                        // The other crate is not at hand, so the name may well be there.
                        Target::External => found.push(target),
                    }
                }
                if mark && !found.is_empty() {
                    self.keep_leaf(module, entry, leaf);
                }
                targets.extend(found);
            }
        }
        if targets.is_empty() && module == 0 {
            targets.extend(self.exported_macros.get(name));
        }
        busy.remove(&key);
        targets
    }

    fn leaf_path(&self, module: usize, entry: usize, leaf: usize) -> Vec<String> {
        match &self.krate.modules[module].entries[entry] {
            Entry::Use(import) => import.leaves[leaf].path.clone(),
            _ => Vec::new(),
        }
    }

    pub(super) fn keep_leaf(&mut self, module: usize, entry: usize, leaf: usize) {
        if let Entry::Use(import) = &mut self.krate.modules[module].entries[entry] {
            import.leaves[leaf].kept = true;
        }
    }
}

impl Scope {
    fn define(&mut self, name: &str, definition: Definition) {
        self.names.entry(name.to_owned()).or_default().push(definition);
    }
}

fn has_variant(item: &Item, name: &str) -> bool {
    matches!(&*item.syntax, syn::Item::Enum(item) if item.variants.iter().any(|variant| variant.ident == name))
}
