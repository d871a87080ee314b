//! All files of a project together: which images are built, which services and processes run, and what each of them starts.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::compose::{self, Arguments, Build};
use crate::dockerfile::{self, Dockerfile, Effective, Form, Invocation, Value, join};
use crate::follow::{Reached, ScriptFile, base_name, follow, follow_text};
use crate::names::{FileKind, is_for_development};
use crate::shell::{Places, Word, parse as parse_shell};
use crate::{FileNumber, Span, procfile, yaml};

/// A file as the caller has read it.
#[derive(Clone, Debug)]
pub struct Text {
    pub file: FileNumber,
    /// Absolute, with `/` between its parts.
    pub path: String,
    pub text: Arc<str>,
}

/// One file's comments and what they may stand above.
#[derive(Clone, Debug)]
pub struct File {
    pub number: FileNumber,
    pub text: Arc<str>,
    pub comments: Vec<Span>,
    pub statements: Vec<Span>,
}

/// What a project's files start.
#[derive(Debug, Default)]
pub struct Project {
    pub files: Vec<File>,
    pub images: Vec<Image>,
    pub services: Vec<Service>,
    pub processes: Vec<Process>,
    /// Files that do not parse.
    pub not_understood: Vec<FileNumber>,
}

/// What a Dockerfile's stage makes, where that stage is what runs.
#[derive(Debug)]
pub struct Image {
    pub file: FileNumber,
    pub entrypoint: Option<Invocation>,
    pub cmd: Option<Invocation>,
    pub user: Option<Value>,
    pub stop_signal: Option<Value>,
    /// The words of `SHELL`.
    pub shell: Option<Vec<String>>,
    /// The image that it stands on; `None` where a variable names it.
    pub base: Option<String>,
    /// The last stage's `FROM`, or that of the stage that a service names.
    pub from: Span,
    pub reached: Reached,
    /// The instructions that copy each program that is reached out of a folder of debug builds.
    pub debug_builds: Vec<DebugBuild>,
    /// A service asks for this stage, which the file alone would not make.
    pub is_asked_for: bool,
    /// Their users, where services build it: what they say of it.
    pub service_users: Vec<Option<String>>,
    pub escape: char,
}

#[derive(Clone, Debug)]
pub struct DebugBuild {
    pub copy: Span,
    /// Where it was built.
    pub path: String,
    pub program: String,
}

/// A service of a compose file.
#[derive(Debug)]
pub struct Service {
    pub file: FileNumber,
    pub name: String,
    /// Where it says what it starts; else its name.
    pub place: Span,
    pub is_built: bool,
    pub is_job: bool,
    pub is_for_development: bool,
    pub user: Option<(String, Span)>,
    pub stop_signal: Option<(String, Span)>,
    /// Where it says itself what it starts.
    pub reached: Option<Reached>,
    /// What its image stands on, as far as that is known.
    pub base: Option<String>,
}

/// A line of a Procfile.
#[derive(Debug)]
pub struct Process {
    pub file: FileNumber,
    pub name: String,
    pub span: Span,
    pub reached: Reached,
}

impl Project {
    /// `read` finds a file by its absolute path, if it lies in the project. `root` is the topmost folder of the project.
    pub fn new(texts: &[Text], root: &str, read: &mut dyn FnMut(&str) -> Option<Text>) -> Project {
        let mut builder =
            Builder { root: root.trim_end_matches('/'), read, scripts: HashMap::new(), project: Project::default() };
        builder.build(texts);
        let Builder { mut project, scripts, .. } = builder;
        let mut scripts: Vec<File> = scripts.into_values().flatten().map(|(_, file)| file).collect();
        scripts.sort_by_key(|file| file.number);
        scripts.dedup_by_key(|file| file.number);
        project.files.extend(scripts);
        project
    }
}

type Scripts = HashMap<String, Option<(Rc<ScriptFile>, File)>>;

struct Builder<'a, 'b> {
    root: &'a str,
    read: &'a mut (dyn FnMut(&str) -> Option<Text> + 'b),
    scripts: Scripts,
    project: Project,
}

/// A compose file's service and the stage that it builds.
struct Composed {
    file: FileNumber,
    /// Where the compose file lies.
    folder: String,
    service: compose::Service,
    /// The Dockerfile's path and the build context.
    built: Option<(String, String)>,
    is_for_development: bool,
}

