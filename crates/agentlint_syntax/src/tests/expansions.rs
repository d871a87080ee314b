//! Tokens that a macro expanded to.

use proc_macro2::{Group, Span as TokenSpan, TokenStream, TokenTree};

use super::{on_large_stack, print};
use crate::ast::ExprKind;
use crate::expanded::{
    parse_expanded_expr, parse_expanded_items, parse_expanded_pat, parse_expanded_statements, parse_expanded_type,
};
use crate::{Bodies, Origin, Span, Written, parse_cfg, parse_cfg_attr};

const CALL: Span = Span { start: 100, end: 120 };

fn at(offset: u32) -> Origin<'static> {
    Origin { written: Written::From(offset), call_span: CALL }
}

fn lex(text: &str) -> TokenStream {
    text.parse().unwrap()
}

/// The same tokens without places, as a macro's own are.
fn erased(tokens: TokenStream) -> TokenStream {
    let erase = |tree: TokenTree| {
        let mut tree = match tree {
            TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), erased(group.stream()))),
            tree => tree,
        };
        tree.set_span(TokenSpan::call_site());
        tree
    };
    tokens.into_iter().map(erase).collect()
}

#[test]
fn expressions_and_their_places() {
    proc_macro2::extra::invalidate_current_thread_spans();
    let written = lex("ä.b(1)");
    let tokens: TokenStream =
        erased(lex("f")).into_iter().chain([Group::new(proc_macro2::Delimiter::Parenthesis, written).into()]).collect();
    let expanded = parse_expanded_expr(tokens, at(50)).unwrap();
    assert_eq!(print::body(&expanded.body), "f(ä.b(1))");
    let places: Vec<_> = expanded.body.exprs.iter().map(|expr| (expr.span.start, expr.span.end)).collect();
    assert_eq!(places[0], (100, 120), "f is the macro's");
    assert_eq!(places[1], (50, 52), "ä is the call's");
    let ExprKind::MethodCall { name_span, .. } = &expanded.body.exprs[3usize].kind else { panic!("no method call") };
    assert_eq!((name_span.start, name_span.end), (53, 54));
}

#[test]
fn items_statements_types_and_patterns() {
    let file = parse_expanded_items(erased(lex("fn f() { g() } struct S;")), at(0), Bodies::Full).unwrap();
    assert_eq!(super::root_names(&file), ["f", "S"]);
    assert_eq!(file.items[0usize.into()].name_span, CALL);
    let statements = parse_expanded_statements(lex("fn h() {} let a = 1; a"), at(0)).unwrap();
    assert_eq!(print::body(&statements.body), "{1 items; let a = 1; a}");
    assert_eq!(statements.file.items[0usize.into()].name, "h");
    assert_eq!(print::ty(&parse_expanded_type(lex("Vec<u8>"), at(0)).unwrap()), "Vec<u8>");
    let pat = parse_expanded_pat(lex("Some(a) | None"), at(0)).unwrap();
    assert_eq!(print::pat_of(&pat.body, pat.body.parameters[0]), "Some(a) | None");
}

#[test]
fn what_does_not_parse_is_an_error() {
    assert!(parse_expanded_expr(lex("a b"), at(0)).is_err());
    assert!(parse_expanded_items(lex("1"), at(0), Bodies::Full).is_err());
    assert!(parse_expanded_type(lex("1"), at(0)).is_err());
    assert!(parse_expanded_pat(lex("+"), at(0)).is_err());
    assert!(parse_expanded_statements(lex("let"), at(0)).is_err());
}

#[test]
fn deep_tokens_are_refused() {
    let refused = on_large_stack(|| {
        let deep = [format!("{}1{}", "(".repeat(300), ")".repeat(300)), format!("{}1", "!".repeat(50_000))];
        deep.map(|text| parse_expanded_expr(lex(&text), at(0)).unwrap_err())
    });
    assert_eq!(refused, ["nested too deeply to be read"; 2]);
    let invisible = (0..300).fold(lex("1"), |inner, _| TokenTree::from(Group::new(proc_macro2::Delimiter::None, inner)).into());
    assert!(parse_expanded_expr(invisible, at(0)).is_err());
}

#[test]
fn calls_in_an_expansion_keep_the_text_that_was_written() {
    proc_macro2::extra::invalidate_current_thread_spans();
    let expanded = parse_expanded_expr(lex("m!( a /* b */ )"), at(10)).unwrap();
    let ExprKind::Macro(call) = &expanded.body.exprs[expanded.body.root].kind else { panic!("no macro call") };
    assert_eq!((call.text.as_str(), call.tokens), (" a /* b */ ", Span { start: 13, end: 24 }));
    let expanded = parse_expanded_expr(erased(lex("m!(a   + b)")), at(10)).unwrap();
    let ExprKind::Macro(call) = &expanded.body.exprs[expanded.body.root].kind else { panic!("no macro call") };
    assert_eq!((call.text.as_str(), call.tokens), ("a + b ", CALL));
}

#[test]
fn a_call_in_an_expansion_knows_where_its_tokens_were_written() {
    proc_macro2::extra::invalidate_current_thread_spans();
    let written = lex("x.y()");
    let inner: TokenStream = erased(lex("f::g + ")).into_iter().chain(written).collect();
    let group = Group::new(proc_macro2::Delimiter::Parenthesis, inner);
    let tokens: TokenStream = erased(lex("m!")).into_iter().chain([group.into()]).collect();
    let expanded = parse_expanded_expr(tokens, at(50)).unwrap();
    let ExprKind::Macro(call) = &expanded.body.exprs[expanded.body.root].kind else { panic!("no macro call") };
    assert_eq!(call.text.as_str(), "f :: g + x . y ( ) ");
    proc_macro2::extra::invalidate_current_thread_spans();
    let again = parse_expanded_expr(lex(&call.text), call.origin(CALL)).unwrap();
    let places: Vec<_> = again.body.exprs.iter().map(|expr| (expr.span.start, expr.span.end)).collect();
    assert_eq!(places[0], (100, 120), "`f::g` is the macro's");
    assert_eq!(places[1], (50, 51), "`x` is the call's");
}

#[test]
fn predicates_of_text() {
    assert_eq!(print::predicate(&parse_cfg("all(unix, feature = \"x\")").unwrap()), "all(unix, feature=x)");
    assert!(parse_cfg("(").is_none());
    let (predicate, attributes) = parse_cfg_attr("any(a, b), path = \"x.rs\", allow(c)", 40).unwrap();
    assert_eq!(print::predicate(&predicate), "any(a, b)");
    let places: Vec<_> = attributes.iter().map(|it| (it.path.as_str(), it.span.start)).collect();
    assert_eq!(places, [("path", 51), ("allow", 66)]);
}
