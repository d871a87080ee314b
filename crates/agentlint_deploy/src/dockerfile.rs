//! The stages of a Dockerfile, and what an image made of one starts, as whom, and with which files.

use std::collections::HashMap;

use parse_dockerfile::{Command, Instruction, Source};

use crate::Span;
use crate::shell::Word;

/// A Dockerfile that parses.
#[derive(Debug, Default)]
pub struct Dockerfile {
    pub stages: Vec<Stage>,
    /// What joins lines.
    pub escape: char,
    pub comments: Vec<Span>,
    /// The instructions.
    pub statements: Vec<Span>,
}

#[derive(Debug)]
pub struct Stage {
    pub name: Option<String>,
    pub base: Base,
    /// The whole `FROM`.
    pub from: Span,
    pub user: Option<Value>,
    pub entrypoint: Option<Invocation>,
    pub cmd: Option<Invocation>,
    /// The words of `SHELL`.
    pub shell: Option<Vec<String>>,
    pub stop_signal: Option<Value>,
    pub copies: Vec<Copy>,
    /// Absolute where it is known.
    workdir: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// An earlier stage.
    Stage(usize),
    Image(String),
    /// A variable without a value.
    Unknown,
}

/// What an instruction says.
#[derive(Clone, Debug)]
pub struct Value {
    /// The whole instruction.
    pub span: Span,
    /// `None` where it has a variable without a value.
    pub text: Option<String>,
}

/// `ENTRYPOINT` or `CMD`.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The whole instruction.
    pub span: Span,
    pub arguments: Span,
    pub form: Form,
}

#[derive(Clone, Debug)]
pub enum Form {
    Exec(Vec<Word>),
    /// As it is written.
    Shell(String),
}

/// `COPY`, and `ADD` of what lies on the disk.
#[derive(Clone, Debug)]
pub struct Copy {
    pub span: Span,
    pub from: CopyFrom,
    pub sources: Vec<String>,
    /// Absolute; with a `/` at its end where it is a folder.
    pub destination: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyFrom {
    Context,
    Stage(usize),
    Image,
}

/// What runs, seen through all stages that an image is built from.
#[derive(Debug, Default)]
pub struct Effective<'a> {
    pub entrypoint: Option<&'a Invocation>,
    pub cmd: Option<&'a Invocation>,
    pub user: Option<&'a Value>,
    pub stop_signal: Option<&'a Value>,
    pub shell: Option<&'a [String]>,
    /// `None` where a variable names it.
    pub image: Option<&'a str>,
    /// Where the image is named.
    pub from: Span,
}

/// `None` where it is not a Dockerfile that Docker would take.
pub fn parse(text: &str) -> Option<Dockerfile> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = parse_dockerfile::parse(text).ok()?;
    let escape = parsed.parser_directives.escape.as_ref().map_or('\\', |escape| escape.value.value);
    let mut reader =
        Reader { text, file: Dockerfile { escape, ..Dockerfile::default() }, global: HashMap::new(), scope: HashMap::new() };
    let starts: Vec<usize> = parsed.instructions.iter().map(|instruction| keyword(instruction).start).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let mut heredocs = Vec::new();
    for (instruction, (start, end)) in parsed.instructions.iter().zip(starts.iter().zip(ends)) {
        let span = reader.whole(*start, end);
        reader.file.statements.push(span);
        reader.instruction(instruction, span);
        heredocs.extend(here_documents(instruction));
    }
    reader.file.comments = comments(text, &heredocs);
    (!reader.file.stages.is_empty()).then_some(reader.file)
}

struct Reader<'a> {
    text: &'a str,
    file: Dockerfile,
    /// Before the first `FROM`.
    global: HashMap<String, Option<String>>,
    scope: HashMap<String, Option<String>>,
}

