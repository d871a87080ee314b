//! Macro calls that are understood without expanding them: std's, tokio's, futures' and the logging families'.

use agentlint_syntax::ast::{ExprId, ExprKind, MacroArgument, MacroArguments, MacroCall, Path, SelectBranch, Shown};

use crate::names::Namespace;
use crate::types::{Ty, TyKind};

use super::{Context, Expect};

/// Macros of dependencies that are not expanded: what they mean is known, or nobody asks.
pub(crate) const NATIVE: [&str; 33] = [
    "anyhow",
    "assert_matches",
    "bail",
    "debug",
    "debug_span",
    "ensure",
    "error",
    "error_span",
    "event",
    "eyre",
    "format_ident",
    "info",
    "info_span",
    "join",
    "json",
    "log",
    "matches",
    "parse_quote",
    "parse_quote_spanned",
    "quote",
    "quote_spanned",
    "ready",
    "select",
    "select_biased",
    "span",
    "stream",
    "trace",
    "trace_span",
    "try_join",
    "try_stream",
    "vec",
    "warn",
    "warn_span",
];

impl Context<'_, '_> {
    pub(super) fn check_macro(&mut self, expr: ExprId, call: &MacroCall, expect: Expect) -> Ty {
        let macro_name = call.path.segments.last().map_or("", |s| s.name.as_str());
        match &call.arguments {
            MacroArguments::Opaque => self.macro_type(expr, macro_name, call, &[], expect),
            MacroArguments::Exprs(arguments) => {
                let values: Vec<ExprId> = arguments.iter().map(|a| a.value).collect();
                self.check_macro_arguments(macro_name, &values, expect);
                self.check_shown(expr, arguments);
                self.macro_type(expr, macro_name, call, &values, expect)
            }
            MacroArguments::Select { branches, otherwise } => self.check_select(branches, *otherwise, expect),
            MacroArguments::Matches { scrutinee, pat, guard } => {
                let mark = self.scope.len();
                let ty = self.check(*scrutinee, Expect::Nothing);
                self.check_pat(*pat, ty);
                if let Some(guard) = guard {
                    self.check(*guard, Expect::Type(Ty::BOOL));
                }
                self.scope.truncate(mark);
                Ty::BOOL
            }
            MacroArguments::Block(block) if matches!(macro_name, "pin" | "pin_mut") => {
                self.pin_declared(*block);
                Ty::UNIT
            }
            MacroArguments::Block(block) => {
                self.frames.push(super::Frame { output: Ty::UNKNOWN });
                self.check(*block, Expect::Nothing);
                self.frames.pop();
                Ty::UNKNOWN
            }
        }
    }

