//! `container_runs_as_root`: an image whose program runs as root.

use agentlint_deploy::follow::{SHELLS, base_name, is_root};
use agentlint_deploy::images::{ImageUser, drops_privileges, user_of};
use agentlint_deploy::{Image, Service};
use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_linter::{Lint, LintContext};

use crate::deploy::{location, push_once};

static META: LintMeta = LintMeta {
    id: "container_runs_as_root",
    summary: "an image whose program runs as root",
    group: Group::Deploy,
    level: Level::Warn,
    page: include_str!("../container_runs_as_root.md"),
};

pub(crate) struct ContainerRunsAsRoot;

impl Lint for ContainerRunsAsRoot {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for image in &cx.deploy.images {
            if let Some(diagnostic) = of_image(image) {
                push_once(report, diagnostic);
            }
        }
        for service in &cx.deploy.services {
            report.extend(of_service(service));
        }
    }
}

fn of_image(image: &Image) -> Option<Diagnostic> {
    if !starts_a_service(image) || image.reached.drops_privileges {
        return None;
    }
    // The base's entry point runs, with this command as its arguments.
    if image.user.is_none() && image.entrypoint.is_none() && image.base.as_deref().is_some_and(drops_privileges) {
        return None;
    }
    // Whoever runs it says as whom.
    let says_other = |user: &Option<String>| user.as_ref().is_some_and(|user| !is_root(user));
    if !image.service_users.is_empty() && image.service_users.iter().all(says_other) {
        return None;
    }
    let (message, span, confidence) = match (&image.user, image.base.as_deref()) {
        (Some(user), _) => {
            let text = user.text.as_deref().filter(|user| is_root(user))?;
            (format!("the container runs as root: `USER {text}` is the last"), user.span, Confidence::Certain)
        }
        (None, base) => {
            let base = base?;
            let confidence = match user_of(base) {
                ImageUser::Root => Confidence::Certain,
                ImageUser::ProbablyRoot => Confidence::Likely,
                ImageUser::Unknown => Confidence::Possible,
                ImageUser::Other => return None,
            };
            let message = format!("the container runs as root: nothing sets `USER`, and `{base}` does not either");
            (message, image.from, confidence)
        }
    };
    let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(image.file, span));
    // A script that is not there may change the user.
    diagnostic.confidence = if image.reached.misses_script { confidence.min(Confidence::Possible) } else { confidence };
    diagnostic.help = Some(help(image.base.as_deref().unwrap_or("")));
    Some(diagnostic)
}

/// An image without a command is for others to build on; one with a shell is for somebody to sit at.
fn starts_a_service(image: &Image) -> bool {
    let is_started = image.entrypoint.is_some() || image.cmd.is_some();
    let names = || image.reached.programs.iter().filter_map(|program| program.words.first());
    let is_tool = |name: &str| SHELLS.contains(&name) || DROPS_BY_ITSELF.contains(&name) || matches!(name, "sleep" | "tail");
    is_started && !(names().next().is_some() && names().all(|word| is_tool(base_name(&word.text))))
}

/// They start as root, take a port or a file that only root may have, and go on as somebody else.
const DROPS_BY_ITSELF: [&str; 9] =
    ["nginx", "httpd", "apache2", "apache2-foreground", "sshd", "crond", "cron", "haproxy", "dockerd"];

fn help(base: &str) -> String {
    match base {
        base if base.starts_with("gcr.io/distroless/") => {
            format!("use the tag `nonroot` of `{}`, or write `USER nonroot`", base.split(':').next().unwrap_or(base))
        }
        "scratch" => "write `USER 65532:65532` above the entry point".to_owned(),
        base if base.contains("alpine") => "add `RUN adduser -D -H app`, and write `USER app` below it".to_owned(),
        _ => "add `RUN useradd --system --no-create-home app`, and write `USER app` below it".to_owned(),
    }
}

/// A service that makes root of what its Dockerfile runs as somebody else.
fn of_service(service: &Service) -> Option<Diagnostic> {
    let (user, span) = service.user.as_ref()?;
    if !service.is_built || service.is_for_development || !is_root(user) {
        return None;
    }
    let message = format!("the service `{}` runs as root: `user: {user}` outweighs what its Dockerfile says", service.name);
    let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(service.file, *span));
    diagnostic.help = Some("remove `user:`, and write `USER app` in the Dockerfile".to_owned());
    Some(diagnostic)
}
