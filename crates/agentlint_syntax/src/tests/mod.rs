//! Small inputs, one for each thing that lowering has to get right.

mod nesting;

use crate::ast::SourceFile;
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
