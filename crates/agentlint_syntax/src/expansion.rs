//! From a macro call's text to the facts of what it expands to.

use std::str::FromStr;

use proc_macro2::TokenStream;

use crate::ast::{self, SourceFile, TypeRef};
use crate::expanded::{
    Expanded, parse_expanded_expr, parse_expanded_items, parse_expanded_pat, parse_expanded_statements, parse_expanded_type,
};
use crate::macro_rules::{Budget, MacroRules};
use crate::places::Origin;
use crate::{Bodies, limits};

/// A macro that is ready to be called. It holds tokens of this thread.
pub struct Macro {
    rules: MacroRules,
}

/// A call of a macro.
#[derive(Clone, Copy, Debug)]
pub struct MacroInput<'a> {
    /// What stands between the delimiters.
    pub text: &'a str,
    pub origin: Origin<'a>,
    /// What to write for `$crate`.
    pub dollar_crate: &'a str,
    pub budget: &'a Budget,
}

impl Macro {
    /// Reads the rules as [`ast::MacroRules`] keeps them. An error says what is wrong with them.
    pub fn new(rules: &ast::MacroRules) -> Result<Macro, String> {
        let tokens = lex(&rules.text)?;
        Ok(Macro { rules: MacroRules::parse(tokens)? })
    }

    fn expand(&self, input: MacroInput<'_>) -> Result<TokenStream, String> {
        let tokens = lex(input.text)?;
        self.rules.expand(tokens, input.dollar_crate, input.budget)
    }

    pub fn expand_items(&self, input: MacroInput<'_>, bodies: Bodies) -> Result<SourceFile, String> {
        parse_expanded_items(self.expand(input)?, input.origin, bodies)
    }

    /// As an expression, or else as statements.
    pub fn expand_expr(&self, input: MacroInput<'_>) -> Result<Expanded, String> {
        let tokens = self.expand(input)?;
        parse_expanded_expr(tokens.clone(), input.origin).or_else(|_| parse_expanded_statements(tokens, input.origin))
    }

    /// The pattern is the body's only parameter.
    pub fn expand_pat(&self, input: MacroInput<'_>) -> Result<Expanded, String> {
        parse_expanded_pat(self.expand(input)?, input.origin)
    }

    pub fn expand_type(&self, input: MacroInput<'_>) -> Result<TypeRef, String> {
        parse_expanded_type(self.expand(input)?, input.origin)
    }
}

/// Frees what the tokens of this thread take. Every [`Macro`] of it must be gone.
pub fn forget_tokens() {
    proc_macro2::extra::invalidate_current_thread_spans();
}

fn lex(text: &str) -> Result<TokenStream, String> {
    let tokens = TokenStream::from_str(text).map_err(|error| error.to_string())?;
    limits::check(&tokens).map_err(|()| limits::MESSAGE.to_owned())?;
    Ok(tokens)
}
