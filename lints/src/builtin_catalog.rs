//! The catalog that comes with the tool.

use agentlint_effects::{Catalog, CatalogError};

static FILES: &[(&str, &str)] = &[
    ("lints/catalog/channels.toml", include_str!("../catalog/channels.toml")),
    ("lints/catalog/cpu.toml", include_str!("../catalog/cpu.toml")),
    ("lints/catalog/database.toml", include_str!("../catalog/database.toml")),
    ("lints/catalog/files.toml", include_str!("../catalog/files.toml")),
    ("lints/catalog/guards.toml", include_str!("../catalog/guards.toml")),
    ("lints/catalog/http.toml", include_str!("../catalog/http.toml")),
    ("lints/catalog/routes.toml", include_str!("../catalog/routes.toml")),
    ("lints/catalog/service.toml", include_str!("../catalog/service.toml")),
    ("lints/catalog/starts.toml", include_str!("../catalog/starts.toml")),
    ("lints/catalog/std_fs.toml", include_str!("../catalog/std_fs.toml")),
    ("lints/catalog/std_net_process.toml", include_str!("../catalog/std_net_process.toml")),
    ("lints/catalog/std_sync_thread.toml", include_str!("../catalog/std_sync_thread.toml")),
    ("lints/catalog/terminal.toml", include_str!("../catalog/terminal.toml")),
    ("lints/catalog/time_limits.toml", include_str!("../catalog/time_limits.toml")),
    ("lints/catalog/tokio.toml", include_str!("../catalog/tokio.toml")),
];

/// All tables of all files. An error is a fault of the tool's own, and a test holds it off.
pub fn builtin_catalog() -> Result<Catalog, CatalogError> {
    let mut all = Catalog::default();
    for (file, text) in FILES {
        all.extend(Catalog::parse(file, text)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_catalog_is_read() {
        let catalog = builtin_catalog().expect("the catalog parses");
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
        let files = std::fs::read_dir(folder).expect("the catalog folder is there");
        let on_disk = files.filter(|f| f.as_ref().is_ok_and(|f| f.path().extension().is_some_and(|e| e == "toml"))).count();
        assert_eq!(FILES.len(), on_disk);
        for sink in &catalog.sinks {
            assert!(!sink.does.is_empty(), "{sink:?}");
            assert!(sink.instead.is_empty() || sink.advice.is_empty(), "both a call and words: {sink:?}");
            // Both stand where a person reads them: a call between backticks, words between other words.
            assert!(!sink.instead.contains(['`', ',']) && !sink.advice.ends_with('.'), "{sink:?}");
        }
    }
}
