//! Files that do not parse, and what is kept of them.

use super::{body_of, full, item, root_names};
use crate::ast::ItemKind;

#[track_caller]
fn check(text: &str, kept: &[&str], errors: &[&str]) {
    let file = full(text);
    assert_eq!(root_names(&file), kept);
    let places: Vec<_> = file.errors.iter().map(|error| error.span.of(text)).collect();
    assert_eq!(places, errors, "{:?}", file.errors);
}

#[test]
fn a_broken_item_leaves_the_others() {
    check("fn a() {} struct B { x y } fn c() { d() }", &["a", "c"], &["y"]);
    check("use a::b; static X: = 1; const C: u8 = { 2 }; type T = u8; enum E {}", &["", "C", "T", "E"], &["="]);
    check("fn a() {} use b::c fn d() {} pub struct E;", &["a", "d", "E"], &[""]);
    check("fn a() -> A<{ 1 }, u8> {} 1; fn b() where A<{ 2 }>: B, {}", &["a", "b"], &["1"]);
    check("fn a() {} ; fn b() {}", &["a", "b"], &[]);
    check("fn a() {} 1 + 2; fn b() {}", &["a", "b"], &["1"]);
}

#[test]
fn a_broken_body_leaves_the_signature() {
    let text = "fn a(x: u8) -> u8 { let = 1; } fn b() { c() }";
    check(text, &["a", "b"], &["="]);
    let file = full(text);
    let ItemKind::Function(a) = &item(&file, "a").kind else { panic!("no function") };
    assert!(a.declaration.has_body && a.body.is_none() && a.declaration.parameters.len() == 1);
    assert_eq!(body_of(&file, "b"), "{c()}");
}

#[test]
fn a_broken_member_leaves_the_others() {
    let text = "impl S { fn a() { x y } fn b() { c() } type = 1; } mod m { trait T { fn d(); fn e() { ( } fn f() } const X: u8 = ; fn g() {} }";
    let text = text.replace("( }", "1 2 }");
    check(&text, &["", "m"], &["y", "=", "2", "", ";"]);
    let file = full(&text);
    for name in ["a", "b", "m", "T", "d", "e", "g"] {
        item(&file, name);
    }
    assert_eq!(body_of(&file, "b"), "{c()}");
}

#[test]
fn attributes_of_the_file_survive() {
    let file = full("#![allow(x)]\nfn a() {}\nfn ( {}\n");
    assert_eq!(file.attributes.len(), 1);
    assert_eq!(root_names(&file), ["a"]);
}

#[test]
fn delimiters_that_do_not_match_cost_one_item() {
    let text = "fn a() {\n    b()\n}\n\nfn c() {\n    (]\n}\n\n#[d]\nfn e() {\n    f.é()\n}\n";
    let file = full(text);
    assert_eq!(root_names(&file), ["a", "e"]);
    assert_eq!(file.errors.len(), 1);
    assert_eq!((file.errors[0].span.start, file.errors[0].message.as_str()), (34, "this delimiter closes nothing"));
    assert_eq!(item(&file, "e").span.of(text), "fn e() {\n    f.é()\n}");
    let file = full("fn a() {}\nfn b() {\n");
    assert_eq!(root_names(&file), ["a"]);
    assert_eq!(file.errors[0].message, "this delimiter is never closed");
}

#[test]
fn broken_tokens_are_told() {
    let file = full("fn a() { \"x }");
    assert_eq!((file.errors[0].span.start, file.errors[0].message.as_str()), (9, "this literal is never closed"));
}

#[test]
fn a_file_of_errors_tells_some() {
    let text = "fn a( { }\n".replace("( {", "(1) {").repeat(100);
    assert_eq!(full(&text).errors.len(), 20);
}
