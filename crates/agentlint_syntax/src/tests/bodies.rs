//! Expressions, statements and patterns.

use super::{item, lower, sound};
use crate::ast::{ExprKind, ItemKind, StatementKind};

#[track_caller]
fn check(statements: &str, expected: &str) {
    assert_eq!(lower(statements), expected);
}

#[test]
fn calls_and_chains() {
    check("a::b::<u8>(1, x).c::<Vec<_>>(2)?.d.await.0.1[3]", "a::b<u8>(1, x).c::<Vec<_>>(2)?.d.await.0.1[3]");
    check("(self.f)(1)", "self.f(1)");
    check("<T as Default>::default()", "<T as 1>Default::default()");
    check("<Vec<u8>>::new()", "<Vec<u8> as 0>new()");
    check("<T as ::a::B>::c", "<T as 2>::a::B::c");
    check("r#type.r#match()", "type.match()");
}

#[test]
fn operators() {
    check("a + b * c == d && !e || -f < *g", "(Or (And (Eq (Add a (Mul b c)) d) (Not e)) (Lt (Neg f) (Deref g)))");
    check("a = b; c += 1; d <<= e;", "(= a b); (Add= c 1); (Shl= d e);");
    check("_ = f()", "(= missing f())");
    check("(x as u8, 1..2, ..=3, 4.., ..)", "(tuple (x as u8), (1..2), (-..=3), (4..-), (-..-))");
    check("(&a, &mut b, &raw const c, &raw mut d)", "(tuple (&a), (&mut b), (&raw c), (&raw mut d))");
}

#[test]
fn parentheses_are_dropped_but_belong_to_the_place() {
    let text = "fn f() { (a.b()).c(); }";
    let file = sound(text);
    let body = &file.bodies[0usize];
    let places: Vec<&str> = body
        .exprs
        .iter()
        .filter(|expr| matches!(expr.kind, ExprKind::MethodCall { .. }))
        .map(|expr| expr.span.of(text))
        .collect();
    assert_eq!(places, ["(a.b())", "(a.b()).c()"]);
}

