//! One crate as a tree of modules with the items that are left in it.

use proc_macro2::TokenStream;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Visibility {
    Public,
    Private,
}

pub(super) struct Crate {
    pub(super) name: &'static str,
    /// The first one is the root; parents stand before their children.
    pub(super) modules: Vec<Module>,
}

pub(super) struct Module {
    pub(super) parent: usize,
    pub(super) name: String,
    pub(super) visibility: Visibility,
    /// `pub mod`, `#[unstable] pub(crate) mod`, …, up to the name.
    pub(super) prefix: TokenStream,
    pub(super) entries: Vec<Entry>,
}

pub(super) enum Entry {
    Module(usize),
    Item(Item),
    Use(Use),
}

pub(super) struct Item {
    /// Empty for an `impl`.
    pub(super) name: String,
    pub(super) visibility: Visibility,
    pub(super) kind: ItemKind,
    pub(super) syntax: Box<syn::Item>,
    pub(super) kept: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ItemKind {
    Type,
    Value,
    Impl,
    Macro { exported: bool },
}

pub(super) struct Use {
    pub(super) visibility: Visibility,
    pub(super) syntax: syn::ItemUse,
    pub(super) leaves: Vec<UseLeaf>,
}

/// One name, or one glob, that a `use` brings in.
pub(super) struct UseLeaf {
    pub(super) path: Vec<String>,
    /// The name it is known by; `None` for a glob.
    pub(super) name: Option<String>,
    pub(super) kept: bool,
}

pub(super) fn leaves(tree: &syn::UseTree) -> Vec<UseLeaf> {
    let mut found = Vec::new();
    collect_leaves(tree, &mut Vec::new(), &mut found);
    found
}

fn collect_leaves(tree: &syn::UseTree, path: &mut Vec<String>, found: &mut Vec<UseLeaf>) {
    let mut leaf = |path: Vec<String>, name: Option<String>| found.push(UseLeaf { path, name, kept: false });
    match tree {
        syn::UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            collect_leaves(&inner.tree, path, found);
            path.pop();
        }
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| collect_leaves(tree, path, found)),
        syn::UseTree::Name(name) if name.ident == "self" => leaf(path.clone(), path.last().cloned()),
        syn::UseTree::Name(name) => {
            let name = name.ident.to_string();
            path.push(name.clone());
            leaf(path.clone(), Some(name));
            path.pop();
        }
        syn::UseTree::Rename(rename) => {
            let mut path = path.clone();
            if rename.ident != "self" {
                path.push(rename.ident.to_string());
            }
            leaf(path, Some(rename.rename.to_string()));
        }
        syn::UseTree::Glob(_) => leaf(path.clone(), None),
    }
}

/// The tree with only the leaves that `keep` says, asked in the order of [`leaves`].
pub(super) fn prune(tree: &syn::UseTree, keep: &mut dyn Iterator<Item = bool>) -> Option<syn::UseTree> {
    match tree {
        syn::UseTree::Path(inner) => {
            let mut inner = inner.clone();
            inner.tree = Box::new(prune(&inner.tree, keep)?);
            Some(syn::UseTree::Path(inner))
        }
        syn::UseTree::Group(group) => {
            let mut items: Vec<syn::UseTree> = group.items.iter().filter_map(|tree| prune(tree, keep)).collect();
            match items.len() {
                0 => None,
                // `self` alone is only allowed in braces.
                1 if !is_self(&items[0]) => items.pop(),
                _ => {
                    let mut group = group.clone();
                    group.items = items.into_iter().collect();
                    Some(syn::UseTree::Group(group))
                }
            }
        }
        leaf => keep.next().unwrap_or(false).then(|| leaf.clone()),
    }
}

fn is_self(tree: &syn::UseTree) -> bool {
    match tree {
        syn::UseTree::Name(name) => name.ident == "self",
        syn::UseTree::Rename(rename) => rename.ident == "self",
        _ => false,
    }
}

impl Item {
    pub(super) fn is_exported_macro(&self) -> bool {
        self.kind == ItemKind::Macro { exported: true }
    }
}
