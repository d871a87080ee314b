//! The interner: each type and each list of types exists once, for as long as the process lives.
//!
//! A run builds few distinct types (tens of thousands), so they are leaked rather than owned by the program: that makes a type a
//! plain pointer, comparable and copyable without a context.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::thread::LocalKey;

use hashbrown::HashTable;

use super::{DynTrait, IntTy, TyKind};
use crate::def::DefId;

/// A value that exists once; equal if and only if it is the same one.
pub struct Interned<T: ?Sized + 'static>(&'static T);

impl<T: ?Sized> Clone for Interned<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Interned<T> {}

impl<T: ?Sized> PartialEq for Interned<T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl<T: ?Sized> Eq for Interned<T> {}

impl<T: ?Sized> Hash for Interned<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

impl<T: ?Sized> Deref for Interned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for Interned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A list of types.
pub type Args = Interned<[Ty]>;

#[derive(Debug)]
pub(crate) struct TyData {
    kind: TyKind,
    has_vars: bool,
    has_params: bool,
    has_projections: bool,
    has_unknown: bool,
    /// How many types it is made of, itself among them.
    size: u32,
}

/// Larger types are unknown: nobody writes them, and walks through a type must end.
const LARGEST: u32 = 4_096;

/// A type.
#[derive(Clone, Copy)]
pub struct Ty(&'static TyData);

impl PartialEq for Ty {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Ty {}

impl Hash for Ty {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

impl std::fmt::Debug for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.kind.fmt(f)
    }
}

const fn plain(kind: TyKind) -> TyData {
    TyData { kind, has_vars: false, has_params: false, has_projections: false, has_unknown: false, size: 1 }
}

static UNKNOWN: TyData = TyData { has_unknown: true, ..plain(TyKind::Unknown) };
static BOOL: TyData = plain(TyKind::Bool);
static STR: TyData = plain(TyKind::Str);
static NEVER: TyData = plain(TyKind::Never);
static UNIT: TyData = plain(TyKind::Tuple(Interned(&EMPTY)));
static USIZE: TyData = plain(TyKind::Int(IntTy::Usize));
static EMPTY: [Ty; 0] = [];

const SHARDS: usize = 64;

/// How many values a thread finds again without asking the table that all share.
const RECENT: usize = 2048;

/// Values by what they hold.
struct Table<V: 'static> {
    shards: [Mutex<HashTable<V>>; SHARDS],
}

/// Bindings of associated types.
type Bindings = Interned<[(DefId, Ty)]>;

/// What a thread found last, by hash.
type Recent<V> = [Cell<Option<V>>; RECENT];

impl<V: Copy> Table<V> {
    fn new() -> Self {
        Table { shards: std::array::from_fn(|_| Mutex::new(HashTable::new())) }
    }

