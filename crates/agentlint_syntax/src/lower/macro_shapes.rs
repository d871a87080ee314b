//! The shapes that the input of well-known macros has.

use proc_macro2::Spacing;
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Pat, Token, braced, bracketed, parenthesized, token};

use super::unraw;
use crate::ast::Shown;
use crate::{Name, name};

pub(crate) struct Argument {
    pub(crate) name: Option<Name>,
    pub(crate) value: Expr,
    pub(crate) shown: Option<Shown>,
}

/// Expressions between commas, `=>`, and `;` where `semicolons` says so; some with a name.
pub(crate) fn arguments(input: ParseStream<'_>, semicolons: bool) -> syn::Result<Vec<Argument>> {
    pass_biased(input)?;
    let mut arguments = Vec::new();
    while !input.is_empty() {
        let name = argument_name(input)?;
        // How tracing is to record a value.
        let mut shown = None;
        if input.peek(Token![?]) {
            input.parse::<Token![?]>()?;
            shown = Some(Shown::Debug);
        } else if input.peek(Token![%]) {
            input.parse::<Token![%]>()?;
            shown = Some(Shown::Display);
        }
        let value: Expr = input.parse()?;
        if matches!(value, Expr::Let(_)) {
            return Err(input.error("a statement"));
        }
        arguments.push(Argument { name, value, shown });
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        } else if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
        } else if semicolons && input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
        } else if !input.is_empty() {
            return Err(input.error("expected `,`"));
        }
    }
    Ok(arguments)
}

fn pass_biased(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek2(Token![;]) && input.cursor().ident().is_some_and(|(ident, _)| ident == "biased") {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    Ok(())
}

/// Passes `name =`, `a.b =` or `name:`.
fn argument_name(input: ParseStream<'_>) -> syn::Result<Option<Name>> {
    if read_name(input.cursor()).is_none() {
        return Ok(None);
    }
    input.step(|cursor| read_name(*cursor).map(|(name, rest)| (Some(name), rest)).ok_or_else(|| cursor.error("a name")))
}

fn read_name(cursor: Cursor<'_>) -> Option<(Name, Cursor<'_>)> {
    let (first, mut rest) = cursor.ident()?;
    let mut text = String::new();
    let mut last = first;
    loop {
        let (punct, after) = rest.punct()?;
        let joined = match punct.spacing() {
            Spacing::Joint => after.punct().map(|(next, _)| next.as_char()),
            Spacing::Alone => None,
        };
        match (punct.as_char(), joined) {
            ('.', None) => {
                text.push_str(&unraw(&last));
                text.push('.');
                (last, rest) = after.ident()?;
            }
            // Not `==`, `=>` or `::`.
            ('=', Some('=' | '>')) | (':', Some(':')) => return None,
            ('=' | ':', _) => {
                text.push_str(&unraw(&last));
                return Some((name(&text), after));
            }
            _ => return None,
        }
    }
}

/// `scrutinee, pattern if guard`; what an assertion adds behind it is passed by.
pub(crate) fn matches(input: ParseStream<'_>) -> syn::Result<(Expr, Pat, Option<Expr>)> {
    let scrutinee = input.parse()?;
    input.parse::<Token![,]>()?;
    let pat = Pat::parse_multi_with_leading_vert(input)?;
    let guard = match input.parse::<Option<Token![if]>>()? {
        Some(_) => Some(input.parse()?),
        None => None,
    };
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    while !input.is_empty() {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok((scrutinee, pat, guard))
}

pub(crate) struct Select {
    pub(crate) branches: Vec<Branch>,
    pub(crate) otherwise: Vec<Expr>,
}

pub(crate) struct Branch {
    pub(crate) pat: Pat,
    pub(crate) future: Expr,
    pub(crate) guard: Option<Expr>,
    pub(crate) handler: Expr,
}

/// The branches of tokio's, futures' and crossbeam's `select!`.
pub(crate) fn select(input: ParseStream<'_>) -> syn::Result<Select> {
    pass_biased(input)?;
    let mut select = Select { branches: Vec::new(), otherwise: Vec::new() };
    while !input.is_empty() {
        let word = input.cursor().ident().map(|(word, _)| word.to_string());
        let is_otherwise = matches!(word.as_deref(), Some("else" | "default" | "complete"));
        if is_otherwise && (input.peek2(Token![=>]) || input.peek2(token::Paren) && input.peek3(Token![=>])) {
            input.call(Ident::parse_any)?;
            if input.peek(token::Paren) {
                let _timeout: Expr = input.parse()?;
            }
            select.otherwise.push(handler(input)?);
        } else {
            select.branches.push(branch(input)?);
        }
    }
    Ok(select)
}

fn branch(input: ParseStream<'_>) -> syn::Result<Branch> {
    let ahead = input.fork();
    let is_crossbeam = ahead.parse::<Expr>().is_ok() && ahead.peek(Token![->]);
    let (pat, future);
    if is_crossbeam {
        future = input.parse()?;
        input.parse::<Token![->]>()?;
        pat = Pat::parse_multi_with_leading_vert(input)?;
    } else {
        pat = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        future = input.parse()?;
    }
    let mut guard = None;
    if input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
        input.parse::<Token![if]>()?;
        guard = Some(input.parse()?);
    }
    Ok(Branch { pat, future, guard, handler: handler(input)? })
}

fn handler(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse::<Token![=>]>()?;
    let handler = input.call(Expr::parse_with_earlier_boundary_rule)?;
    input.parse::<Option<Token![,]>>()?;
    Ok(handler)
}

/// The expressions in `{ "key": value, … }`, nested to any depth.
pub(crate) fn json_values(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let mut values = Vec::new();
    json_value(input, &mut values)?;
    Ok(values)
}

fn json_value(input: ParseStream<'_>, values: &mut Vec<Expr>) -> syn::Result<()> {
    if input.peek(token::Brace) {
        let object;
        braced!(object in input);
        while !object.is_empty() {
            json_key(&object, values)?;
            object.parse::<Token![:]>()?;
            json_value(&object, values)?;
            pass_comma(&object)?;
        }
    } else if input.peek(token::Bracket) && !continues(input) {
        let array;
        bracketed!(array in input);
        while !array.is_empty() {
            json_value(&array, values)?;
            pass_comma(&array)?;
        }
    } else {
        values.push(input.parse()?);
    }
    Ok(())
}

/// `[1, 2][0]` or `[a].concat()` is an expression, and no array.
fn continues(input: ParseStream<'_>) -> bool {
    input.peek2(Token![.]) || input.peek2(token::Bracket)
}

fn json_key(object: ParseStream<'_>, values: &mut Vec<Expr>) -> syn::Result<()> {
    if object.peek(token::Paren) {
        let key;
        parenthesized!(key in object);
        values.push(key.parse()?);
        return Ok(());
    }
    if object.peek(syn::Lit) {
        object.call(syn::Lit::parse)?;
    } else {
        values.push(Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: object.call(syn::Path::parse_mod_style)? }));
    }
    Ok(())
}

fn pass_comma(input: ParseStream<'_>) -> syn::Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}
