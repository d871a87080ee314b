//! Type inference of one body, and the calls that it resolves on the way.
//!
//! Local inference in the manner of rustc: expected types flow inwards, variables are unified, obligations wait until their
//! self type is known, closures are checked after the other arguments of their call. No borrow checking and no errors: what
//! is not understood is unknown.

mod block;
mod bounds;
mod call;
mod closure;
mod coerce;
mod expr;
mod finish;
pub(crate) mod macros;
mod method;
mod operator;
mod pat;
mod path;
pub(crate) mod pending;
mod project;
pub(crate) mod selections;
pub(crate) mod solve;
pub(crate) mod table;
mod unify;

use agentlint_syntax::{
    Name, Span,
    ast::{Body, CfgExpr, ExprId, ExprKind, PatId},
};
use index_vec::IndexVec;
use rustc_hash::FxHashMap;

use crate::def::{DefId, DefKind};
use crate::lower::Lowering;
use crate::program::Program;
use crate::types::{Args, Ty, TyKind, args};

use call::callee_name;
use solve::Solver;
use table::VarKind;

/// What is known of a body.
#[derive(Debug)]
pub struct Inferred {
    pub owner: DefId,
    pub types: IndexVec<ExprId, Ty>,
    pub pat_types: IndexVec<PatId, Ty>,
    /// In the order in which they were checked.
    pub calls: Vec<CallSite>,
    /// Which binding a path expression reads; sorted.
    pub locals: Vec<(ExprId, PatId)>,
    /// Patterns that look like bindings and name a constant or a variant; sorted.
    pub constants: Vec<PatId>,
    /// Which definition a path expression names, with its arguments; sorted by the expression.
    pub paths: Vec<(ExprId, DefId, Args)>,
}

impl Inferred {
    /// A body that was too much: nothing in it is known.
    fn given_up(owner: DefId, body: &Body) -> Inferred {
        let calls = body.exprs.iter_enumerated().filter_map(|(expr, data)| {
            let (kind, name, name_span, receiver, arguments) = match &data.kind {
                ExprKind::MethodCall { receiver, name, name_span, arguments, .. } => {
                    (CallKind::Method, *name, *name_span, Some(*receiver), arguments)
                }
                ExprKind::Call { callee, arguments } => {
                    let (name, name_span) = callee_name(body, *callee);
                    (CallKind::Function, name, name_span, None, arguments)
                }
                _ => return None,
            };
            let (arguments, callee) = (arguments.clone(), Callee::Unresolved(Reason::TooMuchWork));
            Some(CallSite { expr, kind, name, name_span, callee, receiver, arguments })
        });
        Inferred {
            owner,
            types: body.exprs.iter().map(|_| Ty::UNKNOWN).collect(),
            pat_types: body.pats.iter().map(|_| Ty::UNKNOWN).collect(),
            calls: calls.collect(),
            locals: Vec::new(),
            constants: Vec::new(),
            paths: Vec::new(),
        }
    }

    /// Whether a pattern that is written as a name binds it.
    pub fn is_binding(&self, pat: PatId) -> bool {
        self.constants.binary_search(&pat).is_err()
    }

    /// The binding that a path expression reads.
    pub fn local(&self, expr: ExprId) -> Option<PatId> {
        let at = self.locals.binary_search_by_key(&expr, |(expr, _)| *expr).ok()?;
        Some(self.locals[at].1)
    }
}

/// One call: `f(x)`, `a.f(x)`, or one that a macro or an operator makes.
#[derive(Clone, Debug)]
pub struct CallSite {
    pub expr: ExprId,
    pub kind: CallKind,
    /// The callee's own name: the last segment of a path, a method's name.
    pub name: Name,
    pub name_span: Span,
    pub callee: Callee,
    /// The receiver of a method, before adjustment.
    pub receiver: Option<ExprId>,
    pub arguments: Vec<ExprId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    Function,
    Method,
    /// `write!` calling `write_fmt`.
    Macro,
    /// Not written as a call: `next` of a `for`, an operator's method.
    Implicit,
}

/// What a call site calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// A function or method. Of a trait: the trait's own function, and the impl's where the self type is concrete.
    Function {
        def: DefId,
        args: Args,
        implementation: Option<DefId>,
    },
    /// A tuple struct or a variant.
    Constructor(DefId),
    /// A closure, a function pointer or another value.
    Value(Ty),
    Unresolved(Reason),
}

