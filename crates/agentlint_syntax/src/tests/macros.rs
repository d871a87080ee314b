//! Macro calls whose arguments are understood.

use super::print::cfg;
use super::{body_of, item, lower, root_names, sound};
use crate::ast::{ItemKind, StaticOrigin};

#[track_caller]
fn check(statements: &str, expected: &str) {
    assert_eq!(lower(statements), expected);
}

#[test]
fn expressions() {
    check("println!(\"{} {x}\", a.b(), c = d?)", "println!(\"{} {x}\", a.b(), c = d?, x = x)");
    check("assert_eq!(a, b == c, \"m\",)", "assert_eq!(a, (Eq b c), \"m\")");
    check("(vec![x; n], vec![1, 2], vec![])", "(tuple vec!(x, n), vec!(1, 2), vec!())");
    check("tokio::join!(a(), b.c())", "tokio::join!(a(), b.c())");
    check("join! { biased; a(), b() }", "join!(a(), b())");
    check("hashmap! { \"a\" => f(), b => 2 }", "hashmap!(\"a\", f(), b, 2)");
    check("dbg!(a = b)", "dbg!(a = b)");
    check("format!(\"a {}\", async { b.await })", "format!(\"a {}\", async {b.await})");
}

#[test]
fn fields_of_tracing() {
    check(
        "info!(target: \"t\", parent: &span, %x, ?y.z, a.b = %c(), d = ?e, \"text {}\", f)",
        "info!(target = \"t\", parent = (&span), x, y.z, a.b = c(), d = e, \"text {}\", f)",
    );
    check("log!(a::b, self.x, c.d())", "log!(a::b, self.x, c.d())");
    check("m!(a == b, c => d, e=&f)", "m!((Eq a b), c, d, e = (&f))");
}

#[test]
fn tokio_select() {
    check(
        "tokio::select! { biased; Some(x) = rx.recv(), if a && b => x.f(), _ = c => { d } r = async { e } => break, else => g() }",
        "tokio::select!(Some(x) = rx.recv() if (And a b) => x.f(), _ = c => {d}, r = async {e} => (break -), else => g())",
    );
}

#[test]
fn futures_select() {
    check(
        "select! { x = a.next() => f(x), default => g(), complete => break }",
        "select!(x = a.next() => f(x), else => (tuple g(), (break -)))",
    );
}

#[test]
fn crossbeam_select() {
    check(
        "select! { recv(r) -> m => f(m), send(s, v) -> _ => {}, default(d) => g() }",
        "select!(m = recv(r) => f(m), _ = send(s, v) => {}, else => g())",
    );
}

#[test]
fn matching() {
    check("matches!(x.y(), Some(1 | 2) if z())", "matches!(x.y() is Some(1 | 2) if z())");
    check("assert_matches!(a, B { .. }, \"m {}\", c)", "assert_matches!(a is B {})");
}

#[test]
fn blocks() {
    check("async_stream::stream! { let a = b.await; yield a; }", "async_stream::stream!({let a = b.await; (yield a); })");
    check("try_stream! { for x in y { yield x?; } }", "try_stream!({(for x in y {(yield x?); })})");
    check("unknown! { let a = 1; a.b() }", "unknown!({let a = 1; a.b()})");
    check("unknown! { a(); b() }", "unknown!({a(); b()})");
    check("unknown!(let a = 1; a.b())", "unknown!({let a = 1; a.b()})");
    check("unknown! { a.b() }", "unknown!(a.b())");
}

#[test]
fn json() {
    check("json!({ \"a\": f(), \"b\": [1, { \"c\": g()? }], (k): null, K: [1][0] })", "json!(f(), 1, g()?, k, null, K, [1][0])");
    check("json!([a, b])", "json!(a, b)");
    check("other!({ \"a\": { \"b\": h() } })", "other!(h())");
}

