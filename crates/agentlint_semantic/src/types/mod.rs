//! Types: interned, with erased lifetimes, and cheap to compare and copy.

mod fold;
pub(crate) mod intern;
mod render;

pub use fold::{Folder, fold_args, substitute_args};
pub use intern::{Args, Interned, Ty, args};

use agentlint_syntax::{Name, ast::ExprId};

use crate::def::DefId;

/// The shape of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TyKind {
    Bool,
    Char,
    Str,
    Never,
    Int(IntTy),
    Float(FloatTy),
    /// A struct, union or enum.
    Adt(DefId, Args),
    Ref(Ty, bool),
    Pointer(Ty, bool),
    Slice(Ty),
    /// The length is a `Const` type, a parameter, a variable or unknown.
    Array(Ty, Ty),
    Tuple(Args),
    /// A function, or the constructor of a tuple struct or variant, by name.
    FnDef(DefId, Args),
    /// The parameters' types, then the output.
    FnPtr(Args),
    /// A closure expression of a body: the signature as for `FnPtr`.
    Closure(BodyExpr, Args),
    /// An async block or the body of an async closure: its output.
    Async(BodyExpr, Ty),
    /// `impl Trait` in return position, the n-th of its function, with the function's arguments. An async fn's future is number 0.
    Opaque(DefId, u32, Args),
    Dyn(DynBounds),
    /// A generic parameter by its place in the list of all that are in scope (parents first); `Self` of a trait is number 0.
    Param(u32, Name),
    /// `<Self as Trait<…>>::Assoc<…>`: the associated type, and the trait's arguments with `Self` first, then its own.
    Projection(DefId, Args),
    /// A constant's value as a generic argument.
    Const(u64),
    /// A variable of the inference that is under way.
    Var(u32),
    /// Not known. It never makes a call wrong, only unresolved.
    Unknown,
}

/// An expression, program-wide: the owner of its body and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BodyExpr {
    pub owner: DefId,
    pub expr: u32,
}

impl BodyExpr {
    pub fn new(owner: DefId, expr: ExprId) -> BodyExpr {
        BodyExpr { owner, expr: expr.raw() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntTy {
    I8,
    I16,
    I32,
    I64,
    I128,
    Isize,
    U8,
    U16,
    U32,
    U64,
    U128,
    Usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FloatTy {
    F16,
    F32,
    F64,
    F128,
}

/// `dyn A<X, Item = Y> + B`: trait references whose arguments leave `Self` out, and the bindings of associated types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DynBounds {
    pub traits: intern::Interned<[DynTrait]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DynTrait {
    pub trait_def: DefId,
    /// Without `Self`.
    pub args: Args,
    /// The associated types that are bound, as a tuple of (definition, type).
    pub bindings: intern::Interned<[(DefId, Ty)]>,
}

/// `Self: Trait<Args>`; `args[0]` is `Self`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraitRef {
    pub trait_def: DefId,
    pub args: Args,
}

impl TraitRef {
    pub fn self_ty(&self) -> Ty {
        self.args.first().copied().unwrap_or(Ty::UNKNOWN)
    }
}

/// What a `where` clause or a bound says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Predicate {
    Trait(TraitRef),
    /// `<args[0] as Trait>::assoc == ty`
    Projection {
        assoc: DefId,
        args: Args,
        ty: Ty,
    },
}

/// The part of a type by which impls are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Head {
    Bool,
    Char,
    Str,
    Never,
    Int(IntTy),
    Float(FloatTy),
    Adt(DefId),
    Ref(bool),
    Pointer(bool),
    Slice,
    Array,
    Tuple(u32),
    Function,
    Closure,
    Async,
    Dyn(DefId),
}

impl IntTy {
    pub const ALL: [(IntTy, &'static str); 12] = [
        (IntTy::I8, "i8"),
        (IntTy::I16, "i16"),
        (IntTy::I32, "i32"),
        (IntTy::I64, "i64"),
        (IntTy::I128, "i128"),
        (IntTy::Isize, "isize"),
        (IntTy::U8, "u8"),
        (IntTy::U16, "u16"),
        (IntTy::U32, "u32"),
        (IntTy::U64, "u64"),
        (IntTy::U128, "u128"),
        (IntTy::Usize, "usize"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(ty, _)| *ty == self).map_or("i32", |(_, name)| name)
    }
}

impl FloatTy {
    pub fn name(self) -> &'static str {
        match self {
            FloatTy::F16 => "f16",
            FloatTy::F32 => "f32",
            FloatTy::F64 => "f64",
            FloatTy::F128 => "f128",
        }
    }
}

/// The primitive type of that name.
pub fn primitive(name: &str) -> Option<Ty> {
    Some(match name {
        "bool" => Ty::BOOL,
        "char" => Ty::new(TyKind::Char),
        "str" => Ty::STR,
        "f16" => Ty::new(TyKind::Float(FloatTy::F16)),
        "f32" => Ty::new(TyKind::Float(FloatTy::F32)),
        "f64" => Ty::new(TyKind::Float(FloatTy::F64)),
        "f128" => Ty::new(TyKind::Float(FloatTy::F128)),
        _ => return IntTy::ALL.iter().find(|(_, int)| *int == name).map(|(ty, _)| Ty::new(TyKind::Int(*ty))),
    })
}
