//! A large file is parsed in pieces, on all threads that have nothing else to do: else the largest file of a program is what they
//! wait for in the end. A piece's tree also stays in the processor's cache until it is lowered.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use crate::Bodies;
use crate::ast::SourceFile;
use crate::parse::{Piece, read_valid};
use crate::scanner::Coarse;

/// No piece but the last is smaller, so that handing it to another thread pays.
const SMALLEST: u32 = 8 << 10;

/// Finds where a text may be cut, among its tokens, which are fed to it in order: between items, behind a brace.
pub(crate) struct Cuts {
    /// Where the last piece starts.
    start: u32,
    /// Behind the brace that was closed last, if nothing but comments came since.
    behind: Option<u32>,
    pub(crate) found: Vec<u32>,
}

impl Cuts {
    /// For a text that starts there.
    pub(crate) fn new(start: u32) -> Cuts {
        Cuts { start, behind: None, found: Vec::new() }
    }

    /// Takes the next token, no comment, which ends at `end`; `depth` delimiters are open behind it. Those deeper than 1 may be left out.
    pub(crate) fn feed(&mut self, token: Coarse<'_>, depth: u32, end: u32) {
        if let Some(at) = self.behind.take()
            && begins_item(token)
            && at - self.start >= SMALLEST
        {
            self.start = at;
            self.found.push(at);
        }
        self.behind = (token == Coarse::Close(b'}') && depth == 0).then_some(end);
    }
}

/// Whether a token that stands behind a brace begins an item: none of these continues an expression, a type or a clause.
fn begins_item(token: Coarse<'_>) -> bool {
    match token {
        Coarse::Punct(b'#', next) => next == b'[',
        Coarse::Word(word) => matches!(
            word,
            "async"
                | "const"
                | "enum"
                | "extern"
                | "fn"
                | "impl"
                | "mod"
                | "pub"
                | "static"
                | "struct"
                | "trait"
                | "type"
                | "unsafe"
                | "use"
        ),
        _ => false,
    }
}

/// What all threads share that parse a text. They may come when it is parsed, and nobody waits for them, so that it is owned.
struct Shared {
    text: String,
    plain: String,
    base: usize,
    bodies: Bodies,
    pieces: Vec<Range<usize>>,
    /// The first piece that nobody has taken.
    next: AtomicUsize,
}

impl Shared {
    /// Parses pieces until all are taken. `None` is sent for one that does not parse.
    fn work(&self, parsed: &Sender<(usize, Option<SourceFile>)>) {
        while let Some((at, range)) = self.take() {
            // One that panics does so again when the text is parsed whole, and is told then.
            let file = catch_unwind(AssertUnwindSafe(|| self.read(range))).ok().flatten();
            proc_macro2::extra::invalidate_current_thread_spans();
            if file.is_none() {
                self.next.store(self.pieces.len(), Ordering::Relaxed);
            }
            // The file is given up already, or this is taken.
            _ = parsed.send((at, file));
        }
    }

    fn take(&self) -> Option<(usize, Range<usize>)> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        Some((at, self.pieces.get(at)?.clone()))
    }

    fn read(&self, range: Range<usize>) -> Option<SourceFile> {
        let base = self.base + range.start;
        read_valid(Piece { text: self.text.get(range.clone())?, plain: self.plain.get(range)?, base }, self.bodies)
    }
}

