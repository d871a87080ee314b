//! What a macro called in a body imports for its own expansion: `{ use std::task::Poll; match $e { Poll::Ready(x) => x, … } }`.

use agentlint_syntax::{
    Expanded, Name,
    ast::{Body, ExprKind, Import, ImportKind, ItemKind, PatKind, Path, Segment},
};

use crate::def::{DefId, DefKind};
use crate::names::{Namespace, Resolution};
use crate::program::Program;

/// The imports of the blocks of an expansion.
pub(crate) fn imports(expanded: &Expanded) -> Vec<Import> {
    let blocks = expanded.body.exprs.iter().filter_map(|expr| match &expr.kind {
        ExprKind::Block(block) => Some(&block.items),
        _ => None,
    });
    let items = blocks.flatten().filter_map(|item| expanded.file.items.get(*item));
    let imports = items.filter_map(|item| match &item.kind {
        ItemKind::Use(imports) => Some(imports.iter().cloned()),
        _ => None,
    });
    imports.flatten().collect()
}

/// Writes the paths that begin with an imported name as they would be without the import.
pub(crate) fn write_out(body: &mut Body, imports: &[Import]) {
    let named: Vec<(Name, &Import)> = imports
        .iter()
        .filter_map(|import| match import.kind {
            ImportKind::Named(name) | ImportKind::SelfOf(name) => Some((name, import)),
            ImportKind::Anonymous | ImportKind::Glob => None,
        })
        .collect();
    if named.is_empty() {
        return;
    }
    let write = |path: &mut Path| {
        let Some(first) = path.segments.first().filter(|_| path.qualified_self.is_none() && !path.leading_colon) else { return };
        let Some((_, import)) = named.iter().find(|(name, _)| *name == first.name) else { return };
        let span = first.span;
        let mut segments: Vec<Segment> = import.path.iter().map(|name| Segment { name: *name, span, arguments: None }).collect();
        let Some(last) = segments.last_mut() else { return };
        let mut written = std::mem::take(&mut path.segments).into_iter();
        last.arguments = written.next().and_then(|first| first.arguments);
        path.segments = segments.into_iter().chain(written).collect();
        path.leading_colon = import.leading_colon;
    };
    for expr in &mut body.exprs {
        match &mut expr.kind {
            ExprKind::Path(path) => write(path),
            ExprKind::Struct { path, .. } => write(path),
            _ => {}
        }
    }
    for pat in &mut body.pats {
        match &mut pat.kind {
            PatKind::Path(path) => write(path),
            PatKind::TupleStruct { path, .. } | PatKind::Struct { path, .. } => write(path),
            _ => {}
        }
    }
}

impl Program<'_> {
    /// The trait that is imported, so that its methods can be called.
    pub(crate) fn imported_trait(&self, module: DefId, import: &Import) -> Option<DefId> {
        let found = self.resolve_path(module, &import.path, import.leading_colon, Namespace::Type)?;
        match found.to {
            Resolution::Def(def) if found.used == import.path.len() && self.kind(def) == DefKind::Trait => Some(def),
            _ => None,
        }
    }
}
