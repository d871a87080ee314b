//! The catalog that comes with the tool.

use agentlint_effects::{Catalog, CatalogError};

/// All tables of all files of `catalog/`, as the build script joins them. An error is a fault of the tool's own, and a test holds it
/// off.
pub fn builtin_catalog() -> Result<Catalog, CatalogError> {
    serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/catalog.json")))
        .map_err(|error| CatalogError { file: "lints/catalog".to_owned(), message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One file after the other, in the order of their names, with the file in every error.
    fn as_written() -> Catalog {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
        let files = std::fs::read_dir(folder).expect("the catalog folder is there").map(|file| file.expect("it is read").path());
        let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "toml")).collect();
        files.sort();
        let mut all = Catalog::default();
        for file in files {
            let text = std::fs::read_to_string(&file).expect("it is text");
            all.extend(Catalog::parse(&file.to_string_lossy(), &text).expect("the file parses"));
        }
        all
    }

    #[test]
    fn every_file_of_the_catalog_is_read() {
        let catalog = builtin_catalog().expect("the catalog parses");
        assert!(catalog.sinks.len() > 200, "{} sinks", catalog.sinks.len());
        assert_eq!(format!("{catalog:?}"), format!("{:?}", as_written()));
    }

    #[test]
    fn sinks_say_what_they_do_and_one_way_out() {
        for sink in &as_written().sinks {
            assert!(!sink.does.is_empty(), "{sink:?}");
            assert!(sink.instead.is_empty() || sink.advice.is_empty(), "both a call and words: {sink:?}");
            // Both stand where a person reads them: a call between backticks, words between other words.
            assert!(!sink.instead.contains(['`', ',']) && !sink.advice.ends_with('.'), "{sink:?}");
        }
    }
}
