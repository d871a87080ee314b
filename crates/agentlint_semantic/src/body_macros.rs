//! Macros called inside bodies: a body with such calls is copied, and what they expand to stands in their place.
//!
//! The macros that the model understands as they are (`infer/macros.rs`) are left alone, unless the program declares one of that
//! name itself.

use std::sync::Arc;

use agentlint_syntax::{
    Budget, Expanded, Macro, MacroInput, Name, Span,
    ast::{Body, ExprId, ExprKind, ItemId, MacroCall, PatId, PatKind, Statement, StatementKind},
    forget_tokens, name,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::bodies::OwnBody;
use crate::def::{DefId, DefKind};
use crate::expand::{DEEPEST, MacroDef, is_own};
use crate::infer::macros::NATIVE;
use crate::input::CrateId;
use crate::macro_imports::{imports, write_out};
use crate::names::{Namespace, PathResolution, Resolution};
use crate::program::Program;

/// The most calls that are expanded in one body.
const MOST_CALLS: u32 = 2_000;
/// What they may cost together. The most seen is 900,000, in a function of `rocket` that logs by macros that take their arguments
/// apart token by token.
const MOST_WORK: usize = 2_000_000;
/// The most modules that are looked at for one macro, each from the one before.
const MOST_MODULES: usize = 256;
/// The most expressions that expansions may add to one body.
const MOST_EXPRESSIONS: usize = 50_000;

impl Program<'_> {
    /// `None` where nothing in the body is expanded.
    pub(crate) fn expand_body(&self, owner: DefId, written: &Body) -> Option<OwnBody> {
        let calls: Vec<(Call, u32)> = calls_from(written, 0, 0).map(|call| (call, 0)).collect();
        if calls.is_empty() {
            return None;
        }
        let mut expander = Expander {
            program: self,
            owner,
            out: None,
            open: calls,
            macros: FxHashMap::default(),
            statements: FxHashSet::default(),
            traits: Vec::new(),
            budget: Budget::new(MOST_WORK),
            expanded: 0,
        };
        while let Some((call, depth)) = expander.open.pop() {
            expander.call(written, call, depth);
        }
        let Expander { out, statements, macros, traits, .. } = expander;
        drop(macros);
        forget_tokens();
        let mut out = out?;
        if !statements.is_empty() {
            splice_statements(&mut out, &statements);
        }
        Some(OwnBody { body: out, traits })
    }

    /// The macro that a path means in a module or block; `None` for such as are not declared by rules.
    pub(crate) fn macro_at(&self, module: DefId, path: &[Name]) -> Option<MacroDef> {
        let last = *path.last()?;
        if path.len() > 1 {
            return self.macro_by_path(module, path);
        }
        let mut at = module;
        loop {
            let data = self.module_data(at)?;
            if let Some(found) = self.declared(at, last).rev().find(|def| self.kind(*def) == DefKind::MacroRules) {
                return self.macro_def(found);
            }
            for declared in data.imports_named(last) {
                if let Some(found) = self.macro_by_path(at, &declared.import.path) {
                    return Some(found);
                }
            }
            if !data.is_block {
                break;
            }
            at = self.def(at).parent;
        }
        let defs = &self.krate(module.krate).defs;
        if let Some(found) = defs.own_macro(last, self.loader()) {
            return Some(found);
        }
        let globs = |module: DefId| {
            let data = self.module_data(module).into_iter();
            data.flat_map(|data| data.globs().filter_map(|declared| declared.import.path.first().copied()))
        };
        let used = globs(at).chain(defs.tables().macro_use.iter().copied());
        used.filter(|krate| !is_own(*krate)).find_map(|krate| self.extern_macro(module.krate, krate, last, 0))
    }

    fn macro_by_path(&self, module: DefId, path: &[Name]) -> Option<MacroDef> {
        let (first, last, from) = (*path.first()?, *path.last()?, module.krate);
        let found = match is_own(first) || self.markers.krate(first) == Some(from) {
            true => self.krate(from).defs.own_macro(last, self.loader()),
            false => self.extern_macro(from, first, last, 0),
        };
        found.or_else(|| self.macro_through(module, path, &mut FxHashSet::default()))
    }

    /// The macro at the end of a path that leads through modules and what they import. Each module is looked at once.
    fn macro_through(&self, from: DefId, path: &[Name], seen: &mut FxHashSet<(DefId, Name)>) -> Option<MacroDef> {
        let (last, modules) = path.split_last().filter(|(_, modules)| !modules.is_empty())?;
        let PathResolution { to: Resolution::Def(holder), used } = self.resolve_path(from, modules, false, Namespace::Type)?
        else {
            return None;
        };
        if used < modules.len() || seen.len() > MOST_MODULES || !seen.insert((holder, *last)) {
            return None;
        }
        let exported = || self.krate(holder.krate).defs.own_macro(*last, self.loader());
        if let Some(found) = (holder == self.root(holder.krate)).then(exported).flatten() {
            return Some(found);
        }
        let data = self.module_data(holder)?;
        // A proc macro of that name hides what globs bring in.
        if data.imports_named(*last).next().is_some() {
            return data.imports_named(*last).find_map(|declared| self.macro_through(holder, &declared.import.path, seen));
        }
        data.globs().find_map(|declared| {
            let path: Vec<Name> = declared.import.path.iter().chain([last]).copied().collect();
            self.macro_through(holder, &path, seen)
        })
    }

    fn macro_def(&self, def: DefId) -> Option<MacroDef> {
        let data = self.def(def);
        Some(MacroDef { krate: def.krate, facts: Arc::clone(self.file(def.krate, data.file)?), item: data.item })
    }
}

