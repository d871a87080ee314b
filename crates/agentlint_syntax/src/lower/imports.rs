//! `use` trees flattened to one import a leaf.

use syn::UseTree;

use super::Lowering;
use crate::ast::{Import, ImportKind};
use crate::{Name, Span, name};

impl Lowering<'_> {
    pub(crate) fn imports(&self, item: &syn::ItemUse) -> Vec<Import> {
        let mut imports = Vec::new();
        let mut leaves = Leaves { lowering: self, leading_colon: item.leading_colon.is_some(), imports: &mut imports };
        leaves.tree(&item.tree, &mut Vec::new());
        imports
    }
}

struct Leaves<'a, 'text> {
    lowering: &'a Lowering<'text>,
    leading_colon: bool,
    imports: &'a mut Vec<Import>,
}

impl Leaves<'_, '_> {
    /// Adds the leaves of `tree`, which stands behind `path`; leaves `path` as it was.
    fn tree(&mut self, tree: &UseTree, path: &mut Vec<Name>) {
        match tree {
            UseTree::Path(step) => {
                path.push(self.lowering.name(&step.ident));
                self.tree(&step.tree, path);
                path.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, path)),
            UseTree::Name(leaf) => {
                let (name, span) = self.lowering.ident(&leaf.ident);
                self.leaf(path, name, name, span);
            }
            UseTree::Rename(leaf) => {
                let (name, start) = self.lowering.ident(&leaf.ident);
                let (alias, end) = self.lowering.ident(&leaf.rename);
                self.leaf(path, name, alias, start.to(end));
            }
            UseTree::Glob(leaf) => {
                let span = self.lowering.places.span(leaf.star_token.span);
                self.add(path.clone(), ImportKind::Glob, span);
            }
        }
    }

    fn leaf(&mut self, path: &[Name], last: Name, alias: Name, span: Span) {
        let mut path = path.to_vec();
        let is_self = last == name("self") && !path.is_empty();
        let bound = match path.last() {
            Some(parent) if is_self && alias == last => *parent,
            _ => alias,
        };
        if !is_self {
            path.push(last);
        }
        let kind = match bound.as_str() {
            "_" => ImportKind::Anonymous,
            _ if is_self => ImportKind::SelfOf(bound),
            _ => ImportKind::Named(bound),
        };
        self.add(path, kind, span);
    }

    fn add(&mut self, path: Vec<Name>, kind: ImportKind, span: Span) {
        self.imports.push(Import { path, leading_colon: self.leading_colon, kind, span });
    }
}
