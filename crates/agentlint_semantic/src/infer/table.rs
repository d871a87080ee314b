//! Inference variables: a union-find with an undo log, so that a guess can be taken back.

use std::cell::Cell;

use crate::types::{Folder, Ty, TyKind};

/// What a variable may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VarKind {
    General,
    Integer,
    Float,
    /// The type of an expression that diverges: general, but falls back to `!`, and then to `()`.
    Diverging,
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Free(VarKind),
    Bound(Ty),
}

/// Free variables with what they may become.
#[derive(Clone, Debug)]
pub(super) struct FreeVars(Vec<(u32, VarKind)>);

/// More steps than this through one type give up on it.
const LONGEST_WALK: u32 = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Table {
    values: Vec<Value>,
    /// Bindings since the oldest snapshot: the variable and what it was.
    log: Vec<(u32, Value)>,
    snapshots: u32,
    /// Steps taken so far, by whatever walks through types.
    work: Cell<u32>,
}

/// A point to go back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    values: usize,
    log: usize,
}

impl Table {
    /// Whether what is bound now may be taken back.
    pub(crate) fn is_guessing(&self) -> bool {
        self.snapshots > 0
    }

    pub(crate) fn work(&self) -> u32 {
        self.work.get()
    }

    pub(crate) fn step(&self) {
        self.work.set(self.work.get().saturating_add(1));
    }

    /// The walk through one type may take so many steps: variables that stand for pairs of variables double with each level.
    fn may_go_on(&self, start: u32) -> bool {
        self.step();
        self.work.get() - start < LONGEST_WALK
    }

    pub(crate) fn fresh(&mut self, kind: VarKind) -> Ty {
        self.values.push(Value::Free(kind));
        Ty::var(self.values.len() as u32 - 1)
    }

    pub(crate) fn snapshot(&mut self) -> Snapshot {
        self.snapshots += 1;
        Snapshot { values: self.values.len(), log: self.log.len() }
    }

    pub(crate) fn rollback(&mut self, to: Snapshot) {
        self.snapshots -= 1;
        while self.log.len() > to.log {
            if let Some((var, value)) = self.log.pop() {
                self.values[var as usize] = value;
            }
        }
        self.values.truncate(to.values);
    }

    pub(crate) fn commit(&mut self) {
        self.snapshots -= 1;
        if self.snapshots == 0 {
            self.log.clear();
        }
    }

    /// The type behind a variable, as far as it is known; other types as they are.
    pub(crate) fn shallow(&self, mut ty: Ty) -> Ty {
        while let TyKind::Var(var) = *ty.kind() {
            match self.values.get(var as usize) {
                Some(Value::Bound(bound)) => ty = *bound,
                Some(Value::Free(_)) => break,
                None => return Ty::UNKNOWN,
            }
        }
        ty
    }

    /// The kind of a free variable.
    pub(crate) fn kind(&self, ty: Ty) -> Option<VarKind> {
        match *ty.kind() {
            TyKind::Var(var) => match self.values.get(var as usize)? {
                Value::Free(kind) => Some(*kind),
                Value::Bound(_) => None,
            },
            _ => None,
        }
    }

    /// The type with every variable that is known put in.
    pub(crate) fn resolve(&self, ty: Ty) -> Ty {
        if ty.has_vars() { ty.fold_with(&mut Resolver { table: self, depth: 0, start: self.work() }) } else { ty }
    }

