//! Packs the checked-in index of the standard library, so that no run has to parse it.

use std::path::Path;
use std::{env, fs, thread};

use agentlint_syntax::{Bodies, ParseOptions, STACK_SIZE, packed, parse};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?;
    let mut packer = packed::Packer::default();
    for name in ["core", "alloc", "std"] {
        let file = format!("std_index/{name}.rs");
        println!("cargo::rerun-if-changed={file}");
        let text = fs::read_to_string(&file).map_err(|error| format!("cannot read {file}: {error}"))?;
        // The parser wants a deep stack.
        let parsing = thread::Builder::new()
            .stack_size(STACK_SIZE)
            .spawn(move || parse(&text, &ParseOptions { bodies: Bodies::Skip }))?
            .join();
        let mut facts = parsing.map_err(|_| format!("the parser panicked on {file}"))?;
        if let Some(error) = facts.errors.first() {
            return Err(format!("{file} does not parse: {}", error.message).into());
        }
        // Nobody is shown a line of the index, nor reads its comments.
        facts.lines = packed::Lazy::default();
        facts.comments = Vec::new();
        packer.add(name, &facts).ok_or("the index is too large")?;
    }
    let bytes = packer.finish().ok_or("the index is too large")?;
    fs::write(Path::new(&out).join("std.facts"), bytes)?;
    Ok(())
}
