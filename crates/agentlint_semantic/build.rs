//! Packs the checked-in index of the standard library, so that no run has to parse it, and names the form of what the model
//! finds by what makes it: this crate's own code.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::{env, fs, io, thread};

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
    println!("cargo::rerun-if-changed=src");
    let mut sources = BTreeMap::new();
    read(Path::new("src"), &mut sources)?;
    let bytes = packer.finish().ok_or("the index is too large")?;
    let mut hasher = DefaultHasher::new();
    (packed::FORM, &sources, &bytes).hash(&mut hasher);
    println!("cargo::rustc-env=AGENTLINT_MODEL_FORM={:016x}", hasher.finish());
    fs::write(Path::new(&out).join("std.facts"), bytes)?;
    Ok(())
}

fn read(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, files)?;
        } else {
            files.insert(path.to_string_lossy().into_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}
