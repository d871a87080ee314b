//! Functions and closures that travel as values: into the fields of structs, through the parameters of those who fill the fields,
//! and as what a function gives back.

use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::types::{Args, Ty, TyKind};
use agentlint_syntax::ast::{Body, ExprId, ExprKind, PatId, PatKind, StatementKind};
use agentlint_syntax::{Name, name};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::body::{Bodies, BodyFacts};
use crate::region::RegionId;

/// Something that can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Callable {
    Closure(RegionId),
    Function(DefId),
}

/// A field of a struct or a variant. What is in a collection counts as in the field that holds it.
type Field = (DefId, Name);

/// The callables in each field of the program's types, as far as they are seen to get there.
#[derive(Default)]
pub(crate) struct Values {
    fields: FxHashMap<Field, Vec<Callable>>,
}

/// Longer ways of a value are not followed.
const DEEPEST: u32 = 12;
/// From a parameter to the parameter that it comes from, so many times.
const MOST_ROUNDS: usize = 4;

/// What an expression may be.
#[derive(Default)]
struct Sources {
    callables: Vec<Callable>,
    /// Parameters of the function that it stands in, by their places.
    parameters: Vec<usize>,
}

impl Values {
    pub(crate) fn new(program: &Program<'_>, bodies: &Bodies) -> Values {
        let mut all: Vec<&BodyFacts> = bodies.members().collect();
        all.sort_unstable_by_key(|facts| facts.inferred.owner);
        let stores = |facts: &&BodyFacts| Reader { program, bodies, facts }.stores();
        let mut found: Vec<(Field, DefId, Sources)> = all.par_iter().with_max_len(64).flat_map_iter(stores).collect();
        let mut values = Values::default();
        let mut seen = FxHashSet::default();
        for _ in 0..MOST_ROUNDS {
            let mut wanted: FxHashMap<DefId, Vec<(usize, Field)>> = FxHashMap::default();
            for (field, owner, sources) in found.drain(..) {
                values.fields.entry(field).or_default().extend(sources.callables);
                for at in sources.parameters {
                    if seen.insert((owner, at, field)) {
                        wanted.entry(owner).or_default().push((at, field));
                    }
                }
            }
            if wanted.is_empty() {
                break;
            }
            let given = |facts: &&BodyFacts| Reader { program, bodies, facts }.given(&wanted);
            found = all.par_iter().with_max_len(64).flat_map_iter(given).collect();
        }
        for callables in values.fields.values_mut() {
            callables.sort_unstable();
            callables.dedup();
        }
        values
    }

    /// What a value that is called may be: the callables of the field that it comes from, or what the function gives that it comes
    /// from.
    pub(crate) fn of(&self, program: &Program<'_>, bodies: &Bodies, facts: &BodyFacts, callee: ExprId) -> Vec<Callable> {
        let reader = Reader { program, bodies, facts };
        match reader.origin(callee) {
            Some(Origin::Field(field)) => self.fields.get(&field).cloned().unwrap_or_default(),
            Some(Origin::GivenBy(function)) => given_back(program, bodies, function),
            None => reader.bound_here(callee),
        }
    }
}

/// The callables that a function of the program may give back.
pub(crate) fn given_back(program: &Program<'_>, bodies: &Bodies, function: DefId) -> Vec<Callable> {
    let Some(facts) = bodies.member(function) else { return Vec::new() };
    let Some(body) = program.body(function) else { return Vec::new() };
    let mut sources = Sources::default();
    Reader { program, bodies, facts }.trace(body, body.root, DEEPEST / 2, &mut sources);
    sources.callables
}

enum Origin {
    Field(Field),
    GivenBy(DefId),
}

struct Reader<'a, 'l> {
    program: &'a Program<'l>,
    bodies: &'a Bodies,
    facts: &'a BodyFacts,
}

