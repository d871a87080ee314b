//! A walk through an async region in the order of evaluation, with drop scopes, moves, temporaries and branches: which guards are
//! alive where.

use agentlint_semantic::Program;
use agentlint_semantic::infer::{CallSite, Callee, Inferred};
use agentlint_semantic::input::Edition;
use agentlint_semantic::types::TyKind;
use agentlint_syntax::Span;
use agentlint_syntax::ast::{Block, Body, ExprId, ExprKind, MacroArguments, PatId, PatKind, StatementKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ResolvedCatalog;
use crate::catalog::GuardKind;
use crate::region::each_child;

/// A guard that is alive at the present point.
#[derive(Clone, Debug)]
struct Live {
    /// In the order of creation: a scope's end forgets what is younger than its start.
    age: u32,
    kind: GuardKind,
    made: Made,
    /// `None` for a temporary.
    binding: Option<PatId>,
}

/// Where a guard comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Made {
    Expr(ExprId),
    Parameter(PatId),
}

/// A guard that is alive at an await, or at a call.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) kind: GuardKind,
    pub(crate) made: Made,
    pub(crate) binding: Option<PatId>,
    pub(crate) over: Over,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Over {
    Await(Span),
    Call(ExprId),
}

/// How an expression's value is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Moved or copied out.
    Value,
    /// Looked at through a reference: a temporary lives on behind it.
    Place,
}

pub(crate) struct Walk<'a, 'l> {
    program: &'a Program<'l>,
    catalog: &'a ResolvedCatalog,
    inferred: &'a Inferred,
    body: &'a Body,
    calls: FxHashMap<ExprId, &'a CallSite>,
    edition: Edition,
    live: Vec<Live>,
    age: u32,
    /// The calls at which guards are wanted too.
    wanted: &'a FxHashSet<ExprId>,
    reported: FxHashSet<Made>,
    /// Where the guard of a binding was made.
    origins: FxHashMap<PatId, Made>,
    found: Vec<Held>,
}

impl<'a, 'l> Walk<'a, 'l> {
    pub(crate) fn new(
        program: &'a Program<'l>,
        catalog: &'a ResolvedCatalog,
        inferred: &'a Inferred,
        body: &'a Body,
        wanted: &'a FxHashSet<ExprId>,
    ) -> Self {
        Walk {
            program,
            catalog,
            inferred,
            body,
            calls: inferred.calls.iter().map(|call| (call.expr, call)).collect(),
            edition: program.node(inferred.owner.krate).edition,
            live: Vec::new(),
            age: 0,
            wanted,
            reported: FxHashSet::default(),
            origins: FxHashMap::default(),
            found: Vec::new(),
        }
    }

    /// Walks through an async region. Each guard is found once across an await, and at every call that is wanted.
    pub(crate) fn held(mut self, root: ExprId) -> Vec<Held> {
        if root == self.body.root {
            // A guard that comes in lives to the end, unless it is moved.
            for pat in &self.body.parameters {
                self.bind(*pat, Made::Parameter(*pat));
            }
        }
        self.value(root);
        self.found
    }

    fn guard(&self, expr: ExprId) -> Option<GuardKind> {
        self.catalog.guard(self.program, self.inferred.types[expr])
    }

    fn push(&mut self, kind: GuardKind, made: Made, binding: Option<PatId>) {
        self.live.push(Live { age: self.age, kind, made, binding });
        self.age += 1;
    }

    fn value(&mut self, expr: ExprId) {
        self.expr(expr, Use::Value);
    }

