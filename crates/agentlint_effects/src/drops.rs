//! Code that nobody calls by name: `Drop` of the program's types, where a body lets go of their values.
//!
//! A binding is dropped at the end of its scope unless one of its uses moves it, on whichever way: what is moved in one branch
//! only counts as moved.

use std::sync::{PoisonError, RwLock};

use agentlint_diagnostics::Confidence;
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::infer::Callee;
use agentlint_semantic::input::CrateId;
use agentlint_semantic::types::{Head, Ty, TyKind};
use agentlint_syntax::ast::{Body, ExprId, ExprKind, MacroArguments, PatId, PatKind, StatementKind};
use agentlint_syntax::{Span, name};
use elsa::sync::FrozenMap;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::body::BodyFacts;
use crate::resolve::ResolvedCatalog;

/// The `drop` functions of the members and of the catalog, by type.
#[derive(Default)]
pub(crate) struct Drops {
    functions: FxHashMap<DefId, DefId>,
    /// The crates that the types of these are of, beside the members.
    crates: FxHashSet<CrateId>,
    /// Of the types of other dependencies, once they were asked for.
    others: FrozenMap<DefId, Box<Option<DefId>>>,
    /// Whether dropping a value of the type runs anything: most bindings are of types that were asked for before.
    known: RwLock<FxHashMap<Ty, bool>>,
    /// `std::mem::drop`.
    function: Option<DefId>,
}

/// A value that is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropped {
    pub(crate) region: u32,
    /// What has run when it is dropped.
    pub(crate) scope: ExprId,
    /// The binding, or the value that nobody binds.
    pub(crate) span: Span,
    pub(crate) ty: Ty,
}

/// Types are not looked into any deeper.
const DEEPEST: u32 = 8;

impl Drops {
    pub(crate) fn new(program: &Program<'_>, catalog: &ResolvedCatalog) -> Drops {
        let mut drops = Drops { function: program.std_path("core::mem::drop"), ..Drops::default() };
        let Some(trait_def) = program.known().drop else { return drops };
        for function in catalog.sinks_named(program, name("drop")) {
            let implementation = program.container(function);
            if let Some(Head::Adt(of)) = implementation.and_then(|implementation| program.impl_self_ty(implementation).head()) {
                drops.functions.insert(of, function);
                drops.crates.insert(of.krate);
            }
        }
        for implementation in program.member_impls(trait_def) {
            let function = program.member(implementation, name("drop"), |kind| kind == DefKind::Function);
            if let (Some(Head::Adt(of)), Some(function)) = (program.impl_self_ty(implementation).head(), function) {
                drops.functions.insert(of, function);
            }
        }
        drops
    }

    /// The functions that dropping a value of the type runs.
    pub(crate) fn of(&self, program: &Program<'_>, ty: Ty) -> Vec<(DefId, Confidence)> {
        let mut found = Vec::new();
        self.collect(program, ty, Confidence::Certain, 0, &mut found);
        found
    }

