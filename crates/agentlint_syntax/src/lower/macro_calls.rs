//! Macro calls where expressions stand, with what their arguments mean.

use syn::parse::Parser;

use super::format_string::{FormatSubject, Placeholder, placeholders};
use super::macro_shapes::{self, Argument, Select};
use super::{BodyLowering, MACRO_DEPTH};
use crate::ast::{ExprId, ExprKind, MacroArgument, MacroArguments, SelectBranch};

impl BodyLowering<'_, '_> {
    pub(crate) fn macro_expr(&mut self, call: &syn::Macro) -> ExprId {
        let path = self.file.path(&call.path);
        let span = path.span.to(self.file.delimiters(call.delimiter.span()));
        let name = path.segments.last().map(|segment| segment.name);
        let mut lowered = self.file.macro_tokens(call, path);
        if self.file.macro_depth < MACRO_DEPTH {
            self.file.macro_depth += 1;
            if name.as_deref() == Some("paste")
                && let Some(pasted) = self.pasted_expr(call)
            {
                self.file.macro_depth -= 1;
                return pasted;
            }
            lowered.arguments = self.arguments(call, name.as_deref().unwrap_or_default());
            self.file.macro_depth -= 1;
        }
        self.add(ExprKind::Macro(Box::new(lowered)), span)
    }

    fn arguments(&mut self, call: &syn::Macro, name: &str) -> MacroArguments {
        let special = match name {
            "select" | "select_biased" => self.select(call),
            "matches" | "assert_matches" | "debug_assert_matches" => self.matches(call),
            "stream" | "try_stream" | "async_stream_block" => self.macro_block(call),
            "json" => self.json(call),
            // Their tokens are data.
            "cfg" | "quote" | "quote_spanned" | "parse_quote" | "parse_quote_spanned" | "stringify" => {
                Some(MacroArguments::Opaque)
            }
            _ => None,
        };
        special
            .or_else(|| self.argument_list(call, name))
            .or_else(|| self.macro_block(call))
            .or_else(|| self.json(call))
            .unwrap_or(MacroArguments::Opaque)
    }

    fn argument_list(&mut self, call: &syn::Macro, name: &str) -> Option<MacroArguments> {
        // Semicolons between braces are those of statements.
        let semicolons = !matches!(call.delimiter, syn::MacroDelimiter::Brace(_));
        let parse = |input: syn::parse::ParseStream<'_>| macro_shapes::arguments(input, semicolons);
        let mut arguments = parse.parse2(call.tokens.clone()).ok()?;
        if FORMATTING.contains(&name) {
            show(&mut arguments);
        }
        let arguments = arguments.into_iter().map(|Argument { name, value, shown }| {
            let value = self.expr(&value);
            MacroArgument { name, value, shown }
        });
        Some(MacroArguments::Exprs(arguments.collect()))
    }

    fn json(&mut self, call: &syn::Macro) -> Option<MacroArguments> {
        let values = macro_shapes::json_values.parse2(call.tokens.clone()).ok()?;
        let values = values.iter().map(|value| MacroArgument { name: None, value: self.expr(value), shown: None });
        Some(MacroArguments::Exprs(values.collect()))
    }

    fn matches(&mut self, call: &syn::Macro) -> Option<MacroArguments> {
        let (scrutinee, pat, guard) = macro_shapes::matches.parse2(call.tokens.clone()).ok()?;
        let scrutinee = self.expr(&scrutinee);
        let pat = self.pat(&pat);
        Some(MacroArguments::Matches { scrutinee, pat, guard: guard.map(|guard| self.expr(&guard)) })
    }

    fn macro_block(&mut self, call: &syn::Macro) -> Option<MacroArguments> {
        let statements = syn::Block::parse_within.parse2(call.tokens.clone()).ok()?;
        let block = self.statements(&statements);
        let span = self.file.delimiters(call.delimiter.span());
        Some(MacroArguments::Block(self.add(ExprKind::Block(Box::new(block)), span)))
    }

    fn select(&mut self, call: &syn::Macro) -> Option<MacroArguments> {
        let Select { branches, otherwise } = macro_shapes::select.parse2(call.tokens.clone()).ok()?;
        let branches = branches.into_iter().map(|branch| SelectBranch {
            future: self.expr(&branch.future),
            pat: self.pat(&branch.pat),
            guard: branch.guard.map(|guard| self.expr(&guard)),
            handler: self.expr(&branch.handler),
        });
        let branches = branches.collect();
        let mut otherwise: Vec<ExprId> = otherwise.iter().map(|handler| self.expr(handler)).collect();
        let otherwise = match otherwise.as_slice() {
            [] | [_] => otherwise.pop(),
            // Both `default` and `complete`: one of them runs.
            [first, .., last] => {
                let span = self.span_of(*first).to(self.span_of(*last));
                Some(self.add(ExprKind::Tuple(otherwise), span))
            }
        };
        Some(MacroArguments::Select { branches, otherwise })
    }
}

/// Macros that show their arguments by a format string, and go on.
const FORMATTING: [&str; 19] = [
    "anyhow",
    "bail",
    "debug",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "event",
    "eyre",
    "format",
    "format_args",
    "info",
    "log",
    "print",
    "println",
    "trace",
    "warn",
    "write",
    "writeln",
];

/// Says of each argument how the format string shows it, and adds those that it names alone.
fn show(arguments: &mut Vec<Argument>) {
    let literal = arguments.iter().enumerate().find_map(|(at, argument)| match &argument.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) if argument.name.is_none() => Some((at, text.clone())),
        _ => None,
    });
    let Some((at, literal)) = literal else { return };
    let text = literal.value();
    let (first, listed) = (at + 1, arguments.len());
    let mut next = first;
    for Placeholder { subject, shown, .. } in placeholders(&text) {
        let found = match subject {
            FormatSubject::Next => {
                next += 1;
                Some(next - 1)
            }
            FormatSubject::Position(position) => first.checked_add(position),
            FormatSubject::Name(wanted) => {
                let named = |argument: &Argument| argument.name.is_some_and(|name| name == wanted);
                arguments.iter().position(named).or_else(|| {
                    let mut ident = syn::parse_str::<syn::Ident>(wanted).ok()?;
                    ident.set_span(literal.span());
                    let value = syn::Expr::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path: ident.into() });
                    arguments.push(Argument { name: Some(crate::name(wanted)), value, shown: None });
                    Some(arguments.len() - 1)
                })
            }
        };
        let is_listed = |at: &usize| *at < listed || matches!(subject, FormatSubject::Name(_));
        if let Some(argument) = found.filter(is_listed).and_then(|at| arguments.get_mut(at)) {
            // One that is shown in two ways is looked at in the first.
            argument.shown = argument.shown.or(shown);
        }
    }
}
