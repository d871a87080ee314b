//! Putting one body into another, as the expansion of a macro call is, and the facts of one piece of a file behind another's.

use super::{
    Body, BodyId, ExprId, ExprKind, ItemId, ItemKind, MacroArguments, MacroCall, PatId, PatKind, SourceFile, StatementKind,
};

impl SourceFile {
    /// Appends what was read of the text that follows, which has no inner attributes. Comments and lines stay as they are.
    pub(crate) fn append(&mut self, mut other: SourceFile) {
        let (items, bodies) = (self.items.len() as u32, self.bodies.len() as u32);
        let shift_item = |id: &mut ItemId| *id = ItemId::from_raw(id.raw() + items);
        let shift_body = |id: &mut BodyId| *id = BodyId::from_raw(id.raw() + bodies);
        for declaring in &mut other.declaring {
            let body = other.bodies.get_mut().and_then(|bodies| bodies.get_mut(declaring.body));
            let mut exprs = body.map(|body| &mut body.exprs);
            for (block, _, declared) in &mut declaring.blocks {
                declared.iter_mut().for_each(shift_item);
                if let Some(ExprKind::Block(block)) = exprs.as_mut().map(|exprs| &mut exprs[*block].kind) {
                    block.items.clone_from(declared);
                }
            }
            shift_body(&mut declaring.body);
        }
        for mut item in other.items.into_vec() {
            match &mut item.kind {
                ItemKind::Module(module) => module.items.iter_mut().flatten().for_each(shift_item),
                ItemKind::Trait(item) => item.items.iter_mut().for_each(shift_item),
                ItemKind::Impl(item) => item.items.iter_mut().for_each(shift_item),
                ItemKind::ExternBlock(items) => items.iter_mut().for_each(shift_item),
                ItemKind::Function(item) => item.body.iter_mut().for_each(shift_body),
                ItemKind::Const(item) => item.body.iter_mut().for_each(shift_body),
                ItemKind::Static(item) => item.body.iter_mut().for_each(shift_body),
                ItemKind::Use(_)
                | ItemKind::ExternCrate(_)
                | ItemKind::Struct(_)
                | ItemKind::Union(_)
                | ItemKind::Enum(_)
                | ItemKind::TypeAlias(_)
                | ItemKind::MacroRules(_)
                | ItemKind::MacroCall(_) => {}
            }
            self.items.push(item);
        }
        other.root.iter_mut().for_each(shift_item);
        self.root.append(&mut other.root);
        if let (Some(all), Some(more)) = (self.bodies.get_mut(), other.bodies.get_mut()) {
            all.append(more);
        }
        self.declaring.append(&mut other.declaring);
        self.errors.append(&mut other.errors);
    }
}

impl Body {
    /// Appends the expressions and patterns of `other`; the number that its root has here.
    pub fn append(&mut self, other: Body) -> ExprId {
        let (exprs, pats) = (self.exprs.len() as u32, self.pats.len() as u32);
        let mut shift = Shift { exprs, pats };
        for mut expr in other.exprs {
            shift.expr(&mut expr.kind);
            self.exprs.push(expr);
        }
        for mut pat in other.pats {
            shift.pat(&mut pat.kind);
            self.pats.push(pat);
        }
        ExprId::from_raw(other.root.raw() + exprs)
    }
}

struct Shift {
    exprs: u32,
    pats: u32,
}

impl Shift {
    fn e(&mut self, id: &mut ExprId) {
        *id = ExprId::from_raw(id.raw() + self.exprs);
    }

    fn p(&mut self, id: &mut PatId) {
        *id = PatId::from_raw(id.raw() + self.pats);
    }

