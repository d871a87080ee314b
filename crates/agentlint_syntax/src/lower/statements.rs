//! Blocks and their statements.

use proc_macro2::Span as SynSpan;
use syn::Stmt;

use super::BodyLowering;
use super::expression_attributes::statement_attributes;
use crate::Span;
use crate::ast::{Block, BlockKind, CfgExpr, ExprId, ExprKind, ItemId, Statement, StatementKind};

impl BodyLowering<'_, '_> {
    /// Lowers a block; `keyword` is the `unsafe`, `const` or `try` before it.
    pub(crate) fn block(
        &mut self,
        block: &syn::Block,
        kind: BlockKind,
        label: Option<&syn::Label>,
        keyword: Option<SynSpan>,
    ) -> ExprId {
        let mut span = self.file.delimiters(&block.brace_token.span);
        if let Some(start) = keyword.or(label.map(|label| label.name.apostrophe)) {
            span.start = self.file.places.start(start);
        }
        let label = label.map(|label| self.file.name(&label.name.ident));
        let statements = self.statements(&block.stmts);
        self.add(ExprKind::Block(Box::new(Block { kind, label, ..statements })), span)
    }

    pub(crate) fn statements(&mut self, statements: &[Stmt]) -> Block {
        let mut block = Lines::default();
        for (index, statement) in statements.iter().enumerate() {
            self.statement(statement, index + 1 == statements.len(), &mut block);
        }
        let Lines { items, statements, tail } = block;
        Block { kind: BlockKind::Plain, label: None, items, statements, tail }
    }

    fn statement(&mut self, statement: &Stmt, is_last: bool, lines: &mut Lines) {
        match statement {
            Stmt::Local(local) => {
                let statement = self.local(local);
                lines.statements.push(statement);
            }
            Stmt::Item(item) => self.file.item(item, &mut lines.items),
            // A lone semicolon.
            Stmt::Expr(syn::Expr::Verbatim(tokens), Some(_)) if tokens.is_empty() => {}
            Stmt::Expr(expr, semicolon) => {
                let cfg = self.file.cfg(statement_attributes(expr));
                let expr = self.expr(expr);
                self.line(expr, cfg, semicolon.as_ref(), is_last, lines);
            }
            Stmt::Macro(call) => self.statement_macro(call, is_last, lines),
        }
    }

    /// Adds an expression. A tail that a `cfg` may take away stands as a statement.
    fn line(&mut self, expr: ExprId, cfg: Option<CfgExpr>, semicolon: Option<&syn::Token![;]>, is_last: bool, lines: &mut Lines) {
        if is_last && semicolon.is_none() && cfg.is_none() {
            lines.tail = Some(expr);
            return;
        }
        let mut span = self.span_of(expr);
        if let Some(semicolon) = semicolon {
            span = span.to(self.span(semicolon.span));
        }
        let kind = StatementKind::Expr { expr, semicolon: semicolon.is_some() };
        lines.statements.push(Statement { kind, cfg: cfg.map(Box::new), span });
    }

    fn local(&mut self, local: &syn::Local) -> Statement {
        let init = local.init.as_ref().map(|init| self.expr(&init.expr));
        let otherwise = local.init.as_ref().and_then(|init| init.diverge.as_ref()).map(|(_, block)| self.expr(block));
        let (pat, ty) = self.typed_pat(&local.pat);
        let span = self.span(local.let_token.span).to(self.span(local.semi_token.span));
        let cfg = self.file.cfg(&local.attrs).map(Box::new);
        Statement { kind: StatementKind::Let { pat, ty: ty.map(Box::new), init, otherwise }, cfg, span }
    }

    fn statement_macro(&mut self, call: &syn::StmtMacro, is_last: bool, lines: &mut Lines) {
        if self.file.native_item_macro(&call.mac, &call.attrs, &mut lines.items) || self.cfg_if(call, lines) {
            return;
        }
        let cfg = self.file.cfg(&call.attrs);
        let expr = self.macro_expr(&call.mac);
        self.line(expr, cfg, call.semi_token.as_ref(), is_last, lines);
    }

    /// `cfg_if! { if #[cfg(…)] { … } else { … } }` among statements: a block for each branch.
    fn cfg_if(&mut self, call: &syn::StmtMacro, lines: &mut Lines) -> bool {
        let Some(branches) = super::item_macros::cfg_if_branches(&call.mac) else { return false };
        let parse = |group: &proc_macro2::Group| syn::parse::Parser::parse2(syn::Block::parse_within, group.stream());
        let Some(parsed) = branches.iter().map(|(_, group)| parse(group).ok()).collect::<Option<Vec<_>>>() else {
            return false;
        };
        for ((cfg, group), statements) in branches.into_iter().zip(parsed) {
            let span: Span = self.span(group.span());
            let block = self.statements(&statements);
            let expr = self.add(ExprKind::Block(Box::new(block)), span);
            let kind = StatementKind::Expr { expr, semicolon: false };
            lines.statements.push(Statement { kind, cfg: Some(Box::new(cfg)), span });
        }
        true
    }
}

/// A block's contents while they are collected.
#[derive(Default)]
struct Lines {
    items: Vec<ItemId>,
    statements: Vec<Statement>,
    tail: Option<ExprId>,
}
