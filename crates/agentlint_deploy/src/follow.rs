//! From the words that a container or process is started with to the program that runs in the end: through init programs,
//! shells, scripts and what changes the user.

use std::rc::Rc;

use crate::shell::{Joint, Last, Places, Script, Simple, Word, parse, parse_in_dockerfile};
use crate::{FileNumber, Span};

/// What was found on the way.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// What runs in the end, or beside it.
    pub programs: Vec<Program>,
    /// Shells that wait for what they started.
    pub shells: Vec<Front>,
    pub drops_privileges: bool,
    /// An init program that passes signals on to all processes.
    pub signals_all: bool,
    /// What is started may be a script, and is not there to be read; or a variable names it.
    pub misses_script: bool,
}

#[derive(Clone, Debug)]
pub struct Program {
    pub file: FileNumber,
    pub words: Vec<Word>,
}

impl Program {
    /// From the first word to the last.
    pub fn span(&self) -> Span {
        let first = self.words.first().map_or(Span::default(), |word| word.span);
        self.words.iter().fold(first, |span, word| span.to(word.span))
    }
}

/// A shell that stays in front of what it started.
#[derive(Clone, Debug)]
pub struct Front {
    pub file: FileNumber,
    /// The command that it waits for; the whole text where its own place is not known.
    pub span: Span,
    pub kind: FrontKind,
    /// The command's words.
    pub waits_for: String,
    /// A command without a pipe or a background: some shells replace themselves with it.
    pub is_simple: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrontKind {
    /// `sh -c "…"`, by the shell's name.
    Inline { shell: String, text: String },
    /// By its file's name.
    Script(String),
}

/// A script of the project.
#[derive(Debug)]
pub struct ScriptFile {
    pub file: FileNumber,
    pub name: String,
    pub script: Script,
}

/// Finds the script that a path of the image stands for.
pub type FindScript<'a> = dyn FnMut(&str) -> Option<Rc<ScriptFile>> + 'a;

/// Scripts that start scripts.
const DEEPEST: usize = 8;

pub const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// Follows an argument vector.
pub fn follow(words: &[Word], file: FileNumber, find: &mut FindScript<'_>) -> Reached {
    let mut follower = Follower { find, reached: Reached::default() };
    follower.words(words, file, 0);
    follower.reached
}

/// Follows a text that a shell reads.
pub fn follow_text(text: &str, at: u32, escape: char, file: FileNumber, find: &mut FindScript<'_>) -> Reached {
    let mut follower = Follower { find, reached: Reached::default() };
    let script = parse_in_dockerfile(text, Places::From(at), escape);
    follower.commands(&script, None, &[], file, 0);
    follower.reached
}

struct Follower<'a, 'b> {
    find: &'a mut FindScript<'b>,
    reached: Reached,
}

impl Follower<'_, '_> {
    fn words(&mut self, words: &[Word], file: FileNumber, depth: usize) {
        if depth > DEEPEST {
            self.reached.misses_script = true;
            return;
        }
        let words = self.without_wrappers(words);
        let Some(first) = words.first() else { return };
        let name = base_name(&first.text);
        if first.text.starts_with('$') {
            self.reached.misses_script = true;
            return;
        }
        if SHELLS.contains(&name) {
            return self.shell(name, &words[1..], file, depth);
        }
        if matches!(name, "su" | "runuser" | "sudo") {
            // What is left is `-c`.
            let text = words.iter().skip_while(|word| word.text != "-c").nth(1);
            if let Some(text) = text {
                self.commands(&parse(&text.text, Places::Whole(text.span)), None, &[], file, depth + 1);
            }
            return;
        }
        if let Some(script) = (self.find)(&first.text) {
            return self.script(&script, &words[1..], file, depth);
        }
        if name.ends_with(".sh") || name.contains("entrypoint") || name == "init" {
            self.reached.misses_script = true;
        }
        self.reached.programs.push(Program { file, words: words.to_vec() });
    }