/// Why a call is not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The receiver's type is not known.
    UnknownReceiver,
    /// The type is known, and no method of that name was found.
    NoSuchMethod,
    /// The path leads nowhere.
    UnknownPath,
    /// The value that is called has an unknown type.
    UnknownValue,
    /// The body takes more steps than inference may take.
    TooMuchWork,
}

impl Reason {
    pub fn text(self) -> &'static str {
        match self {
            Reason::UnknownReceiver => "unknown receiver type",
            Reason::NoSuchMethod => "no such method found",
            Reason::UnknownPath => "unknown path",
            Reason::UnknownValue => "unknown value",
            Reason::TooMuchWork => "too much work",
        }
    }
}

/// What is expected of an expression's type: a hint, never a demand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    Nothing,
    Type(Ty),
    /// The value is behind a pointer that may yet be unsized to this `dyn` or slice: what is made here (a closure, an `async` block,
    /// an array) learns from it, but is not of it.
    Unsized(Ty),
}

impl Expect {
    /// The type that the expression itself is to have.
    fn ty(self) -> Option<Ty> {
        match self {
            Expect::Nothing | Expect::Unsized(_) => None,
            Expect::Type(ty) => Some(ty),
        }
    }

    /// Also what it may only be unsized to.
    fn of_value(self) -> Option<Ty> {
        match self {
            Expect::Nothing => None,
            Expect::Type(ty) | Expect::Unsized(ty) => Some(ty),
        }
    }
}

/// A function, closure or async block whose body is being checked.
struct Frame {
    output: Ty,
}

/// A loop or labelled block that `break` can leave.
struct Breakable {
    label: Option<Name>,
    ty: Ty,
    has_break: bool,
    /// Whether an unlabelled `break` means it.
    is_loop: bool,
}

pub(crate) struct Context<'a, 'l> {
    program: &'a Program<'l>,
    owner: DefId,
    body: &'a Body,
    /// The innermost block that declares items, or the module.
    module: DefId,
    /// The trait that the owner is a function of, or of an impl of: its methods can be called as if it were imported.
    trait_around: Option<DefId>,
    solver: Solver<'a, 'l>,
    types: IndexVec<ExprId, Ty>,
    pat_types: IndexVec<PatId, Ty>,
    calls: Vec<CallSite>,
    local_uses: FxHashMap<ExprId, PatId>,
    constants: Vec<PatId>,
    paths: FxHashMap<ExprId, (DefId, Args)>,
    scope: Vec<(Name, PatId, Ty)>,
    self_param: Option<Ty>,
    frames: Vec<Frame>,
    breakables: Vec<Breakable>,
    depth: u32,
}

impl Program<'_> {
    /// Infers the body of a function, constant or static. `None` where it has none.
    pub fn infer(&self, owner: DefId) -> Option<Inferred> {
        let body = self.body(owner)?;
        let mut context = Context::new(self, owner, body);
        context.check_owner();
        let inferred = match context.solver.is_exhausted() {
            true => Inferred::given_up(owner, body),
            false => context.finish(),
        };
        Some(inferred)
    }
}

impl<'a, 'l> Context<'a, 'l> {
    fn new(program: &'a Program<'l>, owner: DefId, body: &'a Body) -> Self {
        Context {
            program,
            owner,
            body,
            module: program.def(owner).module,
            trait_around: program.container(owner).and_then(|holder| match program.kind(holder) {
                DefKind::Trait => Some(holder),
                _ => program.impl_trait_ref(holder).map(|implemented| implemented.trait_def),
            }),
            solver: Solver::new(program, Some(owner)),
            types: body.exprs.iter().map(|_| Ty::UNKNOWN).collect(),
            pat_types: body.pats.iter().map(|_| Ty::UNKNOWN).collect(),
            calls: Vec::new(),
            local_uses: FxHashMap::default(),
            constants: Vec::new(),
            paths: FxHashMap::default(),
            scope: Vec::new(),
            self_param: None,
            frames: Vec::new(),
            breakables: Vec::new(),
            depth: 0,
        }
    }

