//! `shell_form_entrypoint`: a shell stands where SIGTERM arrives, and the server behind it.

use agentlint_deploy::dockerfile::{Form, Invocation, Value};
use agentlint_deploy::follow::{Front, FrontKind, SHELLS, base_name};
use agentlint_deploy::images::{ImageShell, shell_of};
use agentlint_deploy::shell::{Last, Places, parse_in_dockerfile};
use agentlint_deploy::{FileNumber, Image, Service, Span};
use agentlint_diagnostics::{Confidence, Diagnostic, Group, Level, LintMeta};
use agentlint_linter::{Lint, LintContext};

use crate::deploy::{Start, location, push_once, shortened, started_at, started_here};

static META: LintMeta = LintMeta {
    id: "shell_form_entrypoint",
    summary: "a shell in front of the server that swallows SIGTERM",
    group: Group::Deploy,
    level: Level::Deny,
    page: include_str!("../shell_form_entrypoint.md"),
};

pub(crate) struct ShellFormEntrypoint;

impl Lint for ShellFormEntrypoint {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for image in &cx.deploy.images {
            of_image(image, report);
        }
        for service in cx.deploy.services.iter().filter(|service| !service.is_for_development) {
            of_service(service, report);
        }
    }
}

fn of_image(image: &Image, report: &mut Vec<Diagnostic>) {
    let name = match (&image.entrypoint, &image.cmd) {
        (Some(Invocation { form: Form::Shell(_), .. }), _) => "ENTRYPOINT",
        _ => "CMD",
    };
    let shell_form = [&image.entrypoint, &image.cmd].into_iter().flatten().find_map(|invocation| match &invocation.form {
        Form::Shell(text) => Some((invocation, text.as_str())),
        Form::Exec(_) => None,
    });
    if let Some((invocation, text)) = shell_form
        && let Some(diagnostic) = of_shell_form(image, name, invocation, text)
    {
        push_once(report, diagnostic);
    }
    let told = shell_form.map(|(invocation, _)| invocation.arguments);
    let start = Start { reached: &image.reached, named_in: image.file, named_at: started_at(image), is_asked_for: false };
    for front in image.reached.shells.iter().filter(|front| !(front.file == image.file && Some(front.span) == told)) {
        if let Some(diagnostic) = of_front(front, image.base.as_deref(), &start) {
            push_once(report, diagnostic);
        }
    }
    if let Some(Value { span, text: Some(signal) }) = &image.stop_signal
        && is_kill(signal)
    {
        push_once(report, kill(image.file, *span, &format!("STOPSIGNAL {signal}"), "the line: SIGTERM is the default"));
    }
}

fn of_service(service: &Service, report: &mut Vec<Diagnostic>) {
    if let Some((signal, span)) = &service.stop_signal
        && is_kill(signal)
    {
        push_once(report, kill(service.file, *span, &format!("stop_signal: {signal}"), "it: SIGTERM is the default"));
    }
    let Some(reached) = service.reached.as_ref().filter(|_| !service.is_job) else { return };
    let start = Start { reached, named_in: service.file, named_at: service.place, is_asked_for: false };
    for front in &reached.shells {
        let Some(mut diagnostic) = of_front(front, service.base.as_deref(), &start) else { continue };
        if !service.is_built {
            diagnostic.confidence = diagnostic.confidence.min(Confidence::Likely);
        }
        if front.file != service.file {
            diagnostic.labels.clear();
        }
        push_once(report, diagnostic);
    }
}

/// `ENTRYPOINT` or `CMD` in shell form.
fn of_shell_form(image: &Image, name: &str, invocation: &Invocation, text: &str) -> Option<Diagnostic> {
    let shell = image.shell.as_deref().and_then(|words| words.first()).map_or("sh", |shell| base_name(shell));
    // Windows has no SIGTERM.
    if !SHELLS.contains(&shell) {
        return None;
    }
    let place = location(image.file, invocation.span);
    let script = parse_in_dockerfile(text, Places::From(invocation.arguments.start), image.escape);
    let waits_for = match script.last() {
        Last::Waited(last) => shortened(&words(&script.head_of_pipeline(last).words).join(" ")),
        Last::Replaced(_) if image.entrypoint.is_none() || name == "ENTRYPOINT" || passes_arguments_on(image, invocation) => return None,
        _ => shortened(text),
    };
    if text.starts_with('[') {
        let message = format!("`{name}` is not valid JSON, so Docker hands it to a shell as it is");
        let mut diagnostic = Diagnostic::new(META.id, META.level, message, place);
        diagnostic.help = Some(match text.contains('\'') && !text.contains('"') && text.ends_with(']') {
            true => format!("write `{name} {}`: JSON knows double quotes only", text.replace('\'', "\"")),
            false => format!("write `{name} [\"/app/server\", \"--flag\"]`"),
        });
        return Some(diagnostic);
    }
    if image.entrypoint.is_some() && name == "CMD" {
        if !passes_arguments_on(image, invocation) {
            let message = "`CMD` in shell form hands `/bin/sh -c` and a text to the entry point, as its arguments";
            let mut diagnostic = Diagnostic::new(META.id, META.level, message, place);
            diagnostic.help = Some(help(name, text, &script.commands));
            // A script that is not there may run its arguments.
            diagnostic.confidence = if image.reached.misses_script { Confidence::Likely } else { Confidence::Certain };
            return Some(diagnostic);
        }
        if image.reached.signals_all {
            return None;
        }
    }
    let mut programs = image.reached.programs.iter().filter_map(|program| program.words.first());
    // Somebody sits at it, and leaves by himself.
    if programs.clone().next().is_some() && programs.all(|word| SHELLS.contains(&base_name(&word.text))) {
        return None;
    }
    let is_simple = matches!(script.last(), Last::Waited(command) if is_alone(command));
    let message = format!("`{name}` in shell form: SIGTERM goes to `{shell}`, not to `{waits_for}`");
    let mut diagnostic = Diagnostic::new(META.id, META.level, message, place);
    diagnostic.confidence = confidence(shell, image.base.as_deref(), is_simple);
    diagnostic.help = Some(help(name, text, &script.commands));
    Some(diagnostic)
}