impl Reader<'_> {
    fn whole(&self, start: usize, end: usize) -> Span {
        let text = self.text.get(start..end).unwrap_or("");
        // Comments below belong to the next instruction.
        let mut length = 0;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            at += line.len();
            if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                length = at - line.len() + line.trim_end().len();
            }
        }
        Span { start: start as u32, end: (start + length) as u32 }
    }

    fn instruction(&mut self, instruction: &Instruction<'_>, span: Span) {
        if let Instruction::From(from) = instruction {
            return self.from(from, span);
        }
        if let Instruction::Arg(arg) = instruction {
            return self.argument(&arg.arguments.value);
        }
        let Some(at) = self.file.stages.len().checked_sub(1) else { return };
        match instruction {
            Instruction::Env(env) => {
                for (name, value) in assignments(&env.arguments.value) {
                    let value = self.substitute(&value);
                    self.scope.insert(name, value);
                }
            }
            Instruction::User(user) => {
                let text = self.substitute(user.arguments.value.trim());
                self.file.stages[at].user = Some(Value { span, text });
            }
            Instruction::Stopsignal(signal) => {
                let text = self.substitute(signal.arguments.value.trim());
                self.file.stages[at].stop_signal = Some(Value { span, text });
            }
            Instruction::Workdir(folder) => {
                let path = self.substitute(folder.arguments.value.trim().trim_matches('"'));
                let below = self.workdir(at);
                self.file.stages[at].workdir = path.and_then(|path| join(below.as_deref(), &path));
            }
            Instruction::Shell(shell) => {
                self.file.stages[at].shell = Some(shell.arguments.iter().map(|word| word.value.to_string()).collect());
            }
            Instruction::Entrypoint(entrypoint) => {
                self.file.stages[at].entrypoint = Some(invocation(&entrypoint.arguments, span));
            }
            Instruction::Cmd(cmd) => self.file.stages[at].cmd = Some(invocation(&cmd.arguments, span)),
            Instruction::Copy(copy) => {
                let from = copy.options.iter().find(|flag| flag.name.value == "from");
                let from = from.map(|flag| flag.value.as_ref().map_or("", |value| &value.value));
                let from = match from {
                    None => CopyFrom::Context,
                    Some(name) => self.stage(name).map_or(CopyFrom::Image, CopyFrom::Stage),
                };
                self.copy(at, span, from, &copy.src, &copy.dest.value);
            }
            Instruction::Add(add) => self.copy(at, span, CopyFrom::Context, &add.src, &add.dest.value),
            _ => {}
        }
    }

    fn from(&mut self, from: &parse_dockerfile::FromInstruction<'_>, span: Span) {
        let name = from.as_.as_ref().map(|(_, name)| name.value.to_lowercase());
        let image = substitute(&from.image.value, |name| self.global.get(name).cloned().flatten());
        let base = match image {
            None => Base::Unknown,
            Some(image) => match self.stage(&image) {
                Some(stage) => Base::Stage(stage),
                None => Base::Image(image),
            },
        };
        self.scope = HashMap::new();
        self.file.stages.push(Stage {
            name,
            base,
            from: span,
            user: None,
            entrypoint: None,
            cmd: None,
            shell: None,
            stop_signal: None,
            copies: Vec::new(),
            workdir: None,
        });
    }

    fn argument(&mut self, text: &str) {
        let in_stage = !self.file.stages.is_empty();
        for part in text.split_whitespace() {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, self.substitute(value.trim_matches(['"', '\'']))),
                None if in_stage => (part, self.global.get(part).cloned().flatten()),
                None => (part, None),
            };
            let scope = if in_stage { &mut self.scope } else { &mut self.global };
            scope.insert(name.to_owned(), value);
        }
    }

    fn copy(&mut self, at: usize, span: Span, from: CopyFrom, sources: &[Source<'_>], destination: &str) {
        let below = self.workdir(at);
        let destination = self.substitute(destination).and_then(|path| join(below.as_deref(), &path));
        let Some(destination) = destination else { return };
        let paths = sources.iter().filter_map(|source| match source {
            Source::Path(path) => self.substitute(&path.value),
            _ => None,
        });
        let sources = paths.filter(|path| !path.contains("://")).collect();
        self.file.stages[at].copies.push(Copy { span, from, sources, destination });
    }

    fn workdir(&self, at: usize) -> Option<String> {
        let mut stage = &self.file.stages[at];
        loop {
            match (&stage.workdir, &stage.base) {
                (Some(folder), _) => return Some(folder.clone()),
                (None, Base::Stage(base)) => stage = &self.file.stages[*base],
                (None, _) => return None,
            }
        }
    }

    /// By name or number.
    fn stage(&self, name: &str) -> Option<usize> {
        let wanted = name.to_lowercase();
        let named = self.file.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&wanted));
        named.or_else(|| wanted.parse().ok().filter(|at| *at < self.file.stages.len()))
    }

    fn substitute(&self, text: &str) -> Option<String> {
        substitute(text, |name| self.scope.get(name).cloned().flatten())
    }
}

