//! Toy lints, and suppressions and levels put through them.

use agentlint_diagnostics::{Confidence, Diagnostic, FileId, Group, Level, LintMeta, Location};
use agentlint_syntax::{ParseOptions, parse};

use crate::*;

struct Toy(&'static LintMeta);

impl Lint for Toy {
    fn meta(&self) -> &'static LintMeta {
        self.0
    }

    fn check(&self, _: &LintContext<'_>, _: &mut Vec<Diagnostic>) {}
}

const fn toy(id: &'static str, group: Group, level: Level) -> LintMeta {
    LintMeta { id, summary: "a toy", group, level, page: "A toy." }
}

static TOYS: [Toy; 4] = [
    Toy(&toy("blocking_sleep", Group::Blocking, Level::Warn)),
    Toy(&toy("blocking_fs", Group::Blocking, Level::Warn)),
    Toy(&toy("lock_across_await", Group::Await, Level::Deny)),
    Toy(&toy("blocking_taste", Group::Await, Level::Allow)),
];

pub(crate) fn registry() -> Registry {
    Registry::new(&TOYS.each_ref().map(|toy| toy as &dyn Lint))
}

/// Reports `blocking_fs` at every `read(`, `blocking_sleep` at every `sleep(`, `lock_across_await` at every `lock(`.
fn toys(text: &str) -> Vec<Diagnostic> {
    let calls = [("read(", "blocking_fs"), ("sleep(", "blocking_sleep"), ("lock(", "lock_across_await")];
    let mut found = Vec::new();
    for (needle, lint) in calls {
        let level = registry().meta(lint).unwrap().level;
        for (start, _) in text.match_indices(needle) {
            let location = Location { file: FileId(0), start: start as u32, end: (start + needle.len()) as u32 };
            found.push(Diagnostic::new(lint, level, "toy", location));
        }
    }
    found
}

fn run(text: &str, levels: &Levels) -> Outcome {
    let facts = parse(text, &ParseOptions::default());
    assert_eq!(facts.errors, []);
    let source = SourceText { file: FileId(0), text, facts: &facts, is_conditional: false };
    let suppressions = [FileSuppressions::collect(&registry(), source)];
    finish(&registry(), levels, Confidence::Likely, &suppressions, toys(text))
}

/// The findings that stay as `line lint`, and the lines of those that are suppressed.
fn check(text: &str) -> (String, Vec<usize>) {
    let outcome = run(text, &Levels::default());
    let line = |diagnostic: &Diagnostic| text[..diagnostic.primary.location.start as usize].matches('\n').count() + 1;
    let found: Vec<_> = outcome.diagnostics.iter().map(|one| format!("{} {}", line(one), one.lint)).collect();
    (found.join(", "), outcome.suppressed.iter().map(|one| line(&one.diagnostic)).collect())
}

#[track_caller]
fn assert(text: &str, found: &str, suppressed: &[usize]) {
    assert_eq!(check(text), (found.to_owned(), suppressed.to_vec()), "\n{text}");
    // Line ends are not a matter of meaning.
    assert_eq!(check(&text.replace('\n', "\r\n")), (found.to_owned(), suppressed.to_vec()), "with CRLF\n{text}");
}

#[test]
fn a_comment_covers_its_line() {
    assert("fn f() {\n    read(); // agentlint: allow(blocking_fs) -- r\n    read();\n}\n", "3 blocking_fs", &[2]);
    assert("fn f() {\n    a(read(), sleep()); // agentlint: allow(blocking_fs, blocking_sleep) -- r\n}\n", "", &[2, 2]);
    assert("fn f() { read(); } // agentlint: allow(blocking) -- r\n", "", &[1]);
}

#[test]
fn a_comment_after_any_line_of_a_statement_covers_it_without_the_statements_inside() {
    assert("fn f() {\n    let x = read(\n        1,\n    ); // agentlint: allow(blocking_fs) -- r\n}\n", "", &[2]);
    assert("fn f() {\n    let x = read(\n        1, // agentlint: allow(blocking_fs) -- r\n    );\n}\n", "", &[2]);
    assert("fn f() {\n    let x = a()\n        .read()\n        .b(); // agentlint: allow(blocking_fs) -- r\n}\n", "", &[3]);
    let nested = "fn f() {\n    if read() {\n        sleep(); // agentlint: allow(blocking) -- r\n    }\n}\n";
    assert(nested, "2 blocking_fs", &[3]);
    let around = "fn f() {\n    if read() { // agentlint: allow(blocking) -- r\n        sleep();\n    }\n}\n";
    assert(around, "3 blocking_sleep", &[2]);
    let tail = "fn f() -> u8 {\n    a();\n    read(\n        1,\n    ) // agentlint: allow(blocking_fs) -- r\n}\n";
    assert(tail, "", &[3]);
    let arm = "fn f() {\n    match x {\n        1 => read(\n            2,\n        ), // agentlint: allow(blocking_fs) -- r\n        _ => read(),\n    }\n}\n";
    assert(arm, "6 blocking_fs", &[3]);
}

#[test]
fn a_comment_on_its_own_line_covers_what_follows() {
    let statement =
        "fn f() {\n    // agentlint: allow(blocking_fs) -- r\n    let x = a(\n        read(),\n    );\n    read();\n}\n";
    assert(statement, "6 blocking_fs", &[4]);
    let block = "fn f() {\n    // agentlint: allow(blocking_fs) -- r\n    if x {\n        read();\n    } else {\n        read();\n    }\n    read();\n}\n";
    assert(block, "8 blocking_fs", &[4, 6]);
    let item = "/* agentlint: allow(blocking_fs) -- r */\n/// Documented.\n#[inline]\n// and\npub fn f() {\n    read();\n}\nfn g() { read() }\n";
    assert(item, "8 blocking_fs", &[6]);
    let method = "impl X {\n    // agentlint: allow(blocking) -- r\n\n    async fn f() { read() }\n    fn g() { read() }\n}\n";
    assert(method, "5 blocking_fs", &[4]);
    let tail = "fn f() {\n    // agentlint: allow(blocking_fs) -- r\n    a()\n        .read()\n}\n";
    assert(tail, "", &[4]);
    let arm = "fn f() {\n    match x {\n        // agentlint: allow(blocking_fs) -- r\n        1 => { read(); }\n        _ => read(),\n    }\n}\n";
    assert(arm, "5 blocking_fs", &[4]);
    let argument = "fn f() {\n    a(\n        // agentlint: allow(blocking_fs) -- r\n        b(\n            read(),\n        ),\n        read(),\n    );\n}\n";
    assert(argument, "7 blocking_fs", &[5]);
    let link = "fn f() {\n    a()\n        // agentlint: allow(blocking_fs) -- r\n        .read()\n        .read();\n}\n";
    assert(link, "5 blocking_fs", &[4]);
}

#[test]
fn a_comment_inside_a_macro_is_as_good() {
    let stream =
        "fn f() {\n    stream! {\n        // agentlint: allow(blocking_fs) -- r\n        read();\n        read();\n    }\n}\n";
    assert(stream, "5 blocking_fs", &[4]);
    let select = "async fn f() {\n    tokio::select! {\n        // agentlint: allow(blocking_fs) -- r\n        x = a() => { read(); }\n        y = b() => { read(); }\n    }\n}\n";
    assert(select, "5 blocking_fs", &[4]);
}

#[test]
fn a_comment_at_the_top_covers_the_file() {
    assert("// agentlint: allow(blocking_fs) -- r\n\nfn f() { read() }\nfn g() { read() }\n", "", &[3, 4]);
    assert("//! Documented.\n\n// Copyright.\n// agentlint: allow(blocking_fs) -- r\n\nuse a::b;\nfn f() { read() }\n", "", &[7]);
    assert("// agentlint: allow(blocking_fs) -- r\n//! Documented.\nfn f() { read() }\n", "", &[3]);
    assert("// agentlint: allow(blocking_fs) -- r\nfn f() { read() }\nfn g() { read() }\n", "3 blocking_fs", &[2]);
    assert("use a::b;\n\n// agentlint: allow(blocking_fs) -- r\n\nfn f() { read() }\nfn g() { read() }\n", "6 blocking_fs", &[5]);
}

#[test]
fn attributes_cover_their_item_or_file() {
    let attribute =
        "#[cfg_attr(agentlint, allow(agentlint::blocking_fs, reason = \"r\"))]\nfn f() {\n    read();\n}\nfn g() { read() }\n";
    assert(attribute, "5 blocking_fs", &[3]);
    assert("#![cfg_attr(agentlint, allow(agentlint::blocking, reason = \"r\"))]\nfn f() { read() }\n", "", &[2]);
    assert(
        "#[cfg_attr(agentlint, allow(agentlint::blocking_fs))]\nfn f() { read() }\n",
        "1 suppression_without_reason, 2 blocking_fs",
        &[],
    );
    assert("#[cfg_attr(agentlint, allow(agentlint::blocking_fs, reason = \"r\"))]\nfn f() {}\n", "1 unused_suppression", &[]);
}

#[test]
fn what_is_wrong_with_a_suppression_is_reported() {
    assert("fn f() {\n    read(); // agentlint: allow(blocking_fs)\n}\n", "2 blocking_fs, 2 suppression_without_reason", &[]);
    assert("fn f() {\n    a(); // agentlint: allow(blocking_fs) -- r\n}\n", "2 unused_suppression", &[]);
    assert("fn f() {\n    read(); // agentlint: allow(blocking_fs, blocking_sleep) -- r\n}\n", "2 unused_suppression", &[2]);
    assert("fn f() {\n    read(); // agentlint: ignore(blocking_fs) -- r\n}\n", "2 blocking_fs, 2 unused_suppression", &[]);
    assert("fn f() {\n    read(); // agentlint: allow() -- r\n}\n", "2 blocking_fs, 2 unused_suppression", &[]);
    let outcome = run("fn f() { read() } // agentlint: allow(blocking_sf) -- r\n", &Levels::default());
    assert_eq!(outcome.diagnostics[1].message, "unknown lint or group `blocking_sf` in a suppression");
    assert_eq!(outcome.diagnostics[1].help.as_deref(), Some("write `blocking_fs`"));
}

#[test]
fn a_suppression_that_may_be_of_use_elsewhere_is_not_called_unused() {
    assert("fn f() {\n    a(); // agentlint: allow(blocking_taste) -- at allow\n}\n", "", &[]);
    assert("#[cfg(windows)]\nfn f() {\n    a(); // agentlint: allow(blocking_fs) -- r\n}\n", "", &[]);
    assert("fn f() {}\n// agentlint: allow(blocking_fs) -- r\n#[cfg(windows)]\nfn f() {}\n", "", &[]);
    assert("fn f() {\n    #[cfg(windows)]\n    a(); // agentlint: allow(blocking_fs) -- r\n}\n", "", &[]);
    let registry = registry();
    let mut levels = Levels::default();
    levels.command_line(&registry, "blocking_fs", Level::Allow).unwrap();
    assert_eq!(run("fn f() { read() } // agentlint: allow(blocking_fs) -- r\n", &levels), Outcome::default());
}

#[test]
fn the_narrowest_suppression_is_the_one_that_is_used() {
    let text = "// agentlint: allow(blocking_fs) -- file\n\nfn f() {\n    read(); // agentlint: allow(blocking_fs) -- line\n}\n";
    let outcome = run(text, &Levels::default());
    assert_eq!(outcome.suppressed[0].reason, "line");
    assert_eq!(outcome.diagnostics.len(), 1);
    assert_eq!(outcome.diagnostics[0].message, "nothing to suppress here: `blocking_fs` reports nothing");
}

#[test]
fn a_group_is_used_once_one_of_its_lints_reports() {
    assert("fn f() { a(read(), sleep()) } // agentlint: allow(blocking) -- r\n", "", &[1, 1]);
    assert("fn f() { lock() } // agentlint: allow(all) -- r\n", "", &[1]);
}

#[test]
fn levels_are_applied_and_a_findings_own_level_holds_where_no_source_speaks() {
    let text = "fn f() { a(read(), lock()) }\n";
    let levels_of = |levels: &Levels| run(text, levels).diagnostics.iter().map(|one| one.level).collect::<Vec<_>>();
    assert_eq!(levels_of(&Levels::default()), [Level::Warn, Level::Deny]);
    let registry = registry();
    let mut levels = Levels::default();
    levels.command_line(&registry, "blocking", Level::Deny).unwrap();
    levels.command_line(&registry, "await", Level::Allow).unwrap();
    assert_eq!(levels_of(&levels), [Level::Deny]);
}

#[test]
fn what_is_less_sure_is_left_out_yet_counts_as_suppressed() {
    let text = "fn f() { read() } // agentlint: allow(blocking_fs) -- r\nfn g() { read() }\n";
    let facts = parse(text, &ParseOptions::default());
    let source = SourceText { file: FileId(0), text, facts: &facts, is_conditional: false };
    let suppressions = [FileSuppressions::collect(&registry(), source)];
    let unsure = toys(text).into_iter().map(|one| Diagnostic { confidence: Confidence::Possible, ..one }).collect();
    let outcome = finish(&registry(), &Levels::default(), Confidence::Likely, &suppressions, unsure);
    assert_eq!(outcome, Outcome::default());
}

#[test]
fn text_cut_anywhere_never_panics() {
    let text = "//! d\n// agentlint: allow(blocking) -- r\n\n#[a]\nfn f() {\n    // agentlint: allow(blocking_fs) -- ä\n    a(read()); // agentlint: allow(all) -- r\n    /* agentlint: allow(x) */ match x { 1 => read(), }\n}\n";
    for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
        let facts = parse(&text[..end], &ParseOptions::default());
        let source = SourceText { file: FileId(0), text: &text[..end], facts: &facts, is_conditional: false };
        let suppressions = [FileSuppressions::collect(&registry(), source)];
        finish(&registry(), &Levels::default(), Confidence::Likely, &suppressions, toys(&text[..end]));
    }
}
