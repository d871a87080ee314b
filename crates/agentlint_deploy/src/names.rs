//! Which files these are, and whose names say that nothing of them is meant for production.

/// What a file's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Dockerfile,
    Compose,
    Procfile,
    Script,
}

impl FileKind {
    /// Of a file that is looked for; scripts are only read when something starts them.
    pub fn of_name(name: &str) -> Option<FileKind> {
        let lower = name.to_ascii_lowercase();
        if TEMPLATES.iter().any(|end| lower.ends_with(end)) {
            return None;
        }
        let is_yaml = lower.ends_with(".yml") || lower.ends_with(".yaml");
        let is = |stem: &str| lower == stem || lower.starts_with(&format!("{stem}.")) || lower.starts_with(&format!("{stem}-"));
        if is_yaml {
            let is_compose = is("compose") || is("docker-compose") || lower.starts_with("docker-compose_");
            return is_compose.then_some(FileKind::Compose);
        }
        if is("dockerfile") || is("containerfile") || lower.ends_with(".dockerfile") || lower.ends_with(".containerfile") {
            return Some(FileKind::Dockerfile);
        }
        (name == "Procfile" || name.starts_with("Procfile.")).then_some(FileKind::Procfile)
    }
}

/// Files that something else reads first, or that only look alike.
const TEMPLATES: [&str; 17] = [
    ".dockerignore",
    ".j2",
    ".jinja",
    ".jinja2",
    ".tmpl",
    ".template",
    ".tpl",
    ".in",
    ".erb",
    ".mustache",
    ".hbs",
    ".liquid",
    ".tera",
    ".md",
    ".rs",
    ".sh",
    ".lock",
];

/// Words of a file's or stage's name for which nobody waits in production.
const WORDS: [&str; 17] = [
    "dev",
    "devel",
    "develop",
    "development",
    "devcontainer",
    "local",
    "override",
    "test",
    "tests",
    "testing",
    "ci",
    "e2e",
    "bench",
    "debug",
    "watch",
    "example",
    "sample",
];

/// Folders that are not looked into.
const FOLDERS: [&str; 22] = [
    "target",
    "node_modules",
    "vendor",
    "third_party",
    "src",
    "test",
    "tests",
    "testing",
    "testdata",
    "fixtures",
    "ci",
    "dev",
    "development",
    "devcontainer",
    "e2e",
    "bench",
    "benches",
    "benchmarks",
    "example",
    "examples",
    "fuzz",
    "site-packages",
];

/// Whether the name of a file, a stage or a profile says that it is for development or tests.
pub fn is_for_development(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.split(['.', '-', '_']).any(|word| WORDS.contains(&word))
}

/// Whether a folder's name says that what lies in it is not what is deployed.
pub fn is_passed_by(folder: &str) -> bool {
    let hidden = folder.starts_with('.') && !matches!(folder, ".docker" | ".deploy" | ".");
    hidden || FOLDERS.contains(&folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        let dockerfile = Some(FileKind::Dockerfile);
        for name in ["Dockerfile", "Dockerfile.alpine", "server.Dockerfile", "Containerfile", "dockerfile", "Dockerfile-slim"] {
            assert_eq!(FileKind::of_name(name), dockerfile, "{name}");
        }
        for name in ["compose.yaml", "docker-compose.yml", "compose.prod.yml", "docker-compose.prod.yaml"] {
            assert_eq!(FileKind::of_name(name), Some(FileKind::Compose), "{name}");
        }
        assert_eq!(FileKind::of_name("Procfile"), Some(FileKind::Procfile));
        for name in ["Dockerfile.dockerignore", "Dockerfile.j2", "composer.yml", "Procfiles", "dockerfile.rs", "compose.rs"] {
            assert_eq!(FileKind::of_name(name), None, "{name}");
        }
    }

    #[test]
    fn names_for_development() {
        for name in ["Dockerfile.dev", "docker-compose.override.yml", "dev.Dockerfile", "compose.dev.yml", "Procfile.dev", "test"]
        {
            assert!(is_for_development(name), "{name}");
        }
        for name in ["Dockerfile", "compose.yaml", "device.Dockerfile", "docker-compose.prod.yml"] {
            assert!(!is_for_development(name), "{name}");
        }
    }
}