impl Reader<'_, '_> {
    fn body(&self) -> Option<&Body> {
        self.program.body(self.facts.inferred.owner)
    }

    /// Where callables get into fields.
    fn stores(&self) -> Vec<(Field, DefId, Sources)> {
        let mut found = Vec::new();
        let Some(body) = self.body() else { return found };
        let mut store = |field: Option<Field>, value: ExprId| {
            let Some(field) = field.filter(|_| self.may_call(self.facts.inferred.types[value], 0)) else { return };
            let mut sources = Sources::default();
            self.trace(body, value, 0, &mut sources);
            if !sources.callables.is_empty() || !sources.parameters.is_empty() {
                found.push((field, self.facts.inferred.owner, sources));
            }
        };
        for (expr, data) in body.exprs.iter_enumerated() {
            match &data.kind {
                ExprKind::Struct { fields, .. } => {
                    let Some(holder) = self.adt(self.facts.inferred.types[expr]) else { continue };
                    fields.iter().for_each(|field| store(Some((holder, field.name)), field.value));
                }
                ExprKind::Call { arguments, .. } => {
                    let Some(Callee::Constructor(def)) = self.facts.call(expr).map(|call| call.callee) else { continue };
                    if self.program.node(def.krate).is_member {
                        let fields = arguments.iter().enumerate();
                        fields.for_each(|(at, value)| store(Some((self.holder(def), name(&at.to_string()))), *value));
                    }
                }
                ExprKind::Assign { left, right, .. } => store(self.field(body, *left), *right),
                // `self.hooks.push(Box::new(..))`
                ExprKind::MethodCall { receiver, arguments, .. } => {
                    let field = self.field(body, *receiver);
                    arguments.iter().for_each(|value| store(field, *value));
                }
                _ => {}
            }
        }
        found
    }

    /// What calls of the wanted functions give for parameters that end up in fields.
    fn given(&self, wanted: &FxHashMap<DefId, Vec<(usize, Field)>>) -> Vec<(Field, DefId, Sources)> {
        let mut found = Vec::new();
        let Some(body) = self.body() else { return found };
        for call in &self.facts.inferred.calls {
            let Callee::Function { def, implementation, .. } = call.callee else { continue };
            for (at, field) in wanted.get(&implementation.unwrap_or(def)).into_iter().flatten() {
                let Some(value) = call.arguments.get(*at) else { continue };
                let mut sources = Sources::default();
                self.trace(body, *value, 0, &mut sources);
                found.push((*field, self.facts.inferred.owner, sources));
            }
        }
        found
    }