    /// Whether dropping a value of the type runs a function.
    fn is_any(&self, program: &Program<'_>, ty: Ty) -> bool {
        if !matches!(ty.kind(), TyKind::Adt(..) | TyKind::Tuple(_) | TyKind::Array(..)) {
            return false;
        }
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&ty) {
            return *known;
        }
        let is_any = !self.of(program, ty).is_empty();
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(ty, is_any);
        is_any
    }

    /// The `drop` of a dependency's type. What its fields run is not looked into.
    fn of_dependency(&self, program: &Program<'_>, def: DefId) -> Option<DefId> {
        if let Some(known) = self.others.get(&def) {
            return *known;
        }
        let implementation = program.known().drop.and_then(|drop| program.trait_impl_on(def, drop));
        let function = implementation.and_then(|of| program.member(of, name("drop"), |kind| kind == DefKind::Function));
        *self.others.insert(def, Box::new(function))
    }

    fn collect(&self, program: &Program<'_>, ty: Ty, sure: Confidence, depth: u32, found: &mut Vec<(DefId, Confidence)>) {
        if depth > DEEPEST {
            return;
        }
        let known = program.known();
        match *ty.kind() {
            TyKind::Adt(def, list)
                if program.node(def.krate).is_member
                    || Some(def) == known.option
                    || Some(def) == known.result
                    || self.crates.contains(&def.krate) =>
            {
                if let Some(function) = self.functions.get(&def)
                    && !found.iter().any(|(known, _)| known == function)
                {
                    found.push((*function, sure));
                }
                if program.kind(def) == DefKind::Enum {
                    // Which variant it is nobody knows.
                    let fields = program.members_of(def).iter().flat_map(|variant| program.field_types(*variant));
                    fields.for_each(|ty| {
                        self.collect(program, ty.substitute(&list), sure.min(Confidence::Likely), depth + 1, found)
                    });
                } else if program.kind(def) == DefKind::Struct {
                    program
                        .field_types(def)
                        .iter()
                        .for_each(|ty| self.collect(program, ty.substitute(&list), sure, depth + 1, found));
                }
            }
            TyKind::Adt(def, _) if !program.is_std(def.krate) => {
                let function = self.of_dependency(program, def);
                found.extend(function.map(|function| (function, sure.min(Confidence::Likely))));
            }
            TyKind::Adt(def, list) if Some(def) == known.boxed => {
                list.first().into_iter().for_each(|ty| self.collect(program, *ty, sure, depth + 1, found));
            }
            // It may be empty.
            TyKind::Adt(def, list) if Some(def) == known.vec => {
                let sure = sure.min(Confidence::Likely);
                list.first().into_iter().for_each(|ty| self.collect(program, *ty, sure, depth + 1, found));
            }
            TyKind::Tuple(list) => list.iter().for_each(|ty| self.collect(program, *ty, sure, depth + 1, found)),
            TyKind::Array(element, _) => self.collect(program, element, sure, depth + 1, found),
            _ => {}
        }
    }

    /// The values that a body lets go of, as far as their types have something to run.
    pub(crate) fn in_body(&self, program: &Program<'_>, facts: &BodyFacts) -> Vec<Dropped> {
        let mut scan = Scan { program, drops: self, facts, found: Vec::new() };
        // A dependency's own values are its own to drop.
        let owner = facts.inferred.owner;
        if let Some(body) = program.body(owner).filter(|_| program.node(owner.krate).is_member) {
            scan.body(body);
        }
        scan.found
    }
}

struct Scan<'a, 'l> {
    program: &'a Program<'l>,
    drops: &'a Drops,
    facts: &'a BodyFacts,
    found: Vec<Dropped>,
}

impl Scan<'_, '_> {
    fn body(&mut self, body: &Body) {
        for pat in &body.parameters {
            self.bindings(body, *pat, body.root, 0);
        }
        self.own_value(body);
        for (expr, data) in body.exprs.iter_enumerated() {
            let region = self.facts.regions.region_of[expr];
            match &data.kind {
                ExprKind::Block(block) => {
                    for statement in &block.statements {
                        match &statement.kind {
                            StatementKind::Let { pat, init: Some(init), .. } => match body.pats[*pat].kind {
                                PatKind::Wild => self.value(body, *init, region),
                                _ => self.bindings(body, *pat, expr, region),
                            },
                            StatementKind::Let { pat, .. } => self.bindings(body, *pat, expr, region),
                            StatementKind::Expr { expr, .. } => self.value(body, *expr, region),
                        }
                    }
                }
                ExprKind::Match { arms, .. } => arms.iter().for_each(|arm| self.bindings(body, arm.pat, expr, region)),
                ExprKind::Let { pat, .. } | ExprKind::For { pat, .. } => self.bindings(body, *pat, expr, region),
                ExprKind::Assign { left, .. } => {
                    let ty = self.facts.inferred.types[*left];
                    if self.drops.is_any(self.program, ty) && !self.is_first_value(body, *left) {
                        self.push(region, expr, body.exprs[*left].span, ty);
                    }
                }
                ExprKind::Call { arguments, .. } if !arguments.is_empty() => {
                    let callee = self.facts.call(expr).map(|call| call.callee);
                    if let Some(Callee::Function { def, .. }) = callee
                        && Some(def) == self.drops.function
                    {
                        self.push(region, expr, data.span, self.facts.inferred.types[arguments[0]]);
                    }
                }
                _ => {}
            }
        }
    }

