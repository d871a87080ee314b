//! Macros that are called inside bodies, and among items.

use super::{calls, calls_with};

#[test]
fn a_macro_of_the_program_is_its_expansion() {
    let text = "
        macro_rules! slurp { ($path:expr) => { std::fs::read_to_string($path).unwrap() } }
        fn name() -> &'static str { \"a\" }
        fn f() { slurp!(name()).trim(); }";
    // Those of the macro's own text stand at the call.
    assert_eq!(calls(text), ["std::Result::unwrap", "std::fs::read_to_string", "case::name", "std::str::trim"]);
}

#[test]
fn macros_in_macros_know_their_arguments() {
    let text = "
        macro_rules! inner { ($x:expr) => { $x.len() } }
        macro_rules! outer { ($x:expr) => { inner!($x) + 1 } }
        fn f(text: String) -> usize { outer!(text.trim()) }";
    assert_eq!(calls(text), ["std::str::len", "std::str::trim"]);
}

#[test]
fn statements_bind_where_they_stand_and_the_macros_own_variables_are_apart() {
    let text = "
        macro_rules! bind { ($name:ident) => { let $name = String::new(); } }
        macro_rules! rebind {
            ($($name:ident),*) => { $( let mut $name = $name; #[allow(unused_mut)] let mut $name = Some(&mut $name); )* };
            ($(let $name:ident = $init:expr;)*) => { $( let $name = $init; rebind!($name); )* };
        }
        macro_rules! push { ($to:expr, $value:expr) => { { let list = $value; $to.push(list) } } }
        fn f(mut list: Vec<u8>) {
            bind!(text);
            text.trim();
            rebind!(text);
            text.take();
            rebind! { let other = 1; }
            other.take();
            push!(list, 1);
            list.first();
        }";
    assert_eq!(
        calls(text),
        ["std::String::new", "std::str::trim", "std::Option::take", "std::Option::take", "std::Vec::push", "std::[T]::first"]
    );
}

#[test]
fn macros_of_dependencies_and_blocks() {
    let dep = "
        pub fn run(_: &str) -> Job { Job }
        pub struct Job;
        impl Job { pub fn wait(&self) {} }
        mod inner { #[macro_export] macro_rules! job { ($x:expr) => { $crate::run($x) } } }";
    let text = "
        fn f() {
            macro_rules! local { () => { dep::job!(\"a\") } }
            local!().wait();
            dep::job!(\"b\").wait();
        }
        mod m { use dep::job; fn g() { job!(\"c\").wait(); } }";
    assert_eq!(
        calls_with(&[("dep", dep)], text),
        ["dep::run", "dep::Job::wait", "dep::run", "dep::Job::wait", "dep::run", "dep::Job::wait"]
    );
}

#[test]
fn macros_are_found_through_modules_and_other_names_of_crates() {
    let dep = "pub fn run(_: &str) {} #[macro_export] macro_rules! job { ($x:expr) => { $crate::run($x) } }";
    let between = "pub mod inner { pub use dep::*; } pub use inner as outer;";
    let text = "
        pub use dep as other;
        mod m { use crate::other::job; fn f() { job!(\"a\"); } }
        fn g() { crate::other::job!(\"b\"); between::outer::job!(\"c\"); }
        mod n { use between::inner::job; fn f() { job!(\"d\"); missing::job!(); } }";
    let found = calls_with(&[("dep", dep), ("between", between)], text);
    assert_eq!(found, ["dep::run"; 4]);
}

#[test]
fn modules_that_open_each_other_have_no_macro() {
    let modules = ["a", "b", "c", "d"];
    let opened: String = modules.iter().map(|module| format!("pub use super::{module}::*; ")).collect();
    let text: String = modules.iter().map(|module| format!("mod {module} {{ {opened} pub use super::*; }} ")).collect();
    assert_eq!(calls(&format!("{text} fn f() {{ a::missing!(); d::missing!(); String::new(); }}")), ["std::String::new"]);
}

#[test]
fn pins_are_declared_although_their_macro_is_not_at_hand() {
    let text = "
        fn f(other: String) {
            absent::pin! { let text = String::new(); }
            text.as_mut().get_mut().trim();
            absent::pin_mut!(other);
            other.as_mut().get_mut().trim();
        }";
    let pinned = ["std::Pin::as_mut", "std::Pin::get_mut", "std::str::trim"];
    assert_eq!(calls(text), [&["std::String::new"][..], &pinned, &pinned].concat());
}

#[test]
fn what_was_expanded_ahead_counts_where_its_macro_is_meant() {
    let dep = "#[macro_export] macro_rules! make { ($name:ident) => { struct $name; impl $name { fn of_dep(&self) {} } } }";
    let text = "
        macro_rules! own { ($name:ident) => { struct $name; impl $name { fn of_own(&self) {} } } }
        own!(A);
        mod inner { macro_rules! make { ($name:ident) => { struct $name; } } make!(B); }
        use dep::make;
        make!(C);
        fn f() { A.of_own(); C.of_dep(); }";
    assert_eq!(calls_with(&[("dep", dep)], text), ["case::A::of_own", "case::C::of_dep"]);
}

#[test]
fn calls_by_path_and_calls_in_expansions_are_expanded_ahead() {
    let text = "
        #[macro_use] mod macros {
            macro_rules! outer { ($name:ident) => { struct $name; inner!($name); } }
            macro_rules! inner { ($name:ident) => { impl $name { fn of_inner(&self) {} } } }
            #[macro_export] macro_rules! exported { ($name:ident) => { $crate::outer!($name); } }
        }
        crate::exported!(A);
        outer!(B);
        fn f() { A.of_inner(); B.of_inner(); }";
    assert_eq!(calls(text), ["case::A::of_inner", "case::B::of_inner"]);
    assert_eq!(super::with_program(&[], text, |program| program.ahead.len()), 5);
}

#[test]
fn macros_that_call_themselves_end() {
    let text = "
        macro_rules! forever { ($($x:tt)*) => { forever!($($x)* $($x)* 1) } }
        macro_rules! count { () => { 0usize }; ($a:tt $($rest:tt)*) => { 1usize + count!($($rest)*) } }
        fn f() { forever!(2); count!(a b c).count_ones(); }";
    assert_eq!(calls(text), ["std::usize::count_ones"]);
}

#[test]
fn pin_projections() {
    let text = "
        use std::{future::Future, pin::Pin, task::{Context, Poll}};
        #[pin_project::pin_project]
        struct Timed<F> { #[pin] inner: F, name: String }
        impl<F: Future<Output = u8>> Future for Timed<F> {
            type Output = u8;
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u8> {
                let this = self.project();
                this.name.trim();
                this.inner.poll(cx)
            }
        }
        pin_project! {
            #[project = StateProj]
            enum State<F> { Running { #[pin] inner: F }, Done { text: String } }
        }
        impl<F> State<F> {
            fn text(self: Pin<&mut Self>) {
                match self.project() {
                    StateProj::Done { text } => { text.trim(); }
                    StateProj::Running { inner } => { inner.as_ref(); }
                }
            }
        }";
    assert_eq!(
        calls(text),
        [
            "case::Timed::project",
            "std::str::trim",
            "std::Future::poll",
            "case::State::project",
            "std::str::trim",
            "std::Pin::as_ref"
        ]
    );
}

#[test]
fn flags() {
    let text = "
        bitflags! {
            #[derive(Clone, Copy)]
            pub struct Mode: u32 { const READ = 1; const WRITE = 1 << 1; }
        }
        fn f(mode: Mode) { (Mode::READ | mode).contains(Mode::all()); mode.bits().count_ones(); }";
    assert_eq!(calls(text), ["case::Mode::contains", "case::Mode::all", "case::Mode::bits", "std::u32::count_ones"]);
}

#[test]
fn macros_where_types_and_patterns_stand() {
    let dep = "#[macro_export] macro_rules! map { () => ($crate::Map); (Send $(+ $more:ident)*) => (Vec<$crate::Map>) } pub struct Map;";
    let text = "
        macro_rules! pass { ($($item:item)*) => { $($item)* } }
        pass! { macro_rules! output { (impl $name:ident, $ty:ty) => ($ty); } }
        trait Text { fn text(&self) -> output!(impl Text, String); }
        macro_rules! some { ($pat:pat) => { Some(held!($pat)) } }
        macro_rules! held { ($pat:pat) => { $pat } }
        macro_rules! endless { () => { (endless!(), endless!()) } }
        use dep::map;
        fn f<T: Text>(text: T, maps: map![Send + Sync], option: Option<String>, endless: endless!()) {
            text.text().len();
            maps.len();
            let more: dep::map!(Send) = Vec::new();
            more.last();
            if let some!(inner) = option { inner.trim(); }
            match Some(1u8) { some!(1 | 2) => {} some!(number) => { number.count_ones(); } None => {} }
        }";
    assert_eq!(
        calls_with(&[("dep", dep)], text),
        [
            "case::Text::text",
            "std::String::len",
            "std::Vec::len",
            "std::Vec::new",
            "std::[T]::last",
            "std::str::trim",
            "std::u8::count_ones",
        ]
    );
}

#[test]
fn macros_import_what_their_expansions_need() {
    let dep = "
        pub trait Told { fn told(&self) -> String; }
        impl Told for u8 { fn told(&self) -> String { String::new() } }
        #[macro_export] macro_rules! ready {
            ($poll:expr) => {{ use core::task::Poll; match $poll { Poll::Ready(value) => value, Poll::Pending => panic!() } }}
        }
        #[macro_export] macro_rules! told { ($x:expr) => {{ use $crate::Told as _; use $crate::Told; Told::told(&$x); $x.told() }} }";
    let text = "
        fn f(poll: std::task::Poll<Vec<u8>>) {
            let list = dep::ready!(poll);
            list.first();
            dep::told!(1u8).trim();
        }";
    assert_eq!(calls_with(&[("dep", dep)], text), ["std::[T]::first", "dep::u8::told", "dep::u8::told", "std::str::trim"]);
}

#[test]
fn macros_declare_what_a_trait_asks_for() {
    let text = "
        macro_rules! asked { ($name:ident) => { type Made: Iterator<Item = String>; const MOST: usize; fn $name(&self) -> Self::Made; } }
        trait Make { asked!(make); }
        fn f<M: Make>(m: &M) { m.make().next().unwrap().trim(); M::MOST.count_ones(); }";
    assert_eq!(
        calls(text),
        ["case::Make::make", "std::Iterator::next", "std::Option::unwrap", "std::str::trim", "std::usize::count_ones"]
    );
}

#[test]
fn imports_of_expansions_that_may_mean_two_things_are_left_alone() {
    let text = "
        pub struct One; impl One { pub fn one(&self) {} } pub struct Two; impl Two { pub fn two(&self) {} }
        mod a { pub struct P; impl P { pub fn new() -> crate::One { crate::One } } }
        mod b { pub struct P; impl P { pub fn new() -> crate::Two { crate::Two } } }
        use b::P;
        mod traits { pub trait Ext { fn go(&self) -> u8 { 1 } } impl Ext for super::D {} }
        struct D; struct E; impl E { fn go(&self) -> u32 { 2 } }
        impl std::ops::Deref for D { type Target = E; fn deref(&self) -> &E { &E } }
        macro_rules! outside { ($e:expr) => {{ { use crate::a::P; P::new().one(); } $e }} }
        macro_rules! twice { () => {{ { use crate::a::P; P::new(); } { use crate::b::P; P::new() } }} }
        macro_rules! ext { () => {{ use crate::traits::Ext; Ext::go(&D) }} }
        fn f(d: D) { outside!(P::new()).two(); twice!().two(); ext!(); d.go(); }";
    let found = calls(text);
    assert!(!found.iter().any(|call| call == "?two"), "{found:?}");
    assert_eq!(found.iter().filter(|call| *call == "case::Two::two").count(), 2, "{found:?}");
    assert!(found.contains(&"case::E::go".to_owned()), "{found:?}");
}

#[test]
fn the_macros_of_a_body_and_of_a_crate_may_cost_so_much_together() {
    let copies = "$($x)* ".repeat(50);
    let payload = "; ".repeat(1_000);
    let rules = format!(
        "macro_rules! in_body {{ ($($x:tt)*) => {{{{ stringify!({copies}); g() }}}} }}
         macro_rules! item {{ ($name:ident $($x:tt)*) => {{ mod $name {{ fn f() {{ crate::g() }} const _: &str = stringify!({copies}); }} }} }}
         fn g() {{}} fn last() {{}}"
    );
    let in_body: String = (0..60).map(|_| format!("in_body!({payload});")).collect();
    let found = calls(&format!("{rules} fn f() {{ {in_body} last(); }}"));
    let expanded = found.iter().filter(|call| *call == "case::g").count();
    assert!((1..60).contains(&expanded), "some, not all: {expanded}");
    assert_eq!(found.last().map(String::as_str), Some("case::last"));
    let items: String = (0..250).map(|at| format!("item!(m{at} {payload});")).collect();
    let expanded = calls(&format!("{rules} {items}")).len();
    assert!((1..250).contains(&expanded), "some, not all: {expanded}");
}
