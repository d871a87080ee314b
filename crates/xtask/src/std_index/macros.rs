//! Which macro a call in item position means: textual scope first, then any macro of that name in this crate or an earlier one.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use agentlint_syntax::macro_rules::{Budget, MacroRules};
use proc_macro2::TokenStream;

/// The `macro_rules!` in force at one place, which an inner module inherits.
pub(super) type Scope = HashMap<String, Rc<MacroRules>>;

/// The macros that can be named by path.
#[derive(Default)]
pub(super) struct Macros {
    here: HashMap<String, Rc<MacroRules>>,
    /// Exported macros of earlier crates, with the crate's name.
    earlier: HashMap<String, (Rc<MacroRules>, &'static str)>,
    pub(super) unexpanded: BTreeMap<String, usize>,
}

impl Macros {
    pub(super) fn define(&mut self, name: &str, rules: TokenStream, scope: Option<&mut Scope>) {
        match MacroRules::parse(rules) {
            Ok(rules) => {
                let rules = Rc::new(rules);
                if let Some(scope) = scope {
                    scope.insert(name.to_owned(), Rc::clone(&rules));
                }
                self.here.entry(name.to_owned()).or_insert(rules);
            }
            Err(error) => self.note(format!("definition of `{name}`: {error}")),
        }
    }

    /// `None` when the macro is unknown or does not expand, which is noted.
    pub(super) fn expand(&mut self, name: &str, input: TokenStream, scope: &Scope) -> Option<TokenStream> {
        let (rules, dollar_crate) = match scope.get(name).or_else(|| self.here.get(name)) {
            Some(rules) => (Rc::clone(rules), "crate"),
            None => match self.earlier.get(name) {
                Some((rules, owner)) => (Rc::clone(rules), *owner),
                None => {
                    self.note(format!("`{name}!` is not known"));
                    return None;
                }
            },
        };
        rules.expand(input, dollar_crate, &Budget::new(usize::MAX)).map_err(|error| self.note(format!("`{name}!`: {error}"))).ok()
    }

    /// Goes on to the next crate: the macros of this one are then those of an earlier one.
    pub(super) fn next_crate(&mut self, name: &'static str) {
        for (macro_name, rules) in std::mem::take(&mut self.here) {
            self.earlier.insert(macro_name, (rules, name));
        }
    }

    fn note(&mut self, text: String) {
        *self.unexpanded.entry(text).or_default() += 1;
    }
}