    /// `self`, taken by value, which nothing moves.
    fn own_value(&mut self, body: &Body) {
        let owner = self.facts.inferred.owner;
        let parameter = self.program.function(owner).and_then(|function| function.self_parameter.as_ref());
        let Some(parameter) = parameter.filter(|parameter| !parameter.reference) else { return };
        let Some(ty) = self.program.signature(owner).parameters.first().filter(|ty| self.drops.is_any(self.program, **ty)) else {
            return;
        };
        let is_self =
            |kind: &ExprKind| matches!(kind, ExprKind::Path(path) if path.segments.len() == 1 && path.segments[0].name == "self");
        let mut uses = body.exprs.iter_enumerated().filter(|(_, data)| is_self(&data.kind));
        if !uses.any(|(used, _)| self.is_moved(body, used, 0)) {
            self.push(0, body.root, parameter.span, *ty);
        }
    }

    fn push(&mut self, region: u32, scope: ExprId, span: Span, ty: Ty) {
        if self.drops.is_any(self.program, ty) {
            self.found.push(Dropped { region, scope, span, ty });
        }
    }

    /// Whether an assignment may be what `let x;` waits for: then there is nothing to drop.
    fn is_first_value(&self, body: &Body, left: ExprId) -> bool {
        let Some(assigned) = self.facts.inferred.local(left) else { return false };
        body.exprs.iter().any(|data| match &data.kind {
            ExprKind::Block(block) => block
                .statements
                .iter()
                .any(|statement| matches!(statement.kind, StatementKind::Let { pat, init: None, .. } if pat == assigned)),
            _ => false,
        })
    }

    /// A value that nobody binds is dropped at the end of its statement.
    fn value(&mut self, body: &Body, expr: ExprId, region: u32) {
        let data = &body.exprs[expr];
        if matches!(
            data.kind,
            ExprKind::Call { .. } | ExprKind::MethodCall { .. } | ExprKind::Await { .. } | ExprKind::Struct { .. }
        ) {
            self.push(region, expr, data.span, self.facts.inferred.types[expr]);
        }
    }

    /// The bindings of a pattern that nothing moves.
    fn bindings(&mut self, body: &Body, pat: PatId, scope: ExprId, region: u32) {
        let mut open = vec![pat];
        while let Some(pat) = open.pop() {
            match &body.pats[pat].kind {
                PatKind::Bind { by_ref: false, subpattern: None, .. } if self.facts.inferred.is_binding(pat) => {
                    let ty = self.facts.inferred.pat_types[pat];
                    if self.drops.is_any(self.program, ty)
                        && !self.facts.uses(pat).iter().any(|used| self.is_moved(body, *used, region))
                    {
                        self.push(region, scope, body.pats[pat].span, ty);
                    }
                }
                PatKind::TupleStruct { elements, .. } | PatKind::Tuple { elements, .. } => open.extend(elements),
                PatKind::Slice(elements) => open.extend(elements),
                PatKind::Or(alternatives) => open.extend(alternatives.first()),
                PatKind::Struct { fields, .. } => open.extend(fields.iter().map(|field| field.pat)),
                _ => {}
            }
        }
    }

    /// Whether the value goes elsewhere where the binding is used.
    fn is_moved(&self, body: &Body, used: ExprId, region: u32) -> bool {
        let regions = &self.facts.regions;
        let mut at = regions.region_of[used];
        while at != region {
            let inner = &regions.regions[at as usize];
            let is_move = matches!(
                body.exprs[inner.expr].kind,
                ExprKind::Closure { is_move: true, .. } | ExprKind::Async { is_move: true, .. }
            );
            match inner.parent {
                Some(parent) if !is_move => at = parent,
                _ => return true,
            }
        }
        let Some(parent) = self.facts.parent(used) else { return true };
        match &body.exprs[parent].kind {
            // What is moved out of the value is not dropped with it.
            ExprKind::Field { .. } => {
                let field = self.facts.inferred.types[parent];
                self.drops.is_any(self.program, field) && self.is_moved(body, parent, region)
            }
            ExprKind::Reference { .. } | ExprKind::Unary { .. } | ExprKind::Index { .. } => false,
            ExprKind::Binary { .. } => false,
            ExprKind::Assign { left, .. } => *left != used,
            ExprKind::MethodCall { receiver, .. } if *receiver == used => {
                let callee = self.facts.call(parent).map(|call| call.callee);
                let Some(Callee::Function { def, .. }) = callee else { return true };
                let first = self.program.signature(def).parameters.first();
                !first.is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(..)))
            }
            ExprKind::Macro(call) => match &call.arguments {
                MacroArguments::Exprs(arguments) => !arguments.iter().any(|a| a.value == used && a.shown.is_some()),
                _ => true,
            },
            _ => true,
        }
    }
}