#[test]
fn literals() {
    check("(0x1F, 1_000u64, 0b11, 0o17)", "(tuple 31, 1000u64, 3, 15)");
    check("340282366920938463463374607431768211455", "big");
    check(r##"("a\n", r#"b"c"#, true)"##, r#"(tuple "a\n", "b\"c", Bool(true))"#);
    check("(b\"abc\", b'x', 'y', c\"z\")", "(tuple ByteStr(3), Byte, Char, CStr)");
    check("(1.5, 2e3f32)", "(tuple Float { suffix: None }, Float { suffix: Some(\"f32\") })");
}

#[test]
fn aggregates() {
    check("([1, 2], [0; n], (), (1,))", "(tuple [1, 2], [0; n], (tuple ), (tuple 1))");
    check("S { a, b: 1, #[cfg(unix)] c: 2, ..d }", "S {a: a, b: 1, c: 2 #unix..d}");
    check("a::T { 0: x }", "a::T {0: x..-}");
}

#[test]
fn control_flow() {
    check("if a { 1 } else if b { 2 } else { 3 }", "(if a {1} (if b {2} {3}))");
    check("if a { return; }", "(if a {(return -); } -)");
    check("if let Some(x) = y && x > 1 && let Ok(_) = z {}", "(if (And (And (let Some(x) = y) (Gt x 1)) (let Ok(_) = z)) {} -)");
    check("while let Some(x) = y.next().await { continue; }", "(while (let Some(x) = y.next().await) {(continue); })");
    check("'a: loop { break 'a 1; }", "(loop'a {(break'a 1); })");
    check("'b: for (i, _) in x { continue 'b }", "(for'b (i, _) in x {(continue'b)})");
    check("let x = 'c: { break 'c 2 };", "let x = 'c {(break'c 2)};");
    check("return Err(e)?", "(return Err(e)?)");
    check("yield x; yield", "(yield x); (yield -)");
    check("try { a? }", "Try {a?}");
    check("x = unsafe { a } + const { 1 }", "(= x (Add Unsafe {a} Const {1}))");
}

#[test]
fn matches_have_guards_and_conditions() {
    check(
        "match x { Some(1 | 2) if a => b, #[cfg(unix)] c::D => {} _ => e, }",
        "(match x {Some(1 | 2) if a => b, path c::D => {} #unix, _ => e})",
    );
}

#[test]
fn closures_and_async() {
    check("|a, &b, (c, d): (u8, _)| a + b", "(|a, &b, (c, d): (u8, _)| (Add a b))");
    check("move |x| -> u8 { x }", "(move |x| -> u8 {x})");
    check("async move |x| x.await", "(async move |x| x.await)");
    check("async { a.await }; async move { b }", "async {a.await}; async move {b}");
}

#[test]
fn let_statements() {
    check("let a; let b: u8 = 1; let Some(c) = d else { return };", "let a; let b: u8 = 1; let Some(c) = d else {(return -)};");
    check("#[cfg(feature = \"x\")] let a = 1; a", "let a = 1; #feature=x a");
}

#[test]
fn statements_end_with_their_semicolons() {
    let text = "fn f() { a(); if b {} c() }";
    let file = sound(text);
    let body = &file.bodies[0usize];
    let ExprKind::Block(block) = &body.exprs[body.root].kind else { panic!("no block") };
    let statements: Vec<_> = block
        .statements
        .iter()
        .map(|statement| match statement.kind {
            StatementKind::Expr { semicolon, .. } => (statement.span.of(text), semicolon),
            StatementKind::Let { .. } => panic!("no let was written"),
        })
        .collect();
    assert_eq!(statements, [("a();", true), ("if b {}", false)]);
    assert_eq!(body.exprs[block.tail.unwrap()].span.of(text), "c()");
}

#[test]
fn conditional_expressions_are_statements_even_at_the_end() {
    check("#[cfg(unix)] a = b; #[cfg(unix)] c() as u8;", "(= a b); #unix (c() as u8); #unix");
    check("#[cfg(unix)] { 1 } #[cfg(not(unix))] { 2 }", "{1} #unix {2} #not(unix)");
}

#[test]
fn lone_semicolons_are_nothing() {
    check(";; a();", "a();");
}

#[test]
fn items_of_blocks_are_listed() {
    let file = sound("fn f() { use a::b; fn g() { h() } g() }");
    assert_eq!(super::body_of(&file, "f"), "{2 items; g()}");
    assert_eq!(super::body_of(&file, "g"), "{h()}");
    assert_eq!(file.root.len(), 1);
}

#[test]
fn patterns() {
    check("let (a, .., b) = x;", "let (a, .., b) = x;");
    check("let [first, .., rest @ ..] = x;", "let [first, .., rest @ ..] = x;");
    check("let S { a, ref mut b, c: 1..=2, #[cfg(unix)] d: _, .. } = x;", "let S {a: a, b: ref mut b, c: 1..2, d: _ #unix} = x;");
    check("let T(.., a) = x;", "let T(.., a) = x;");
    check("let (mut a @ 1, &mut b) = x;", "let (mut a @ 1, &mut b) = x;");
    check(
        "match x { -1 => a, 'a'.. => b, ..=C::D => c, self::E => d }",
        "(match x {(Neg 1) => a, Char..- => b, -..C::D => c, path self::E => d})",
    );
    check("match x { m!(1) => a, const { 2 } => b }", "(match x {m!(opaque) => a, opaque => b})");
}

#[test]
fn parameters_have_patterns() {
    let file = sound("impl S { fn f(&self, (a, mut b): (u8, u8), #[cfg(unix)] _: T) {} }");
    let ItemKind::Function(function) = &item(&file, "f").kind else { panic!("no function") };
    let body = &file.bodies[function.body.unwrap()];
    let pats: Vec<_> = body.parameters.iter().map(|pat| super::print::pat_of(body, *pat)).collect();
    assert_eq!(pats, ["(a, mut b)", "_"]);
    let types: Vec<_> =
        function.declaration.parameters.iter().map(|it| super::print::ty(&it.ty) + &super::print::cfg(&it.cfg)).collect();
    assert_eq!(types, ["(u8, u8)", "T #unix"]);
}

#[test]
fn casts_end_with_their_types() {
    let types =
        ["u8", "*const [T; 3]", "&'a mut dyn A<B>", "fn(u8) -> Vec<u8>", "<T as A>::B", "(u8, u16)", "impl Fn(A) -> B", "_"];
    for ty in types {
        let text = format!("fn f() {{ x as {ty}; }}");
        let file = sound(&text);
        let cast = file.bodies[0usize].exprs.iter().find(|expr| matches!(expr.kind, ExprKind::Cast { .. })).unwrap();
        assert_eq!(cast.span.of(&text), format!("x as {ty}"));
    }
}

#[test]
fn long_chains_are_read() {
    let calls = format!("fn f() {{ a{}; }}", ".b(1)".repeat(2_000));
    let sum = format!("fn f() {{ {}1; }}", "1 + ".repeat(2_000));
    for text in [calls, sum] {
        super::on_large_stack(|| assert_eq!(super::full(&text).errors, []));
    }
}
