//! Literals and their values.

use crate::ast::Literal;
use crate::{Name, name};

pub(crate) fn literal(literal: &syn::Lit) -> Option<Literal> {
    Some(match literal {
        syn::Lit::Str(text) => Literal::Str(text.value()),
        syn::Lit::ByteStr(bytes) => Literal::ByteStr(bytes.value().len() as u32),
        syn::Lit::CStr(_) => Literal::CStr,
        syn::Lit::Byte(_) => Literal::Byte,
        syn::Lit::Char(_) => Literal::Char,
        syn::Lit::Int(int) => Literal::Int { suffix: suffix(int.suffix()), value: int.base10_parse().ok() },
        syn::Lit::Float(float) => Literal::Float { suffix: suffix(float.suffix()) },
        syn::Lit::Bool(bool) => Literal::Bool(bool.value),
        _ => return None,
    })
}

fn suffix(text: &str) -> Option<Name> {
    (!text.is_empty()).then(|| name(text))
}
