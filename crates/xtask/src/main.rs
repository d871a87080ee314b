//! The project's own chores.

mod std_index;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, rest)) if command == "std-index" => std_index::run(rest),
        _ => bail!("usage: cargo xtask std-index"),
    }
}