    fn check_macro_arguments(&mut self, macro_name: &str, values: &[ExprId], expect: Expect) {
        match macro_name {
            "vec" => {}
            "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => {
                let mut first: Option<Ty> = None;
                for (at, value) in values.iter().enumerate() {
                    let hint = first.filter(|_| at == 1).map_or(Expect::Nothing, Expect::Type);
                    let ty = self.check(*value, hint);
                    let ty = self.structurally(ty);
                    match (at, first) {
                        (0, _) => first = Some(ty),
                        (1, Some(first)) if self.solver.table.kind(first).is_some() || self.solver.table.kind(ty).is_some() => {
                            self.solver.unify(first, ty);
                        }
                        _ => {}
                    }
                }
            }
            "dbg" | "pin" | "pin_mut" | "ready" => {
                for value in values {
                    self.check(*value, expect);
                }
            }
            _ => {
                for value in values {
                    self.check(*value, Expect::Nothing);
                }
            }
        }
    }

    /// The calls of `fmt` that a format string makes.
    fn check_shown(&mut self, expr: ExprId, arguments: &[MacroArgument]) {
        for argument in arguments {
            let trait_def = match argument.shown {
                Some(Shown::Display) => self.program.known().display,
                Some(Shown::Debug) => self.program.known().debug,
                None => continue,
            };
            let mut ty = self.shallow(self.types[argument.value]);
            while let TyKind::Ref(inner, _) = *ty.kind() {
                ty = self.shallow(inner);
            }
            let span = self.body.exprs[argument.value].span;
            self.implicit_call(expr, span, trait_def, "fmt", &[ty]);
        }
    }

    /// The type of a macro call whose arguments were checked.
    fn macro_type(&mut self, expr: ExprId, macro_name: &str, call: &MacroCall, values: &[ExprId], expect: Expect) -> Ty {
        match macro_name {
            "format" | "formatcp" => self.string(),
            "println" | "print" | "eprintln" | "eprint" | "assert" | "assert_eq" | "assert_ne" | "debug_assert"
            | "debug_assert_eq" | "debug_assert_ne" | "trace" | "debug" | "info" | "warn" | "error" | "event" | "ensure" => {
                Ty::UNIT
            }
            "panic" | "todo" | "unimplemented" | "unreachable" | "bail" | "compile_error" => Ty::NEVER,
            "concat" | "stringify" | "env" | "include_str" | "file" | "module_path" => Ty::STR.reference(false),
            "line" | "column" => crate::types::primitive("u32").unwrap_or(Ty::UNKNOWN),
            "cfg" => Ty::BOOL,
            "format_args" => self.std_adt(self.program.known().arguments, &[]),
            "option_env" => self.std_adt(self.program.known().option, &[Ty::STR.reference(false)]),
            "include_bytes" => {
                let length = self.fresh();
                Ty::new(TyKind::Array(crate::types::primitive("u8").unwrap_or(Ty::UNKNOWN), length)).reference(false)
            }
            "vec" => self.vec_macro(call, values, expect),
            "dbg" => match values {
                [one] => self.types[*one],
                _ => {
                    let types: Vec<Ty> = values.iter().map(|v| self.types[*v]).collect();
                    Ty::tuple(&types)
                }
            },
            "write" | "writeln" => match values.first() {
                Some(target) => self.macro_method(expr, *target, "write_fmt", call.path.span),
                None => Ty::UNKNOWN,
            },
            "pin" | "pin_mut" => self.pin_macro(values),
            "ready" => match values.first().map(|v| self.types[*v]) {
                Some(ty) => {
                    let ty = self.structurally(ty);
                    self.is_adt(ty, self.program.known().poll).and_then(|list| list.first().copied()).unwrap_or(Ty::UNKNOWN)
                }
                None => Ty::UNKNOWN,
            },
            "join" => self.join_macro(values),
            "try_join" => self.try_join_macro(values),
            "json" => self.sibling_type(&call.path, "Value"),
            "span" | "trace_span" | "debug_span" | "info_span" | "warn_span" | "error_span" => {
                self.sibling_type(&call.path, "Span")
            }
            "anyhow" | "eyre" => self.sibling_type(&call.path, if macro_name == "anyhow" { "Error" } else { "Report" }),
            _ => Ty::UNKNOWN,
        }
    }

    /// The type of that name in the crate that declares the macro.
    fn sibling_type(&mut self, path: &Path, type_name: &str) -> Ty {
        let names: Vec<_> = path.segments.iter().map(|s| s.name).collect();
        let root = match self.program.resolve_path(self.module, &names, path.leading_colon, Namespace::Macro) {
            Some(crate::names::PathResolution { to: crate::names::Resolution::Def(def), .. }) => self.program.root(def.krate),
            _ => {
                let crate_name = match names.last().map(|n| n.as_str()) {
                    Some("json") => "serde_json",
                    Some("anyhow") => "anyhow",
                    Some(span) if span.ends_with("span") => "tracing",
                    _ => "eyre",
                };
                match self.program.extern_crate(self.owner.krate, agentlint_syntax::name(crate_name)) {
                    Some(root) => root,
                    None => return Ty::UNKNOWN,
                }
            }
        };
        match self.program.lookup(root, agentlint_syntax::name(type_name), Namespace::Type) {
            Some(def) => Ty::adt(def, &[]),
            None => Ty::UNKNOWN,
        }
    }

    fn vec_macro(&mut self, call: &MacroCall, values: &[ExprId], expect: Expect) -> Ty {
        let known = self.program.known();
        let hint = match expect.ty().map(|ty| self.shallow(ty)).and_then(|ty| self.is_adt(ty, known.vec)) {
            Some(list) => Expect::Type(Ty::new(TyKind::Slice(list[0]))),
            None => Expect::Nothing,
        };
        let is_repeat = call.text.contains(';') && values.len() == 2 && is_repeat(&call.text);
        let elements = if is_repeat { &values[..1] } else { values };
        let array = self.check_array(elements, hint);
        if is_repeat {
            let length = self.check(values[1], Expect::Type(Ty::USIZE));
            self.coerce(length, Ty::USIZE);
        }
        match *array.kind() {
            TyKind::Array(element, _) => {
                let allocator = self.program.std_path("alloc::alloc::Global").map_or(Ty::UNKNOWN, |def| Ty::adt(def, &[]));
                match known.vec {
                    Some(vec) if self.program.generics(vec).count() == 2 => Ty::adt(vec, &[element, allocator]),
                    Some(vec) => Ty::adt(vec, &[element]),
                    None => Ty::UNKNOWN,
                }
            }
            _ => Ty::UNKNOWN,
        }
    }

    /// `std::pin::pin!(x)` gives a pin; `tokio::pin!(x)` makes one of the variable.
    fn pin_macro(&mut self, values: &[ExprId]) -> Ty {
        let mut last = Ty::UNKNOWN;
        for value in values {
            let pinned = self.std_adt(self.program.known().pin, &[self.types[*value].reference(true)]);
            if let ExprKind::Path(path) = &self.body.exprs[*value].kind
                && let [segment] = path.segments.as_slice()
                && let Some((pat, _)) = self.local(segment.name)
            {
                self.scope.push((segment.name, pat, pinned));
            }
            last = pinned;
        }
        last
    }

    /// `pin! { let a = ..; }` declares pins in the block around it; for when the macro's crate is not at hand.
    fn pin_declared(&mut self, block: ExprId) {
        let body = self.body;
        let ExprKind::Block(block) = &body.exprs[block].kind else { return };
        for statement in &block.statements {
            let mark = self.scope.len();
            self.check_statement(statement);
            let declared = self.scope[mark..].to_vec();
            for (name, pat, ty) in declared {
                let pinned = self.std_adt(self.program.known().pin, &[ty.reference(true)]);
                self.scope.push((name, pat, pinned));
            }
        }
    }

    fn outputs(&mut self, values: &[ExprId]) -> Vec<Ty> {
        let output = self.program.known().future_output;
        values
            .iter()
            .map(|value| {
                let ty = self.types[*value];
                let ty = self.structurally(ty);
                self.projection(output, &[ty])
            })
            .collect()
    }

    fn join_macro(&mut self, values: &[ExprId]) -> Ty {
        let outputs = self.outputs(values);
        Ty::tuple(&outputs)
    }

    fn try_join_macro(&mut self, values: &[ExprId]) -> Ty {
        let outputs = self.outputs(values);
        let result = self.program.known().result;
        let error = self.fresh();
        let mut values = Vec::new();
        for output in outputs {
            let output = self.structurally(output);
            match self.is_adt(output, result) {
                Some(list) => {
                    self.solver.unify(list[1], error);
                    values.push(list[0]);
                }
                None => values.push(Ty::UNKNOWN),
            }
        }
        self.std_adt(result, &[Ty::tuple(&values), error])
    }

    fn check_select(&mut self, branches: &[SelectBranch], otherwise: Option<ExprId>, expect: Expect) -> Ty {
        let mut joined = None;
        for branch in branches {
            if let Some(guard) = branch.guard {
                self.check(guard, Expect::Type(Ty::BOOL));
            }
            let future = self.check(branch.future, Expect::Nothing);
            let future = self.structurally(future);
            let output = self.projection(self.program.known().into_future_output, &[future]);
            let mark = self.scope.len();
            self.check_pat(branch.pat, output);
            let ty = self.check(branch.handler, expect);
            joined = self.join(joined, ty);
            self.scope.truncate(mark);
        }
        if let Some(otherwise) = otherwise {
            let ty = self.check(otherwise, expect);
            joined = self.join(joined, ty);
        }
        joined.unwrap_or(Ty::UNIT)
    }
}

/// Whether the `;` of `vec![x; n]` stands outside all delimiters.
fn is_repeat(text: &str) -> bool {
    let mut depth = 0i32;
    let mut in_string = false;
    let mut escaped = false;
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ';' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}
