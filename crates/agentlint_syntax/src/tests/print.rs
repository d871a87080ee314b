//! Facts written out in a short notation that tests compare.

use crate::ast::{
    AssocValue, Block, BlockKind, Body, Bound, CfgExpr, ExprId, ExprKind, GenericArg, GenericArgs, Literal, MacroArguments,
    MacroCall, PatId, PatKind, Path, Statement, StatementKind, TypeRef,
};

pub(super) fn body(body: &Body) -> String {
    expr(body, body.root)
}

pub(super) fn expr(body: &Body, id: ExprId) -> String {
    let one = |id: &ExprId| expr(body, *id);
    let many = |ids: &[ExprId]| list(ids.iter().map(|id| expr(body, *id)));
    let maybe = |id: &Option<ExprId>| id.as_ref().map_or("-".to_owned(), |id| expr(body, *id));
    let label = |label: &Option<crate::Name>| label.map_or(String::new(), |label| format!("'{label}"));
    match &body.exprs[id].kind {
        ExprKind::Missing => "missing".to_owned(),
        ExprKind::Literal(literal) => self::literal(literal),
        ExprKind::Path(path) => self::path(path),
        ExprKind::Unary { op, operand } => format!("({op:?} {})", one(operand)),
        ExprKind::Binary { op, left, right } => format!("({op:?} {} {})", one(left), one(right)),
        ExprKind::Assign { op, left, right } => {
            format!("({}= {} {})", op.map_or(String::new(), |op| format!("{op:?}")), one(left), one(right))
        }
        ExprKind::Reference { mutable, raw, operand } => {
            format!("(&{}{}{})", if *raw { "raw " } else { "" }, if *mutable { "mut " } else { "" }, one(operand))
        }
        ExprKind::Field { base, name, .. } => format!("{}.{name}", one(base)),
        ExprKind::Index { base, index } => format!("{}[{}]", one(base), one(index)),
        ExprKind::Call { callee, arguments } => format!("{}({})", one(callee), many(arguments)),
        ExprKind::MethodCall { receiver, name, turbofish, arguments, .. } => {
            let turbofish = turbofish.as_ref().map_or(String::new(), |arguments| format!("::{}", generic_args(arguments)));
            format!("{}.{name}{turbofish}({})", one(receiver), many(arguments))
        }
        ExprKind::Tuple(elements) => format!("(tuple {})", many(elements)),
        ExprKind::Array(elements) => format!("[{}]", many(elements)),
        ExprKind::Repeat { element, length } => format!("[{}; {}]", one(element), one(length)),
        ExprKind::Struct { path: name, fields, base } => {
            let fields = list(fields.iter().map(|field| format!("{}: {}{}", field.name, one(&field.value), cfg(&field.cfg))));
            format!("{} {{{fields}..{}}}", path(name), maybe(base))
        }
        ExprKind::Block(block) => self::block(body, block),
        ExprKind::Async { is_move, body: inner } => format!("async {}{}", if *is_move { "move " } else { "" }, one(inner)),
        ExprKind::Closure { is_async, is_move, parameters, output, body: inner } => {
            let parameters =
                list(parameters.iter().map(|(pat, ty)| {
                    pat_of(body, *pat) + &ty.as_ref().map_or(String::new(), |ty| format!(": {}", self::ty(ty)))
                }));
            let words = format!("{}{}", if *is_async { "async " } else { "" }, if *is_move { "move " } else { "" });
            let output = output.as_ref().map_or(String::new(), |output| format!("-> {} ", ty(output)));
            format!("({words}|{parameters}| {output}{})", one(inner))
        }
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} {} {})", one(condition), one(then), maybe(otherwise))
        }
        ExprKind::Let { pat, scrutinee } => format!("(let {} = {})", pat_of(body, *pat), one(scrutinee)),
        ExprKind::Match { scrutinee, arms } => {
            let arms = list(arms.iter().map(|arm| {
                let guard = arm.guard.map_or(String::new(), |guard| format!(" if {}", one(&guard)));
                format!("{}{guard} => {}{}", pat_of(body, arm.pat), one(&arm.body), cfg(&arm.cfg))
            }));
            format!("(match {} {{{arms}}})", one(scrutinee))
        }
        ExprKind::Loop { label: name, body: inner } => format!("(loop{} {})", label(name), one(inner)),
        ExprKind::While { label: name, condition, body: inner } => {
            format!("(while{} {} {})", label(name), one(condition), one(inner))
        }
        ExprKind::For { label: name, pat, iterable, body: inner } => {
            format!("(for{} {} in {} {})", label(name), pat_of(body, *pat), one(iterable), one(inner))
        }
        ExprKind::Break { label: name, value } => format!("(break{} {})", label(name), maybe(value)),
        ExprKind::Continue { label: name } => format!("(continue{})", label(name)),
        ExprKind::Return(value) => format!("(return {})", maybe(value)),
        ExprKind::Yield(value) => format!("(yield {})", maybe(value)),
        ExprKind::Await { operand, .. } => format!("{}.await", one(operand)),
        ExprKind::Try(operand) => format!("{}?", one(operand)),
        ExprKind::Cast { operand, ty } => format!("({} as {})", one(operand), self::ty(ty)),
        ExprKind::Range { start, end, inclusive } => {
            format!("({}..{}{})", maybe(start), if *inclusive { "=" } else { "" }, maybe(end))
        }
        ExprKind::Macro(call) => macro_call(body, call),
    }
}