/// Parses a text that is cut at the given bytes of its file. `None` where a piece does not parse: it takes the whole text to tell what
/// is wrong with it. `None` as well where there is nothing to cut.
pub(crate) fn read(whole: Piece<'_, '_>, cuts: &[u32], bodies: Bodies) -> Option<SourceFile> {
    if cuts.is_empty() {
        return None;
    }
    let (starts, ends) = (cuts.iter().map(|at| *at as usize - whole.base), [whole.text.len()]);
    let ends = starts.clone().chain(ends);
    let pieces: Vec<_> = [0].into_iter().chain(starts).zip(ends).map(|(start, end)| start..end).collect();
    let count = pieces.len();
    let shared = Arc::new(Shared {
        text: whole.text.to_owned(),
        plain: whole.plain.to_owned(),
        base: whole.base,
        bodies,
        pieces,
        next: AtomicUsize::new(0),
    });
    let (sender, receiver) = channel();
    // Other threads of a pool have a stack as large as this one.
    let threads = rayon::current_thread_index().map_or(1, |_| rayon::current_num_threads());
    for _ in 1..threads.min(count) {
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        rayon::spawn(move || shared.work(&sender));
    }
    shared.work(&sender);
    // Not by waiting for rayon, which would begin something else here meanwhile: perhaps what waits for this file.
    let parsed = receiver.iter().take(count).map(|(at, file)| Some((at, file?)));
    let mut parsed = parsed.collect::<Option<Vec<(usize, SourceFile)>>>()?;
    parsed.sort_unstable_by_key(|(at, _)| *at);
    parsed.into_iter().map(|(_, file)| file).reduce(|mut all, file| {
        all.append(file);
        all
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::parse::{read_whole, scan, without_preamble};
    use crate::{LineIndex, ParseOptions, name, parse, parse_body};

    fn cuts(text: &str) -> Vec<u32> {
        scan(text, 0, Bodies::Full, &mut SourceFile::default()).expect("it does not nest deep").cuts.found
    }

    /// Items of every kind that names others or has a body, over and over.
    fn large() -> String {
        let mut text = "//! é\n#![cfg(unix)]\n#![allow(dead_code)]\n".to_owned();
        for number in 0..150 {
            let items = r#"
/// "é" } fn
pub(crate) mod a {
    trait T { const C: u8 = { 1 }; fn t(&self) -> u8 { 2 } }
    struct S<const N: usize = { 3 }> where [(); { N }]:;
    impl T for S { fn t(&self) -> u8 { use std::fs; struct Inner; impl Inner { fn i() { { fn deep() {} } } } 4 } }
} // } fn
#[test] extern "C" { static E: u8; fn e(); }
static S: S = S { } ;
const F: fn() -> u8 = { || 5 } as fn() -> u8;
macro_rules! m { () => { fn x() {} } }
thread_local! { static LOCAL: u8 = { 6 } }
"#;
            let _ = write!(text, "{items}async fn f{number}() {{ \"é\"; fn inner() {{ struct Local; }} }}");
        }
        text
    }

    #[test]
    fn pieces_put_together_are_what_the_whole_is() {
        let text = large();
        let cuts = cuts(&text);
        assert!(cuts.len() > 5, "{cuts:?}");
        let whole = Piece { text: &text, plain: &text, base: 0 };
        let expected = format!("{:?}", read_whole(whole, Bodies::Full));
        let alone = read(whole, &cuts, Bodies::Full).expect("every piece parses");
        assert!(format!("{alone:?}") == expected, "on one thread");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).stack_size(crate::STACK_SIZE).build().expect("there is memory");
        let together = pool.install(|| read(whole, &cuts, Bodies::Full)).expect("every piece parses");
        assert!(format!("{together:?}") == expected, "on four threads");
    }

    #[test]
    fn files_are_read_in_pieces_as_they_would_be_whole() {
        for prefix in ["", "\u{feff}", "#!/usr/bin/env run\n", "\u{feff}#!/usr/bin/env run\n"] {
            for bodies in [Bodies::Full, Bodies::WithoutTests, Bodies::InText, Bodies::Skip] {
                let tests = "#[cfg(test)]\nmod tests {\n    fn left() { out(); }\n}\nfn last() { é() }";
                let text = format!("{prefix}{}{tests}", large()).replace('\n', if prefix.is_empty() { "\r\n" } else { "\n" });
                let in_pieces = parse(&text, &ParseOptions { bodies });
                let (base, lexed) = without_preamble(&text);
                let mut scanned = SourceFile::default();
                let plain = scan(&text, base, bodies, &mut scanned).expect("it does not nest deep").from(lexed, base);
                let whole = read_whole(Piece { text: lexed, plain: &plain, base }, bodies);
                let whole = SourceFile { comments: scanned.comments, lines: LineIndex::new(&text).into(), ..whole };
                assert!(format!("{in_pieces:?}") == format!("{whole:?}"), "{bodies:?} behind {prefix:?}");
                let last = in_pieces.items.iter().find(|item| item.name == name("last")).expect("it stands at the end");
                assert_eq!(last.span.of(&text), "fn last() { é() }");
                assert!(parse_body(&text, last).is_some());
            }
        }
    }

    #[test]
    fn what_does_not_parse_is_left_to_the_whole() {
        let text = large();
        for broken in
            [text.replacen("async fn f149()", "async f149()", 1), text.replacen("async fn f0()", "fn", 1), text.clone() + " }"]
        {
            let whole = Piece { text: &broken, plain: &broken, base: 0 };
            assert!(read(whole, &cuts(&broken), Bodies::Full).is_none());
            let errors = parse(&broken, &ParseOptions::default()).errors;
            assert_eq!(errors, read_whole(whole, Bodies::Full).errors);
            assert!(!errors.is_empty());
        }
    }

    #[test]
    fn texts_are_cut_between_items_only() {
        let filler = format!("fn filler() {{ \"{}\"; }}", "x".repeat(SMALLEST as usize));
        let cut_behind = |rest: &str| cuts(&format!("{filler}{rest}")) == [filler.len() as u32];
        for rest in ["fn f() {}", " /* why */ pub struct S;", "\n/// What.\n#[a] mod m;", "impl S {}", " unsafe extern \"C\" {}"]
        {
            assert!(cut_behind(rest), "{rest}");
        }
        for rest in ["", "; fn f() {}", "#![a] fn f() {}", " else {}", " as u8;", "> for S {}", ".x();", " union U {}"] {
            assert!(!cut_behind(rest), "{rest}");
        }
        assert!(cuts(&format!("mod m {{ {filler} fn f() {{}}")).is_empty(), "within braces");
        assert!(cuts("fn f() {} fn g() {}").is_empty(), "small pieces");
    }
}
