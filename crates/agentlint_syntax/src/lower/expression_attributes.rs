//! The attributes of an expression that stands as a statement.

use syn::Expr as Syn;

/// syn hangs a statement's attributes on the leftmost operand of its operators, as rustc's grammar has it.
pub(crate) fn statement_attributes(statement: &Syn) -> &[syn::Attribute] {
    let mut expr = statement;
    loop {
        expr = match expr {
            Syn::Assign(assign) => &assign.left,
            Syn::Binary(binary) => &binary.left,
            Syn::Cast(cast) => &cast.expr,
            _ => return attributes(expr),
        };
    }
}

fn attributes(expr: &Syn) -> &[syn::Attribute] {
    match expr {
        Syn::Array(expr) => &expr.attrs,
        Syn::Assign(expr) => &expr.attrs,
        Syn::Async(expr) => &expr.attrs,
        Syn::Await(expr) => &expr.attrs,
        Syn::Binary(expr) => &expr.attrs,
        Syn::Block(expr) => &expr.attrs,
        Syn::Break(expr) => &expr.attrs,
        Syn::Call(expr) => &expr.attrs,
        Syn::Cast(expr) => &expr.attrs,
        Syn::Closure(expr) => &expr.attrs,
        Syn::Const(expr) => &expr.attrs,
        Syn::Continue(expr) => &expr.attrs,
        Syn::Field(expr) => &expr.attrs,
        Syn::ForLoop(expr) => &expr.attrs,
        Syn::Group(expr) => &expr.attrs,
        Syn::If(expr) => &expr.attrs,
        Syn::Index(expr) => &expr.attrs,
        Syn::Infer(expr) => &expr.attrs,
        Syn::Let(expr) => &expr.attrs,
        Syn::Lit(expr) => &expr.attrs,
        Syn::Loop(expr) => &expr.attrs,
        Syn::Macro(expr) => &expr.attrs,
        Syn::Match(expr) => &expr.attrs,
        Syn::MethodCall(expr) => &expr.attrs,
        Syn::Paren(expr) => &expr.attrs,
        Syn::Path(expr) => &expr.attrs,
        Syn::Range(expr) => &expr.attrs,
        Syn::RawAddr(expr) => &expr.attrs,
        Syn::Reference(expr) => &expr.attrs,
        Syn::Repeat(expr) => &expr.attrs,
        Syn::Return(expr) => &expr.attrs,
        Syn::Struct(expr) => &expr.attrs,
        Syn::Try(expr) => &expr.attrs,
        Syn::TryBlock(expr) => &expr.attrs,
        Syn::Tuple(expr) => &expr.attrs,
        Syn::Unary(expr) => &expr.attrs,
        Syn::Unsafe(expr) => &expr.attrs,
        Syn::While(expr) => &expr.attrs,
        Syn::Yield(expr) => &expr.attrs,
        _ => &[],
    }
}
