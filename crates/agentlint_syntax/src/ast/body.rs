//! Bodies: expressions and patterns of a function, a constant or a static, in arenas.

use index_vec::IndexVec;
use serde::{Deserialize, Serialize};

use super::{CfgExpr, GenericArgs, ItemId, Path, TypeRef};
use crate::{Lazy, Name, Origin, Span, TokenPlace, Written};

index_vec::define_index_type! {
    /// An expression of one body.
    pub struct ExprId = u32;
}
index_vec::define_index_type! {
    /// A pattern of one body.
    pub struct PatId = u32;
}

/// The body of a function, a constant or a static. Closures and async blocks are part of the body they stand in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Body {
    pub exprs: IndexVec<ExprId, Expr>,
    pub pats: IndexVec<PatId, Pat>,
    /// The patterns of the function's parameters, `self` left out.
    pub parameters: Vec<PatId>,
    /// A function's is an `ExprKind::Block`.
    pub root: ExprId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ExprKind {
    /// Something this crate does not understand (`asm!` operands, verbatim tokens), or `_` on the left of an assignment.
    Missing,
    Literal(Literal),
    Path(Path),
    Unary {
        op: UnaryOp,
        operand: ExprId,
    },
    Binary {
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    },
    /// `left = right`, or `left op= right`.
    Assign {
        op: Option<BinaryOp>,
        left: ExprId,
        right: ExprId,
    },
    /// `&x`, `&mut x`, and with `raw`: `&raw const x`, `&raw mut x`.
    Reference {
        mutable: bool,
        raw: bool,
        operand: ExprId,
    },
    Field {
        base: ExprId,
        name: Name,
        name_span: Span,
    },
    Index {
        base: ExprId,
        index: ExprId,
    },
    Call {
        callee: ExprId,
        arguments: Vec<ExprId>,
    },
    MethodCall {
        receiver: ExprId,
        name: Name,
        name_span: Span,
        turbofish: Option<Box<GenericArgs>>,
        arguments: Vec<ExprId>,
    },
    Tuple(Vec<ExprId>),
    Array(Vec<ExprId>),
    Repeat {
        element: ExprId,
        length: ExprId,
    },
    Struct {
        path: Box<Path>,
        fields: Vec<FieldInit>,
        base: Option<ExprId>,
    },
    Block(Box<Block>),
    /// `async { … }`, `async move { … }`: the body is an `ExprKind::Block`.
    Async {
        is_move: bool,
        body: ExprId,
    },
    Closure {
        is_async: bool,
        is_move: bool,
        parameters: Vec<(PatId, Option<TypeRef>)>,
        output: Option<Box<TypeRef>>,
        body: ExprId,
    },
    If {
        condition: ExprId,
        then: ExprId,
        otherwise: Option<ExprId>,
    },
    /// `let pattern = scrutinee` in a condition.
    Let {
        pat: PatId,
        scrutinee: ExprId,
    },
    Match {
        scrutinee: ExprId,
        arms: Vec<MatchArm>,
    },
    Loop {
        label: Option<Name>,
        body: ExprId,
    },
    While {
        label: Option<Name>,
        condition: ExprId,
        body: ExprId,
    },
    For {
        label: Option<Name>,
        pat: PatId,
        iterable: ExprId,
        body: ExprId,
    },
    Break {
        label: Option<Name>,
        value: Option<ExprId>,
    },
    Continue {
        label: Option<Name>,
    },
    Return(Option<ExprId>),
    /// `yield x`, and `become x` which is treated as a return by its users.
    Yield(Option<ExprId>),
    /// `operand.await`; the span is that of the word `await`.
    Await {
        operand: ExprId,
        await_span: Span,
    },
    /// `operand?`
    Try(ExprId),
    Cast {
        operand: ExprId,
        ty: TypeRef,
    },
    Range {
        start: Option<ExprId>,
        end: Option<ExprId>,
        inclusive: bool,
    },
    Macro(Box<MacroCall>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// With its suffix (`u8`), if any; the value where it fits.
    Int {
        suffix: Option<Name>,
        value: Option<u64>,
    },
    Float {
        suffix: Option<Name>,
    },
    Bool(bool),
    Char,
    Byte,
    Str(String),
    /// With its length.
    ByteStr(u32),
    CStr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UnaryOp {
    Deref,
    Not,
    Neg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    Shr,
    /// `&&`
    And,
    /// `||`
    Or,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FieldInit {
    /// `0`, `1` for a tuple struct written with braces.
    pub name: Name,
    pub name_span: Span,
    /// For the shorthand `S { x }`: a path expression.
    pub value: ExprId,
    pub cfg: Option<CfgExpr>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    pub kind: BlockKind,
    pub label: Option<Name>,
    /// Items declared in the block: in scope in all of it.
    pub items: Vec<ItemId>,
    pub statements: Vec<Statement>,
    /// The block's value.
    pub tail: Option<ExprId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockKind {
    Plain,
    Unsafe,
    Const,
    /// `try { … }`
    Try,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statement {
    pub kind: StatementKind,
    pub cfg: Option<Box<CfgExpr>>,
    pub span: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum StatementKind {
    Let {
        pat: PatId,
        ty: Option<Box<TypeRef>>,
        init: Option<ExprId>,
        otherwise: Option<ExprId>,
    },
    /// `semicolon` is false for a block-like expression that stands as a statement.
    Expr {
        expr: ExprId,
        semicolon: bool,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MatchArm {
    pub pat: PatId,
    pub guard: Option<ExprId>,
    pub body: ExprId,
    pub cfg: Option<CfgExpr>,
}

/// A macro call, its tokens, and its arguments where they have a shape that is understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MacroCall {
    pub path: Path,
    /// The tokens between the delimiters.
    pub tokens: Span,
    /// The same as text: kept only where it may be needed for expansion.
    pub text: Lazy<String>,
    /// Where the tokens of the text were written, for a call that an expansion put together; empty where the text stands as it is
    /// at `tokens`.
    pub places: Vec<TokenPlace>,
    pub arguments: MacroArguments,
}

impl MacroCall {
    /// Where the call's tokens come from, for its expansion.
    pub fn origin(&self, call_span: Span) -> Origin<'_> {
        let written = if self.places.is_empty() { Written::From(self.tokens.start) } else { Written::At(&self.places) };
        Origin { written, call_span }
    }
}

/// What the tokens of a macro call parse as. The shape is chosen by the macro's last name (`select`, `matches`, `stream`, …);
/// whether that name really is the macro it looks like is for the semantic model to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MacroArguments {
    /// Nothing that parses, or an item macro.
    Opaque,
    /// Expressions between commas (or semicolons), some with names (`name = value`): format, assert, vec, join, dbg, ….
    Exprs(Vec<MacroArgument>),
    /// `select!`: `pattern = future [, if guard] => handler`, `else => handler`.
    Select { branches: Vec<SelectBranch>, otherwise: Option<ExprId> },
    /// `matches!(scrutinee, pattern if guard)`
    Matches { scrutinee: ExprId, pat: PatId, guard: Option<ExprId> },
    /// Statements: `stream! { … }`, `try_stream! { … }`, and unknown macros with a block's contents. An `ExprKind::Block`.
    Block(ExprId),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MacroArgument {
    /// `name = value`, also tracing's `field.name = value` (joined) and `?value`, `%value` (without a name).
    pub name: Option<Name>,
    /// What a format string names and the list does not, `{value}`, comes behind the others.
    pub value: ExprId,
    /// How the macro shows the value.
    pub shown: Option<Shown>,
}

/// The trait that shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    Display,
    Debug,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelectBranch {
    pub pat: PatId,
    pub future: ExprId,
    pub guard: Option<ExprId>,
    pub handler: ExprId,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pat {
    pub kind: PatKind,
    pub span: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PatKind {
    /// `_`
    Wild,
    /// `name`, `mut name`, `ref name`, `name @ pattern`. A plain name may turn out to be a constant, a unit struct or a variant.
    Bind {
        name: Name,
        by_ref: bool,
        mutable: bool,
        subpattern: Option<PatId>,
    },
    /// A path of several segments, or with a qualified self.
    Path(Path),
    /// `rest` counts the elements ahead of `..`, where there is one; `..` itself is not an element.
    TupleStruct {
        path: Box<Path>,
        elements: Vec<PatId>,
        rest: Option<u32>,
    },
    Struct {
        path: Box<Path>,
        fields: Vec<FieldPat>,
    },
    Tuple {
        elements: Vec<PatId>,
        rest: Option<u32>,
    },
    /// An element may be a `Rest`, or a `Bind` whose subpattern is a `Rest`.
    Slice(Vec<PatId>),
    Reference {
        mutable: bool,
        pat: PatId,
    },
    Literal(ExprId),
    Range {
        start: Option<ExprId>,
        end: Option<ExprId>,
    },
    Or(Vec<PatId>),
    /// `..` inside a slice pattern.
    Rest,
    Macro(Box<MacroCall>),
    /// `const { … }` or something this crate does not understand.
    Opaque,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FieldPat {
    pub name: Name,
    pub name_span: Span,
    /// For the shorthand `S { x }`: a `Bind`.
    pub pat: PatId,
    pub cfg: Option<CfgExpr>,
}
