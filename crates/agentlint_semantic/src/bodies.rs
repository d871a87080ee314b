//! The bodies of functions, constants and statics.

use agentlint_diagnostics::FileId;
use agentlint_syntax::ast::{self, ItemKind};
use agentlint_syntax::parse_body;

use crate::def::DefId;
use crate::program::Program;

/// Where the body of a definition is.
pub(crate) enum FoundBody {
    Nowhere,
    /// Among the bodies of its file, as it is written.
    InFile(FileId, ast::BodyId),
    /// It was left in the text, or calls macros that are expanded.
    Own(Box<OwnBody>),
}

pub(crate) struct OwnBody {
    pub(crate) body: ast::Body,
    /// Traits that the macros that are called import for their expansions.
    pub(crate) traits: Vec<DefId>,
}

impl Program<'_> {
    /// The body of a function, constant or static, with the macros that it calls expanded.
    pub fn body(&self, owner: DefId) -> Option<&ast::Body> {
        match self.facts(owner).body.get_or_init(|| self.find_body(owner).unwrap_or(FoundBody::Nowhere)) {
            FoundBody::Nowhere => None,
            FoundBody::InFile(file, body) => self.file(owner.krate, *file)?.bodies.get(*body),
            FoundBody::Own(own) => Some(&own.body),
        }
    }

    /// Traits that macros called in a body import, and its module does not; known once the body was asked for.
    pub(crate) fn traits_of_macros(&self, owner: DefId) -> &[DefId] {
        match self.facts(owner).body.get() {
            Some(FoundBody::Own(own)) => &own.traits,
            _ => &[],
        }
    }

    fn find_body(&self, owner: DefId) -> Option<FoundBody> {
        let file = self.def(owner).file;
        if let Some(body) = self.body_id(owner) {
            let written = self.file(owner.krate, file)?.bodies.get(body)?;
            let expanded = self.expand_body(owner, written).map(|own| FoundBody::Own(Box::new(own)));
            return Some(expanded.unwrap_or(FoundBody::InFile(file, body)));
        }
        if self.is_std(owner.krate) || self.node(owner.krate).is_member {
            return None;
        }
        let read = parse_body(&self.loader().text(owner.krate, file)?, self.item(owner)?)?;
        let expanded = self.expand_body(owner, &read);
        Some(FoundBody::Own(Box::new(expanded.unwrap_or(OwnBody { body: read, traits: Vec::new() }))))
    }

    /// Whether a function has a body that can be asked for.
    pub fn has_body(&self, function: DefId) -> bool {
        let Some(ast::Item { kind: ItemKind::Function(declared), .. }) = self.item(function) else { return false };
        declared.body.is_some() || (declared.declaration.has_body && !self.is_std(function.krate))
    }

    pub fn body_id(&self, owner: DefId) -> Option<ast::BodyId> {
        match &self.item(owner)?.kind {
            ItemKind::Function(function) => function.body,
            ItemKind::Const(constant) => constant.body,
            ItemKind::Static(item) => item.body,
            _ => None,
        }
    }
}