    fn es<'a>(&mut self, ids: impl IntoIterator<Item = &'a mut ExprId>) {
        ids.into_iter().for_each(|id| self.e(id));
    }

    fn ps<'a>(&mut self, ids: impl IntoIterator<Item = &'a mut PatId>) {
        ids.into_iter().for_each(|id| self.p(id));
    }

    fn expr(&mut self, kind: &mut ExprKind) {
        match kind {
            ExprKind::Missing | ExprKind::Literal(_) | ExprKind::Path(_) | ExprKind::Continue { .. } => {}
            ExprKind::Unary { operand, .. }
            | ExprKind::Reference { operand, .. }
            | ExprKind::Await { operand, .. }
            | ExprKind::Try(operand)
            | ExprKind::Cast { operand, .. } => self.e(operand),
            ExprKind::Binary { left, right, .. } | ExprKind::Assign { left, right, .. } => self.es([left, right]),
            ExprKind::Field { base, .. } => self.e(base),
            ExprKind::Index { base, index } => self.es([base, index]),
            ExprKind::Call { callee, arguments } => self.es([callee].into_iter().chain(arguments)),
            ExprKind::MethodCall { receiver, arguments, .. } => self.es([receiver].into_iter().chain(arguments)),
            ExprKind::Tuple(list) | ExprKind::Array(list) => self.es(list),
            ExprKind::Repeat { element, length } => self.es([element, length]),
            ExprKind::Struct { fields, base, .. } => self.es(fields.iter_mut().map(|field| &mut field.value).chain(base)),
            ExprKind::Block(block) => {
                for statement in &mut block.statements {
                    match &mut statement.kind {
                        StatementKind::Let { pat, init, otherwise, .. } => {
                            self.p(pat);
                            self.es(init.iter_mut().chain(otherwise));
                        }
                        StatementKind::Expr { expr, .. } => self.e(expr),
                    }
                }
                self.es(&mut block.tail);
            }
            ExprKind::Async { body, .. } | ExprKind::Loop { body, .. } => self.e(body),
            ExprKind::Closure { parameters, body, .. } => {
                self.ps(parameters.iter_mut().map(|(pat, _)| pat));
                self.e(body);
            }
            ExprKind::If { condition, then, otherwise } => self.es([condition, then].into_iter().chain(otherwise)),
            ExprKind::Let { pat, scrutinee } => {
                self.p(pat);
                self.e(scrutinee);
            }
            ExprKind::Match { scrutinee, arms } => {
                self.e(scrutinee);
                for arm in arms {
                    self.p(&mut arm.pat);
                    self.es(arm.guard.iter_mut().chain([&mut arm.body]));
                }
            }
            ExprKind::While { condition, body, .. } => self.es([condition, body]),
            ExprKind::For { pat, iterable, body, .. } => {
                self.p(pat);
                self.es([iterable, body]);
            }
            ExprKind::Break { value, .. } | ExprKind::Return(value) | ExprKind::Yield(value) => self.es(value),
            ExprKind::Range { start, end, .. } => self.es(start.iter_mut().chain(end)),
            ExprKind::Macro(call) => self.call(call),
        }
    }

    fn call(&mut self, call: &mut MacroCall) {
        match &mut call.arguments {
            MacroArguments::Opaque => {}
            MacroArguments::Exprs(arguments) => self.es(arguments.iter_mut().map(|argument| &mut argument.value)),
            MacroArguments::Select { branches, otherwise } => {
                for branch in branches {
                    self.p(&mut branch.pat);
                    self.es([&mut branch.future, &mut branch.handler].into_iter().chain(&mut branch.guard));
                }
                self.es(otherwise);
            }
            MacroArguments::Matches { scrutinee, pat, guard } => {
                self.p(pat);
                self.es([scrutinee].into_iter().chain(guard));
            }
            MacroArguments::Block(block) => self.e(block),
        }
    }

    fn pat(&mut self, kind: &mut PatKind) {
        match kind {
            PatKind::Wild | PatKind::Path(_) | PatKind::Rest | PatKind::Opaque => {}
            PatKind::Bind { subpattern, .. } => self.ps(subpattern),
            PatKind::TupleStruct { elements, .. } | PatKind::Tuple { elements, .. } => self.ps(elements),
            PatKind::Slice(elements) | PatKind::Or(elements) => self.ps(elements),
            PatKind::Struct { fields, .. } => self.ps(fields.iter_mut().map(|field| &mut field.pat)),
            PatKind::Reference { pat, .. } => self.p(pat),
            PatKind::Literal(value) => self.e(value),
            PatKind::Range { start, end } => self.es(start.iter_mut().chain(end)),
            PatKind::Macro(call) => self.call(call),
        }
    }
}