    fn expr(&mut self, expr: ExprId, used: Use) {
        let body = self.body;
        match &body.exprs[expr].kind {
            // These run at another time.
            ExprKind::Closure { .. } | ExprKind::Async { .. } => self.captured(expr),
            ExprKind::Path(_) => {
                if used == Use::Value {
                    self.moved(expr);
                }
            }
            ExprKind::Await { operand, await_span } => {
                self.value(*operand);
                self.awaited(*await_span);
                self.temporary(expr, used);
            }
            ExprKind::Field { base, .. } => self.expr(*base, Use::Place),
            ExprKind::Index { base, index } => {
                self.expr(*base, Use::Place);
                self.value(*index);
            }
            ExprKind::Unary { operand, .. } | ExprKind::Reference { operand, .. } => self.expr(*operand, Use::Place),
            ExprKind::Binary { left, right, .. } => {
                // Comparison borrows, arithmetic copies: neither moves a guard.
                self.expr(*left, Use::Place);
                self.expr(*right, Use::Place);
            }
            ExprKind::Assign { left, right, .. } => {
                self.value(*right);
                self.assigned(*left, *right);
            }
            ExprKind::MethodCall { receiver, arguments, .. } => {
                self.expr(*receiver, self.receiver_use(expr));
                arguments.iter().for_each(|a| self.value(*a));
                self.called(expr);
                self.temporary(expr, used);
            }
            ExprKind::Call { .. } | ExprKind::Try(_) => {
                each_child(body, expr, &mut |child| self.value(child));
                self.called(expr);
                self.temporary(expr, used);
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::If { condition, then, otherwise } => self.branch_if(*condition, *then, *otherwise),
            ExprKind::Let { pat, scrutinee } => {
                self.scrutinee(*scrutinee);
                self.bind(*pat, self.origin(*scrutinee));
            }
            ExprKind::Match { scrutinee, arms } => {
                self.scrutinee(*scrutinee);
                let before = self.live.clone();
                let mut after = Vec::new();
                for arm in arms {
                    self.live = before.clone();
                    let mark = self.age;
                    self.bind(arm.pat, self.origin(*scrutinee));
                    arm.guard.iter().for_each(|g| self.value(*g));
                    self.value(arm.body);
                    self.live.retain(|live| live.age < mark);
                    self.merge(&mut after, arm.body);
                }
                self.live = after;
            }
            ExprKind::While { condition, body, .. } => {
                let before = self.live.clone();
                let mark = self.age;
                self.value(*condition);
                if !self.holds_let(*condition) {
                    self.live.retain(|live| live.age < mark);
                }
                self.value(*body);
                self.live.retain(|live| live.age < mark);
                self.union(before);
            }
            ExprKind::For { pat, iterable, body, .. } => {
                let mark = self.age;
                self.scrutinee(*iterable);
                let before = self.live.clone();
                self.bind(*pat, self.origin(*iterable));
                self.value(*body);
                self.union(before);
                self.live.retain(|live| live.age < mark);
            }
            ExprKind::Macro(call) => self.macro_call(expr, &call.arguments, used),
            _ => each_child(body, expr, &mut |child| self.value(child)),
        }
    }

    /// A value that nobody binds: it lives to the end of its statement where something refers to it.
    fn temporary(&mut self, expr: ExprId, used: Use) {
        if used == Use::Place
            && let Some(kind) = self.guard(expr)
        {
            self.push(kind, Made::Expr(expr), None);
        }
    }

    /// A scrutinee is a place: its temporaries live as long as what looks into it.
    fn scrutinee(&mut self, expr: ExprId) {
        let is_local = matches!(self.body.exprs[expr].kind, ExprKind::Path(_));
        self.expr(expr, if is_local { Use::Value } else { Use::Place });
    }

    fn receiver_use(&self, call: ExprId) -> Use {
        let Some(Callee::Function { def, .. }) = self.calls.get(&call).map(|call| call.callee) else { return Use::Value };
        let by_reference = self.program.signature(def).parameters.first().is_some_and(|ty| matches!(ty.kind(), TyKind::Ref(..)));
        if by_reference { Use::Place } else { Use::Value }
    }

    /// A binding whose value goes elsewhere is alive no longer.
    fn moved(&mut self, path: ExprId) {
        if let Some(pat) = self.inferred.local(path) {
            self.live.retain(|live| live.binding != Some(pat));
        }
    }

    /// A closure or async block that names a guard by `move` takes it along.
    fn captured(&mut self, expr: ExprId) {
        let is_move =
            matches!(self.body.exprs[expr].kind, ExprKind::Closure { is_move: true, .. } | ExprKind::Async { is_move: true, .. });
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            if is_move {
                self.moved(expr);
            }
            each_child(self.body, expr, &mut |child| open.push(child));
        }
    }