/// Whether the entry point runs what it is given, as init programs do and scripts with `exec "$@"`.
fn passes_arguments_on(image: &Image, cmd: &Invocation) -> bool {
    let is_of_cmd = |front: &Front| front.file == image.file && front.span == cmd.arguments;
    let is_argument = |program: &agentlint_deploy::follow::Program| {
        program.words.iter().skip(1).any(|word| word.text == "/bin/sh" && word.span == cmd.arguments)
    };
    let programs = &image.reached.programs;
    image.reached.shells.iter().any(is_of_cmd)
        || (programs.iter().any(|program| program.words.iter().all(|word| word.span == cmd.arguments))
            && !programs.iter().any(is_argument))
}

fn is_alone(command: &agentlint_deploy::shell::Simple) -> bool {
    use agentlint_deploy::shell::Joint;
    command.before != Joint::Pipe && command.after == Joint::Next
}

/// A shell in exec form, or a script.
fn of_front(front: &Front, base: Option<&str>, start: &Start<'_>) -> Option<Diagnostic> {
    let program = base_name(front.waits_for.split(' ').next().unwrap_or(""));
    if start.reached.signals_all || SHELLS.contains(&program) {
        return None;
    }
    let waits_for = shortened(&front.waits_for);
    let message = match &front.kind {
        FrontKind::Inline { shell, .. } => format!("`{shell} -c` stays in front of `{waits_for}`: SIGTERM goes to the shell"),
        FrontKind::Script(script) => format!("`{script}` waits for `{waits_for}`: SIGTERM goes to the shell that runs the script"),
    };
    let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(front.file, front.span));
    diagnostic.help = Some(match front.is_simple {
        true => format!("write `exec {waits_for}`"),
        // A part of a pipeline cannot replace the shell.
        false => format!("start `{waits_for}` with `exec`, and without a pipe"),
    });
    if let FrontKind::Inline { shell, .. } = &front.kind {
        diagnostic.confidence = confidence(shell, base, front.is_simple);
    }
    diagnostic.labels.extend(started_here(start, front.file));
    Some(diagnostic)
}

/// bash and busybox's ash replace themselves with a simple last command, dash stays.
fn confidence(shell: &str, base: Option<&str>, is_simple: bool) -> Confidence {
    let behaviour = match shell {
        "bash" | "ash" | "zsh" => ImageShell::ReplacesItself,
        "dash" => ImageShell::Stays,
        _ => base.map_or(ImageShell::Unknown, shell_of),
    };
    match behaviour {
        _ if !is_simple => Confidence::Certain,
        ImageShell::Stays => Confidence::Certain,
        ImageShell::Unknown => Confidence::Likely,
        ImageShell::ReplacesItself => Confidence::Possible,
    }
}

fn help(name: &str, text: &str, commands: &[agentlint_deploy::shell::Simple]) -> String {
    if let [command] = commands
        && !command.has_assignments
        && command.words.iter().all(|word| word.is_static)
        && is_alone(command)
        && !text.contains(['<', '>', '\n'])
    {
        let words: Vec<String> = words(&command.words).iter().map(|word| format!("{word:?}")).collect();
        return format!("write `{name} [{}]`", words.join(", "));
    }
    match commands.last().filter(|_| !text.contains('\n')) {
        Some(command) if commands.len() == 1 && is_alone(command) && !command.has_assignments => format!("write `{name} exec {text}`"),
        Some(command) if command.depth == 0 => {
            format!("put `exec` in front of `{}`, the last command", command.name())
        }
        _ => "put `exec` in front of the command that is the server".to_owned(),
    }
}

fn words(words: &[agentlint_deploy::shell::Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

fn is_kill(signal: &str) -> bool {
    let upper = signal.trim().trim_matches('"').to_ascii_uppercase();
    matches!(upper.strip_prefix("SIG").unwrap_or(&upper), "KILL" | "9")
}

fn kill(file: FileNumber, span: Span, written: &str, remove: &str) -> Diagnostic {
    let message = format!("`{written}` kills the server at once: nothing asks it to end its streams");
    let mut diagnostic = Diagnostic::new(META.id, META.level, message, location(file, span));
    diagnostic.help = Some(format!("remove {remove}"));
    diagnostic
}
