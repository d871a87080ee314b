//! Reads the configuration's tables by hand, so that every complaint has a place and a suggestion.

use std::path::Path;

use agentlint_diagnostics::{Confidence, Level, Reported, RolePolicy};
use agentlint_syntax::LineIndex;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{CatalogEntry, CatalogKind, Config, ConfigError, LevelEntry, Place};

const KEYS: [&str; 9] = ["lints", "roles", "exclude", "fail-on", "confidence", "sink", "offload", "trusted", "client"];
const EFFECTS: [&str; 12] =
    ["sleep", "fs", "net", "http", "db", "process", "channel", "join", "lock", "stdin", "block_on", "cpu"];

/// Reads the text of an `agentlint.toml`. `lints` are all names that may stand in `[lints]`; an empty list allows any.
pub fn parse(text: &str, file: &Path, lints: &[String]) -> Result<Config, ConfigError> {
    let reader = Reader::new(text, file, lints);
    let table = DeTable::parse(text).map_err(|error| reader.syntax(&error))?;
    reader.config(table.get_ref())
}

/// Reads `[workspace.metadata.agentlint]`, or else `[package.metadata.agentlint]`, of a manifest. A broken one has no table.
pub(super) fn parse_manifest(text: &str, file: &Path, lints: &[String]) -> Result<Config, ConfigError> {
    let reader = Reader::new(text, file, lints);
    let Ok(manifest) = DeTable::parse(text) else { return Ok(Config::default()) };
    let table = ["workspace", "package"].iter().find_map(|holder| {
        manifest.get_ref().get(*holder)?.get_ref().get("metadata")?.get_ref().get("agentlint")?.get_ref().as_table()
    });
    table.map_or_else(|| Ok(Config::default()), |table| reader.config(table))
}

type Value<'t, 'i> = &'t Spanned<DeValue<'i>>;

struct Reader<'a> {
    file: &'a Path,
    lines: LineIndex,
    lints: &'a [String],
}

