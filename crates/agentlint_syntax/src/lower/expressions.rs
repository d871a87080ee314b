//! Lowers expressions of a body.

use proc_macro2::TokenStream;
use syn::Expr as Syn;

use super::BodyLowering;
use super::literals;
use crate::Span;
use crate::ast::{BinaryOp, BlockKind, ExprId, ExprKind, FieldInit, MatchArm, UnaryOp};

impl BodyLowering<'_, '_> {
    pub(crate) fn expr(&mut self, expr: &Syn) -> ExprId {
        // Chains of thousands of method calls or operators nest to the left; they are walked without recursion.
        let mut outer = Vec::new();
        let mut head = expr;
        while let Some(inner) = left_operand(head) {
            outer.push(head);
            head = inner;
        }
        let mut id = self.head(head);
        while let Some(expr) = outer.pop() {
            id = self.with_left(expr, id);
        }
        id
    }

    /// Lowers one of the expressions that have a left operand, which is lowered already.
    fn with_left(&mut self, expr: &Syn, left: ExprId) -> ExprId {
        let start = self.span_of(left).start;
        match expr {
            Syn::MethodCall(call) => {
                let (name, name_span) = self.file.ident(&call.method);
                let turbofish = call.turbofish.as_ref().map(|arguments| Box::new(self.file.generic_args(arguments)));
                let arguments = self.exprs(&call.args);
                let end = self.file.delimiters(&call.paren_token.span).end;
                let kind = ExprKind::MethodCall { receiver: left, name, name_span, turbofish, arguments };
                self.add(kind, Span { start, end })
            }
            Syn::Call(call) => {
                let arguments = self.exprs(&call.args);
                let end = self.file.delimiters(&call.paren_token.span).end;
                self.add(ExprKind::Call { callee: left, arguments }, Span { start, end })
            }
            Syn::Field(field) => {
                let (name, name_span) = self.member(&field.member);
                self.add(ExprKind::Field { base: left, name, name_span }, Span { start, end: name_span.end })
            }
            Syn::Await(expr) => {
                let await_span = self.span(expr.await_token.span);
                self.add(ExprKind::Await { operand: left, await_span }, Span { start, end: await_span.end })
            }
            Syn::Try(expr) => {
                let end = self.file.places.end(expr.question_token.span);
                self.add(ExprKind::Try(left), Span { start, end })
            }
            Syn::Index(expr) => {
                let index = self.expr(&expr.index);
                let end = self.file.delimiters(&expr.bracket_token.span).end;
                self.add(ExprKind::Index { base: left, index }, Span { start, end })
            }
            Syn::Cast(expr) => {
                let end = self.file.type_end(&expr.ty);
                let ty = self.file.ty(&expr.ty);
                self.add(ExprKind::Cast { operand: left, ty }, Span { start, end })
            }
            Syn::Binary(expr) => {
                let right = self.expr(&expr.right);
                let span = self.span_of(left).to(self.span_of(right));
                match binary_op(&expr.op) {
                    Some((op, false)) => self.add(ExprKind::Binary { op, left, right }, span),
                    Some((op, true)) => self.add(ExprKind::Assign { op: Some(op), left, right }, span),
                    None => self.add(ExprKind::Missing, span),
                }
            }
            _ => left,
        }
    }