impl Dockerfile {
    /// The stage and those below it, from the top.
    pub fn chain(&self, stage: usize) -> impl Iterator<Item = &Stage> {
        let mut next = self.stages.get(stage);
        std::iter::from_fn(move || {
            let stage = next?;
            next = match stage.base {
                // A stage is built from an earlier one, so this ends.
                Base::Stage(base) => self.stages.get(base),
                _ => None,
            };
            Some(stage)
        })
    }

    pub fn stage_named(&self, name: &str) -> Option<usize> {
        let wanted = name.to_lowercase();
        let named = self.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&wanted));
        named.or_else(|| wanted.parse().ok().filter(|at| *at < self.stages.len()))
    }

    pub fn effective(&self, stage: usize) -> Effective<'_> {
        let mut effective = Effective::default();
        for stage in self.chain(stage) {
            // An entry point forgets the command of what it is built from.
            if effective.entrypoint.is_none() {
                effective.cmd = effective.cmd.or(stage.cmd.as_ref());
            }
            effective.entrypoint = effective.entrypoint.or(stage.entrypoint.as_ref());
            effective.user = effective.user.or(stage.user.as_ref());
            effective.stop_signal = effective.stop_signal.or(stage.stop_signal.as_ref());
            effective.shell = effective.shell.or(stage.shell.as_deref());
            effective.from = stage.from;
            effective.image = match &stage.base {
                Base::Image(image) => Some(image),
                _ => None,
            };
        }
        effective
    }

    /// Where a file of the image comes from: the paths in the build context, and the instructions that bring it.
    pub fn origins(&self, stage: usize, path: &str) -> Vec<(String, Span)> {
        let mut origins = Vec::new();
        let folder = self.chain(stage).find_map(|stage| stage.workdir.as_deref()).unwrap_or("/");
        // A stage copies from earlier ones, so this ends; but there may be many ways.
        const MOST: usize = 64;
        let mut open = vec![(stage, join(Some(folder), path))];
        while let Some((stage, Some(path))) = open.pop()
            && origins.len() < MOST
        {
            self.add_origins(stage, &path, &mut origins, &mut open);
        }
        origins
    }

    fn add_origins(&self, at: usize, path: &str, origins: &mut Vec<(String, Span)>, open: &mut Vec<(usize, Option<String>)>) {
        for copy in self.chain(at).flat_map(|stage| stage.copies.iter().rev()) {
            for from in copy.sources.iter().filter_map(|source| source_of(source, copy, path)) {
                match copy.from {
                    CopyFrom::Context => origins.push((from, copy.span)),
                    CopyFrom::Stage(stage) if stage < at => {
                        let from = join(Some("/"), &from).unwrap_or(from);
                        origins.push((from.clone(), copy.span));
                        open.push((stage, Some(from)));
                    }
                    CopyFrom::Stage(_) => {}
                    CopyFrom::Image => {}
                }
            }
        }
    }
}

/// The path that `path` of the image had in the source, where this source may be what it was copied from.
fn source_of(source: &str, copy: &Copy, path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let source_name = source.trim_end_matches('/').rsplit('/').next()?;
    let folder = copy.destination.trim_end_matches('/');
    if source_name.contains('*') {
        let above = source.rsplit_once('/').map_or("", |(above, _)| above);
        let suffix = source_name.rsplit('*').next().unwrap_or("");
        let is_in = path.strip_prefix(folder).is_some_and(|rest| rest.trim_start_matches('/') == name);
        return (is_in && name.ends_with(suffix)).then(|| format!("{above}/{name}"));
    }
    // A file under another name, or into a folder.
    if path == copy.destination || (source_name == name && path == format!("{folder}/{name}")) {
        return Some(source.to_owned());
    }
    // A folder's content.
    let rest = path.strip_prefix(folder)?.strip_prefix('/')?;
    Some(format!("{}/{rest}", source.trim_end_matches('/')))
}

/// `path` below `folder` unless it is absolute; its `.` and `..` are taken away, a `/` at its end stays.
pub fn join(folder: Option<&str>, path: &str) -> Option<String> {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", folder?.trim_end_matches('/')) };
    let mut parts = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let is_folder = path.ends_with('/') || path == "." || path.ends_with("/.");
    let end = if is_folder && !parts.is_empty() { "/" } else { "" };
    Some(format!("/{}{end}", parts.join("/")))
}