    fn check_owner(&mut self) {
        let output = match self.program.function(self.owner) {
            Some(function) => {
                let signature = self.program.signature(self.owner);
                let mut parameters = signature.parameters.as_slice();
                if signature.has_self
                    && let Some((first, rest)) = parameters.split_first()
                {
                    self.self_param = Some(self.solver.normalize(*first));
                    parameters = rest;
                }
                let mut active = parameters.iter();
                for (pat, written) in self.body.parameters.iter().zip(&function.parameters) {
                    let ty = match self.is_compiled(written.cfg.as_ref()) {
                        true => active.next().copied().unwrap_or(Ty::UNKNOWN),
                        false => Ty::UNKNOWN,
                    };
                    let ty = self.solver.normalize(ty);
                    self.check_pat(*pat, ty);
                }
                self.body_output(signature.is_async)
            }
            None => {
                let mut lowering = Lowering::of(self.program, self.owner);
                match self.program.item(self.owner).map(|item| &item.kind) {
                    Some(agentlint_syntax::ast::ItemKind::Const(item)) => lowering.ty(&item.ty),
                    Some(agentlint_syntax::ast::ItemKind::Static(item)) => lowering.ty(&item.ty),
                    _ => Ty::UNKNOWN,
                }
            }
        };
        let output = self.solver.normalize(output);
        self.frames.push(Frame { output });
        let ty = self.check(self.body.root, Expect::Type(output));
        self.coerce(ty, output);
        self.solver.select_pending();
    }

    /// What the body of the owner must give: an async fn's own type, not the future; an opaque type has no hint to give.
    fn body_output(&mut self, is_async: bool) -> Ty {
        let signature = self.program.signature(self.owner);
        if !is_async {
            return signature.output;
        }
        let future_output = self.program.known().future_output;
        let awaited = signature.implied.iter().find_map(|p| match p {
            crate::types::Predicate::Projection { assoc, ty, args }
                if Some(*assoc) == future_output && args.first() == Some(&signature.output) =>
            {
                Some(*ty)
            }
            _ => None,
        });
        awaited.unwrap_or(Ty::UNKNOWN)
    }

    fn fresh(&mut self) -> Ty {
        self.solver.fresh()
    }

    fn shallow(&self, ty: Ty) -> Ty {
        self.solver.shallow(ty)
    }

    /// The type as far as it is known, after another look at what is pending where it is a variable.
    fn structurally(&mut self, ty: Ty) -> Ty {
        let known = self.shallow(ty);
        if matches!(known.kind(), TyKind::Var(_)) {
            self.solver.select_pending();
            return self.shallow(known);
        }
        if known.has_projections() { self.solver.normalize(known) } else { known }
    }

    /// Lowers a written type of this body; `_` and missing arguments become variables.
    fn lower(&mut self, written: &agentlint_syntax::ast::TypeRef) -> Ty {
        let ty = self.with_lowering(|lowering| lowering.ty(written));
        self.solver.normalize(ty)
    }

    fn with_lowering<T>(&mut self, run: impl FnOnce(&mut Lowering<'_, 'l>) -> T) -> T {
        let table = &mut self.solver.table;
        let mut fresh = || table.fresh(VarKind::General);
        let mut lowering = Lowering::new(self.program, self.module, self.owner);
        lowering.fresh = Some(&mut fresh);
        run(&mut lowering)
    }

    fn is_adt(&self, ty: Ty, def: Option<DefId>) -> Option<Args> {
        match *ty.kind() {
            TyKind::Adt(adt, list) if Some(adt) == def => Some(list),
            _ => None,
        }
    }

    fn std_adt(&self, def: Option<DefId>, list: &[Ty]) -> Ty {
        def.map_or(Ty::UNKNOWN, |def| Ty::adt(def, list))
    }

    fn string(&self) -> Ty {
        self.std_adt(self.program.known().string, &[])
    }

    /// `<ty as Trait>::Assoc`, normalised or waiting.
    fn projection(&mut self, assoc: Option<DefId>, list: &[Ty]) -> Ty {
        match assoc {
            Some(assoc) => self.solver.normalize(Ty::new(TyKind::Projection(assoc, args(list)))),
            None => Ty::UNKNOWN,
        }
    }

    fn local(&self, wanted: Name) -> Option<(PatId, Ty)> {
        self.scope.iter().rev().find(|(bound, _, _)| *bound == wanted).map(|(_, pat, ty)| (*pat, *ty))
    }

    /// Whether what stands under the `cfg` is part of the program.
    fn is_compiled(&self, cfg: Option<&CfgExpr>) -> bool {
        cfg.is_none_or(|cfg| self.program.node(self.owner.krate).cfg.holds(cfg))
    }

    fn is_self(&self, segment: Name) -> bool {
        segment == "self"
    }
}
