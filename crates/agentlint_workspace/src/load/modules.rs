//! Which file stands behind `mod name;`: rustc's rules.

use std::path::{Path, PathBuf};

use agentlint_semantic::input::CfgOptions;
use agentlint_syntax::ast::{Attribute, AttributeArguments, Item, ItemId, ItemKind, SourceFile};
use agentlint_syntax::{Name, parse_cfg_attr};
use serde::{Deserialize, Serialize};

use crate::paths::normalize;

/// Where the modules of a file, or of an inline module in it, are looked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModuleFolder {
    /// `#[path]` is relative to this.
    folder: PathBuf,
    /// Of `src/x.rs`: `x`, for its modules lie in `src/x/`. `None` for a crate root, a `mod.rs` and a file found by `#[path]`.
    relative: Option<String>,
}

/// A `mod name;` whose `cfg` holds.
#[derive(Debug)]
pub(crate) struct DeclaredModule {
    pub(crate) item: ItemId,
    pub(crate) found: Option<(PathBuf, ModuleFolder)>,
    /// The places looked at, where nothing was found.
    pub(crate) tried: Vec<PathBuf>,
}

impl ModuleFolder {
    /// That of a crate root, a `mod.rs`, or a file found by `#[path]`.
    pub(crate) fn of_root(file: &Path) -> ModuleFolder {
        ModuleFolder { folder: folder_of(file), relative: None }
    }

    /// That of `name.rs`.
    pub(crate) fn of_named(file: &Path, name: &str) -> ModuleFolder {
        ModuleFolder { folder: folder_of(file), relative: Some(name.to_owned()) }
    }

    /// The file behind `mod name;`, declared inside these inline modules.
    pub(crate) fn submodule(&self, inline: &[Name], item: &Item, cfg: &CfgOptions) -> Option<(PathBuf, ModuleFolder)> {
        let folder = inline.iter().fold(self.clone(), |folder, name| folder.of_inline(name, None));
        let name = item.name.as_str();
        folder.find(ItemId::new(0), name.strip_prefix("r#").unwrap_or(name), path_attribute(item, cfg).as_deref()).found
    }

    fn own(&self) -> PathBuf {
        match &self.relative {
            Some(relative) => self.folder.join(relative),
            None => self.folder.clone(),
        }
    }

    /// That of `mod name { … }` inside this one.
    fn of_inline(&self, name: &str, path: Option<&str>) -> ModuleFolder {
        let folder = match path {
            Some(path) => self.folder.join(path),
            None => self.own().join(name),
        };
        ModuleFolder { folder, relative: None }
    }

    fn find(&self, item: ItemId, name: &str, path: Option<&str>) -> DeclaredModule {
        if let Some(path) = path {
            let file = normalize(&self.folder.join(path));
            let found = exists(&file).then(|| (file.clone(), ModuleFolder::of_root(&file)));
            return DeclaredModule { item, tried: if found.is_some() { Vec::new() } else { vec![file] }, found };
        }
        let folder = self.own();
        let (flat, nested) = (normalize(&folder.join(format!("{name}.rs"))), normalize(&folder.join(name).join("mod.rs")));
        let found = if exists(&flat) {
            Some((flat.clone(), ModuleFolder::of_named(&flat, name)))
        } else if exists(&nested) {
            Some((nested.clone(), ModuleFolder::of_root(&nested)))
        } else {
            None
        };
        DeclaredModule { item, tried: if found.is_some() { Vec::new() } else { vec![flat, nested] }, found }
    }
}

/// The files that `facts` declares modules in, inline modules' included, in the order of the text.
pub(crate) fn declared_modules(facts: &SourceFile, folder: &ModuleFolder, cfg: &CfgOptions) -> Vec<DeclaredModule> {
    let mut declared = Vec::new();
    let mut open: Vec<(&[ItemId], ModuleFolder)> = vec![(&facts.root, folder.clone())];
    while let Some((items, folder)) = open.pop() {
        for &id in items {
            let Some(item) = facts.items.get(id) else { continue };
            let ItemKind::Module(module) = &item.kind else { continue };
            if item.cfg.as_ref().is_some_and(|expr| !cfg.holds(expr)) {
                continue;
            }
            let name = item.name.as_str();
            let name = name.strip_prefix("r#").unwrap_or(name);
            let path = path_attribute(item, cfg);
            match &module.items {
                Some(inner) => open.push((inner, folder.of_inline(name, path.as_deref()))),
                None => declared.push(folder.find(id, name, path.as_deref())),
            }
        }
    }
    declared.sort_by_key(|module| module.item);
    declared
}

fn path_attribute(item: &Item, cfg: &CfgOptions) -> Option<String> {
    item.attributes.iter().find_map(|attribute| path_of(attribute, cfg))
}

/// The value of `path`, or of a `path` in a `cfg_attr` whose predicate holds.
fn path_of(attribute: &Attribute, cfg: &CfgOptions) -> Option<String> {
    match (attribute.path.as_str(), &attribute.arguments) {
        ("path", AttributeArguments::Value(path)) => Some(path.clone()),
        ("cfg_attr", AttributeArguments::Tokens { text, span }) => {
            let (predicate, attributes) = parse_cfg_attr(text, span.start)?;
            let holds = cfg.holds(&predicate);
            attributes.iter().filter(|_| holds).find_map(|attribute| path_of(attribute, cfg))
        }
        _ => None,
    }
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Whatever is there that is not a folder: that it cannot be read is said when it is read.
fn exists(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir())
}