    fn exprs<'a>(&mut self, exprs: impl IntoIterator<Item = &'a Syn>) -> Vec<ExprId> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }

    fn optional(&mut self, expr: &Option<Box<Syn>>) -> Option<ExprId> {
        expr.as_ref().map(|expr| self.expr(expr))
    }

    /// Lowers an expression that has no left operand.
    fn head(&mut self, expr: &Syn) -> ExprId {
        match expr {
            Syn::Path(expr) => {
                let path = self.file.qualified_path(&expr.qself, &expr.path);
                let span = path.span;
                self.add(ExprKind::Path(path), span)
            }
            Syn::Lit(expr) => self.literal(expr),
            Syn::Reference(expr) => {
                let operand = self.expr(&expr.expr);
                let span = self.span(expr.and_token.span).to(self.span_of(operand));
                self.add(ExprKind::Reference { mutable: expr.mutability.is_some(), raw: false, operand }, span)
            }
            Syn::RawAddr(expr) => {
                let operand = self.expr(&expr.expr);
                let span = self.span(expr.and_token.span).to(self.span_of(operand));
                let mutable = matches!(expr.mutability, syn::PointerMutability::Mut(_));
                self.add(ExprKind::Reference { mutable, raw: true, operand }, span)
            }
            Syn::Unary(expr) => self.unary(expr),
            Syn::Assign(expr) => {
                let (left, right) = (self.expr(&expr.left), self.expr(&expr.right));
                let span = self.span_of(left).to(self.span_of(right));
                self.add(ExprKind::Assign { op: None, left, right }, span)
            }
            Syn::Paren(expr) => {
                let inner = self.expr(&expr.expr);
                self.exprs[inner].span = self.file.delimiters(&expr.paren_token.span);
                inner
            }
            Syn::Group(expr) => self.expr(&expr.expr),
            Syn::Tuple(expr) => {
                let elements = self.exprs(&expr.elems);
                let span = self.file.delimiters(&expr.paren_token.span);
                self.add(ExprKind::Tuple(elements), span)
            }
            Syn::Array(expr) => {
                let elements = self.exprs(&expr.elems);
                let span = self.file.delimiters(&expr.bracket_token.span);
                self.add(ExprKind::Array(elements), span)
            }
            Syn::Repeat(expr) => {
                let (element, length) = (self.expr(&expr.expr), self.expr(&expr.len));
                let span = self.file.delimiters(&expr.bracket_token.span);
                self.add(ExprKind::Repeat { element, length }, span)
            }
            Syn::Struct(expr) => self.structure(expr),
            Syn::Closure(expr) => self.closure(expr),
            Syn::Macro(expr) => self.macro_expr(&expr.mac),
            Syn::Range(expr) => self.range(expr),
            Syn::Infer(expr) => {
                let span = self.span(expr.underscore_token.span);
                self.add(ExprKind::Missing, span)
            }
            Syn::Verbatim(tokens) => {
                let span = self.tokens_span(tokens);
                self.add(ExprKind::Missing, span)
            }
            expr => self.control_flow(expr),
        }
    }

    fn control_flow(&mut self, expr: &Syn) -> ExprId {
        match expr {
            Syn::Block(expr) => self.block(&expr.block, BlockKind::Plain, expr.label.as_ref(), None),
            Syn::Unsafe(expr) => self.block(&expr.block, BlockKind::Unsafe, None, Some(expr.unsafe_token.span)),
            Syn::Const(expr) => self.block(&expr.block, BlockKind::Const, None, Some(expr.const_token.span)),
            Syn::TryBlock(expr) => self.block(&expr.block, BlockKind::Try, None, Some(expr.try_token.span)),
            Syn::Async(expr) => {
                let body = self.block(&expr.block, BlockKind::Plain, None, None);
                let span = self.span(expr.async_token.span).to(self.span_of(body));
                self.add(ExprKind::Async { is_move: expr.capture.is_some(), body }, span)
            }
            Syn::If(expr) => self.if_chain(expr),
            Syn::Let(expr) => {
                let scrutinee = self.expr(&expr.expr);
                let pat = self.pat(&expr.pat);
                let span = self.span(expr.let_token.span).to(self.span_of(scrutinee));
                self.add(ExprKind::Let { pat, scrutinee }, span)
            }
            Syn::Match(expr) => self.match_expr(expr),
            Syn::Loop(expr) => {
                let body = self.block(&expr.body, BlockKind::Plain, None, None);
                let span = self.labelled(&expr.label, expr.loop_token.span).to(self.span_of(body));
                self.add(ExprKind::Loop { label: self.label(&expr.label), body }, span)
            }
            Syn::While(expr) => {
                let condition = self.expr(&expr.cond);
                let body = self.block(&expr.body, BlockKind::Plain, None, None);
                let span = self.labelled(&expr.label, expr.while_token.span).to(self.span_of(body));
                self.add(ExprKind::While { label: self.label(&expr.label), condition, body }, span)
            }
            Syn::ForLoop(expr) => {
                let (iterable, pat) = (self.expr(&expr.expr), self.pat(&expr.pat));
                let body = self.block(&expr.body, BlockKind::Plain, None, None);
                let span = self.labelled(&expr.label, expr.for_token.span).to(self.span_of(body));
                self.add(ExprKind::For { label: self.label(&expr.label), pat, iterable, body }, span)
            }
            Syn::Break(expr) => {
                let value = self.optional(&expr.expr);
                let mut span = self.leaving(expr.break_token.span, value);
                if let Some(label) = &expr.label {
                    span = span.to(self.span(label.ident.span()));
                }
                let label = expr.label.as_ref().map(|label| self.file.name(&label.ident));
                self.add(ExprKind::Break { label, value }, span)
            }
            Syn::Continue(expr) => {
                let mut span = self.span(expr.continue_token.span);
                if let Some(label) = &expr.label {
                    span = span.to(self.span(label.ident.span()));
                }
                let label = expr.label.as_ref().map(|label| self.file.name(&label.ident));
                self.add(ExprKind::Continue { label }, span)
            }
            Syn::Return(expr) => {
                let value = self.optional(&expr.expr);
                let span = self.leaving(expr.return_token.span, value);
                self.add(ExprKind::Return(value), span)
            }
            Syn::Yield(expr) => {
                let value = self.optional(&expr.expr);
                let span = self.leaving(expr.yield_token.span, value);
                self.add(ExprKind::Yield(value), span)
            }
            _ => self.add(ExprKind::Missing, Span::default()),
        }
    }

    fn leaving(&self, keyword: proc_macro2::Span, value: Option<ExprId>) -> Span {
        let span = self.span(keyword);
        value.map_or(span, |value| span.to(self.span_of(value)))
    }

    fn label(&self, label: &Option<syn::Label>) -> Option<crate::Name> {
        label.as_ref().map(|label| self.file.name(&label.name.ident))
    }

    /// The start of a loop: its label, or its keyword.
    fn labelled(&self, label: &Option<syn::Label>, keyword: proc_macro2::Span) -> Span {
        let span = self.span(keyword);
        label.as_ref().map_or(span, |label| self.span(label.name.apostrophe).to(span))
    }

    pub(crate) fn literal(&mut self, expr: &syn::ExprLit) -> ExprId {
        let span = self.span(expr.lit.span());
        let (literal, is_negative) = literals::literal(&expr.lit);
        let kind = literal.map_or(ExprKind::Missing, ExprKind::Literal);
        if !is_negative {
            return self.add(kind, span);
        }
        // In a pattern syn takes the minus sign for a part of the literal.
        let operand = self.add(kind, span);
        self.add(ExprKind::Unary { op: UnaryOp::Neg, operand }, span)
    }

    fn unary(&mut self, expr: &syn::ExprUnary) -> ExprId {
        let operand = self.expr(&expr.expr);
        let (op, token) = match &expr.op {
            syn::UnOp::Deref(token) => (UnaryOp::Deref, token.span),
            syn::UnOp::Not(token) => (UnaryOp::Not, token.span),
            syn::UnOp::Neg(token) => (UnaryOp::Neg, token.span),
            _ => return operand,
        };
        let span = self.span(token).to(self.span_of(operand));
        self.add(ExprKind::Unary { op, operand }, span)
    }

    fn structure(&mut self, expr: &syn::ExprStruct) -> ExprId {
        let path = self.file.qualified_path(&expr.qself, &expr.path);
        let fields = expr.fields.iter().map(|field| {
            let (name, name_span) = self.member(&field.member);
            FieldInit { name, name_span, value: self.expr(&field.expr), cfg: self.file.cfg(&field.attrs) }
        });
        let fields = fields.collect();
        let base = self.optional(&expr.rest);
        let span = path.span.to(self.file.delimiters(&expr.brace_token.span));
        self.add(ExprKind::Struct { path: Box::new(path), fields, base }, span)
    }

    fn closure(&mut self, expr: &syn::ExprClosure) -> ExprId {
        let parameters = expr.inputs.iter().map(|input| self.typed_pat(input)).collect();
        let output = self.file.return_type(&expr.output).map(Box::new);
        let body = self.expr(&expr.body);
        let mut span = self.span(expr.inputs_begin.span).to(self.span_of(body));
        let keywords = [
            expr.capture.as_ref().map(|keyword| keyword.span),
            expr.asyncness.as_ref().map(|keyword| keyword.span),
            expr.constness.as_ref().map(|keyword| keyword.span),
            expr.lifetimes.as_ref().map(|lifetimes| lifetimes.for_token.span),
        ];
        for keyword in keywords.into_iter().flatten() {
            span = span.to(self.span(keyword));
        }
        let (is_async, is_move) = (expr.asyncness.is_some(), expr.capture.is_some());
        self.add(ExprKind::Closure { is_async, is_move, parameters, output, body }, span)
    }

    pub(crate) fn limits(&self, limits: &syn::RangeLimits) -> Span {
        match limits {
            syn::RangeLimits::HalfOpen(token) => self.span(token.spans[0]).to(self.span(token.spans[1])),
            syn::RangeLimits::Closed(token) => self.span(token.spans[0]).to(self.span(token.spans[2])),
        }
    }

    fn range(&mut self, expr: &syn::ExprRange) -> ExprId {
        let (start, end) = (self.optional(&expr.start), self.optional(&expr.end));
        let limits = self.limits(&expr.limits);
        let span = start.into_iter().chain(end).map(|bound| self.span_of(bound)).fold(limits, Span::to);
        let inclusive = matches!(expr.limits, syn::RangeLimits::Closed(_));
        self.add(ExprKind::Range { start, end, inclusive }, span)
    }

    /// `if … else if … else …`, which nests to the right, without recursion.
    fn if_chain(&mut self, first: &syn::ExprIf) -> ExprId {
        let mut outer = Vec::new();
        let mut innermost = self.if_link(first);
        let mut expr = first;
        let otherwise = loop {
            match expr.else_branch.as_ref().map(|(_, branch)| branch.as_ref()) {
                Some(Syn::If(next)) => {
                    outer.push(std::mem::replace(&mut innermost, self.if_link(next)));
                    expr = next;
                }
                branch => break branch.map(|branch| self.expr(branch)),
            }
        };
        let mut id = self.close_if(innermost, otherwise);
        while let Some(link) = outer.pop() {
            id = self.close_if(link, Some(id));
        }
        id
    }

    fn if_link(&mut self, expr: &syn::ExprIf) -> IfLink {
        let condition = self.expr(&expr.cond);
        let then = self.block(&expr.then_branch, BlockKind::Plain, None, None);
        IfLink { keyword: self.span(expr.if_token.span), condition, then }
    }

    fn close_if(&mut self, link: IfLink, otherwise: Option<ExprId>) -> ExprId {
        let IfLink { keyword, condition, then } = link;
        let span = keyword.to(self.span_of(otherwise.unwrap_or(then)));
        self.add(ExprKind::If { condition, then, otherwise }, span)
    }

    fn match_expr(&mut self, expr: &syn::ExprMatch) -> ExprId {
        let scrutinee = self.expr(&expr.expr);
        let arms = expr.arms.iter().map(|arm| {
            let pat = self.pat(&arm.pat);
            let guard = match &arm.pat {
                syn::Pat::Guard(guarded) => Some(self.expr(&guarded.guard)),
                _ => None,
            };
            MatchArm { pat, guard, body: self.expr(&arm.body), cfg: self.file.cfg(&arm.attrs) }
        });
        let arms = arms.collect();
        let span = self.span(expr.match_token.span).to(self.file.delimiters(&expr.brace_token.span));
        self.add(ExprKind::Match { scrutinee, arms }, span)
    }

    pub(crate) fn tokens_span(&self, tokens: &TokenStream) -> Span {
        let mut trees = tokens.clone().into_iter();
        let Some(first) = trees.next() else { return Span::default() };
        let last = trees.last().map_or(first.span(), |last| last.span());
        self.span(first.span()).to(self.span(last))
    }
}