fn invocation(command: &Command<'_>, span: Span) -> Invocation {
    let at = |span: &std::ops::Range<usize>| Span { start: span.start as u32, end: span.end as u32 };
    match command {
        Command::Exec(words) => {
            let form = words.value.iter().map(|word| Word {
                span: at(&word.span),
                text: word.value.to_string(),
                // Nothing expands it: `$X` is handed on as it is, and means nothing to anyone but a shell.
                is_static: !word.value.contains('$'),
            });
            Invocation { span, arguments: at(&words.span), form: Form::Exec(form.collect()) }
        }
        Command::Shell(text) => Invocation { span, arguments: at(&text.span), form: Form::Shell(text.value.to_owned()) },
        // The parser may learn more forms.
        _ => Invocation { span, arguments: span, form: Form::Exec(Vec::new()) },
    }
}

fn assignments(text: &str) -> Vec<(String, String)> {
    if let Some((name, value)) = text.split_once(' ').filter(|(name, _)| !name.contains('=')) {
        return vec![(name.to_owned(), value.trim().to_owned())];
    }
    let parts = text.split_whitespace().filter_map(|part| part.split_once('='));
    parts.map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned())).collect()
}

/// `None` where a variable has no value.
fn substitute(text: &str, value_of: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        if let Some(braced) = after.strip_prefix('{') {
            let (inner, behind) = braced.split_once('}')?;
            let (name, default) = match inner.split_once(":-").or_else(|| inner.split_once('-')) {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (inner, None),
            };
            done.push_str(&value_of(name).or(default)?);
            rest = behind;
        } else {
            let length = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
            done.push_str(&value_of(&after[..length])?);
            rest = &after[length..];
        }
    }
    done.push_str(rest);
    Some(done)
}

fn keyword(instruction: &Instruction<'_>) -> std::ops::Range<usize> {
    match instruction {
        Instruction::Add(one) => one.add.span.clone(),
        Instruction::Arg(one) => one.arg.span.clone(),
        Instruction::Cmd(one) => one.cmd.span.clone(),
        Instruction::Copy(one) => one.copy.span.clone(),
        Instruction::Entrypoint(one) => one.entrypoint.span.clone(),
        Instruction::Env(one) => one.env.span.clone(),
        Instruction::Expose(one) => one.expose.span.clone(),
        Instruction::From(one) => one.from.span.clone(),
        Instruction::Healthcheck(one) => one.healthcheck.span.clone(),
        Instruction::Label(one) => one.label.span.clone(),
        Instruction::Maintainer(one) => one.maintainer.span.clone(),
        Instruction::Onbuild(one) => one.onbuild.span.clone(),
        Instruction::Run(one) => one.run.span.clone(),
        Instruction::Shell(one) => one.shell.span.clone(),
        Instruction::Stopsignal(one) => one.stopsignal.span.clone(),
        Instruction::User(one) => one.user.span.clone(),
        Instruction::Volume(one) => one.volume.span.clone(),
        Instruction::Workdir(one) => one.workdir.span.clone(),
        _ => 0..0,
    }
}

fn here_documents(instruction: &Instruction<'_>) -> Vec<std::ops::Range<usize>> {
    let of_sources = |sources: &[Source<'_>]| {
        let spans = sources.iter().filter_map(|source| match source {
            Source::HereDoc(document) => Some(document.span.clone()),
            _ => None,
        });
        spans.collect()
    };
    match instruction {
        Instruction::Run(run) => run.here_docs.iter().map(|document| document.span.clone()).collect(),
        Instruction::Copy(copy) => of_sources(&copy.src),
        Instruction::Add(add) => of_sources(&add.src),
        _ => Vec::new(),
    }
}

/// Lines that begin with `#`, but for those of here documents.
fn comments(text: &str, heredocs: &[std::ops::Range<usize>]) -> Vec<Span> {
    let mut start = 0;
    let mut comments = Vec::new();
    for line in text.split_inclusive('\n') {
        let at = start + line.len() - line.trim_start().len();
        if line.trim_start().starts_with('#') && !heredocs.iter().any(|document| document.contains(&at)) {
            comments.push(Span { start: at as u32, end: (start + line.trim_end().len()) as u32 });
        }
        start += line.len();
    }
    comments
}
