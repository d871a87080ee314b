//! Small inputs, one for each thing that lowering has to get right.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bodies;
mod expansions;
mod items;
mod macros;
mod nesting;
mod print;
mod recovery;
mod text;

use crate::ast::{Item, ItemKind, SourceFile};
use crate::{Bodies, ParseOptions, STACK_SIZE, parse};

/// Runs `work` on a thread with the stack that callers are told to provide.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn full(text: &str) -> SourceFile {
    parse(text, &ParseOptions { bodies: Bodies::Full })
}

fn signatures(text: &str) -> SourceFile {
    parse(text, &ParseOptions { bodies: Bodies::Skip })
}

/// The facts of a text without errors.
#[track_caller]
fn sound(text: &str) -> SourceFile {
    let file = full(text);
    assert_eq!(file.errors, [], "{text}");
    file
}

#[track_caller]
fn item<'file>(file: &'file SourceFile, name: &str) -> &'file Item {
    file.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("no item {name}"))
}

/// The body of a function, written out.
#[track_caller]
fn body_of(file: &SourceFile, name: &str) -> String {
    let ItemKind::Function(function) = &item(file, name).kind else { panic!("{name} is no function") };
    print::body(&file.bodies[function.body.unwrap()])
}

/// The names of the items at the top of a file, in order.
fn root_names(file: &SourceFile) -> Vec<&str> {
    file.root.iter().map(|id| file.items[*id].name.as_str()).collect()
}

/// What a function's body holds, written out.
#[track_caller]
fn lower(statements: &str) -> String {
    let file = sound(&format!("fn subject() {{ {statements} }}"));
    let body = body_of(&file, "subject");
    body[1..body.len() - 1].trim().to_owned()
}