impl<'a> Reader<'a> {
    fn new(text: &str, file: &'a Path, lints: &'a [String]) -> Reader<'a> {
        Reader { file, lines: LineIndex::new(text), lints }
    }

    fn config(&self, table: &DeTable<'_>) -> Result<Config, ConfigError> {
        let mut config = Config { file: Some(self.file.to_path_buf()), ..Config::default() };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "lints" => config.levels = self.levels(value)?,
                "roles" => config.roles = self.roles(value)?,
                "exclude" => config.exclude = self.strings(value)?,
                "fail-on" => config.fail_on = Some(self.choice(value, &["warn", "deny"], level)?),
                "confidence" => config.confidence = Some(self.choice(value, &CONFIDENCES, confidence)?),
                name => match CatalogKind::ALL.into_iter().find(|kind| kind.name() == name) {
                    Some(kind) => config.catalog.extend(self.entries(kind, value)?),
                    None => return Err(self.unknown("key", key, &KEYS)),
                },
            }
        }
        // A map of TOML is sorted by key; people read a file from top to bottom.
        config.levels.sort_by_key(|entry| (entry.place.line, entry.place.column));
        config.catalog.sort_by_key(|entry| (entry.place.line, entry.place.column));
        Ok(config)
    }

    fn levels(&self, value: Value<'_, '_>) -> Result<Vec<LevelEntry>, ConfigError> {
        let mut levels = Vec::new();
        for (key, value) in self.table(value)? {
            let name = key.get_ref().as_ref();
            if !self.lints.is_empty() && !self.lints.iter().any(|lint| lint == name) {
                let known: Vec<&str> = self.lints.iter().map(String::as_str).collect();
                return Err(self.unknown("lint", key, &known));
            }
            let level = self.choice(value, &["allow", "warn", "deny"], level)?;
            levels.push(LevelEntry { name: name.to_owned(), level, place: self.place(key.span().start) });
        }
        Ok(levels)
    }

    fn roles(&self, value: Value<'_, '_>) -> Result<RolePolicy, ConfigError> {
        let mut roles = RolePolicy::default();
        for (key, value) in self.table(value)? {
            let role = match key.get_ref().as_ref() {
                "startup" => &mut roles.startup,
                "test" => &mut roles.test,
                _ => return Err(self.unknown("role", key, &["startup", "test"])),
            };
            *role = self.choice(value, &Reported::ALL.map(Reported::name), reported)?;
        }
        Ok(roles)
    }

    fn entries(&self, kind: CatalogKind, value: Value<'_, '_>) -> Result<Vec<CatalogEntry>, ConfigError> {
        let Some(array) = value.get_ref().as_array() else {
            let header = format!("write `[[{}]]` above each entry", kind.name());
            return Err(self.error(value.span().start, "expected an array of tables".to_owned(), Some(header)));
        };
        array.iter().map(|value| self.entry(kind, value)).collect()
    }

    fn entry(&self, kind: CatalogKind, value: Value<'_, '_>) -> Result<CatalogEntry, ConfigError> {
        let place = self.place(value.span().start);
        let mut path = None;
        let mut entry = CatalogEntry {
            kind,
            path: String::new(),
            effect: None,
            confidence: None,
            instead: None,
            panics: None,
            argument: None,
            place,
        };
        let keys: &[&str] = match kind {
            CatalogKind::Sink => &["path", "effect", "confidence", "instead", "panics"],
            CatalogKind::Offload => &["path", "argument"],
            CatalogKind::Trusted | CatalogKind::Client => &["path"],
        };
        for (key, value) in self.table(value)? {
            match key.get_ref().as_ref() {
                name if !keys.contains(&name) => return Err(self.unknown("key", key, keys)),
                "path" => path = Some(self.path(kind, value)?),
                "effect" => entry.effect = Some(self.choice(value, &EFFECTS, |effect| Some(effect.to_owned()))?),
                "confidence" => entry.confidence = Some(self.choice(value, &CONFIDENCES, confidence)?),
                "instead" => entry.instead = Some(self.string(value)?.to_owned()),
                "panics" => entry.panics = Some(self.boolean(value)?),
                _ => entry.argument = Some(self.index(value)?),
            }
        }
        let missing = |key: &str| self.error(value.span().start, format!("`[[{}]]` needs `{key}`", kind.name()), None);
        entry.path = path.ok_or_else(|| missing("path"))?;
        if kind == CatalogKind::Sink && entry.effect.is_none() {
            return Err(missing("effect"));
        }
        Ok(entry)
    }

    fn path(&self, kind: CatalogKind, value: Value<'_, '_>) -> Result<String, ConfigError> {
        let path = self.string(value)?;
        let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
        let has_enough = kind == CatalogKind::Trusted || path.contains("::");
        // All methods of a type or trait.
        let names = path.strip_suffix("::*").unwrap_or(path);
        if has_enough && names.split("::").all(is_name) {
            return Ok(path.to_owned());
        }
        let help = "write the public path with its crate: `my_crate::module::function`".to_owned();
        Err(self.error(value.span().start, format!("`{path}` is not a path"), Some(help)))
    }

    fn table<'t, 'i>(&self, value: Value<'t, 'i>) -> Result<&'t DeTable<'i>, ConfigError> {
        value.get_ref().as_table().ok_or_else(|| self.expected("a table", value))
    }

    fn string<'t>(&self, value: Value<'t, '_>) -> Result<&'t str, ConfigError> {
        value.get_ref().as_str().ok_or_else(|| self.expected("a string", value))
    }

    fn strings(&self, value: Value<'_, '_>) -> Result<Vec<String>, ConfigError> {
        let array = value.get_ref().as_array().ok_or_else(|| self.expected("an array of strings", value))?;
        array.iter().map(|value| self.string(value).map(str::to_owned)).collect()
    }

    fn boolean(&self, value: Value<'_, '_>) -> Result<bool, ConfigError> {
        value.get_ref().as_bool().ok_or_else(|| self.expected("`true` or `false`", value))
    }

    fn index(&self, value: Value<'_, '_>) -> Result<u32, ConfigError> {
        let integer = value.get_ref().as_integer().and_then(|integer| integer.as_str().parse().ok());
        integer.ok_or_else(|| self.expected("an argument's index, from 0", value))
    }

    fn choice<T>(&self, value: Value<'_, '_>, choices: &[&str], convert: impl Fn(&str) -> Option<T>) -> Result<T, ConfigError> {
        let text = self.string(value)?;
        if choices.contains(&text)
            && let Some(chosen) = convert(text)
        {
            return Ok(chosen);
        }
        let help = closest(text, choices)
            .map_or_else(|| format!("expected one of {}", quoted(choices)), |near| format!("did you mean \"{near}\"?"));
        Err(self.error(value.span().start, format!("unknown value \"{text}\""), Some(help)))
    }

    fn unknown(&self, what: &str, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&str]) -> ConfigError {
        let help = match closest(key.get_ref(), known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if what == "lint" => "`cargo agentlint list` shows all lints and groups".to_owned(),
            None => format!("expected one of {}", quoted(known)),
        };
        self.error(key.span().start, format!("unknown {what} `{}`", key.get_ref()), Some(help))
    }

    fn expected(&self, what: &str, value: Value<'_, '_>) -> ConfigError {
        let message = format!("expected {what}, found {}", value.get_ref().type_str());
        self.error(value.span().start, message, None)
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        ConfigError { file: self.file.to_path_buf(), place: error.span().map(|span| self.place(span.start)), message, help: None }
    }

    fn error(&self, offset: usize, message: String, help: Option<String>) -> ConfigError {
        ConfigError { file: self.file.to_path_buf(), place: Some(self.place(offset)), message, help }
    }

    fn place(&self, offset: usize) -> Place {
        let place = self.lines.line_column(offset as u32);
        Place { line: place.line, column: place.column }
    }
}

const CONFIDENCES: [&str; 3] = ["possible", "likely", "certain"];

fn level(name: &str) -> Option<Level> {
    [Level::Allow, Level::Warn, Level::Deny].into_iter().find(|level| level.name() == name)
}

fn reported(name: &str) -> Option<Reported> {
    Reported::ALL.into_iter().find(|reported| reported.name() == name)
}

fn confidence(name: &str) -> Option<Confidence> {
    [Confidence::Possible, Confidence::Likely, Confidence::Certain].into_iter().find(|confidence| confidence.name() == name)
}

/// The known word that is near enough to be meant.
pub(crate) fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    const NEAR: f64 = 0.75;
    let plain = word.replace('-', "_").to_lowercase();
    let rated = known.iter().map(|known| (strsim::jaro_winkler(&plain, &known.replace('-', "_")), *known));
    rated.filter(|(rate, _)| *rate >= NEAR).max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, known)| known)
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
