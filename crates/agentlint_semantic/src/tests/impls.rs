//! Impls are found by what is written, whatever the names are.

use super::{calls, calls_with, with_program};
use crate::infer::Callee;

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

#[test]
fn bounds_of_std_lead_to_the_functions_of_the_programs_impls() {
    let text = "
        struct Disk;
        impl Clone for Disk { fn clone(&self) -> Disk { Disk } }
        impl From<Disk> for String { fn from(_: Disk) -> String { String::new() } }
        #[derive(Clone)]
        struct Holder { name: String, disk: Disk }
        fn f(disk: Option<&Disk>, holders: &[Option<Holder>], names: &[Holder], words: &[String], gone: Disk) {
            disk.cloned();
            holders.to_vec();
            names.iter().map(|holder| &holder.name).cloned();
            words.to_vec();
            let _: String = gone.into();
        }";
    let found = with_program(&[], text, |program| {
        let owners: Vec<_> = program.members().flat_map(|krate| program.owners(krate)).collect();
        let inferred = owners.iter().filter(|owner| program.name(**owner).as_str() == "f").filter_map(|f| program.infer(*f));
        let mut found = Vec::new();
        for call in inferred.flat_map(|inferred| inferred.calls) {
            if let Callee::Function { def, args, implementation } = call.callee {
                for function in program.bound_functions(implementation.unwrap_or(def), args) {
                    found.push((call.name_span, format!("{} calls {}", call.name, program.name(function))));
                }
            }
        }
        found.sort();
        found.into_iter().map(|(_, found)| found).collect::<Vec<_>>()
    });
    assert_eq!(found, ["cloned calls clone", "to_vec calls clone", "into calls from"]);
}
