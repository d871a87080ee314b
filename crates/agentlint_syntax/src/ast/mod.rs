//! The facts of one file: what analysis needs of its syntax, and nothing else.
//!
//! Items, expressions and patterns live in arenas and are named by ids; types, paths and bounds are small trees. Names are
//! interned. Spans are byte ranges of the file.

mod attribute;
mod body;
mod item;
mod items;
mod splice;
mod types;

pub use attribute::{Attribute, AttributeArguments, CfgExpr};
pub use body::{
    BinaryOp, Block, BlockKind, Body, Expr, ExprId, ExprKind, FieldInit, FieldPat, Literal, MacroArgument, MacroArguments,
    MacroCall, MatchArm, Pat, PatId, PatKind, SelectBranch, Shown, Statement, StatementKind, UnaryOp,
};
pub use item::{
    BodyId, Const, Enum, ExternCrate, Field, Fields, Function, FunctionDeclaration, Impl, ImplHeader, Import, ImportKind, Item,
    ItemId, ItemKind, MacroRules, Module, Parameter, SelfParameter, Static, StaticOrigin, Struct, StructDeclaration, Trait,
    TraitHeader, TypeAlias, Variant, Visibility, WrittenHead,
};
pub use items::Items;
pub use types::{
    AssocBinding, AssocValue, Bound, GenericArg, GenericArgs, GenericParam, GenericParamKind, Generics, Path, QualifiedSelf,
    Segment, TypeRef, WherePredicate,
};

use index_vec::IndexVec;
use serde::{Deserialize, Serialize};

use crate::{Lazy, LineIndex, Span};

/// Everything that is known of one file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourceFile {
    /// Every item of the file, those of impls, traits, inline modules and blocks too.
    pub items: Items,
    /// The items at the top of the file, in order.
    pub root: Vec<ItemId>,
    /// The file's inner attributes (`#![…]`).
    pub attributes: Vec<Attribute>,
    /// The file's `#![cfg(…)]` attributes taken together.
    pub cfg: Option<CfgExpr>,
    pub bodies: Lazy<IndexVec<BodyId, Body>>,
    /// The bodies with blocks that declare items; sorted.
    pub declaring: Vec<DeclaringBody>,
    pub comments: Vec<Comment>,
    pub lines: Lazy<LineIndex>,
    pub errors: Vec<SyntaxError>,
}

/// A body with blocks that declare items: these can be had without unpacking the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaringBody {
    pub body: BodyId,
    /// Each block's place and items, an outer block before those inside it.
    pub blocks: Vec<(ExprId, Span, Vec<ItemId>)>,
}

/// A comment that is not documentation: `// …` or `/* … */`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// From its first slash to its last character, the newline left out.
    pub span: Span,
    /// Without the slashes and stars, trimmed.
    pub text: String,
}

/// Why a file, or a part of it, could not be read as Rust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntaxError {
    pub message: String,
    pub span: Span,
}