/// Where a macro is called.
#[derive(Clone, Copy)]
enum Call {
    Expr(ExprId),
    Pat(PatId),
}

impl Call {
    fn of(self, body: &Body) -> Option<(&MacroCall, Span)> {
        match self {
            Call::Expr(expr) => match &body.exprs[expr].kind {
                ExprKind::Macro(call) => Some((call, body.exprs[expr].span)),
                _ => None,
            },
            Call::Pat(pat) => match &body.pats[pat].kind {
                PatKind::Macro(call) => Some((call, body.pats[pat].span)),
                _ => None,
            },
        }
    }
}

/// The macro calls among the expressions and patterns from these numbers on.
fn calls_from(body: &Body, exprs: usize, pats: usize) -> impl Iterator<Item = Call> {
    let exprs = body.exprs.iter_enumerated().skip(exprs).map(|(id, _)| Call::Expr(id));
    let pats = body.pats.iter_enumerated().skip(pats).map(|(id, _)| Call::Pat(id));
    exprs.chain(pats).filter(|call| call.of(body).is_some())
}

struct Expander<'a, 'l> {
    program: &'a Program<'l>,
    owner: DefId,
    /// The copy, once there is something to change.
    out: Option<Body>,
    open: Vec<(Call, u32)>,
    macros: FxHashMap<(CrateId, usize, ItemId), Option<Macro>>,
    /// Calls whose expansion is statements.
    statements: FxHashSet<ExprId>,
    /// Those that expansions import.
    traits: Vec<DefId>,
    budget: Budget,
    expanded: u32,
}

impl Expander<'_, '_> {
    fn call(&mut self, written: &Body, at: Call, depth: u32) {
        let body = self.out.as_ref().unwrap_or(written);
        let is_spent = self.expanded >= MOST_CALLS || self.budget.left() == 0;
        if depth >= DEEPEST || is_spent || body.exprs.len() - written.exprs.len() > MOST_EXPRESSIONS {
            return;
        }
        let Some((call, call_span)) = at.of(body) else { return };
        let Some(def) = self.macro_of(call) else { return };
        let expand = match at {
            Call::Expr(_) => Macro::expand_expr,
            Call::Pat(_) => Macro::expand_pat,
        };
        let Some(rules) = rules(&mut self.macros, &def) else { return };
        let origin = call.origin(call_span);
        let dollar_crate = self.program.markers.of(def.krate);
        let input = MacroInput { text: &call.text, origin, dollar_crate, budget: &self.budget };
        let Ok(expanded) = expand(rules, input) else { return };
        let imports = imports(&expanded);
        let Expanded { body: mut inner, is_statements, .. } = expanded;
        self.expanded += 1;
        let body = self.out.get_or_insert_with(|| written.clone());
        let (exprs, pats) = (body.exprs.len(), body.pats.len());
        keep_apart(&mut inner, call_span, self.expanded);
        if !imports.is_empty() {
            write_out(&mut inner, &imports, call_span);
            let module = self.program.def(self.owner).module;
            self.traits.extend(imports.iter().filter_map(|import| self.program.imported_trait(module, import)));
        }
        let pat = inner.parameters.first().copied();
        let root = body.append(inner);
        match (at, pat) {
            (Call::Expr(expr), _) => {
                body.exprs[expr].kind = std::mem::replace(&mut body.exprs[root].kind, ExprKind::Missing);
                if is_statements {
                    self.statements.insert(expr);
                }
            }
            (Call::Pat(at), Some(pat)) => {
                let moved = PatId::from_raw(pat.raw() + pats as u32);
                body.pats[at].kind = std::mem::replace(&mut body.pats[moved].kind, PatKind::Wild);
            }
            (Call::Pat(_), None) => {}
        }
        self.open.extend(calls_from(body, exprs, pats).map(|inner| (inner, depth + 1)));
        if at.of(body).is_some() {
            self.open.push((at, depth + 1));
        }
    }

