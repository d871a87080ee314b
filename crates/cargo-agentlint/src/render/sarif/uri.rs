//! Paths as URIs.

use std::path::Path;

use super::model::ArtifactLocation;

/// What paths are relative to: the folder the run started in.
pub(super) const ROOT: &str = "%SRCROOT%";

/// `path` has `/` between its parts, and is absolute or leads upwards where it lies outside `root`.
pub(super) fn artifact(path: &str, root: &Path) -> ArtifactLocation {
    let is_inside = !path.starts_with("../") && path != ".." && !Path::new(path).is_absolute();
    if is_inside {
        return ArtifactLocation { uri: encode(path), uri_base_id: Some(ROOT) };
    }
    let joined = root.join(path);
    ArtifactLocation { uri: file_uri(&normal(&joined.to_string_lossy().replace('\\', "/"))), uri_base_id: None }
}

/// The root as a folder's URI, which ends in a slash.
pub(super) fn folder(root: &Path) -> ArtifactLocation {
    let path = root.to_string_lossy().replace('\\', "/");
    ArtifactLocation { uri: file_uri(&format!("{}/", path.trim_end_matches('/'))), uri_base_id: None }
}

fn file_uri(path: &str) -> String {
    // A drive's path has no slash in front: `C:/a`.
    format!("file://{}{}", if path.starts_with('/') { "" } else { "/" }, encode(path))
}

/// Without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.len() > 1 => drop(parts.pop()),
            ".." => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Everything but RFC 3986's unreserved characters and the slash becomes `%XX`.
fn encode(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        let root = Path::new("/home/a b/project");
        let uri = |path| artifact(path, root).uri;
        assert_eq!(uri("src/main.rs"), "src/main.rs");
        assert_eq!(uri("src/ä #1:%.rs"), "src/%C3%A4%20%231%3A%25.rs");
        assert_eq!(uri("../other/x.rs"), "file:///home/a%20b/other/x.rs");
        assert_eq!(uri("/elsewhere/x.rs"), "file:///elsewhere/x.rs");
        assert_eq!(artifact("../x.rs", root).uri_base_id, None);
        assert_eq!(folder(root).uri, "file:///home/a%20b/project/");
        assert_eq!(folder(Path::new("/")).uri, "file:///");
    }
}
