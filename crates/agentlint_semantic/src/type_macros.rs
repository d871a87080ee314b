//! Macros called where types stand.

use agentlint_syntax::{
    Budget, Macro, MacroInput, Name,
    ast::{MacroCall, TypeRef},
    forget_tokens,
};

use crate::def::{DefId, DefKind};
use crate::lower::{ImplTrait, Lowering};
use crate::program::Program;
use crate::types::Ty;

/// The most macros that are called in one type, or in the types of one signature.
const MOST_CALLS: u32 = 64;
/// What one of them may cost.
const MOST_WORK: usize = 20_000;

impl Lowering<'_, '_> {
    pub(crate) fn macro_call(&mut self, call: &MacroCall) -> Ty {
        self.expanded += 1;
        let is_allowed = self.expanded <= MOST_CALLS;
        let Some(written) = is_allowed.then(|| self.program.expand_type(self.module, call)).flatten() else {
            return Ty::UNKNOWN;
        };
        // Parameters that `impl Trait` makes are counted by what is written.
        let around = std::mem::replace(&mut self.impl_trait, ImplTrait::Unknown);
        let ty = self.ty(&written);
        self.impl_trait = around;
        ty
    }
}

impl Program<'_> {
    /// `None` where the macro's rules are not at hand, or none fits.
    fn expand_type(&self, module: DefId, call: &MacroCall) -> Option<TypeRef> {
        let path: Vec<Name> = call.path.segments.iter().map(|segment| segment.name).collect();
        // Which of several is meant is said by where they stand in the text.
        let is_macro = |def: &DefId| self.kind(*def) == DefKind::MacroRules;
        if matches!(path.as_slice(), [only] if self.declared(module, *only).filter(is_macro).count() > 1) {
            return None;
        }
        let def = self.macro_at(module, &path)?;
        let rules = Macro::new(def.rules()?).ok()?;
        let (origin, budget) = (call.origin(call.path.span), Budget::new(MOST_WORK));
        let input = MacroInput { text: &call.text, origin, dollar_crate: self.markers.of(def.krate), budget: &budget };
        let expanded = rules.expand_type(input).ok();
        drop(rules);
        forget_tokens();
        expanded
    }
}
