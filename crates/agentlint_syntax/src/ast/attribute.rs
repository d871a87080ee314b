//! Attributes and `cfg` predicates.

use serde::{Deserialize, Serialize};

use crate::{Name, Span};

/// `#[path(arguments)]`. Doc comments are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The path as written, without spaces: `tokio::main`.
    pub path: Name,
    pub arguments: AttributeArguments,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeArguments {
    None,
    /// `#[path = "text"]`, the literal's value.
    Value(String),
    /// `#[path(text)]`: the tokens between the delimiters as they are written, and where they stand.
    Tokens {
        text: String,
        span: Span,
    },
}

/// A `cfg` predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CfgExpr {
    /// `unix`, `test`
    Flag(Name),
    /// `feature = "net"`
    KeyValue(Name, Name),
    All(Vec<CfgExpr>),
    Any(Vec<CfgExpr>),
    Not(Box<CfgExpr>),
    /// `true`, `false`
    Bool(bool),
}