/// An `if` whose `else` is not lowered yet.
struct IfLink {
    keyword: Span,
    condition: ExprId,
    then: ExprId,
}

/// What an expression begins with, where it is an expression of its own and nesting there is common.
fn left_operand(expr: &Syn) -> Option<&Syn> {
    match expr {
        Syn::MethodCall(call) => Some(&call.receiver),
        Syn::Call(call) => Some(&call.func),
        Syn::Field(field) => Some(&field.base),
        Syn::Await(expr) => Some(&expr.base),
        Syn::Try(expr) => Some(&expr.expr),
        Syn::Index(expr) => Some(&expr.expr),
        Syn::Cast(expr) => Some(&expr.expr),
        Syn::Binary(expr) => Some(&expr.left),
        _ => None,
    }
}

/// The operator, and whether it assigns.
fn binary_op(op: &syn::BinOp) -> Option<(BinaryOp, bool)> {
    use syn::BinOp as Op;
    Some(match op {
        Op::Add(_) => (BinaryOp::Add, false),
        Op::Sub(_) => (BinaryOp::Sub, false),
        Op::Mul(_) => (BinaryOp::Mul, false),
        Op::Div(_) => (BinaryOp::Div, false),
        Op::Rem(_) => (BinaryOp::Rem, false),
        Op::And(_) => (BinaryOp::And, false),
        Op::Or(_) => (BinaryOp::Or, false),
        Op::BitXor(_) => (BinaryOp::BitXor, false),
        Op::BitAnd(_) => (BinaryOp::BitAnd, false),
        Op::BitOr(_) => (BinaryOp::BitOr, false),
        Op::Shl(_) => (BinaryOp::Shl, false),
        Op::Shr(_) => (BinaryOp::Shr, false),
        Op::Eq(_) => (BinaryOp::Eq, false),
        Op::Lt(_) => (BinaryOp::Lt, false),
        Op::Le(_) => (BinaryOp::Le, false),
        Op::Ne(_) => (BinaryOp::Ne, false),
        Op::Ge(_) => (BinaryOp::Ge, false),
        Op::Gt(_) => (BinaryOp::Gt, false),
        Op::AddAssign(_) => (BinaryOp::Add, true),
        Op::SubAssign(_) => (BinaryOp::Sub, true),
        Op::MulAssign(_) => (BinaryOp::Mul, true),
        Op::DivAssign(_) => (BinaryOp::Div, true),
        Op::RemAssign(_) => (BinaryOp::Rem, true),
        Op::BitXorAssign(_) => (BinaryOp::BitXor, true),
        Op::BitAndAssign(_) => (BinaryOp::BitAnd, true),
        Op::BitOrAssign(_) => (BinaryOp::BitOr, true),
        Op::ShlAssign(_) => (BinaryOp::Shl, true),
        Op::ShrAssign(_) => (BinaryOp::Shr, true),
        _ => return None,
    })
}