    fn shell(&mut self, name: &str, arguments: &[Word], file: FileNumber, depth: usize) {
        let mut at = 0;
        while let Some(word) = arguments.get(at) {
            let flag = word.text.as_str();
            if flag == "+o" || (flag.starts_with('-') && !flag.starts_with("--") && flag.ends_with('o')) {
                at += 2;
            } else if flag.starts_with('-') && !flag.starts_with("--") && flag.ends_with('c') {
                let Some(text) = arguments.get(at + 1) else { return };
                let script = parse(&text.text, Places::Whole(text.span));
                let front = FrontKind::Inline { shell: name.to_owned(), text: text.text.clone() };
                let positional = arguments.get(at + 3..).unwrap_or(&[]);
                return self.commands(&script, Some(front), positional, file, depth + 1);
            } else if flag.starts_with('-') {
                at += 1;
            } else {
                match (self.find)(flag) {
                    Some(script) => self.script(&script, &arguments[at + 1..], file, depth),
                    None => self.reached.misses_script = true,
                }
                return;
            }
        }
        // A shell for somebody to sit at.
        self.reached.programs.push(Program { file, words: vec![shell_word(name, arguments)] });
    }

    /// `file` is where the arguments stand.
    fn script(&mut self, script: &ScriptFile, arguments: &[Word], file: FileNumber, depth: usize) {
        self.reached.drops_privileges |= script.script.commands.iter().any(|command| drops_privileges(&command.words));
        if script.script.has("trap") {
            // It sees to signals itself.
            return;
        }
        if let Last::Replaced(command) | Last::Waited(command) = script.script.last()
            && command.words.iter().any(|word| word.text == "$@")
        {
            // What it is given runs, behind what stands in front of `"$@"`.
            if let Last::Waited(_) = script.script.last() {
                self.front(command, command, FrontKind::Script(script.name.clone()), script.file);
            }
            let own = command.words.iter().skip_while(|word| word.text == "exec").take_while(|word| word.text != "$@");
            let own: Vec<Word> = own.cloned().collect();
            return match own.is_empty() {
                true => self.words(arguments, file, depth + 1),
                false => {
                    let words: Vec<Word> = own.into_iter().chain(arguments.iter().cloned()).collect();
                    // Their places are in two files: what they start is told at the script's own.
                    self.words(&words, script.file, depth + 1);
                }
            };
        }
        self.commands(&script.script, Some(FrontKind::Script(script.name.clone())), arguments, script.file, depth + 1);
    }

    /// `front` is left out where whoever asks knows the shell.
    fn commands(&mut self, script: &Script, front: Option<FrontKind>, arguments: &[Word], file: FileNumber, depth: usize) {
        self.reached.drops_privileges |= script.commands.iter().any(|command| drops_privileges(&command.words));
        if let (Last::Waited(last), Some(front)) = (script.last(), front) {
            let server = script.head_of_pipeline(last);
            if !PASSING.contains(&server.name()) {
                self.front(server, last, front, file);
            }
        }
        for command in script.running() {
            let words = if command.name() == "exec" { &command.words[1..] } else { &command.words };
            match words {
                [word, ..] if word.text == "$@" => self.words(arguments, file, depth + 1),
                [word, ..] if PASSING.contains(&word.text.as_str()) => {}
                words => self.words(words, file, depth + 1),
            }
        }
    }

    /// `server` is what the shell waits for; `last` the end of its pipeline.
    fn front(&mut self, server: &Simple, last: &Simple, kind: FrontKind, file: FileNumber) {
        let words: Vec<&str> = server.words.iter().map(|word| word.text.as_str()).collect();
        let is_simple = last.before != Joint::Pipe && last.after == Joint::Next;
        self.reached.shells.push(Front { file, span: server.span, kind, waits_for: words.join(" "), is_simple });
    }