impl Builder<'_, '_> {
    fn build(&mut self, texts: &[Text]) {
        let mut dockerfiles: Vec<(&Text, Dockerfile)> = Vec::new();
        let mut composed = Vec::new();
        for text in texts {
            match FileKind::of_name(base_name(&text.path)) {
                Some(FileKind::Dockerfile) => match dockerfile::parse(&text.text) {
                    Some(parsed) => {
                        self.keep(text, parsed.comments.clone(), parsed.statements.clone());
                        dockerfiles.push((text, parsed));
                    }
                    None => self.project.not_understood.push(text.file),
                },
                Some(FileKind::Compose) => match yaml::parse(&text.text) {
                    Some(document) => {
                        composed.extend(self.compose(text, &document));
                        self.keep(text, document.comments, document.entries);
                    }
                    None => self.project.not_understood.push(text.file),
                },
                Some(FileKind::Procfile) => self.procfile(text),
                _ => {}
            }
        }
        for (text, dockerfile) in &dockerfiles {
            self.images(text, dockerfile, &composed);
        }
        for one in composed {
            self.service(one, &dockerfiles);
        }
    }

    fn keep(&mut self, text: &Text, comments: Vec<Span>, statements: Vec<Span>) {
        self.project.files.push(File { number: text.file, text: Arc::clone(&text.text), comments, statements });
    }

    fn compose(&self, text: &Text, document: &yaml::Document) -> Vec<Composed> {
        let folder = parent(&text.path).to_owned();
        let is_for_development = is_for_development(base_name(&text.path));
        let services = compose::services(document).into_iter();
        services
            .map(|service| {
                let built = service.build.as_ref().and_then(|Build { context, dockerfile, .. }| {
                    let context = join(Some(&folder), context)?;
                    Some((join(Some(&context), dockerfile)?, context.trim_end_matches('/').to_owned()))
                });
                let is_for_development = is_for_development || service.is_for_development;
                Composed { file: text.file, folder: folder.clone(), service, built, is_for_development }
            })
            .collect()
    }

    /// The last stage, and those that services name.
    fn images(&mut self, text: &Text, dockerfile: &Dockerfile, composed: &[Composed]) {
        if is_for_development(base_name(&text.path)) {
            return;
        }
        let builds = |one: &&Composed| one.built.as_ref().is_some_and(|(path, _)| *path == text.path) && !one.is_for_development;
        let services: Vec<&Composed> = composed.iter().filter(builds).collect();
        let last = dockerfile.stages.len() - 1;
        let stage_of = |one: &Composed| match one.service.build.as_ref().and_then(|build| build.target.as_ref()) {
            Some((name, _)) => dockerfile.stage_named(name),
            None => Some(last),
        };
        let asked: HashSet<usize> = services.iter().filter_map(|one| stage_of(one)).filter(|stage| *stage != last).collect();
        let mut stages: Vec<usize> = asked.iter().copied().chain([last]).collect();
        stages.sort_unstable();
        let contexts: Vec<String> =
            services.iter().filter_map(|one| one.built.as_ref()).map(|(_, context)| context.clone()).collect();
        for stage in stages {
            let name = dockerfile.stages[stage].name.as_deref().unwrap_or("");
            if stage == last && is_for_development(name) && !services.iter().any(|one| stage_of(one) == Some(last)) {
                continue;
            }
            let users = services.iter().filter(|one| stage_of(one) == Some(stage));
            let users = users.map(|one| one.service.user.as_ref().map(|(user, _)| user.clone())).collect();
            let mut image = self.image(text, dockerfile, stage, &contexts);
            image.is_asked_for = asked.contains(&stage);
            image.service_users = users;
            self.project.images.push(image);
        }
    }