#[test]
fn what_is_not_understood_is_opaque() {
    check("asm!(\"in {}\", in(reg) x)", "asm!(opaque)");
    check("html! { <p>text</p> }", "html!(opaque)");
    check("select! { a b c }", "select!(opaque)");
    let file = sound("fn f() { quote! { struct NotHere; fn nor_here() {} } }");
    assert_eq!(root_names(&file), ["f"]);
    assert_eq!(file.items.len(), 1);
    assert_eq!(body_of(&file, "f"), "{quote!(opaque)}");
}

#[test]
fn a_macro_call_is_a_statement_or_the_tail() {
    check("a!{}", "a!()");
    check("a!{} b", "a!() b");
    check("a!(); b!()", "a!(); b!()");
    check("#[cfg(unix)] a!{}", "a!() #unix");
    check("a!{}.b()", "a!().b()");
}

#[test]
fn calls_know_their_text() {
    let text = "fn f() { é.m(); outer!(a, inner!( ü b ), /* c */ 1) }";
    let file = sound(text);
    let mut texts = Vec::new();
    for expr in &file.bodies[0usize].exprs {
        if let crate::ast::ExprKind::Macro(call) = &expr.kind {
            assert_eq!(call.tokens.of(text), call.text.as_str());
            texts.push((call.text.as_str(), expr.span.of(text)));
        }
    }
    assert_eq!(texts, [(" ü b ", "inner!( ü b )"), ("a, inner!( ü b ), /* c */ 1", "outer!(a, inner!( ü b ), /* c */ 1)")]);
}

#[test]
fn documentation_stays_in_the_text_of_a_call() {
    let text = "m! {\n    /// kept\n    struct A;\n}";
    let file = sound(text);
    assert!(matches!(&file.items[0usize.into()].kind, ItemKind::MacroCall(call) if call.text.contains("/// kept")));
}

#[test]
fn macros_that_declare_statics() {
    let file = sound(
        "lazy_static::lazy_static! { /// doc\n #[cfg(unix)] pub static ref A: Vec<u8> = vec![f()]; static ref B: u8 = 1; }
         thread_local! { static C: u8 = const { 2 }; pub static D: u8 = g() }
         fn f() { thread_local!(static E: u8 = 3;); E.with(h) }",
    );
    assert_eq!(root_names(&file), ["A", "B", "C", "D", "f"]);
    let describe = |name: &str| {
        let ItemKind::Static(it) = &item(&file, name).kind else { panic!("{name} is no static") };
        (it.origin, super::print::body(&file.bodies[it.body.unwrap()]))
    };
    assert_eq!(describe("A"), (StaticOrigin::LazyStatic, "vec!(f())".to_owned()));
    assert_eq!(cfg(&item(&file, "A").cfg), " #unix");
    assert_eq!(describe("C"), (StaticOrigin::ThreadLocal, "Const {2}".to_owned()));
    assert_eq!(describe("D"), (StaticOrigin::ThreadLocal, "g()".to_owned()));
    assert_eq!(describe("E"), (StaticOrigin::ThreadLocal, "3".to_owned()));
    assert_eq!(body_of(&file, "f"), "{1 items; E.with(h)}");
}

#[test]
fn another_shape_keeps_the_call() {
    let file = sound("lazy_static! { something else }");
    assert!(matches!(&file.items[0usize.into()].kind, ItemKind::MacroCall(_)));
}

#[test]
fn cfg_if_declares_items_on_conditions() {
    let file = sound(
        "cfg_if::cfg_if! { if #[cfg(unix)] { fn a() {} #[cfg(x)] mod b {} } else if #[cfg(windows)] { fn c() {} } else { fn d() {} } }",
    );
    assert_eq!(root_names(&file), ["a", "b", "c", "d"]);
    let conditions: Vec<_> = file.root.iter().map(|id| cfg(&file.items[*id].cfg)).collect();
    assert_eq!(conditions, [" #unix", " #all(unix, x)", " #all(not(unix), windows)", " #all(not(unix), not(windows))"]);
}

