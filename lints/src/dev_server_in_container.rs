//! `dev_server_in_container`: what is deployed starts a development server.

use agentlint_deploy::follow::{Program, base_name};
use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_linter::{Lint, LintContext};

use crate::deploy::{location, push_once, shortened, started_here, starts};

static META: LintMeta = LintMeta {
    id: "dev_server_in_container",
    summary: "a development server in what is deployed",
    group: Group::Deploy,
    level: Level::Deny,
    page: include_str!("../dev_server_in_container.md"),
};

pub(crate) struct DevServerInContainer;

impl Lint for DevServerInContainer {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for start in starts(cx.deploy) {
            for program in &start.reached.programs {
                let words: Vec<&str> = program.words.iter().map(|word| word.text.as_str()).collect();
                let Some(wrong) = wrong_with(&words) else { continue };
                let place = location(program.file, program.span());
                let mut diagnostic = Diagnostic::new(META.id, META.level, message(program, &wrong), place);
                diagnostic.help = Some(wrong.help);
                // The file alone makes another stage.
                let is_sure = wrong.is_always_wrong && !start.is_asked_for;
                diagnostic.confidence = if is_sure { Confidence::Certain } else { Confidence::Likely };
                diagnostic.labels.extend(started_here(&start, program.file));
                push_once(report, diagnostic);
            }
        }
        for image in &cx.deploy.images {
            for build in &image.debug_builds {
                let message = format!("`{}` is a debug build: it is copied from `{}`", build.program, build.path);
                let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(image.file, build.copy));
                let path = build.path.replace("/debug/", "/release/");
                diagnostic.help = Some(format!("build with `cargo build --release`, and copy `{path}`"));
                push_once(report, diagnostic);
            }
        }
    }
}

struct Wrong {
    reason: String,
    help: String,
    is_always_wrong: bool,
}

impl Wrong {
    fn always(reason: impl Into<String>, help: impl Into<String>) -> Option<Wrong> {
        Some(Wrong { reason: reason.into(), help: help.into(), is_always_wrong: true })
    }

    fn often(reason: impl Into<String>, help: impl Into<String>) -> Option<Wrong> {
        Some(Wrong { is_always_wrong: false, ..Wrong::always(reason, help)? })
    }
}

fn message(program: &Program, wrong: &Wrong) -> String {
    let words: Vec<&str> = program.words.iter().map(|word| word.text.as_str()).collect();
    format!("`{}` {}", shortened(&words.join(" ")), wrong.reason)
}

const COPY: &str = "build the binary in a stage of its own with `cargo build --release`, copy it, and write `CMD [\"/app/server\"]`";

fn wrong_with(words: &[&str]) -> Option<Wrong> {
    let (first, rest) = words.split_first()?;
    let has = |flag: &str| rest.iter().any(|word| *word == flag || word.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')));
    if first.starts_with("target/debug/") || first.contains("/target/debug/") {
        return Wrong::always("is a debug build", COPY);
    }
    match base_name(first) {
        "cargo" => cargo(rest),
        "cargo-watch" | "bacon" | "watchexec" => Wrong::always("builds again and restarts whenever a file changes", COPY),
        "nodemon" | "entr" | "reflex" | "air" => {
            Wrong::always("restarts whenever a file changes", "start the program itself")
        }
        "trunk" if rest.first() == Some(&"serve") => {
            Wrong::always("is a development server", "run `trunk build --release` in the build, and serve `dist/`")
        }
        "dx" if rest.first() == Some(&"serve") => Wrong::always("is a development server", "run `dx bundle` in the build"),
        "uvicorn" => uvicorn(&has),
        "gunicorn" if has("--reload") => reload(),
        "gunicorn" if value_of(rest, "--graceful-timeout") == Some("0") => Wrong::always(
            "kills its workers at once on SIGTERM, with what they are answering",
            "write `--graceful-timeout 30`, or leave it out: 30 s is the default",
        ),
        "hypercorn" | "granian" | "daphne" | "sanic" if has("--reload") || has("--dev") || has("--debug") => reload(),
        "fastapi" if rest.first() == Some(&"dev") => {
            Wrong::always("restarts whenever a file changes", "write `uvicorn module:app --timeout-graceful-shutdown 30`")
        }
        "fastapi" if has("--reload") => reload(),
        "flask" if has("run") && (has("--debug") || has("--reload")) => {
            Wrong::always("runs Flask's debugger, which executes what is typed into the browser", FLASK)
        }
        "flask" if has("run") => Wrong::often("is Flask's development server", FLASK),
        "next" | "nuxt" | "astro" if rest.first() == Some(&"dev") => {
            Wrong::always("is a development server", "build first, and start what was built")
        }
        "vite" if rest.first().is_none_or(|word| *word == "dev" || *word == "serve" || word.starts_with('-')) => {
            Wrong::always("is a development server", "run `vite build` in the build, and serve `dist/`")
        }
        "npm" | "pnpm" | "yarn" | "bun" => {
            let script = rest.iter().find(|word| **word != "run" && !word.starts_with('-'))?;
            let is_development = matches!(*script, "dev" | "develop" | "watch") || script.starts_with("dev:");
            is_development.then(|| Wrong::often("is by its name a development server", "start what was built"))?
        }
        name if name.starts_with("python") || name == "manage.py" => {
            let django = rest.contains(&"runserver") && (name == "manage.py" || rest.first().is_some_and(|word| word.ends_with("manage.py")));
            django.then(|| Wrong::always("is Django's development server", "start it with gunicorn or uvicorn"))?
        }
        _ => None,
    }
}

const FLASK: &str = "start it with gunicorn: `gunicorn module:app`";

fn cargo(rest: &[&str]) -> Option<Wrong> {
    let mut words = rest.iter().skip_while(|word| word.starts_with('+') || word.starts_with('-'));
    let command = *words.next()?;
    let next = words.find(|word| !word.starts_with('-')).copied();
    match (command, next) {
        ("run" | "r", _) if rest.iter().any(|word| matches!(*word, "--release" | "-r") || word.starts_with("--profile")) => Wrong::always(
            "needs the toolchain and the sources in the image, and may build before it serves",
            COPY,
        ),
        ("run" | "r", _) => Wrong::always("builds without optimisation whenever the container starts", COPY),
        ("watch" | "bacon", _) => Wrong::always("builds again and restarts whenever a file changes", COPY),
        ("shuttle", Some("run")) => Wrong::always("is a local development server", "deploy with `cargo shuttle deploy`, or build the binary"),
        ("leptos", Some("watch" | "serve")) => {
            Wrong::always("is a development server", "run `cargo leptos build --release` in the build, and start the binary")
        }
        ("lambda", Some("watch")) => Wrong::always("is a development server", "run `cargo lambda build --release`"),
        _ => None,
    }
}

fn uvicorn(has: &dyn Fn(&str) -> bool) -> Option<Wrong> {
    if has("--reload") {
        return reload();
    }
    if has("--timeout-graceful-shutdown") || has("--version") || has("--help") {
        return None;
    }
    Wrong::often(
        "waits for open streams without a bound on SIGTERM, until SIGKILL cuts all of them",
        "add `--timeout-graceful-shutdown 30`, and give the container longer than that to stop",
    )
}

fn reload() -> Option<Wrong> {
    Wrong::always("restarts whenever a file changes, and drops every stream when it does", "leave `--reload` out")
}

/// Of `--flag value` and `--flag=value`.
fn value_of<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == flag {
            return words.next().copied();
        }
        if let Some(value) = word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
}
