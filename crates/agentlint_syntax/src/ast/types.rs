//! Paths, types, bounds and generics as they are written. Lifetimes are not kept.

use serde::{Deserialize, Serialize};

use super::MacroCall;
use crate::{Name, Span};

/// A path of any kind: `crate::a::B::<T>::c`, `<T as Trait>::Item`, `::std::fs::read`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// `<T as Trait>::…` or `<T>::…`
    pub qualified_self: Option<Box<QualifiedSelf>>,
    /// `::a::b`
    pub leading_colon: bool,
    /// `crate`, `self`, `super`, `Self` and `$crate` are segments by their text; `r#x` is `x`.
    pub segments: Vec<Segment>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualifiedSelf {
    pub ty: TypeRef,
    /// How many of the path's leading segments name the trait; 0 in `<T>::new`.
    pub trait_segments: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    pub name: Name,
    pub span: Span,
    pub arguments: Option<Box<GenericArgs>>,
}

/// `<A, B, 3, Item = C>`, or `(A, B) -> C` of the `Fn` traits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenericArgs {
    /// Types and constants in order, lifetimes left out. For `Fn(A, B)`: one tuple type.
    pub arguments: Vec<GenericArg>,
    /// `Item = C`, `Item: Bound`. For `Fn(A) -> C`: `Output = C` (unit where it is not written).
    pub bindings: Vec<AssocBinding>,
    /// `Fn(A, B) -> C` was written.
    pub parenthesized: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GenericArg {
    Type(TypeRef),
    /// A constant that is an integer literal; `None` for any other expression. A constant that is a plain path is a `Type`.
    Const(Option<u64>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssocBinding {
    pub name: Name,
    pub arguments: Option<Box<GenericArgs>>,
    pub value: AssocValue,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AssocValue {
    Type(TypeRef),
    Bounds(Vec<Bound>),
    Const,
}

/// A type as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum TypeRef {
    Path(Path),
    Reference {
        mutable: bool,
        inner: Box<TypeRef>,
    },
    Pointer {
        mutable: bool,
        inner: Box<TypeRef>,
    },
    Slice(Box<TypeRef>),
    Array {
        element: Box<TypeRef>,
        length: Option<u64>,
    },
    Tuple(Vec<TypeRef>),
    Never,
    /// `_`
    Infer,
    Function {
        parameters: Vec<TypeRef>,
        output: Box<TypeRef>,
    },
    ImplTrait(Vec<Bound>),
    DynTrait(Vec<Bound>),
    Macro(Box<MacroCall>),
    /// Something this crate does not understand.
    #[default]
    Unknown,
}

impl TypeRef {
    pub fn unit() -> TypeRef {
        TypeRef::Tuple(Vec::new())
    }
}

/// `Trait<Args>`; `?Sized` has `maybe`. Lifetime bounds and `use<…>` are not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    pub path: Path,
    pub maybe: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Generics {
    /// Types and constants in order, lifetimes left out.
    pub params: Vec<GenericParam>,
    pub predicates: Vec<WherePredicate>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenericParam {
    pub name: Name,
    pub kind: GenericParamKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GenericParamKind {
    Type { bounds: Vec<Bound>, default: Option<TypeRef> },
    Const { ty: TypeRef },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WherePredicate {
    pub ty: TypeRef,
    pub bounds: Vec<Bound>,
}