    /// Binds the free variable `var` (already resolved shallowly) to `ty`. `false` where the kinds do not fit or `ty` holds `var`.
    pub(crate) fn bind(&mut self, var: Ty, ty: Ty) -> bool {
        let (TyKind::Var(number), Some(kind)) = (*var.kind(), self.kind(var)) else { return false };
        if var == ty {
            return true;
        }
        if let Some(other) = self.kind(ty) {
            let TyKind::Var(other_number) = *ty.kind() else { return false };
            let (keep, give) = match (kind, other) {
                (VarKind::Integer, VarKind::Float) | (VarKind::Float, VarKind::Integer) => return false,
                (VarKind::Integer | VarKind::Float, _) => (var, other_number),
                (_, VarKind::Integer | VarKind::Float) => (ty, number),
                (VarKind::Diverging, VarKind::General) => (ty, number),
                _ => (var, other_number),
            };
            self.set(give, keep);
            return true;
        }
        let fits = match kind {
            VarKind::General | VarKind::Diverging => true,
            VarKind::Integer => matches!(ty.kind(), TyKind::Int(_) | TyKind::Unknown),
            VarKind::Float => matches!(ty.kind(), TyKind::Float(_) | TyKind::Unknown),
        };
        if !fits || (ty.has_vars() && self.occurs(number, ty, 0, self.work())) {
            return false;
        }
        self.set(number, ty);
        true
    }

    fn set(&mut self, var: u32, ty: Ty) {
        if self.snapshots > 0 {
            self.log.push((var, self.values[var as usize]));
        }
        self.values[var as usize] = Value::Bound(ty);
    }

    /// The free variables in `types`.
    pub(super) fn free_vars(&self, types: &[Ty]) -> FreeVars {
        let mut vars = Vec::new();
        types.iter().for_each(|ty| self.add_free_vars(*ty, &mut vars, self.work()));
        vars.sort_unstable();
        vars.dedup();
        FreeVars(vars.into_iter().filter_map(|var| Some((var, self.kind(Ty::var(var))?))).collect())
    }

    /// Whether nothing more is known of variables that were free: they are still free, stand for different types and may become the
    /// same as before. That they are one with others tells nothing.
    pub(super) fn are_as_free(&self, vars: &mut FreeVars) -> bool {
        let mut is_one_with_another = false;
        for (var, kind) in &mut vars.0 {
            let ty = self.shallow(Ty::var(*var));
            match *ty.kind() {
                TyKind::Var(now) if self.kind(ty) == Some(*kind) => is_one_with_another |= std::mem::replace(var, now) != now,
                _ => return false,
            }
        }
        if is_one_with_another {
            vars.0.sort_unstable_by_key(|(var, _)| *var);
        }
        !is_one_with_another || vars.0.windows(2).all(|pair| pair[0].0 != pair[1].0)
    }

    fn add_free_vars(&self, ty: Ty, vars: &mut Vec<u32>, start: u32) {
        let ty = self.shallow(ty);
        match *ty.kind() {
            TyKind::Var(var) => vars.push(var),
            _ if ty.has_vars() && self.may_go_on(start) => {
                ty.kind().each_part(&mut |part| self.add_free_vars(part, vars, start));
            }
            _ => {}
        }
    }

    /// `false` where `ty` can never be an instance of `pattern`, whose parameters stand for any type. Binds nothing, and does not
    /// look into everything.
    pub(crate) fn may_become(&self, ty: Ty, pattern: Ty, depth: u32) -> bool {
        let ty = self.shallow(ty);
        if ty == pattern || depth > 8 {
            return true;
        }
        let list = |ours: &[Ty], theirs: &[Ty]| {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| self.may_become(*ours, *theirs, depth + 1))
        };
        match (*ty.kind(), *pattern.kind()) {
            (_, TyKind::Param(..) | TyKind::Projection(..) | TyKind::Unknown | TyKind::Opaque(..) | TyKind::Var(_)) => true,
            (TyKind::Projection(..) | TyKind::Unknown, _) => true,
            (TyKind::Var(_), TyKind::Int(_)) => self.kind(ty) != Some(VarKind::Float),
            (TyKind::Var(_), TyKind::Float(_)) => self.kind(ty) != Some(VarKind::Integer),
            (TyKind::Var(_), _) => !matches!(self.kind(ty), Some(VarKind::Integer | VarKind::Float)),
            (TyKind::Adt(ours, p), TyKind::Adt(theirs, q)) => ours == theirs && list(&p, &q),
            (TyKind::Ref(ours, m), TyKind::Ref(theirs, n)) | (TyKind::Pointer(ours, m), TyKind::Pointer(theirs, n)) => {
                m == n && self.may_become(ours, theirs, depth + 1)
            }
            (TyKind::Slice(ours), TyKind::Slice(theirs)) => self.may_become(ours, theirs, depth + 1),
            (TyKind::Array(ours, _), TyKind::Array(theirs, _)) => self.may_become(ours, theirs, depth + 1),
            (TyKind::Tuple(p), TyKind::Tuple(q)) => list(&p, &q),
            _ => match (ty.head(), pattern.head()) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => true,
            },
        }
    }

    fn occurs(&self, var: u32, ty: Ty, depth: u32, start: u32) -> bool {
        let ty = self.shallow(ty);
        if let TyKind::Var(other) = *ty.kind() {
            return other == var;
        }
        if !ty.has_vars() {
            return false;
        }
        if depth > 64 || !self.may_go_on(start) {
            return true;
        }
        let mut found = false;
        ty.kind().each_part(&mut |part| found = found || self.occurs(var, part, depth + 1, start));
        found
    }
}

