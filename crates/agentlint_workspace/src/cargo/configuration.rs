//! What of cargo's configuration in a repository is only data: where sources lie, and which `--cfg` hold.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::environment::Environment;
use crate::read::{MAX_MANIFEST_BYTES, read_text};

/// The harmless part of every `.cargo/config.toml` from the workspace upward.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    /// `[source]`, `[registries]` without their programs, `[patch]` and `paths`; all paths absolute.
    sources: Table,
    /// The values of `--cfg` in rustflags.
    pub(crate) cfg: Vec<String>,
    /// Folders of vendored packages.
    pub(crate) vendored: Vec<PathBuf>,
    /// The files' texts, for the cache to compare.
    pub(crate) texts: Vec<String>,
}

impl Configuration {
    /// Reads as cargo would for a run in `folder`; files that do not parse count as empty.
    pub(crate) fn read(folder: &Path, environment: &Environment) -> Configuration {
        let mut configuration = Configuration::default();
        let above = folder.ancestors().map(|folder| folder.join(".cargo"));
        let home = environment.cargo_home.iter().cloned();
        // Near files are stronger, and come first.
        for place in above.chain(home) {
            let text = ["config", "config.toml"].iter().find_map(|name| read_text(&place.join(name), MAX_MANIFEST_BYTES).ok());
            let Some(text) = text else { continue };
            if configuration.texts.contains(&text) {
                continue;
            }
            if let Ok(table) = text.parse::<Table>() {
                configuration.add(&table, place.parent().unwrap_or(&place));
            }
            configuration.texts.push(text);
        }
        let flags = environment.rustflags.as_deref().unwrap_or_default();
        add_cfg(&mut configuration.cfg, flags.split_whitespace());
        configuration
    }

    /// Writes the sources as a configuration file into `scratch`, where there are any.
    pub(super) fn write_sources(&self, scratch: &Path) -> std::io::Result<Option<PathBuf>> {
        if self.sources.is_empty() {
            return Ok(None);
        }
        let file = scratch.join("sources.toml");
        std::fs::write(&file, self.sources.to_string())?;
        Ok(Some(file))
    }

    fn add(&mut self, table: &Table, base: &Path) {
        if let Some(sources) = table.get("source").and_then(Value::as_table) {
            let kept = ["replace-with", "directory", "registry", "local-registry", "git", "branch", "tag", "rev"];
            for (name, source) in sources {
                let Some(mut source) = keep(source, &kept) else { continue };
                for key in ["directory", "local-registry"] {
                    make_absolute(&mut source, key, base);
                }
                self.vendored.extend(source.get("directory").and_then(Value::as_str).map(PathBuf::from));
                self.insert(&["source", name], Value::Table(source));
            }
        }
        if let Some(registries) = table.get("registries").and_then(Value::as_table) {
            for (name, registry) in registries {
                // Programs that hand out credentials are left behind.
                let Some(registry) = keep(registry, &["index"]) else { continue };
                self.insert(&["registries", name], Value::Table(registry));
            }
        }
        self.add_patches(table, base);
        self.add_flags(table);
    }

    fn add_patches(&mut self, table: &Table, base: &Path) {
        for (registry, patches) in table.get("patch").and_then(Value::as_table).into_iter().flatten() {
            for (name, patch) in patches.as_table().into_iter().flatten() {
                let Some(mut patch) = patch.as_table().cloned() else { continue };
                make_absolute(&mut patch, "path", base);
                self.insert(&["patch", registry, name], Value::Table(patch));
            }
        }
        let overrides = table.get("paths").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let overrides: Vec<Value> = overrides.map(|path| Value::String(base.join(path).to_string_lossy().into_owned())).collect();
        if !overrides.is_empty() {
            self.insert(&["paths"], Value::Array(overrides));
        }
    }

    fn add_flags(&mut self, table: &Table) {
        let build = table.get("build").and_then(|build| build.get("rustflags"));
        let targets = table.get("target").and_then(Value::as_table).into_iter().flatten();
        let targets = targets.filter_map(|(_, target)| target.get("rustflags"));
        for flags in build.into_iter().chain(targets) {
            match flags {
                Value::String(flags) => add_cfg(&mut self.cfg, flags.split_whitespace()),
                Value::Array(flags) => add_cfg(&mut self.cfg, flags.iter().filter_map(Value::as_str)),
                _ => {}
            }
        }
    }

    /// Sets a value unless a nearer file has.
    fn insert(&mut self, path: &[&str], value: Value) {
        let Some((last, folders)) = path.split_last() else { return };
        let mut table = &mut self.sources;
        for folder in folders {
            let inner = table.entry(*folder).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else { return };
            table = inner;
        }
        table.entry(*last).or_insert(value);
    }
}

fn keep(value: &Value, keys: &[&str]) -> Option<Table> {
    let table = value.as_table()?;
    let kept: Table =
        table.iter().filter(|(key, _)| keys.contains(&key.as_str())).map(|(key, value)| (key.clone(), value.clone())).collect();
    (!kept.is_empty()).then_some(kept)
}

fn make_absolute(table: &mut Table, key: &str, base: &Path) {
    if let Some(Value::String(path)) = table.get_mut(key) {
        *path = base.join(&path).to_string_lossy().into_owned();
    }
}

fn add_cfg<'a>(cfg: &mut Vec<String>, flags: impl Iterator<Item = &'a str>) {
    let mut flags = flags;
    while let Some(flag) = flags.next() {
        let value = match flag.strip_prefix("--cfg") {
            Some("") => flags.next(),
            Some(joined) => joined.strip_prefix('='),
            None => None,
        };
        let Some(value) = value else { continue };
        if !cfg.iter().any(|known| known == value) {
            cfg.push(value.to_owned());
        }
    }
}