    /// What an expression may be, through whatever wraps it.
    fn trace(&self, body: &Body, expr: ExprId, depth: u32, into: &mut Sources) {
        if depth > DEEPEST {
            return;
        }
        let mut on = |next: ExprId| self.trace(body, next, depth + 1, into);
        match &body.exprs[expr].kind {
            ExprKind::Closure { .. } => {
                let index = self.facts.regions.by_expr.get(&expr);
                let owner = self.facts.inferred.owner;
                into.callables.extend(index.map(|index| Callable::Closure(RegionId { owner, index: *index })));
            }
            ExprKind::Path(_) => match *self.facts.inferred.types[expr].kind() {
                TyKind::FnDef(def, _) if self.program.kind(def) == DefKind::Function => {
                    into.callables.push(Callable::Function(def));
                }
                _ => {
                    let Some(pat) = self.facts.inferred.local(expr) else { return };
                    match self.facts.initialiser(pat) {
                        Some(init) => on(init),
                        None => into.parameters.extend(body.parameters.iter().position(|parameter| *parameter == pat)),
                    }
                }
            },
            ExprKind::Call { arguments, .. } => match self.facts.call(expr).map(|call| call.callee) {
                Some(Callee::Constructor(_)) => arguments.iter().for_each(|argument| on(*argument)),
                Some(Callee::Function { def, .. }) if self.program.is_std(def.krate) => {
                    arguments.iter().for_each(|argument| on(*argument));
                }
                Some(Callee::Function { def, implementation, .. }) if depth < DEEPEST / 2 => {
                    into.callables.extend(given_back(self.program, self.bodies, implementation.unwrap_or(def)));
                }
                _ => {}
            },
            ExprKind::MethodCall { receiver, arguments, .. } => match self.facts.call(expr).map(|call| call.callee) {
                Some(Callee::Function { def, .. }) if self.program.is_std(def.krate) => {
                    on(*receiver);
                    // `names.map(|name| Box::new(move || ..))`: it is what the closure gives.
                    arguments.iter().for_each(|argument| match &body.exprs[*argument].kind {
                        ExprKind::Closure { body, .. } => on(*body),
                        _ => on(*argument),
                    });
                }
                Some(Callee::Function { def, implementation, .. }) if depth < DEEPEST / 2 => {
                    into.callables.extend(given_back(self.program, self.bodies, implementation.unwrap_or(def)));
                }
                _ => {}
            },
            ExprKind::Cast { operand, .. } | ExprKind::Reference { operand, .. } => on(*operand),
            ExprKind::Block(block) => block.tail.into_iter().for_each(on),
            ExprKind::If { then, otherwise, .. } => otherwise.iter().chain([then]).for_each(|branch| on(*branch)),
            ExprKind::Match { arms, .. } => arms.iter().for_each(|arm| on(arm.body)),
            ExprKind::Tuple(list) | ExprKind::Array(list) => list.iter().for_each(|element| on(*element)),
            ExprKind::Return(Some(value)) => on(*value),
            _ => {}
        }
    }

    /// What a `let` of the body binds. A closure behind a reference counts as code of the place where it is called already.
    fn bound_here(&self, callee: ExprId) -> Vec<Callable> {
        let (Some(body), Some(_)) = (self.body(), self.facts.inferred.local(callee)) else { return Vec::new() };
        let mut sources = Sources::default();
        self.trace(body, callee, 0, &mut sources);
        let is_boxed = matches!(self.facts.inferred.types[callee].kind(), TyKind::Adt(..));
        sources.callables.retain(|callable| is_boxed || matches!(callable, Callable::Function(_)));
        sources.callables
    }

    /// Where a value that is called comes from.
    fn origin(&self, mut expr: ExprId) -> Option<Origin> {
        let body = self.body()?;
        for _ in 0..DEEPEST {
            if let Some(field) = self.field(body, expr) {
                return Some(Origin::Field(field));
            }
            expr = match &body.exprs[expr].kind {
                ExprKind::Path(_) => self.bound_from(body, self.facts.inferred.local(expr)?)?,
                ExprKind::Call { arguments, .. } => match self.facts.call(expr)?.callee {
                    Callee::Function { def, implementation, .. } if !self.program.is_std(def.krate) => {
                        return Some(Origin::GivenBy(implementation.unwrap_or(def)));
                    }
                    // `Arc::clone(&self.run)`
                    _ => *arguments.first()?,
                },
                ExprKind::MethodCall { receiver, .. } => match self.facts.call(expr)?.callee {
                    Callee::Function { def, .. } if self.program.is_std(def.krate) => *receiver,
                    Callee::Function { def, implementation, .. } => {
                        return Some(Origin::GivenBy(implementation.unwrap_or(def)));
                    }
                    _ => return None,
                },
                ExprKind::Reference { operand, .. } | ExprKind::Unary { operand, .. } | ExprKind::Try(operand) => *operand,
                ExprKind::Index { base, .. } => *base,
                _ => return None,
            };
        }
        None
    }

