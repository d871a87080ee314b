//! Items: what a module, an impl, a trait or a block declares.

use serde::{Deserialize, Serialize};

use super::{Attribute, Bound, CfgExpr, Generics, MacroCall, Path, TypeRef};
use crate::{Lazy, Name, Span};

index_vec::define_index_type! {
    /// An item of one file.
    pub struct ItemId = u32;
}
index_vec::define_index_type! {
    /// A body of one file.
    pub struct BodyId = u32;
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Empty for `use`, `impl`, `extern` blocks and macro calls.
    pub name: Name,
    /// The name's own place; for an item without a name, its keyword or path.
    pub name_span: Span,
    /// The whole item, outer attributes left out.
    pub span: Span,
    /// Without `cfg` and `derive`, which have fields of their own.
    pub attributes: Vec<Attribute>,
    /// All its `cfg` attributes and the predicates of `cfg_attr` that matter, taken together.
    pub cfg: Option<CfgExpr>,
    pub visibility: Visibility,
    pub kind: ItemKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Visibility {
    /// Nothing written; items of traits, of trait impls and variants are as visible as their parent.
    Inherited,
    Public,
    /// `pub(crate)`
    Crate,
    /// `pub(super)`, `pub(self)`, `pub(in path)`: the path.
    In(Box<Path>),
}

/// Boxed where one kind would make all others larger: a crate has many thousand items, and few are ever looked into.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ItemKind {
    Module(Module),
    /// One per leaf of the `use` tree.
    Use(Vec<Import>),
    ExternCrate(ExternCrate),
    Function(Function),
    Struct(Struct),
    Union(Struct),
    Enum(Box<Enum>),
    Trait(Trait),
    Impl(Impl),
    /// `type X = …;`, also in traits and impls.
    TypeAlias(Lazy<TypeAlias>),
    /// Also in traits and impls.
    Const(Const),
    Static(Static),
    MacroRules(MacroRules),
    /// A macro called where items stand, and not understood natively.
    MacroCall(Box<MacroCall>),
    ExternBlock(Vec<ItemId>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Module {
    /// `None` for `mod name;`. A `#[path]` stays among the item's attributes.
    pub items: Option<Vec<ItemId>>,
    pub span: Span,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Import {
    /// The whole path from its start, nested groups joined: `["std", "fs", "read"]`. `self` at the end of a group is dropped.
    pub path: Vec<Name>,
    pub leading_colon: bool,
    pub kind: ImportKind,
    /// The leaf's own place.
    pub span: Span,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportKind {
    /// Bound to the last segment's name, or to the alias. `as _` has `Anonymous`.
    Named(Name),
    #[default]
    Anonymous,
    Glob,
    /// `use a::b::{self}`: only the type namespace, bound to this name.
    SelfOf(Name),
}

impl ImportKind {
    /// The name that the import binds, where it binds one.
    pub fn bound(self) -> Option<Name> {
        match self {
            ImportKind::Named(name) | ImportKind::SelfOf(name) => Some(name),
            ImportKind::Anonymous | ImportKind::Glob => None,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExternCrate {
    /// The name that is bound; `None` for `as _`. The item's name is the crate's.
    pub alias: Option<Name>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Function {
    pub declaration: Lazy<FunctionDeclaration>,
    /// `None` for a declaration (traits, extern blocks), for a body that was skipped, and for one that does not parse.
    pub body: Option<BodyId>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FunctionDeclaration {
    pub generics: Generics,
    pub self_parameter: Option<SelfParameter>,
    /// Without `self`.
    pub parameters: Vec<Parameter>,
    pub output: Option<TypeRef>,
    pub is_async: bool,
    pub is_const: bool,
    pub is_unsafe: bool,
    /// A body was written, whether or not it was lowered: a trait's method with a default.
    pub has_body: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SelfParameter {
    pub reference: bool,
    pub mutable: bool,
    /// `self: Arc<Self>`
    pub ty: Option<TypeRef>,
    pub span: Span,
}

/// A parameter's type. Its pattern is in the body's `parameters`, at the same index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parameter {
    pub ty: TypeRef,
    pub cfg: Option<CfgExpr>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Struct {
    pub declaration: Lazy<StructDeclaration>,
    pub derives: Vec<Path>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StructDeclaration {
    pub generics: Generics,
    pub fields: Fields,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub enum Fields {
    #[default]
    Unit,
    /// Named `0`, `1`, ….
    Tuple(Vec<Field>),
    Named(Vec<Field>),
}

impl Fields {
    pub fn list(&self) -> &[Field] {
        match self {
            Fields::Unit => &[],
            Fields::Tuple(fields) | Fields::Named(fields) => fields,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Field {
    pub name: Name,
    pub span: Span,
    pub ty: TypeRef,
    pub visibility: Visibility,
    pub cfg: Option<CfgExpr>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enum {
    pub generics: Generics,
    pub variants: Vec<Variant>,
    pub derives: Vec<Path>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Variant {
    pub name: Name,
    pub span: Span,
    pub fields: Fields,
    pub cfg: Option<CfgExpr>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trait {
    pub header: Lazy<TraitHeader>,
    pub items: Vec<ItemId>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TraitHeader {
    pub generics: Generics,
    pub supertraits: Vec<Bound>,
    /// `trait X = A + B;`
    pub is_alias: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Impl {
    /// The last segment of the trait's path.
    pub trait_name: Option<Name>,
    /// Whether that segment is the whole path.
    pub is_plain: bool,
    pub self_head: WrittenHead,
    /// `impl !Send for X`
    pub is_negative: bool,
    pub header: Lazy<ImplHeader>,
    pub items: Vec<ItemId>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImplHeader {
    pub generics: Generics,
    pub trait_path: Option<Path>,
    pub self_type: TypeRef,
}

/// The outermost constructor of a type as far as its text tells, so that impls are found before a name is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WrittenHead {
    /// A generic parameter of the impl.
    Parameter,
    /// A path: its last segment.
    Named(Name),
    Reference(bool),
    Pointer(bool),
    Slice,
    Array,
    Tuple(u32),
    Function,
    Never,
    /// Only resolving it tells.
    Other,
}

impl ImplHeader {
    pub fn self_head(&self) -> WrittenHead {
        match &self.self_type {
            TypeRef::Path(path) if path.qualified_self.is_some() => WrittenHead::Other,
            TypeRef::Path(path) => {
                let is_parameter = |name: Name| self.generics.params.iter().any(|param| param.name == name);
                match path.segments.as_slice() {
                    [only] if is_parameter(only.name) => WrittenHead::Parameter,
                    [first, _, ..] if is_parameter(first.name) => WrittenHead::Other,
                    [.., last] => WrittenHead::Named(last.name),
                    [] => WrittenHead::Other,
                }
            }
            TypeRef::Reference { mutable, .. } => WrittenHead::Reference(*mutable),
            TypeRef::Pointer { mutable, .. } => WrittenHead::Pointer(*mutable),
            TypeRef::Slice(_) => WrittenHead::Slice,
            TypeRef::Array { .. } => WrittenHead::Array,
            TypeRef::Tuple(types) => WrittenHead::Tuple(types.len() as u32),
            TypeRef::Function { .. } => WrittenHead::Function,
            TypeRef::Never => WrittenHead::Never,
            TypeRef::Infer | TypeRef::ImplTrait(_) | TypeRef::DynTrait(_) | TypeRef::Macro(_) | TypeRef::Unknown => {
                WrittenHead::Other
            }
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TypeAlias {
    pub generics: Generics,
    /// Of an associated type's declaration.
    pub bounds: Vec<Bound>,
    /// `None` for a declaration in a trait without a default.
    pub ty: Option<TypeRef>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Const {
    pub ty: TypeRef,
    pub body: Option<BodyId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Static {
    pub ty: TypeRef,
    pub mutable: bool,
    pub origin: StaticOrigin,
    pub body: Option<BodyId>,
}

/// What declared a static. For the macros `ty` and `body` are the written type and initialiser, and the static's own type wraps
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StaticOrigin {
    Item,
    /// `lazy_static! { static ref X: T = …; }`: derefs to `T`.
    LazyStatic,
    /// `thread_local! { static X: T = …; }`: a `std::thread::LocalKey<T>`.
    ThreadLocal,
}

/// `macro_rules! name { … }` or `macro name { … }`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MacroRules {
    /// The rules as they are written, between the outer delimiters.
    pub text: Lazy<String>,
    /// Where that text stands.
    pub text_span: Span,
    /// `#[macro_export]`
    pub exported: bool,
}
