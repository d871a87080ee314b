//! Names: imports of every form, shadowing, re-exports, preludes.

use super::calls;

#[test]
fn every_form_of_use() {
    let text = "
        use std::fs as files;
        use std::{thread::{self, sleep}, time::Duration};
        use std::process::*;
        fn f() {
            files::read(\"a\");
            thread::park();
            sleep(Duration::from_secs(1));
            exit(1);
            ::std::fs::remove_file(\"a\");
        }";
    assert_eq!(
        calls(text),
        [
            "std::fs::read",
            "std::thread::functions::park",
            "std::thread::functions::sleep",
            "std::Duration::from_secs",
            "std::process::exit",
            "std::fs::remove_file"
        ]
    );
}

#[test]
fn an_own_module_that_looks_like_stds() {
    let text = "
        mod fs { pub fn read(_: &str) {} }
        fn f() { fs::read(\"a\"); std::fs::read(\"a\"); }";
    assert_eq!(calls(text), ["case::fs::read", "std::fs::read"]);
}

#[test]
fn a_block_has_its_own_imports_and_items() {
    let text = "
        fn sleep() {}
        fn f() {
            sleep();
            { use std::thread::park as sleep; sleep(); }
            { fn sleep() { helper() } fn helper() {} sleep(); }
        }";
    assert_eq!(calls(text), ["case::sleep", "std::thread::functions::park", "case::helper", "case::sleep"]);
}

#[test]
fn re_exports_and_globs_lead_through_several_modules() {
    let text = "
        mod a { pub use self::inner::*; mod inner { pub use std::fs::copy as duplicate; pub fn own() {} } }
        mod b { pub use super::a::*; }
        use b::*;
        fn f() { duplicate(\"a\", \"b\"); own(); }";
    assert_eq!(calls(text), ["std::fs::copy", "case::a::inner::own"]);
}

#[test]
fn globs_that_import_each_other_end() {
    let text = "
        mod a { pub use super::b::*; pub fn x() {} }
        mod b { pub use super::a::*; pub fn y() {} }
        fn f() { a::y(); b::x(); a::nowhere(); }";
    assert_eq!(calls(text), ["case::b::y", "case::a::x", "?nowhere"]);
}

#[test]
fn a_private_item_does_not_come_through_a_glob() {
    let text = "
        mod a { fn exit(_: i32) {} pub fn f() { exit(1) } }
        use a::*;
        use std::process::exit;
        fn g() { exit(1); f(); }";
    assert_eq!(calls(text), ["case::a::exit", "std::process::exit", "case::a::f"]);
}

#[test]
fn items_that_macros_make_are_seen() {
    let text = "
        macro_rules! make { ($($name:ident),*) => { $(pub fn $name() { std::thread::yield_now() })* }; }
        make!(one, two);
        fn f() { one(); two(); }";
    let found = calls(text);
    assert!(found.contains(&"case::one".to_owned()) && found.contains(&"case::two".to_owned()), "{found:?}");
}

#[test]
fn the_trait_around_is_in_scope() {
    let text = "
        use std::fmt;
        struct Frame(u64, &'static str);
        impl fmt::Display for Frame {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f)?; self.1.fmt(f) }
        }
        fn g(frame: &Frame, f: &mut fmt::Formatter<'_>) -> fmt::Result { frame.missing(f) }";
    assert_eq!(calls(text), ["std::Display::fmt", "std::Display::fmt", "?missing"]);
}

#[test]
fn modules_that_open_each_other_end() {
    let names: Vec<String> = (0..24).map(|i| format!("m{i}")).collect();
    let opened: String = names.iter().map(|m| format!("pub use {m}::*; ")).collect();
    let modules: String = names
        .iter()
        .map(|m| format!("pub mod {m} {{ pub use super::*; pub trait T{m} {{ fn in_{m}(&self) {{}} }} }} "))
        .collect();
    let text = format!("{opened} {modules} impl Tm7 for u8 {{}} fn f(x: u8) {{ x.in_m7(); }}");
    assert_eq!(calls(&text), ["case::Tm7::in_m7"]);
}

#[test]
fn tests_are_no_part_of_a_program_without_them() {
    let text = "
        fn f() { String::new(); }
        #[test]
        fn g() { missing(); }
        #[tokio::test]
        async fn h() { missing(); }";
    assert_eq!(calls(text), ["std::String::new"]);
}

#[test]
fn visible_in_a_module_further_up() {
    let text = "
        mod a {
            pub mod b { pub mod c { pub struct S; impl S { pub(in super::super) fn f() {} pub(super) fn g() {} } } }
            fn h() { b::c::S::f(); b::c::S::g(); }
        }";
    assert_eq!(calls(text), ["case::S::f", "?g"]);
}
