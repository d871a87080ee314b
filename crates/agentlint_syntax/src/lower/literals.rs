//! Literals and their values.

use crate::ast::Literal;
use crate::{Name, name};

/// The literal without its sign, and whether it has one.
pub(crate) fn literal(literal: &syn::Lit) -> (Option<Literal>, bool) {
    let mut is_negative = false;
    let value = match literal {
        syn::Lit::Str(text) => Literal::Str(text.value()),
        syn::Lit::ByteStr(bytes) => Literal::ByteStr(bytes.value().len() as u32),
        syn::Lit::CStr(_) => Literal::CStr,
        syn::Lit::Byte(_) => Literal::Byte,
        syn::Lit::Char(_) => Literal::Char,
        syn::Lit::Int(int) => {
            let digits = int.base10_digits();
            is_negative = digits.starts_with('-');
            Literal::Int { suffix: suffix(int.suffix()), value: digits.trim_start_matches('-').parse().ok() }
        }
        syn::Lit::Float(float) => {
            is_negative = float.base10_digits().starts_with('-');
            Literal::Float { suffix: suffix(float.suffix()) }
        }
        syn::Lit::Bool(bool) => Literal::Bool(bool.value),
        _ => return (None, false),
    };
    (Some(value), is_negative)
}

fn suffix(text: &str) -> Option<Name> {
    (!text.is_empty()).then(|| name(text))
}
