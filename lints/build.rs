//! Turns the tables of the catalog into JSON, which every run of the tool reads: TOML costs four times as much.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Map, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=catalog");
    let entries = fs::read_dir("catalog")?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<Result<Vec<PathBuf>, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut all: Map<String, Value> = Map::new();
    for file in &files {
        let text = fs::read_to_string(file)?;
        let tables: Map<String, Value> = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        for (name, entries) in tables {
            let Value::Array(entries) = entries else {
                return Err(format!("{}: `{name}` is no array of tables", file.display()).into());
            };
            match all.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(known) => known.extend(entries),
                other => return Err(format!("{}: among tables stands {other}", file.display()).into()),
            }
        }
    }
    let out = env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?;
    fs::write(Path::new(&out).join("catalog.json"), serde_json::to_vec(&all)?)?;
    Ok(())
}
