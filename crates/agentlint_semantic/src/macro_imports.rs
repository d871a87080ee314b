//! What a macro called in a body imports for its own expansion: `{ use std::task::Poll; match $e { Poll::Ready(x) => x, … } }`.

use agentlint_syntax::{
    Expanded, Name, Span,
    ast::{Body, ExprKind, Import, ImportKind, ItemKind, PatKind, Path, Segment},
};

use crate::def::{DefId, DefKind};
use crate::names::{Namespace, Resolution};
use crate::program::Program;

/// The imports of the blocks of an expansion, but for those under a `cfg`.
pub(crate) fn imports(expanded: &Expanded) -> Vec<Import> {
    let blocks = expanded.body.exprs.iter().filter_map(|expr| match &expr.kind {
        ExprKind::Block(block) => Some(&block.items),
        _ => None,
    });
    let items = blocks.flatten().filter_map(|item| expanded.file.items.get(*item)).filter(|item| item.cfg.is_none());
    let imports = items.filter_map(|item| match &item.kind {
        ItemKind::Use(imports) => Some(imports.iter().cloned()),
        _ => None,
    });
    imports.flatten().collect()
}

/// Writes those paths of the macro's own text, which stands at `call_span`, that begin with an imported name as they would be
/// without the import. Blocks are not told apart, so that a name that may mean two things there is left as it is.
pub(crate) fn write_out(body: &mut Body, imports: &[Import], call_span: Span) {
    let name_of = |import: &Import| match import.kind {
        ImportKind::Named(name) | ImportKind::SelfOf(name) => Some(name),
        ImportKind::Anonymous | ImportKind::Glob => None,
    };
    let is_bound =
        |name: Name| body.pats.iter().any(|pat| matches!(&pat.kind, PatKind::Bind { name: bound, .. } if *bound == name));
    let is_plain = |name: Name, import: &Import| {
        let is_other = |other: &Import| name_of(other) == Some(name) && other.path != import.path;
        let leads_on = |other: &Import| name_of(other).is_some_and(|other| import.path.first() == Some(&other));
        !imports.iter().any(|other| is_other(other) || (import.path.len() > 1 && leads_on(other))) && !is_bound(name)
    };
    let named: Vec<(Name, &Import)> = imports
        .iter()
        .filter_map(|import| Some((name_of(import)?, import)))
        .filter(|(name, import)| is_plain(*name, import))
        .collect();
    if named.is_empty() {
        return;
    }
    let write = |path: &mut Path| {
        let is_plain = path.qualified_self.is_none() && !path.leading_colon && path.span == call_span;
        let Some(first) = path.segments.first().filter(|_| is_plain) else { return };
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