    fn assigned(&mut self, left: ExprId, right: ExprId) {
        if let Some(pat) = self.inferred.local(left) {
            self.live.retain(|live| live.binding != Some(pat));
            if let Some(kind) = self.guard(right) {
                let made = self.origin(right);
                self.push(kind, made, Some(pat));
                self.origins.insert(pat, made);
            }
        }
    }

    /// Where the guard that an expression gives was made: a binding's guard was made where it was bound first.
    fn origin(&self, from: ExprId) -> Made {
        let pat = self.inferred.local(from);
        pat.and_then(|pat| self.origins.get(&pat)).copied().unwrap_or(Made::Expr(from))
    }

    /// The guards that a pattern takes out of what was made there.
    fn bind(&mut self, pat: PatId, from: Made) {
        let mut open = vec![pat];
        while let Some(pat) = open.pop() {
            let body = self.body;
            match &body.pats[pat].kind {
                PatKind::Bind { .. } if !self.inferred.is_binding(pat) => {}
                PatKind::Bind { subpattern, .. } => {
                    if let Some(kind) = self.catalog.guard(self.program, self.inferred.pat_types[pat]) {
                        self.push(kind, from, Some(pat));
                        self.origins.insert(pat, from);
                    }
                    open.extend(subpattern);
                }
                PatKind::TupleStruct { elements, .. } | PatKind::Tuple { elements, .. } => open.extend(elements.iter().rev()),
                PatKind::Slice(elements) => open.extend(elements.iter().rev()),
                // The first alternative binds the same names as the others.
                PatKind::Or(alternatives) => open.extend(alternatives.first()),
                PatKind::Struct { fields, .. } => open.extend(fields.iter().map(|f| f.pat)),
                PatKind::Reference { pat, .. } => open.push(*pat),
                _ => {}
            }
        }
    }

    fn block(&mut self, block: &Block) {
        let mark = self.age;
        for statement in &block.statements {
            let start = self.age;
            match &statement.kind {
                StatementKind::Let { pat, init, otherwise, .. } => self.let_statement(*pat, *init, *otherwise, start),
                StatementKind::Expr { expr, .. } => {
                    self.value(*expr);
                    self.live.retain(|live| live.age < start);
                }
            }
        }
        let tail = self.age;
        if let Some(expr) = block.tail {
            self.value(expr);
        }
        // Until the 2024 edition the tail's temporaries outlive the block's variables.
        let keeps_tail = self.edition < Edition::E2024;
        self.live.retain(|live| live.age < mark || (keeps_tail && live.age >= tail && live.binding.is_none()));
    }

    fn let_statement(&mut self, pat: PatId, init: Option<ExprId>, otherwise: Option<ExprId>, start: u32) {
        let Some(init) = init else { return };
        let extended = self.extended(init);
        self.value(init);
        if let Some(otherwise) = otherwise {
            let before = self.live.clone();
            // What the initialiser made is dropped before the `else` block runs.
            self.live.retain(|live| live.age < start);
            self.value(otherwise);
            self.live = before;
        }
        self.live.retain(|live| live.age < start || matches!(live.made, Made::Expr(made) if extended.contains(&made)));
        self.bind(pat, self.origin(init));
    }

    /// The temporaries of `let x = &…;` that live as long as `x`.
    fn extended(&self, init: ExprId) -> Vec<ExprId> {
        let mut found = Vec::new();
        let mut open = vec![(init, false)];
        while let Some((expr, borrowed)) = open.pop() {
            match &self.body.exprs[expr].kind {
                ExprKind::Reference { operand, .. } => open.push((*operand, true)),
                ExprKind::Tuple(list) | ExprKind::Array(list) => open.extend(list.iter().map(|e| (*e, false))),
                ExprKind::Struct { fields, .. } => open.extend(fields.iter().map(|f| (f.value, false))),
                ExprKind::Unary { operand, .. }
                | ExprKind::Field { base: operand, .. }
                | ExprKind::Index { base: operand, .. }
                    if borrowed =>
                {
                    open.push((*operand, true));
                }
                _ if borrowed => found.push(expr),
                _ => {}
            }
        }
        found
    }