    /// What stands behind init programs, `env` and the like.
    fn without_wrappers<'w>(&mut self, mut words: &'w [Word]) -> &'w [Word] {
        // Each turn takes a word away.
        while let Some((first, rest)) = words.split_first() {
            let name = base_name(&first.text);
            self.reached.drops_privileges |= drops_privileges(words);
            words = match name {
                "exec"
                | "nohup"
                | "setsid"
                | "time"
                | "nice"
                | "ionice"
                | "stdbuf"
                | "catatonit"
                | "xvfb-run"
                | "ddtrace-run"
                | "opentelemetry-instrument"
                | "with-contenv"
                | "npx"
                | "bunx"
                | "command" => after_flags(rest, &["-n", "-a", "-c"]),
                "env" => {
                    let rest = after_flags(rest, &["-u", "-C"]);
                    let assignments = rest.iter().take_while(|word| word.text.contains('=')).count();
                    &rest[assignments..]
                }
                "tini" | "tini-static" | "docker-init" => {
                    self.reached.signals_all |= flags(rest).any(|flag| flag == "-g" || flag == "-gv");
                    after_flags(rest, &["-p", "-e"])
                }
                "dumb-init" => {
                    self.reached.signals_all |= !flags(rest).any(|flag| flag == "-c" || flag == "--single-child");
                    after_flags(rest, &["-r", "--rewrite"])
                }
                "gosu" | "su-exec" | "s6-setuidgid" | "setuidgid" => rest.get(1..).unwrap_or(&[]),
                "setpriv" => after_flags(rest, &["--reuid", "--regid", "--groups", "--inh-caps", "--bounding-set"]),
                "chpst" => after_flags(rest, &["-u", "-U", "-n", "-b", "-e"]),
                "chroot" => after_flags(rest, &[]).get(1..).unwrap_or(&[]),
                "timeout" => after_flags(rest, &["-k", "-s", "--signal", "--kill-after"]).get(1..).unwrap_or(&[]),
                "sudo" | "runuser" if !words.iter().any(|word| word.text == "-c") => after_flags(rest, &["-u", "-g"]),
                "poetry" | "uv" | "pipenv" | "pdm" | "rye" if rest.first().is_some_and(|word| word.text == "run") => {
                    after_flags(&rest[1..], &["--with", "--project", "--directory", "--python", "--extra", "--group"])
                }
                "doppler" | "op" | "infisical" | "dotenvx" => match rest.iter().position(|word| word.text == "--") {
                    Some(at) => &rest[at + 1..],
                    None => return words,
                },
                name if name.starts_with("python") => match rest.iter().position(|word| word.text == "-m") {
                    Some(at) if at <= 2 => &rest[at + 1..],
                    _ => return words,
                },
                _ => return words,
            };
        }
        words
    }
}

/// Commands that are over at once, or wait for something that is not theirs.
const PASSING: [&str; 28] = [
    "echo", "printf", "exit", "return", "true", "false", ":", "set", "export", "cd", "test", "[", "[[", "rm", "cp", "mv",
    "mkdir", "chmod", "chown", "cat", "ls", "touch", "sleep", "tail", "wait", "source", ".", "unset",
];

/// Whether it goes on as somebody else than root.
fn drops_privileges(words: &[Word]) -> bool {
    let words = match words.first() {
        Some(first) if first.text == "exec" => &words[1..],
        _ => words,
    };
    let Some(first) = words.first() else { return false };
    let is_root = |user: Option<&Word>| user.is_none_or(|user| is_root(&user.text));
    match base_name(&first.text) {
        "gosu" | "su-exec" | "s6-setuidgid" | "setuidgid" => !is_root(words.get(1)),
        "setpriv" => words.iter().any(|word| word.text.starts_with("--reuid")),
        "chroot" => words.iter().any(|word| word.text.starts_with("--userspec")),
        "su" => words.iter().skip(1).any(|word| !word.text.starts_with('-') && !self::is_root(&word.text)),
        "runuser" | "sudo" | "chpst" => {
            let at = words.iter().position(|word| word.text == "-u" || word.text == "--user");
            at.is_some_and(|at| !is_root(words.get(at + 1)))
        }
        _ => false,
    }
}

/// Whether it names root, as in `USER`.
pub fn is_root(user: &str) -> bool {
    let name = user.split(':').next().unwrap_or(user).trim();
    name == "root" || (!name.is_empty() && name.bytes().all(|byte| byte == b'0'))
}

pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn flags(words: &[Word]) -> impl Iterator<Item = &str> {
    words.iter().map(|word| word.text.as_str()).take_while(|text| text.starts_with('-') && *text != "--")
}

/// Behind flags, the values of those in `with_value`, and a `--`.
fn after_flags<'w>(words: &'w [Word], with_value: &[&str]) -> &'w [Word] {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match word.text.as_str() {
            "--" => return &words[at + 1..],
            flag if with_value.contains(&flag) => at += 2,
            flag if flag.starts_with('-') && flag.len() > 1 => at += 1,
            _ => break,
        }
    }
    words.get(at..).unwrap_or(&[])
}

fn shell_word(name: &str, arguments: &[Word]) -> Word {
    let span = arguments.first().map_or(Span::default(), |word| word.span);
    Word { span, text: name.to_owned(), is_static: true }
}