    fn find_or_insert(
        &self,
        hash: u64,
        recent: &'static LocalKey<Recent<V>>,
        is_it: impl Fn(V) -> bool,
        make: impl FnOnce() -> V,
        hash_of: impl Fn(&V) -> u64,
    ) -> V {
        recent.with(|recent| {
            let slot = &recent[(hash >> 32) as usize % RECENT];
            if let Some(found) = slot.get().filter(|value| is_it(*value)) {
                return found;
            }
            // A panic while a shard is held cannot leave it half-written: insertion is one step.
            let mut shard = self.shards[(hash >> 48) as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
            let found = match shard.find(hash, |value| is_it(*value)) {
                Some(found) => *found,
                None => match make() {
                    made if is_it(made) => *shard.insert_unique(hash, made, hash_of).get(),
                    // What is too large stands for something else.
                    other => return other,
                },
            };
            slot.set(Some(found));
            found
        })
    }
}

fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

static TYPES: LazyLock<Table<Ty>> = LazyLock::new(|| {
    let table = Table::new();
    for data in [&UNKNOWN, &BOOL, &STR, &NEVER, &UNIT, &USIZE] {
        let hash = hash_of(&data.kind);
        table.find_or_insert(hash, &RECENT_TYPES, |ty| ty.0.kind == data.kind, || Ty(data), |ty| hash_of(&ty.0.kind));
    }
    table
});

/// The first variables.
static VARS: [OnceLock<Ty>; 1024] = [const { OnceLock::new() }; 1024];

static LISTS: LazyLock<Table<Interned<[Ty]>>> = LazyLock::new(Table::new);
static DYN_TRAITS: LazyLock<Table<Interned<[DynTrait]>>> = LazyLock::new(Table::new);
static BINDINGS: LazyLock<Table<Bindings>> = LazyLock::new(Table::new);

thread_local! {
    static RECENT_TYPES: Recent<Ty> = const { [const { Cell::new(None) }; RECENT] };
    static RECENT_LISTS: Recent<Interned<[Ty]>> = const { [const { Cell::new(None) }; RECENT] };
    static RECENT_DYN_TRAITS: Recent<Interned<[DynTrait]>> = const { [const { Cell::new(None) }; RECENT] };
    static RECENT_BINDINGS: Recent<Bindings> = const { [const { Cell::new(None) }; RECENT] };
}

fn intern_slice<T: Copy + Hash + Eq>(
    table: &Table<Interned<[T]>>,
    recent: &'static LocalKey<Recent<Interned<[T]>>>,
    items: &[T],
) -> Interned<[T]> {
    let make = || Interned(Box::leak::<'static>(items.into()) as &[T]);
    table.find_or_insert(hash_of(items), recent, |list| *list.0 == *items, make, |list| hash_of(list.0))
}

/// The list of these types.
pub fn args(types: &[Ty]) -> Args {
    if types.is_empty() { Interned(&EMPTY) } else { intern_slice(&LISTS, &RECENT_LISTS, types) }
}

pub(crate) fn dyn_traits(traits: &[DynTrait]) -> Interned<[DynTrait]> {
    intern_slice(&DYN_TRAITS, &RECENT_DYN_TRAITS, traits)
}

pub(crate) fn bindings(list: &[(DefId, Ty)]) -> Interned<[(DefId, Ty)]> {
    intern_slice(&BINDINGS, &RECENT_BINDINGS, list)
}

impl Ty {
    pub const UNKNOWN: Ty = Ty(&UNKNOWN);
    pub const BOOL: Ty = Ty(&BOOL);
    pub const STR: Ty = Ty(&STR);
    pub const NEVER: Ty = Ty(&NEVER);
    pub const UNIT: Ty = Ty(&UNIT);
    pub const USIZE: Ty = Ty(&USIZE);

    pub fn new(kind: TyKind) -> Ty {
        let make = || {
            let mut size = 1u32;
            kind.each_part(&mut |part| size = size.saturating_add(part.0.size));
            if size > LARGEST {
                return Ty::UNKNOWN;
            }
            let flags = |test: fn(&TyData) -> bool| kind.any_part(|part| test(part.0));
            Ty(Box::leak(Box::new(TyData {
                has_vars: matches!(kind, TyKind::Var(_)) || flags(|d| d.has_vars),
                has_params: matches!(kind, TyKind::Param(..)) || flags(|d| d.has_params),
                has_projections: matches!(kind, TyKind::Projection(..)) || flags(|d| d.has_projections),
                has_unknown: matches!(kind, TyKind::Unknown) || flags(|d| d.has_unknown),
                size,
                kind,
            })))
        };
        TYPES.find_or_insert(hash_of(&kind), &RECENT_TYPES, |ty| ty.0.kind == kind, make, |ty| hash_of(&ty.0.kind))
    }

    /// The variable of that number. Every body makes the same ones again.
    pub(crate) fn var(number: u32) -> Ty {
        let Some(slot) = VARS.get(number as usize) else { return Ty::new(TyKind::Var(number)) };
        *slot.get_or_init(|| Ty::new(TyKind::Var(number)))
    }

    pub fn kind(self) -> &'static TyKind {
        &self.0.kind
    }

    pub fn has_vars(self) -> bool {
        self.0.has_vars
    }

    pub fn has_params(self) -> bool {
        self.0.has_params
    }

    pub fn has_projections(self) -> bool {
        self.0.has_projections
    }

    pub fn has_unknown(self) -> bool {
        self.0.has_unknown
    }

    pub fn is_unknown(self) -> bool {
        self == Ty::UNKNOWN
    }

    pub fn adt(def: DefId, arguments: &[Ty]) -> Ty {
        Ty::new(TyKind::Adt(def, args(arguments)))
    }

    pub fn reference(self, mutable: bool) -> Ty {
        Ty::new(TyKind::Ref(self, mutable))
    }

    pub fn tuple(types: &[Ty]) -> Ty {
        if types.is_empty() { Ty::UNIT } else { Ty::new(TyKind::Tuple(args(types))) }
    }
}

impl TyKind {
    /// Whether `test` holds for a type directly inside this one.
    fn any_part(&self, test: impl Fn(Ty) -> bool) -> bool {
        let mut found = false;
        self.each_part(&mut |part| found |= test(part));
        found
    }

    /// Calls `visit` with each type directly inside this one.
    pub fn each_part(&self, visit: &mut dyn FnMut(Ty)) {
        match self {
            TyKind::Adt(_, list)
            | TyKind::Tuple(list)
            | TyKind::FnDef(_, list)
            | TyKind::FnPtr(list)
            | TyKind::Closure(_, list)
            | TyKind::Opaque(_, _, list)
            | TyKind::Projection(_, list) => list.iter().for_each(|ty| visit(*ty)),
            TyKind::Ref(inner, _) | TyKind::Pointer(inner, _) | TyKind::Slice(inner) | TyKind::Async(_, inner) => visit(*inner),
            TyKind::Array(element, length) => {
                visit(*element);
                visit(*length);
            }
            TyKind::Dyn(bounds) => {
                for bound in bounds.traits.iter() {
                    bound.args.iter().for_each(|ty| visit(*ty));
                    bound.bindings.iter().for_each(|(_, ty)| visit(*ty));
                }
            }
            TyKind::Bool
            | TyKind::Char
            | TyKind::Str
            | TyKind::Never
            | TyKind::Int(_)
            | TyKind::Float(_)
            | TyKind::Param(..)
            | TyKind::Const(_)
            | TyKind::Var(_)
            | TyKind::Unknown => {}
        }
    }
}