    fn branch_if(&mut self, condition: ExprId, then: ExprId, otherwise: Option<ExprId>) {
        let mark = self.age;
        let has_let = self.holds_let(condition);
        self.value(condition);
        if !has_let {
            self.live.retain(|live| live.age < mark);
        }
        let before = self.live.clone();
        let mut after = Vec::new();
        self.value(then);
        self.merge(&mut after, then);
        self.live = before;
        // From the 2024 edition on, what the condition made is gone before `else`.
        if self.edition >= Edition::E2024 {
            self.live.retain(|live| live.age < mark);
        } else {
            self.live.retain(|live| live.age < mark || live.binding.is_none());
        }
        match otherwise {
            Some(otherwise) => {
                self.value(otherwise);
                self.merge(&mut after, otherwise);
            }
            None => self.union_into(&mut after),
        }
        self.live = after;
        self.live.retain(|live| live.age < mark);
    }

    fn holds_let(&self, condition: ExprId) -> bool {
        match &self.body.exprs[condition].kind {
            ExprKind::Let { .. } => true,
            ExprKind::Binary { left, right, .. } => self.holds_let(*left) || self.holds_let(*right),
            _ => false,
        }
    }

    /// Adds the present state to `after`, unless the branch never gets there.
    fn merge(&mut self, after: &mut Vec<Live>, branch: ExprId) {
        if !matches!(self.inferred.types[branch].kind(), TyKind::Never) {
            self.union_into(after);
        }
    }

    fn union_into(&self, after: &mut Vec<Live>) {
        for live in &self.live {
            if !after.iter().any(|known| known.age == live.age) {
                after.push(live.clone());
            }
        }
        after.sort_by_key(|live| live.age);
    }

    fn union(&mut self, mut before: Vec<Live>) {
        self.union_into(&mut before);
        self.live = before;
    }

    fn macro_call(&mut self, expr: ExprId, arguments: &MacroArguments, used: Use) {
        match arguments {
            MacroArguments::Exprs(list) => {
                let ExprKind::Macro(call) = &self.body.exprs[expr].kind else { return };
                let last = call.path.segments.last().map_or("", |s| s.name.as_str());
                let mark = self.age;
                // Formatting borrows what it prints.
                list.iter().for_each(|a| self.expr(a.value, Use::Place));
                if matches!(last, "join" | "try_join") {
                    self.awaited(call.path.span);
                }
                if matches!(last, "println" | "print" | "eprintln" | "eprint" | "format") {
                    self.live.retain(|live| live.age < mark);
                }
            }
            MacroArguments::Select { branches, otherwise } => {
                for branch in branches {
                    branch.guard.iter().for_each(|g| self.value(*g));
                    self.value(branch.future);
                }
                if let ExprKind::Macro(call) = &self.body.exprs[expr].kind {
                    self.awaited(call.path.span);
                }
                let before = self.live.clone();
                let mut after = Vec::new();
                for branch in branches {
                    self.live = before.clone();
                    self.value(branch.handler);
                    self.merge(&mut after, branch.handler);
                }
                if let Some(otherwise) = otherwise {
                    self.live = before;
                    self.value(*otherwise);
                    self.merge(&mut after, *otherwise);
                }
                self.live = after;
            }
            MacroArguments::Block(_) => {}
            MacroArguments::Matches { .. } | MacroArguments::Opaque => {
                each_child(self.body, expr, &mut |child| self.expr(child, Use::Place));
            }
        }
        self.called(expr);
        self.temporary(expr, used);
    }

    fn awaited(&mut self, span: Span) {
        for live in self.live.clone() {
            if self.reported.insert(live.made) {
                self.found.push(live.over(Over::Await(span)));
            }
        }
    }

    /// A call whose receiver and arguments are there.
    fn called(&mut self, call: ExprId) {
        if self.wanted.contains(&call) {
            let held = self.live.iter().map(|live| live.over(Over::Call(call)));
            self.found.extend(held);
        }
    }
}

impl Live {
    fn over(&self, over: Over) -> Held {
        Held { kind: self.kind, made: self.made, binding: self.binding, over }
    }
}
