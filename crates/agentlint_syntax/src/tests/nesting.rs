//! Input that nests deeper than any stack, and input that only looks like it.

use super::{full, on_large_stack};
use crate::limits;

struct Shape {
    name: &'static str,
    before: &'static str,
    /// What opens a level, and what closes it.
    open: &'static str,
    close: &'static str,
    middle: &'static str,
    after: &'static str,
    /// How many levels stay just below the limits.
    levels: usize,
}

impl Shape {
    fn text(&self, levels: usize) -> String {
        let Shape { before, open, close, middle, after, .. } = self;
        format!("{before}{}{middle}{}{after}", open.repeat(levels), close.repeat(levels))
    }
}

/// Every way that was thought of to nest.
fn shapes() -> Vec<Shape> {
    fn shape(name: &'static str, parts: [&'static str; 5], levels: usize) -> Shape {
        let [before, open, middle, close, after] = parts;
        Shape { name, before, open, close, middle, after, levels }
    }
    let expr = |name, open, middle, close, levels| shape(name, ["fn f() { x = ", open, middle, close, "; }"], levels);
    let ty = |name, open, middle, close, levels| shape(name, ["type T = ", open, middle, close, ";"], levels);
    vec![
        expr("parentheses", "(", "1", ")", 250),
        expr("brackets", "[", "1", "]", 250),
        expr("blocks", "{", "1", "}", 250),
        expr("calls", "f(", "1", ")", 250),
        expr("macros", "m!(", "1", ")", 250),
        expr("macro blocks", "m!{", "a;", "}", 250),
        expr("matches", "match x { _ => ", "1", "}", 250),
        expr("ifs", "if x { ", "1", "} else { 2 }", 250),
        expr("async blocks", "async { ", "1", "}.await", 250),
        expr("closures in blocks", "|| { ", "1", "}", 250),
        expr("json", "json!({ \"a\": [", "1", "] })", 80),
        expr("not", "!", "x", "", 7_900),
        expr("minus", "- ", "x", "", 7_900),
        expr("star", "*", "x", "", 7_900),
        expr("reference", "&", "x", "", 7_900),
        expr("raw reference", "&raw const ", "x", "", 2_600),
        expr("sum", "1+", "1", "", 11_500),
        expr("and", "x && ", "x", "", 4_700),
        expr("assignment", "x = ", "x", "", 5_900),
        expr("method calls", "", "a", ".b()", 7_900),
        expr("fields", "", "a", ".b", 11_900),
        expr("awaits", "", "a", ".await", 11_900),
        expr("questions", "", "a", "?", 23_900),
        expr("indexes", "", "a", "[0]", 23_900),
        expr("applications", "", "a", "()", 23_900),
        expr("casts", "", "a", " as u8", 11_900),
        expr("else if", "if x {} else ", "{}", "", 2_900),
        expr("if if", "if ", "x", " {}", 5_900),
        expr("closures", "|| ", "x", "", 3_900),
        expr("closures with parameters", "|a, b| ", "x", "", 2_300),
        expr("move closures", "move |a| ", "x", "", 2_100),
        expr("return", "return ", "x", "", 7_900),
        expr("break", "break ", "x", "", 7_900),
        expr("let", "let x = ", "1", "", 4_700),
        expr("struct chains", "S {} + ", "x", "", 7_900),
        expr("called structs", "S {} (x) + ", "x", "", 5_900),
        expr("generic paths", "A::<A<u8, ", "A", ">>::x", 1_150),
        ty("generics", "Vec<", "u8", ">", 3_100),
        ty("generics with commas", "A<u8, ", "u8", ">", 3_400),
        ty("references", "&", "u8", "", 7_900),
        ty("pointers", "*const ", "u8", "", 3_900),
        ty("slices", "[", "u8", "]", 250),
        ty("functions", "fn() -> ", "u8", "", 3_900),
        ty("function traits", "impl Fn() -> ", "u8", "", 3_300),
        ty("qualified", "<", "u8", " as A>::B", 2_200),
        ty("bounds", "A + ", "A", "", 11_900),
        shape("modules", ["", "mod a {", "", "}", ""], 250),
        shape("functions in functions", ["", "fn a() {", "", "}", ""], 250),
        shape("imports", ["use ", "a::", "a", "", ";"], 4_700),
        shape("import groups", ["use ", "a::{", "a", "}", ";"], 250),
        shape("pattern references", ["fn f(", "&", "a", "", ": u8) {}"], 7_900),
        shape("pattern bindings", ["fn f() { let ", "a @ ", "a", "", " = 1; }"], 5_900),
        shape("pattern alternatives", ["fn f() { match 1 { ", "a | ", "a", "", " => 1 } }"], 11_900),
        shape("pattern tuples", ["fn f(", "(", "a", ")", ": u8) {}"], 250),
        shape("attributes", ["", "#[a(", "", ")]", " fn f() {}"], 120),
        shape("predicates", ["#[cfg(", "not(", "a", ")", ")] fn f() {}"], 250),
        shape("invisible spaces", ["fn f() { x = ", "return\u{2028}", "1", "", "; }"], 7_900),
    ]
}

#[test]
fn the_deepest_input_that_is_read_fits_the_stack() {
    for shape in shapes() {
        let text = shape.text(shape.levels);
        let file = on_large_stack(|| full(&text));
        let refused = file.errors.iter().any(|error| error.message == limits::MESSAGE);
        assert!(!refused, "{} at {} levels: {:?}", shape.name, shape.levels, file.errors);
    }
}

#[test]
fn deeper_input_is_refused() {
    for shape in shapes() {
        let text = shape.text(50_000);
        let file = on_large_stack(|| full(&text));
        assert_eq!(file.errors.len(), 1, "{}", shape.name);
        assert_eq!(file.errors[0].message, limits::MESSAGE, "{}", shape.name);
    }
}