fn macro_call(body: &Body, call: &MacroCall) -> String {
    let one = |id: &ExprId| expr(body, *id);
    let arguments = match &call.arguments {
        MacroArguments::Opaque => "opaque".to_owned(),
        MacroArguments::Exprs(arguments) => list(
            arguments
                .iter()
                .map(|argument| argument.name.map_or(String::new(), |name| format!("{name} = ")) + &one(&argument.value)),
        ),
        MacroArguments::Select { branches, otherwise } => {
            let branches = branches.iter().map(|branch| {
                let guard = branch.guard.map_or(String::new(), |guard| format!(" if {}", one(&guard)));
                format!("{} = {}{guard} => {}", pat_of(body, branch.pat), one(&branch.future), one(&branch.handler))
            });
            list(branches.chain(otherwise.iter().map(|otherwise| format!("else => {}", one(otherwise)))))
        }
        MacroArguments::Matches { scrutinee, pat, guard } => {
            let guard = guard.map_or(String::new(), |guard| format!(" if {}", one(&guard)));
            format!("{} is {}{guard}", one(scrutinee), pat_of(body, *pat))
        }
        MacroArguments::Block(block) => one(block),
    };
    format!("{}!({arguments})", path(&call.path))
}

fn block(body: &Body, block: &Block) -> String {
    let kind = match block.kind {
        BlockKind::Plain => String::new(),
        kind => format!("{kind:?} "),
    };
    let label = block.label.map_or(String::new(), |label| format!("'{label} "));
    let items = if block.items.is_empty() { String::new() } else { format!("{} items; ", block.items.len()) };
    let statements: String = block.statements.iter().map(|statement| self::statement(body, statement)).collect();
    let tail = block.tail.map_or(String::new(), |tail| expr(body, tail));
    format!("{kind}{label}{{{items}{statements}{tail}}}")
}

fn statement(body: &Body, statement: &Statement) -> String {
    let text = match &statement.kind {
        StatementKind::Let { pat, ty, init, otherwise } => {
            let ty = ty.as_ref().map_or(String::new(), |ty| format!(": {}", self::ty(ty)));
            let init = init.map_or(String::new(), |init| format!(" = {}", expr(body, init)));
            let otherwise = otherwise.map_or(String::new(), |otherwise| format!(" else {}", expr(body, otherwise)));
            format!("let {}{ty}{init}{otherwise};", pat_of(body, *pat))
        }
        StatementKind::Expr { expr: id, semicolon } => format!("{}{}", expr(body, *id), if *semicolon { ";" } else { "" }),
    };
    format!("{text}{} ", statement.cfg.as_deref().map_or(String::new(), |cfg| format!(" #{}", predicate(cfg))))
}

pub(super) fn pat_of(body: &Body, id: PatId) -> String {
    let one = |id: &PatId| pat_of(body, *id);
    let elements = |elements: &[PatId], rest: &Option<u32>| {
        let mut printed: Vec<String> = elements.iter().map(one).collect();
        if let Some(rest) = rest {
            printed.insert(*rest as usize, "..".to_owned());
        }
        printed.join(", ")
    };
    match &body.pats[id].kind {
        PatKind::Wild => "_".to_owned(),
        PatKind::Bind { name, by_ref, mutable, subpattern } => {
            let words = format!("{}{}", if *by_ref { "ref " } else { "" }, if *mutable { "mut " } else { "" });
            format!("{words}{name}{}", subpattern.map_or(String::new(), |inner| format!(" @ {}", one(&inner))))
        }
        PatKind::Path(path) => format!("path {}", self::path(path)),
        PatKind::TupleStruct { path: name, elements: inner, rest } => format!("{}({})", path(name), elements(inner, rest)),
        PatKind::Struct { path: name, fields } => {
            let fields = list(fields.iter().map(|field| format!("{}: {}{}", field.name, one(&field.pat), cfg(&field.cfg))));
            format!("{} {{{fields}}}", path(name))
        }
        PatKind::Tuple { elements: inner, rest } => format!("({})", elements(inner, rest)),
        PatKind::Slice(inner) => format!("[{}]", elements(inner, &None)),
        PatKind::Reference { mutable, pat } => format!("&{}{}", if *mutable { "mut " } else { "" }, one(pat)),
        PatKind::Literal(value) => expr(body, *value),
        PatKind::Range { start, end } => {
            let bound = |bound: &Option<ExprId>| bound.map_or("-".to_owned(), |bound| expr(body, bound));
            format!("{}..{}", bound(start), bound(end))
        }
        PatKind::Or(cases) => cases.iter().map(one).collect::<Vec<_>>().join(" | "),
        PatKind::Rest => "..".to_owned(),
        PatKind::Macro(call) => macro_call(body, call),
        PatKind::Opaque => "opaque".to_owned(),
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Int { suffix, value } => {
            format!(
                "{}{}",
                value.map_or("big".to_owned(), |value| value.to_string()),
                suffix.map_or("", |suffix| suffix.as_str())
            )
        }
        Literal::Str(text) => format!("{text:?}"),
        literal => format!("{literal:?}"),
    }
}