    /// What a pattern takes a binding out of.
    fn bound_from(&self, body: &Body, pat: PatId) -> Option<ExprId> {
        if let Some(init) = self.facts.initialiser(pat) {
            return Some(init);
        }
        let holds = |outer: PatId| binds(body, outer, pat);
        body.exprs.iter().find_map(|data| match &data.kind {
            ExprKind::For { pat, iterable, .. } => holds(*pat).then_some(*iterable),
            ExprKind::Let { pat, scrutinee } => holds(*pat).then_some(*scrutinee),
            ExprKind::Match { scrutinee, arms } => arms.iter().any(|arm| holds(arm.pat)).then_some(*scrutinee),
            ExprKind::Block(block) => block.statements.iter().find_map(|statement| match &statement.kind {
                StatementKind::Let { pat, init, .. } => init.filter(|_| holds(*pat)),
                StatementKind::Expr { .. } => None,
            }),
            _ => None,
        })
    }

    /// The field of a type of the program that an expression names.
    fn field(&self, body: &Body, expr: ExprId) -> Option<Field> {
        let ExprKind::Field { base, name, .. } = &body.exprs[expr].kind else { return None };
        Some((self.adt(self.facts.inferred.types[*base])?, *name))
    }

    /// The type of the program behind references and std's pointers.
    fn adt(&self, mut ty: Ty) -> Option<DefId> {
        for _ in 0..8 {
            match *ty.kind() {
                TyKind::Ref(inner, _) => ty = inner,
                TyKind::Adt(def, _) if self.program.node(def.krate).is_member => return Some(def),
                TyKind::Adt(def, list) if self.is_pointer(def) => ty = *list.first()?,
                _ => return None,
            }
        }
        None
    }

    fn is_pointer(&self, def: DefId) -> bool {
        let known = self.program.known();
        [known.boxed, known.rc, known.arc].contains(&Some(def))
    }

    /// The type that a constructor makes.
    fn holder(&self, constructor: DefId) -> DefId {
        match self.program.kind(constructor) {
            DefKind::Variant => self.program.def(constructor).parent,
            _ => constructor,
        }
    }

    /// Whether something in a value of the type can be called.
    fn may_call(&self, ty: Ty, depth: u32) -> bool {
        match *ty.kind() {
            // A parameter may stand for a closure.
            TyKind::Closure(..) | TyKind::FnDef(..) | TyKind::FnPtr(_) | TyKind::Param(..) => true,
            TyKind::Dyn(bounds) => bounds.traits.iter().any(|bound| self.is_fn_trait(bound.trait_def)),
            TyKind::Ref(inner, _) => depth < 4 && self.may_call(inner, depth + 1),
            TyKind::Adt(def, list) if depth < 4 && self.program.is_std(def.krate) => self.any_may_call(list, depth),
            TyKind::Tuple(list) => depth < 4 && self.any_may_call(list, depth),
            TyKind::Array(element, _) => depth < 4 && self.may_call(element, depth + 1),
            _ => false,
        }
    }

    fn any_may_call(&self, list: Args, depth: u32) -> bool {
        list.iter().any(|ty| self.may_call(*ty, depth + 1))
    }

    fn is_fn_trait(&self, trait_def: DefId) -> bool {
        let known = self.program.known();
        [known.function, known.fn_mut, known.fn_once].contains(&Some(trait_def))
    }
}

/// Whether a pattern is, or has in it, the binding.
fn binds(body: &Body, outer: PatId, wanted: PatId) -> bool {
    let mut open = vec![outer];
    while let Some(pat) = open.pop() {
        if pat == wanted {
            return true;
        }
        match &body.pats[pat].kind {
            PatKind::TupleStruct { elements, .. } | PatKind::Tuple { elements, .. } => open.extend(elements),
            PatKind::Slice(elements) | PatKind::Or(elements) => open.extend(elements),
            PatKind::Struct { fields, .. } => open.extend(fields.iter().map(|field| field.pat)),
            PatKind::Reference { pat, .. } => open.push(*pat),
            PatKind::Bind { subpattern, .. } => open.extend(subpattern),
            _ => {}
        }
    }
    false
}