#[test]
fn cfg_if_among_statements() {
    check("cfg_if! { if #[cfg(unix)] { let a = 1; a } else { b() } }", "{let a = 1; a} #unix {b()} #not(unix)");
}

#[test]
fn deep_calls_stay_unread_from_some_level_on() {
    let text = format!("fn f() {{ {}x(){} }}", "m!(".repeat(60), ")".repeat(60));
    let body = super::on_large_stack(|| body_of(&super::full(&text), "f"));
    assert_eq!(body, format!("{{{}opaque{}}}", "m!(".repeat(33), ")".repeat(33)));
}

#[test]
fn bitflags_declare_a_type_its_constants_and_functions() {
    let file = crate::parse("bitflags! { pub struct Mode: u32 { const READ = 1; } }", &crate::ParseOptions::default());
    assert_eq!(super::root_names(&file)[0], "Mode");
    let names: Vec<&str> = file.items.iter().map(|item| item.name.as_str()).collect();
    assert!(["READ", "all", "contains", "bitor"].iter().all(|name| names.contains(name)), "{names:?}");
    assert!(file.bodies.is_empty());
}

#[test]
fn identifiers_that_are_put_together() {
    let file = sound(
        "paste! {
             #[doc = \"The \" $name \".\"] #[derive(Default)] pub struct [<Agent Builder>] { pub [<max_ tokens>]: u8 }
             impl [<Agent Builder>] { fn [<with_ TopP:snake _2>](self, a: [u8; 2]) -> Self { self.[<max_ \"tokens\">]; [<make_it:camel>]::[<NEW:lower>]([a, b]) } }
             const [<r#type _ a:upper>]: u8 = 1;
         }
         impl S { paste! { fn [<of_ impl>](&self) {} } fn plain(&self) {} }
         fn f() { paste::paste!([<get_ a>](1)).b(); paste! { let [<c _d>] = 1; [<c _d>] } }
         paste! { fn [<a + b>]() {} }
         mod nested { paste! { paste! { fn [<in ner>]() {} } fn [<out er>]() { paste!([<call ed>]()) } } }
         paste! { fn plain() {} }",
    );
    assert_eq!(root_names(&file), ["AgentBuilder", "", "type_A", "", "f", "", "nested", ""]);
    assert_eq!(body_of(&file, "with_top_p_2"), "{self.max_tokens; MakeIt::new([a, b])}");
    assert!(matches!(&item(&file, "of_impl").kind, ItemKind::Function(_)));
    assert_eq!(body_of(&file, "f"), "{get_a(1).b(); {let c_d = 1; c_d}}");
    assert!(matches!(&item(&file, "inner").kind, ItemKind::Function(_)));
    assert_eq!(body_of(&file, "outer"), "{called()}");
    // What puts nothing together, or not an identifier, is left to whoever knows a macro of that name.
    assert_eq!(file.items.iter().filter(|item| matches!(&item.kind, ItemKind::MacroCall(_))).count(), 2);
}

#[test]
fn a_paste_among_members_is_under_its_cfg() {
    let file =
        sound("impl S { #[cfg(unix)] paste! { fn [<un ix>](&self) {} } #[cfg(windows)] paste! { fn [<un ix>](&self) {} } }");
    let cfgs: Vec<String> =
        file.items.iter().filter(|item| item.name == crate::name("unix")).map(|item| cfg(&item.cfg)).collect();
    assert_eq!(cfgs, [" #unix", " #windows"]);
}

#[test]
fn pastes_in_pastes_end() {
    let deep = format!("{}fn [<a b>]() {{}}{}", "paste! { ".repeat(100), " }".repeat(100));
    let file = sound(&deep);
    let kinds: Vec<&ItemKind> = file.items.iter().map(|item| &item.kind).collect();
    assert!(matches!(kinds.as_slice(), [ItemKind::MacroCall(_)]), "{}", kinds.len());
}