    fn image(&mut self, text: &Text, dockerfile: &Dockerfile, stage: usize, contexts: &[String]) -> Image {
        let Effective { entrypoint, cmd, user, stop_signal, shell, image, .. } = dockerfile.effective(stage);
        let folders = self.contexts(parent(&text.path), contexts);
        let mut find = |path: &str| self.script_of_image(dockerfile, stage, path, &folders);
        let reached = match (entrypoint.map(|entrypoint| (entrypoint, &entrypoint.form)), cmd) {
            (Some((entrypoint, Form::Shell(command))), _) => {
                follow_text(command, entrypoint.arguments.start, dockerfile.escape, text.file, &mut find)
            }
            (None, Some(Invocation { arguments, form: Form::Shell(command), .. })) => {
                follow_text(command, arguments.start, dockerfile.escape, text.file, &mut find)
            }
            (entrypoint, cmd) => {
                let words = entrypoint.map_or_else(Vec::new, |(_, form)| words_of(form));
                let words: Vec<Word> = words.into_iter().chain(cmd.map_or_else(Vec::new, argument_words)).collect();
                follow(&words, text.file, &mut find)
            }
        };
        let programs = reached.programs.iter().filter_map(|program| program.words.first());
        let programs = programs.filter(|word| !is_debug_build(&word.text));
        let debug_builds = programs.flat_map(|word| {
            let origins = dockerfile.origins(stage, &word.text).into_iter();
            let built = origins.filter(|(path, _)| is_debug_build(path));
            built.map(|(path, copy)| DebugBuild { copy, path, program: word.text.clone() }).take(1)
        });
        Image {
            file: text.file,
            entrypoint: entrypoint.cloned(),
            cmd: cmd.cloned(),
            user: user.cloned(),
            stop_signal: stop_signal.cloned(),
            shell: shell.map(<[String]>::to_vec),
            base: image.map(str::to_owned),
            from: dockerfile.stages[stage].from,
            debug_builds: debug_builds.collect(),
            reached,
            is_asked_for: false,
            service_users: Vec::new(),
            escape: dockerfile.escape,
        }
    }

    fn service(&mut self, one: Composed, dockerfiles: &[(&Text, Dockerfile)]) {
        let Composed { file, folder, service, built, is_for_development } = one;
        let found = built.as_ref().and_then(|(path, _)| dockerfiles.iter().find(|(text, _)| text.path == *path));
        let stage = found.and_then(|(_, dockerfile)| match service.build.as_ref()?.target.as_ref() {
            Some((name, _)) => dockerfile.stage_named(name),
            None => Some(dockerfile.stages.len() - 1),
        });
        let image = found.zip(stage).map(|((text, dockerfile), stage)| (*text, dockerfile, stage));
        let effective = image.map(|(_, dockerfile, stage)| dockerfile.effective(stage)).unwrap_or_default();
        let words = |arguments: &Arguments| arguments.words.clone();
        let own = service.entrypoint.is_some() || service.command.is_some();
        let reached = own.then(|| {
            let entrypoint = match (&service.entrypoint, effective.entrypoint) {
                (Some(own), _) => words(own),
                (None, Some(Invocation { form: Form::Exec(of_image), .. })) => {
                    of_image.iter().map(|word| Word { span: ELSEWHERE, ..word.clone() }).collect()
                }
                (None, _) => Vec::new(),
            };
            let command = service.command.as_ref().map_or_else(Vec::new, words);
            let whole: Vec<Word> = entrypoint.into_iter().chain(command).collect();
            let contexts: Vec<String> = built.iter().map(|(_, context)| context.clone()).collect();
            let mut find = |path: &str| {
                let of_mount = service.mounts.iter().find_map(|(host, inside)| below_mount(&folder, host, inside, path));
                if let Some(script) = of_mount.and_then(|path| self.script(&path)) {
                    return Some(script);
                }
                let (text, dockerfile, stage) = image?;
                let folders = self.contexts(parent(&text.path), &contexts);
                self.script_of_image(dockerfile, stage, path, &folders)
            };
            let mut reached = follow(&whole, file, &mut find);
            reached.programs.retain(|program| program.words.first().is_none_or(|word| word.span != ELSEWHERE));
            reached.shells.retain(|shell| shell.span != ELSEWHERE);
            reached
        });
        let says = service.entrypoint.as_ref().or(service.command.as_ref());
        self.project.services.push(Service {
            file,
            name: service.name,
            place: says.map_or(service.place, |arguments| arguments.span),
            is_built: service.build.is_some(),
            is_job: service.is_job,
            is_for_development,
            user: service.user,
            stop_signal: service.stop_signal,
            reached,
            base: effective.image.map(str::to_owned).or(service.image),
        });
    }