    /// `None` for macros that are not expanded.
    fn macro_of(&self, call: &MacroCall) -> Option<MacroDef> {
        let path: Vec<Name> = call.path.segments.iter().map(|segment| segment.name).collect();
        let last = path.last()?;
        let module = self.innermost(call).unwrap_or(self.program.def(self.owner).module);
        let def = self.program.macro_at(module, &path)?;
        let is_member = self.program.node(def.krate).is_member;
        (is_member || !(self.program.is_std(def.krate) || NATIVE.contains(&last.as_str()))).then_some(def)
    }

    /// The block of this body that declares a macro of that name.
    fn innermost(&self, call: &MacroCall) -> Option<DefId> {
        let [only] = call.path.segments.as_slice() else { return None };
        let file = self.program.def(self.owner).file;
        let body = self.program.body_id(self.owner)?;
        let defs = &self.program.krate(self.owner.krate).defs;
        if !defs.has_macro(only.name) {
            return None;
        }
        let is_macro = |def: DefId| self.program.kind(def) == DefKind::MacroRules;
        let declares = |block: &DefId| self.program.declared(*block, only.name).any(is_macro);
        defs.blocks_of(file, body).filter(declares).max()
    }
}

/// `None` for such as are not understood.
fn rules<'m>(macros: &'m mut FxHashMap<(CrateId, usize, ItemId), Option<Macro>>, def: &MacroDef) -> Option<&'m Macro> {
    let key = (def.krate, Arc::as_ptr(&def.facts) as usize, def.item);
    macros.entry(key).or_insert_with(|| Macro::new(def.rules()?).ok()).as_ref()
}

/// Gives the variables that the macro itself binds names that no other code has. Of the items that it declares only imports are
/// followed.
fn keep_apart(body: &mut Body, call_span: Span, number: u32) {
    for expr in &mut body.exprs {
        if let ExprKind::Block(block) = &mut expr.kind {
            block.items.clear();
        }
    }
    let mut bound = FxHashSet::default();
    for pat in &mut body.pats {
        if let PatKind::Bind { name: written, .. } = &mut pat.kind
            && pat.span == call_span
            && is_variable(*written)
        {
            bound.insert(*written);
            *written = apart(*written, number);
        }
    }
    if bound.is_empty() {
        return;
    }
    for expr in &mut body.exprs {
        if let ExprKind::Path(path) = &mut expr.kind
            && expr.span == call_span
            && let [only] = path.segments.as_mut_slice()
            && bound.contains(&only.name)
        {
            only.name = apart(only.name, number);
        }
    }
}

/// A name that begins with a capital may be a constant or a variant.
fn is_variable(written: Name) -> bool {
    written.starts_with(|c: char| c.is_lowercase() || c == '_')
}

fn apart(written: Name, number: u32) -> Name {
    name(&format!("{written}#{number}"))
}

/// Puts the statements of expansions into the blocks where the calls stand.
fn splice_statements(body: &mut Body, expansions: &FxHashSet<ExprId>) {
    for id in body.exprs.indices() {
        let ExprKind::Block(block) = &body.exprs[id].kind else { continue };
        let stands_here =
            |statement: &Statement| matches!(&statement.kind, StatementKind::Expr { expr, .. } if expansions.contains(expr));
        let tail = block.tail.filter(|tail| expansions.contains(tail));
        if !block.statements.iter().any(stands_here) && tail.is_none() {
            continue;
        }
        let mut statements = Vec::new();
        for statement in &block.statements {
            take_statement(body, expansions, statement, &mut statements, 0);
        }
        let mut tail = block.tail;
        let mut depth = 0;
        while let Some(expr) = tail.filter(|tail| expansions.contains(tail))
            && let ExprKind::Block(inner) = &body.exprs[expr].kind
            && depth < DEEPEST
        {
            for statement in &inner.statements {
                take_statement(body, expansions, statement, &mut statements, 0);
            }
            tail = inner.tail;
            depth += 1;
        }
        if let ExprKind::Block(block) = &mut body.exprs[id].kind {
            block.statements = statements;
            block.tail = tail;
        }
    }
}

fn take_statement(body: &Body, expansions: &FxHashSet<ExprId>, statement: &Statement, into: &mut Vec<Statement>, depth: u32) {
    let expansion = match &statement.kind {
        StatementKind::Expr { expr, .. } if expansions.contains(expr) && depth < DEEPEST => &body.exprs[*expr].kind,
        _ => return into.push(statement.clone()),
    };
    let ExprKind::Block(block) = expansion else { return into.push(statement.clone()) };
    for inner in &block.statements {
        take_statement(body, expansions, inner, into, depth + 1);
    }
    if let Some(tail) = block.tail {
        let kind = StatementKind::Expr { expr: tail, semicolon: true };
        into.push(Statement { kind, cfg: None, span: statement.span });
    }
}
