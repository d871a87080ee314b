//! What of the program only its proc macros know.

use agentlint_syntax::{Name, ast::Path, name};

use crate::def::DefId;
use crate::infer::macros::NATIVE;
use crate::input::CrateId;
use crate::program::Program;

/// Macros of std and of well-known crates whose calls are given a meaning without expanding them.
const KNOWN: [&str; 37] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "compile_error",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "formatcp",
    "include_bytes",
    "include_str",
    "is_x86_feature_detected",
    "line",
    "module_path",
    "option_env",
    "panic",
    "pin",
    "print",
    "println",
    "stringify",
    "thread_local",
    "todo",
    "try",
    "unimplemented",
    "unreachable",
    "write",
    "writeln",
    "async_stream_block",
];

/// Attribute macros that leave what they stand on as it reads, or whose effect on it is known.
const TRANSPARENT: [&str; 24] = [
    "async_trait",
    "bench",
    "case",
    "catch",
    "connect",
    "debug_handler",
    "delete",
    "fixture",
    "get",
    "head",
    "instrument",
    "launch",
    "main",
    "options",
    "patch",
    "pin_project",
    "pinned_drop",
    "post",
    "put",
    "route",
    "routes",
    "rstest",
    "serial",
    "test",
];

impl Program<'_> {
    /// Whether the model knows what a call of the macro does, or has expanded it.
    pub fn is_understood_macro(&self, path: &Path) -> bool {
        let last = path.segments.last().map_or("", |last| last.name.as_str());
        NATIVE.contains(&last) || KNOWN.contains(&last)
    }

    /// The attribute macros of other crates on the crate's items that the model knows nothing of, once for each item.
    pub fn unknown_attributes(&self, krate: CrateId) -> Vec<String> {
        let defs = &self.krate(krate).defs;
        let mut found = Vec::new();
        for index in 0..defs.len() {
            let (def, data) = (DefId { krate, index }, defs.def(index));
            let Some(item) = self.item(def).filter(|item| item.name == defs.name(index)) else { continue };
            for attribute in &item.attributes {
                let (first, last) = match attribute.path.split_once("::") {
                    Some((first, _)) => (name(first), attribute.path.rsplit("::").next().unwrap_or_default()),
                    None => match self.import_of(data.module, attribute.path) {
                        Some(first) => (first, attribute.path.as_str()),
                        None => continue,
                    },
                };
                let is_foreign = self.extern_crate(krate, first).is_some_and(|root| !self.is_std(root.krate));
                if is_foreign && !TRANSPARENT.contains(&last) {
                    found.push(attribute.path.to_string());
                }
            }
        }
        found
    }

    /// The crate that the module's import of that name begins with.
    fn import_of(&self, module: DefId, wanted: Name) -> Option<Name> {
        let data = self.module_data(module)?;
        data.imports_named(wanted).next()?.import.path.first().copied()
    }
}