    fn procfile(&mut self, text: &Text) {
        let (lines, comments) = procfile::lines(&text.text);
        let statements = lines.iter().map(|line| line.span).collect();
        if !is_for_development(base_name(&text.path)) {
            let folder = parent(&text.path);
            for line in &lines {
                // A release or migration is over when it is over.
                if line.name == "release" || is_for_development(line.name) {
                    continue;
                }
                let mut find = |path: &str| join(Some(folder), path).and_then(|path| self.script(&path));
                let reached = follow_text(line.command, line.command_start, '\\', text.file, &mut find);
                let name = line.name.to_owned();
                self.project.processes.push(Process { file: text.file, name, span: line.span, reached });
            }
        }
        self.keep(text, comments, statements);
    }

    /// Folders that an image may be built in: those that compose files name, and those between the Dockerfile and the root.
    fn contexts(&self, folder: &str, named: &[String]) -> Vec<String> {
        let mut contexts = named.to_vec();
        let mut folder = Some(folder);
        while let Some(context) = folder.filter(|context| context.starts_with(self.root)) {
            contexts.push(context.to_owned());
            folder = context.rsplit_once('/').map(|(above, _)| above);
        }
        contexts
    }

    fn script_of_image(
        &mut self,
        dockerfile: &Dockerfile,
        stage: usize,
        path: &str,
        contexts: &[String],
    ) -> Option<Rc<ScriptFile>> {
        if !is_path(path) {
            return None;
        }
        let origins = dockerfile.origins(stage, path);
        let paths = origins.iter().flat_map(|(origin, _)| {
            let below = origin.trim_start_matches('/');
            contexts.iter().filter_map(move |context| join(Some(context), below))
        });
        let paths: Vec<String> = paths.collect();
        paths.iter().find_map(|path| self.script(path))
    }

    fn script(&mut self, path: &str) -> Option<Rc<ScriptFile>> {
        if let Some(known) = self.scripts.get(path) {
            return known.as_ref().map(|(script, _)| Rc::clone(script));
        }
        let read = path.starts_with(self.root).then(|| (self.read)(path)).flatten();
        let script = read.filter(|text| is_shell_script(&text.path, &text.text)).map(|text| {
            let script = parse_shell(&text.text, Places::From(0));
            let statements = script.commands.iter().map(|command| command.span).collect();
            let comments = script.comments.clone();
            let file = File { number: text.file, text: Arc::clone(&text.text), comments, statements };
            (Rc::new(ScriptFile { file: text.file, name: base_name(path).to_owned(), script }), file)
        });
        let found = script.as_ref().map(|(script, _)| Rc::clone(script));
        self.scripts.insert(path.to_owned(), script);
        found
    }
}

/// The place of words in a Dockerfile, where a compose file's own are meant: what is wrong with them is told there.
const ELSEWHERE: Span = Span { start: u32::MAX, end: u32::MAX };

fn words_of(form: &Form) -> Vec<Word> {
    match form {
        Form::Exec(words) => words.clone(),
        Form::Shell(_) => Vec::new(),
    }
}

/// What `CMD` hands to an entry point: in shell form, a shell and its text.
fn argument_words(cmd: &Invocation) -> Vec<Word> {
    match &cmd.form {
        Form::Exec(words) => words.clone(),
        Form::Shell(text) => {
            let word = |text: &str| Word { span: cmd.arguments, text: text.to_owned(), is_static: true };
            vec![word("/bin/sh"), word("-c"), word(text)]
        }
    }
}

/// Names are looked up in the folders of programs, where no file of the project lies.
fn is_path(program: &str) -> bool {
    program.contains('/') || program.ends_with(".sh")
}

fn is_shell_script(path: &str, text: &str) -> bool {
    match text.strip_prefix("#!") {
        Some(rest) => {
            let line = rest.lines().next().unwrap_or("");
            let mut words = line.split_whitespace().map(base_name);
            words.any(|word| crate::follow::SHELLS.contains(&word))
        }
        None => path.ends_with(".sh"),
    }
}

/// Whether cargo puts builds without optimisation there.
fn is_debug_build(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let target = parts.iter().position(|part| *part == "target");
    // `target/debug/…` and `target/<triple>/debug/…`
    target.is_some_and(|at| parts.get(at + 1..).is_some_and(|rest| rest.iter().take(2).any(|part| *part == "debug")))
}

fn below_mount(folder: &str, host: &str, inside: &str, path: &str) -> Option<String> {
    let rest = path.strip_prefix(inside.trim_end_matches('/'))?;
    (host.starts_with('.') && (rest.is_empty() || rest.starts_with('/'))).then_some(())?;
    join(Some(folder), &format!("{}{rest}", host.trim_end_matches('/')))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