struct Resolver<'a> {
    table: &'a Table,
    depth: u32,
    start: u32,
}

impl Folder for Resolver<'_> {
    fn concerns(&self, ty: Ty) -> bool {
        ty.has_vars()
    }

    fn fold(&mut self, ty: Ty) -> Ty {
        let known = self.table.shallow(ty);
        if known == ty || self.depth > 64 {
            return ty;
        }
        if !self.table.may_go_on(self.start) {
            return Ty::UNKNOWN;
        }
        self.depth += 1;
        let resolved = known.fold_with(self);
        self.depth -= 1;
        resolved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_are_taken_back() {
        let mut table = Table::default();
        let (a, b) = (table.fresh(VarKind::General), table.fresh(VarKind::Integer));
        let snapshot = table.snapshot();
        assert!(table.bind(a, b));
        assert_eq!(table.kind(table.shallow(a)), Some(VarKind::Integer));
        assert!(table.bind(table.shallow(a), Ty::USIZE));
        assert_eq!(table.resolve(Ty::tuple(&[a, b])), Ty::tuple(&[Ty::USIZE, Ty::USIZE]));
        table.rollback(snapshot);
        assert_eq!(table.kind(a), Some(VarKind::General));
        assert_eq!(table.kind(b), Some(VarKind::Integer));
    }

    #[test]
    fn a_variable_never_holds_itself() {
        let mut table = Table::default();
        let var = table.fresh(VarKind::General);
        assert!(!table.bind(var, var.reference(false)));
        assert!(!table.bind(var, Ty::tuple(&[Ty::BOOL, var])));
    }

    #[test]
    fn variables_are_as_free_until_something_is_known_of_them() {
        let fresh = || {
            let mut table = Table::default();
            let vars: Vec<Ty> = (0..4).map(|_| table.fresh(VarKind::General)).collect();
            let free = table.free_vars(&[Ty::tuple(&[vars[0], vars[1]]), vars[0]]);
            (table, vars, free)
        };
        let (mut table, vars, mut free) = fresh();
        assert!(table.bind(vars[2], vars[0]) && table.bind(vars[3], vars[1]));
        assert!(table.are_as_free(&mut free), "one with others");
        assert!(table.bind(table.shallow(vars[2]), table.shallow(vars[3])));
        assert!(!table.are_as_free(&mut free), "one with each other");
        let (mut table, vars, mut free) = fresh();
        let integer = table.fresh(VarKind::Integer);
        assert!(table.bind(vars[1], integer));
        assert!(!table.are_as_free(&mut free), "an integer");
        let (mut table, vars, mut free) = fresh();
        assert!(table.bind(vars[0], vars[2]) && table.bind(table.shallow(vars[2]), Ty::STR));
        assert!(!table.are_as_free(&mut free), "a string");
    }

    #[test]
    fn an_integer_is_no_string() {
        let mut table = Table::default();
        let var = table.fresh(VarKind::Integer);
        assert!(!table.bind(var, Ty::STR));
        assert!(table.bind(var, Ty::USIZE));
    }
}
