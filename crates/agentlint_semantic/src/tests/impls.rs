//! Impls are found by what is written, whatever the names are.

use super::{calls, calls_with};

#[test]
fn of_a_trait_under_another_name() {
    let text = "
        use std::fmt::{self, Display as Show};
        struct A;
        impl Show for A { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) } }
        fn f(a: A) -> String { a.to_string() }";
    assert_eq!(calls(text), ["std::ToString::to_string"]);
}

#[test]
fn of_a_trait_that_another_crate_renames() {
    let renaming = "pub use std::error::Error as StdError;";
    let text = "
        #[derive(Debug)]
        struct A;
        impl std::fmt::Display for A { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
        impl renaming::StdError for A {}
        fn f(a: A) -> Box<dyn std::error::Error> { std::error::Error::source(&a); a.into() }";
    assert_eq!(calls_with(&[("renaming", renaming)], text), ["std::Error::source", "std::Into::into"]);
}

#[test]
fn on_an_alias_and_on_equal_names() {
    let text = "
        mod one { pub struct Same; impl Same { pub fn first(&self) {} } }
        mod two { pub struct Same; impl Same { pub fn second(&self) {} } }
        trait Get { fn get(&self) -> u8; }
        type Pair = (u8, u8);
        type Two = two::Same;
        impl Get for Pair { fn get(&self) -> u8 { self.0 } }
        impl Get for Two { fn get(&self) -> u8 { 2 } }
        fn f(pair: (u8, u8), one: one::Same, two: two::Same) {
            pair.get();
            one.first();
            two.second();
            two.get();
            one.get();
        }";
    assert_eq!(calls(text), ["case::(u8, u8)::get", "case::Same::first", "case::Same::second", "case::Same::get", "?get"]);
}

#[test]
fn on_primitives_references_and_everything() {
    let text = "
        trait Size { fn size(&self) -> usize; }
        impl Size for u8 { fn size(&self) -> usize { 1 } }
        impl Size for [u8] { fn size(&self) -> usize { self.len() } }
        impl<T: Size> Size for Option<T> { fn size(&self) -> usize { 0 } }
        trait Twice { fn twice(&self) -> usize; }
        impl<T: Size + ?Sized> Twice for T { fn twice(&self) -> usize { self.size() * 2 } }
        fn f(a: u8, b: &[u8], c: Option<u8>) { a.size(); b.size(); c.size(); a.twice(); b.twice(); c.twice(); }";
    assert_eq!(
        calls(text),
        [
            "std::[T]::len",
            "case::Size::size",
            "case::u8::size",
            "case::[u8]::size",
            "case::Option::size",
            "case::T::twice",
            "case::T::twice",
            "case::T::twice"
        ]
    );
}
