//! A workspace of any size that looks like a service: state, stores, helpers, async handlers, over many files and crates.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::succeed;
use crate::tool::cargo;

/// Lines of one module, about.
const MODULE_LINES: usize = 400;
const MODULES_PER_CRATE: usize = 50;

/// Writes a workspace of about `lines` lines, unless it is there. The same number gives the same text.
pub(super) fn workspace(folder: &Path, lock: &Path, lines: usize) -> Result<()> {
    let done = folder.join(".generated");
    let version = include_str!("generate.rs");
    if fs::read_to_string(&done).is_ok_and(|written| written == version) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let modules = lines.div_ceil(MODULE_LINES);
    let crates = modules.div_ceil(MODULES_PER_CRATE);
    write(&folder.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"members/*\"]\n")?;
    for krate in 0..crates {
        let of_crate = MODULES_PER_CRATE.min(modules - krate * MODULES_PER_CRATE);
        member(&folder.join(format!("members/service_{krate}")), krate, of_crate)?;
    }
    // The versions that the cases have: cargo adds the members and drops what nobody uses.
    fs::copy(lock, folder.join("Cargo.lock")).context("cannot copy the lock file")?;
    succeed(cargo()?.args(["fetch", "--quiet"]).current_dir(folder))?;
    fs::write(done, version)?;
    Ok(())
}

fn member(folder: &Path, krate: usize, modules: usize) -> Result<()> {
    let mut manifest =
        format!("[package]\nname = \"service_{krate}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n");
    manifest += "futures = \"0.3\"\nserde = { version = \"1\", features = [\"derive\"] }\ntokio = { version = \"1\", features = [\"full\"] }\n";
    if krate > 0 {
        let _ = writeln!(manifest, "service_{0} = {{ path = \"../service_{0}\" }}", krate - 1);
    }
    write(&folder.join("Cargo.toml"), &manifest)?;
    let mut root = "//! Generated.\n\n".to_owned();
    for module in 0..modules {
        // Writing to a String cannot fail.
        let _ = writeln!(root, "pub mod module_{module};");
        write(&folder.join(format!("src/module_{module}.rs")), &module_text(krate, module))?;
    }
    write(&folder.join("src/lib.rs"), &root)
}

/// Five stores; each names the module before it, so that chains of calls run through the whole workspace.
fn module_text(krate: usize, module: usize) -> String {
    let mut text = HEAD.to_owned();
    let before = match (krate, module) {
        (0, 0) => None,
        (_, 0) => Some(format!("service_{}::module_{}", krate - 1, MODULES_PER_CRATE - 1)),
        _ => Some(format!("crate::module_{}", module - 1)),
    };
    for number in 0..5 {
        let earlier = match (&before, number) {
            (Some(path), 0) => format!("{path}::normalise_4(key)"),
            (None, 0) => "key.trim().to_lowercase()".to_owned(),
            _ => format!("normalise_{}(key)", number - 1),
        };
        text += &PART.replace("@E", &earlier).replace("@N", &number.to_string());
    }
    text
}

const HEAD: &str = r#"//! Generated.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{RwLock, mpsc};
"#;

const PART: &str = r#"
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Record@N {
    pub id: u64,
    pub title: String,
    pub tags: Vec<String>,
    pub parent: Option<Box<Record@N>>,
}

pub trait Storage@N {
    fn load(&self, key: &str) -> io::Result<Record@N>;
    fn keys(&self) -> Vec<String>;
}

pub struct Store@N {
    folder: PathBuf,
    cache: Arc<Mutex<HashMap<String, Record@N>>>,
    index: RwLock<BTreeMap<u64, String>>,
    changes: mpsc::Sender<Record@N>,
}

impl Storage@N for Store@N {
    fn load(&self, key: &str) -> io::Result<Record@N> {
        let key = normalise_@N(key);
        if let Some(found) = self.cache.lock().ok().and_then(|cache| cache.get(&key).cloned()) {
            return Ok(found);
        }
        let title = std::fs::read_to_string(path_of_@N(&self.folder, &key))?;
        Ok(Record@N { id: title.len() as u64, title, tags: vec![key], parent: None })
    }

    fn keys(&self) -> Vec<String> {
        self.cache.lock().map(|cache| cache.keys().cloned().collect()).unwrap_or_default()
    }
}

impl Store@N {
    pub async fn handle(&self, key: &str, limit: usize) -> io::Result<Vec<Record@N>> {
        let mut found = Vec::with_capacity(limit);
        for (id, name) in self.index.read().await.iter().take(limit) {
            let record = match self.load(name) {
                Ok(record) if record.id == *id => record,
                Ok(record) => Record@N { id: *id, ..record },
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            found.push(record);
        }
        tokio::time::sleep(Duration::from_millis(score_@N(key) % 7)).await;
        let _ = self.changes.send(found.first().cloned().unwrap_or_default()).await;
        Ok(found.into_iter().filter(|record| record.tags.iter().any(|tag| tag.contains(key))).collect())
    }

    pub async fn refresh(&self) -> io::Result<usize> {
        let folder = self.folder.clone();
        let names = tokio::task::spawn_blocking(move || std::fs::read_dir(folder).map(|entries| entries.count())).await;
        Ok(names.map_err(io::Error::other)?? + self.keys().len())
    }
}

pub fn normalise_@N(key: &str) -> String {
    let key: &str = key.strip_prefix("key-").unwrap_or(key);
    @E
}

fn path_of_@N(folder: &Path, key: &str) -> PathBuf {
    folder.join(format!("{key}-@N")).with_extension("txt")
}

fn score_@N(text: &str) -> u64 {
    text.bytes().fold(@N, |score: u64, byte| score.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
"#;

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
