//! `cargo xtask std-index`: std's public items and signatures as three reviewable Rust files.

mod attributes;
mod cfg;
mod load;
mod macros;
mod members;
mod names;
mod normalize;
mod print;
mod raw_item;
mod reach;
mod shape;
#[cfg(test)]
mod tests;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const CRATES: [&str; 3] = ["core", "alloc", "std"];

/// Runs `std-index --source DIR --output DIR`; `DIR` of the source is the `library` folder of a Rust source tree.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (source, output) = folders(arguments)?;
    let version = fs::read_to_string(source.join("../src/version"))
        .or_else(|_| fs::read_to_string(source.join("../version")))
        .context("the source tree has no file `version`")?;
    fs::create_dir_all(&output)?;
    let mut loader = load::Loader::new();
    for name in CRATES {
        let krate = loader.load(name, &source.join(name));
        report(name, &loader);
        loader.macros.next_crate(name);
        let text = print::print(&reach::mark(krate), version.trim());
        let file = output.join(format!("{name}.rs"));
        fs::write(&file, &text).with_context(|| format!("cannot write {}", file.display()))?;
        syn::parse_file(&text).with_context(|| format!("{} does not parse", file.display()))?;
        eprintln!("{}: {} bytes, {} lines", file.display(), text.len(), text.lines().count());
    }
    Ok(())
}

fn folders(arguments: &[String]) -> Result<(PathBuf, PathBuf)> {
    let value = |name: &str| {
        let position = arguments.iter().position(|argument| argument == name)?;
        arguments.get(position + 1).map(|value| Path::new(value).to_owned())
    };
    match (value("--source"), value("--output")) {
        (Some(source), Some(output)) => Ok((source, output)),
        _ => bail!("usage: cargo xtask std-index --source RUST/library --output crates/agentlint_semantic/std_index"),
    }
}

fn report(name: &str, loader: &load::Loader) {
    for error in &loader.errors {
        eprintln!("{name}: {error}");
    }
    for (text, count) in &loader.macros.unexpanded {
        eprintln!("{name}: not expanded, {count} times: {text}");
    }
}