pub(super) fn path(path: &Path) -> String {
    let mut text = match &path.qualified_self {
        Some(qualified) => format!("<{} as {}>", ty(&qualified.ty), qualified.trait_segments),
        None => String::new(),
    };
    text += if path.leading_colon { "::" } else { "" };
    text + &path
        .segments
        .iter()
        .map(|segment| format!("{}{}", segment.name, segment.arguments.as_ref().map_or(String::new(), |it| generic_args(it))))
        .collect::<Vec<_>>()
        .join("::")
}

fn generic_args(arguments: &GenericArgs) -> String {
    let values = arguments.arguments.iter().map(|argument| match argument {
        GenericArg::Type(ty) => self::ty(ty),
        GenericArg::Const(value) => value.map_or("const".to_owned(), |value| value.to_string()),
    });
    let bindings = arguments.bindings.iter().map(|binding| {
        let generics = binding.arguments.as_ref().map_or(String::new(), |it| generic_args(it));
        let value = match &binding.value {
            AssocValue::Type(ty) => format!(" = {}", self::ty(ty)),
            AssocValue::Bounds(bounds) => format!(": {}", self::bounds(bounds)),
            AssocValue::Const => " = const".to_owned(),
        };
        format!("{}{generics}{value}", binding.name)
    });
    let sugar = if arguments.parenthesized { "sugar " } else { "" };
    format!("<{sugar}{}>", list(values.chain(bindings)))
}

pub(super) fn bounds(bounds: &[Bound]) -> String {
    let bounds = bounds.iter().map(|bound| format!("{}{}", if bound.maybe { "?" } else { "" }, path(&bound.path)));
    bounds.collect::<Vec<_>>().join(" + ")
}

pub(super) fn ty(ty: &TypeRef) -> String {
    let mutable = |mutable: &bool| if *mutable { "mut " } else { "" };
    match ty {
        TypeRef::Path(path) => self::path(path),
        TypeRef::Reference { mutable: is_mutable, inner } => format!("&{}{}", mutable(is_mutable), self::ty(inner)),
        TypeRef::Pointer { mutable: is_mutable, inner } => format!("*{}{}", mutable(is_mutable), self::ty(inner)),
        TypeRef::Slice(inner) => format!("[{}]", self::ty(inner)),
        TypeRef::Array { element, length } => {
            format!("[{}; {}]", self::ty(element), length.map_or("?".to_owned(), |length| length.to_string()))
        }
        TypeRef::Tuple(elements) => format!("({})", list(elements.iter().map(self::ty))),
        TypeRef::Never => "!".to_owned(),
        TypeRef::Infer => "_".to_owned(),
        TypeRef::Function { parameters, output } => {
            format!("fn({}) -> {}", list(parameters.iter().map(self::ty)), self::ty(output))
        }
        TypeRef::ImplTrait(bounds) => format!("impl {}", self::bounds(bounds)),
        TypeRef::DynTrait(bounds) => format!("dyn {}", self::bounds(bounds)),
        TypeRef::Macro(call) => format!("{}!", path(&call.path)),
        TypeRef::Unknown => "?".to_owned(),
    }
}

pub(super) fn cfg(cfg: &Option<CfgExpr>) -> String {
    cfg.as_ref().map_or(String::new(), |cfg| format!(" #{}", predicate(cfg)))
}

pub(super) fn predicate(cfg: &CfgExpr) -> String {
    match cfg {
        CfgExpr::Flag(name) => name.to_string(),
        CfgExpr::KeyValue(name, value) => format!("{name}={value}"),
        CfgExpr::All(inner) => format!("all({})", list(inner.iter().map(predicate))),
        CfgExpr::Any(inner) => format!("any({})", list(inner.iter().map(predicate))),
        CfgExpr::Not(inner) => format!("not({})", predicate(inner)),
        CfgExpr::Bool(value) => value.to_string(),
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
