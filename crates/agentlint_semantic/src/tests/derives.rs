//! Derives: their names tell which traits they implement.

use super::{calls, calls_with};

#[test]
fn a_derive_whose_trait_is_not_in_scope() {
    // The prelude has the macro `Hash`, not the trait.
    let text = "
        use std::collections::HashMap;
        #[derive(PartialEq, Eq, Hash)]
        struct Id(u64);
        fn f(names: &HashMap<Id, String>, id: &Id) { names.get(id).is_some(); }";
    assert_eq!(calls(text), ["std::HashMap::get", "std::Option::is_some"]);
}

#[test]
fn what_is_not_derived_does_not_hold() {
    let text = "
        use std::collections::HashMap;
        #[derive(PartialEq, Eq)]
        struct Id(u64);
        fn f(names: &HashMap<Id, String>, id: &Id) { names.get(id); }";
    assert_eq!(calls(text), ["?get"]);
}

#[test]
fn a_derive_that_gives_more_than_its_name() {
    let text = "
        #[derive(Debug, thiserror::Error)]
        enum Failure { One }
        fn f(failure: Failure) -> String { failure.to_string() }";
    assert_eq!(calls(text), ["std::ToString::to_string"]);
    let clap = "
        pub struct Command;
        impl Command { pub fn get_name(&self) -> &str { \"\" } }
        pub trait CommandFactory: Sized { fn command() -> Command; }
        pub trait Parser: CommandFactory { fn parse() -> Self { loop {} } }";
    let text = "
        use clap::{CommandFactory, Parser};
        #[derive(Parser)]
        struct Args { port: u16 }
        fn f() { Args::command().get_name(); Args::parse().port.count_ones(); }";
    assert_eq!(
        calls_with(&[("clap", clap)], text),
        ["clap::CommandFactory::command", "clap::Command::get_name", "clap::Parser::parse", "std::u16::count_ones"]
    );
}

#[test]
fn messages_of_prost_have_defaults() {
    let text = "
        #[derive(Clone, PartialEq, ::prost::Message)]
        struct Query { text: String }
        #[derive(Clone, Copy, ::prost::Enumeration)]
        enum Kind { Any = 0 }
        fn f() { Query::default().text.len(); Kind::try_from(0).is_ok(); }";
    assert_eq!(calls(text), ["std::Default::default", "std::String::len", "std::TryFrom::try_from", "std::Result::is_ok"]);
}

#[test]
fn a_derive_of_a_std_name_is_no_other_trait_of_that_name() {
    let serde = "pub mod de { pub trait Error { fn custom(&self) {} } }";
    let text = "
        use serde::de::Error as _;
        #[derive(Debug, thiserror::Error)]
        enum Failure { One }
        fn f(failure: Failure) { failure.custom(); }";
    assert_eq!(calls_with(&[("serde", serde)], text), ["?custom"]);
}
