//! What is known of images that others make: as whom they run, and which shell their `/bin/sh` is.

/// As whom the image runs where nothing says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageUser {
    Root,
    Other,
    /// An official image that is not in the list: nearly all of them are root.
    ProbablyRoot,
    Unknown,
}

/// What `/bin/sh` does with the last command of `sh -c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageShell {
    /// dash of Debian and Ubuntu: it stays and waits.
    Stays,
    /// busybox's ash, bash: it replaces itself where the command is simple.
    ReplacesItself,
    Unknown,
}

/// Official images whose user is root.
const ROOT: [&str; 40] = [
    "scratch",
    "alpine",
    "debian",
    "ubuntu",
    "fedora",
    "centos",
    "rockylinux",
    "almalinux",
    "amazonlinux",
    "archlinux",
    "busybox",
    "rust",
    "python",
    "node",
    "golang",
    "buildpack-deps",
    "openjdk",
    "eclipse-temurin",
    "ruby",
    "php",
    "perl",
    "bash",
    "gcc",
    "nginx",
    "postgres",
    "mysql",
    "mariadb",
    "redis",
    "httpd",
    "caddy",
    "docker",
    "amazoncorretto",
    "oraclelinux",
    "photon",
    "clearlinux",
    "opensuse/leap",
    "archlinux/archlinux",
    "nixos/nix",
    "voidlinux/voidlinux",
    "denoland/deno",
];

pub fn user_of(image: &str) -> ImageUser {
    let (name, tag) = split(image);
    let says_other = |text: &str| text.contains("nonroot") || text.contains("non-root") || text.contains("rootless");
    if says_other(&name) || says_other(&tag) || name.contains("unprivileged") {
        return ImageUser::Other;
    }
    // Windows has no root.
    if name.starts_with("mcr.microsoft.com/windows") {
        return ImageUser::Other;
    }
    if name.ends_with("bitnami/minideb") {
        return ImageUser::Root;
    }
    // Made to run as somebody else, and documented so.
    let others =
        ["cgr.dev/", "dhi.io/", "bitnami/", "registry.access.redhat.com/ubi9/python", "registry.access.redhat.com/ubi9/node"];
    if others.iter().any(|prefix| name.starts_with(prefix)) {
        return ImageUser::Other;
    }
    let redhat = ["registry.access.redhat.com/ubi", "redhat/ubi"];
    let bases =
        ["gcr.io/distroless/", "mcr.microsoft.com/devcontainers/", "public.ecr.aws/docker/library/", "mirror.gcr.io/library/"];
    let minimal = redhat.iter().any(|prefix| name.starts_with(prefix))
        && ["minimal", "micro", "init", "ubi"].iter().any(|end| name.ends_with(end));
    if minimal || bases.iter().any(|prefix| name.starts_with(prefix)) {
        return ImageUser::Root;
    }
    match name.strip_prefix("docker.io/").unwrap_or(&name) {
        plain if ROOT.contains(&plain.strip_prefix("library/").unwrap_or(plain)) => ImageUser::Root,
        plain if plain.contains('/') => ImageUser::Unknown,
        _ => ImageUser::ProbablyRoot,
    }
}

/// Whether the image's own entry point, started as root, goes on as somebody else.
pub fn drops_privileges(image: &str) -> bool {
    let (name, _) = split(image);
    let name = name.strip_prefix("docker.io/").unwrap_or(&name);
    let official = ["postgres", "mysql", "mariadb", "redis", "valkey/valkey", "mongo", "rabbitmq", "nginx", "httpd", "memcached"];
    let others = ["pgvector/pgvector", "postgis/postgis", "timescale/timescaledb"];
    official.contains(&name.strip_prefix("library/").unwrap_or(name)) || others.contains(&name)
}

pub fn shell_of(image: &str) -> ImageShell {
    let (name, tag) = split(image);
    let last = name.rsplit('/').next().unwrap_or(&name);
    let has = |words: &[&str]| {
        words.iter().any(|word| {
            last == *word || tag.split(['-', '.']).any(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()) == *word)
        })
    };
    if has(&["alpine", "busybox", "fedora", "centos", "rockylinux", "almalinux", "amazonlinux", "archlinux", "bash"]) {
        return ImageShell::ReplacesItself;
    }
    let debian = ["debian", "ubuntu", "bookworm", "bullseye", "buster", "trixie", "slim", "jammy", "noble", "focal"];
    // Official images of languages stand on Debian unless their tag says otherwise.
    let languages = ["rust", "python", "node", "golang", "ruby", "buildpack-deps", "nginx", "gcc", "postgres", "redis"];
    if has(&debian) || (!name.contains('/') && languages.contains(&last)) {
        return ImageShell::Stays;
    }
    ImageShell::Unknown
}

/// Name and tag; without a digest.
fn split(image: &str) -> (String, String) {
    let image = image.split('@').next().unwrap_or(image).to_ascii_lowercase();
    let after_slash = image.rfind('/').map_or(0, |at| at + 1);
    match image[after_slash..].split_once(':') {
        Some((_, tag)) => (image[..image.len() - tag.len() - 1].to_owned(), tag.to_owned()),
        None => (image, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users() {
        let cases = [
            ("scratch", ImageUser::Root),
            ("debian:bookworm-slim", ImageUser::Root),
            ("docker.io/library/alpine:3.20", ImageUser::Root),
            ("gcr.io/distroless/cc-debian12", ImageUser::Root),
            ("gcr.io/distroless/cc-debian12:nonroot", ImageUser::Other),
            ("gcr.io/distroless/static:debug-nonroot@sha256:00", ImageUser::Other),
            ("cgr.dev/chainguard/glibc-dynamic", ImageUser::Other),
            ("nginxinc/nginx-unprivileged:1.27", ImageUser::Other),
            ("elixir:1.17", ImageUser::ProbablyRoot),
            ("mcr.microsoft.com/windows/nanoserver:ltsc2022", ImageUser::Other),
            ("bitnami/minideb:latest", ImageUser::Root),
            ("bitnami/redis", ImageUser::Other),
            ("ghcr.io/someone/base:1", ImageUser::Unknown),
            ("localhost:5000/base", ImageUser::Unknown),
        ];
        for (image, user) in cases {
            assert_eq!(user_of(image), user, "{image}");
        }
    }

    #[test]
    fn shells() {
        assert_eq!(shell_of("alpine:3.20"), ImageShell::ReplacesItself);
        assert_eq!(shell_of("rust:1.80-alpine3.20"), ImageShell::ReplacesItself);
        assert_eq!(shell_of("debian:bookworm-slim"), ImageShell::Stays);
        assert_eq!(shell_of("python:3.12"), ImageShell::Stays);
        assert_eq!(shell_of("ghcr.io/someone/base"), ImageShell::Unknown);
    }
}
