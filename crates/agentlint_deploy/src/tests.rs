//! Which command of a text runs last, where values of YAML stand, and that no text is too much.

use std::sync::Arc;

use crate::shell::{Last, Places, parse};
use crate::{FileNumber, Project, Span, Text, yaml};

fn last(text: &str) -> String {
    let script = parse(text, Places::From(0));
    let shown = |span: Span| text[span.start as usize..span.end as usize].to_owned();
    match script.last() {
        Last::Replaced(command) => format!("replaced: {}", shown(command.span)),
        Last::Waited(command) => format!("waited: {}", shown(script.head_of_pipeline(command).span)),
        Last::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn the_last_command_of_a_text() {
    let cases = [
        ("a b", "waited: a b"),
        ("a; b # c", "waited: b"),
        ("a && exec b 'c d' \"$e\"", "replaced: exec b 'c d' \"$e\""),
        ("a || b", "unknown"),
        ("a\nexec b\n\n# c", "replaced: exec b"),
        ("exec 2>&1\nb", "waited: b"),
        ("a | b", "waited: a"),
        ("if a; then exec b; fi", "unknown"),
        ("if a; then b; fi\nexec c", "replaced: exec c"),
        ("for x in 1 2; do a $x; done; b", "waited: b"),
        ("case $x in\n a|b) c ;;\n *) d ;;\nesac\nexec e", "replaced: exec e"),
        ("f() {\n exec a\n}\nf", "waited: f"),
        ("function f { a; }\nexec b", "replaced: exec b"),
        ("(a; b)\nc", "waited: c"),
        ("(a; b)", "unknown"),
        ("cat <<EOF\nexec a\nEOF\nexec b", "replaced: exec b"),
        ("A=1 B=\"2 3\" a > log 2>&1 < in", "waited: A=1 B=\"2 3\" a"),
        ("a \\\n  b \\\n  c", "waited: a \\\n  b \\\n  c"),
        ("x=$(a; b) ; y=`c`; exec d ${z:-$(e)}", "replaced: exec d ${z:-$(e)}"),
        ("while true; do a; done", "unknown"),
        ("[ a ] && exec b\nexec c", "replaced: exec c"),
        ("", "unknown"),
        ("# only this", "unknown"),
    ];
    for (text, expected) in cases {
        assert_eq!(last(text), expected, "{text}");
    }
}

#[test]
fn values_have_their_places() {
    let text = "ä: &a\n  k: \"v # w\" # ü\nb:\n  <<: *a\n  l: [x, 'y']\n  m: |\n    # z\n    o\n# end\n";
    let document = yaml::parse(text).unwrap();
    let shown = |span: Span| &text[span.start as usize..span.end as usize];
    let b = document.root.get("b").unwrap();
    assert_eq!(b.get("k").unwrap().text(), Some("v # w"));
    assert_eq!(shown(b.get("k").unwrap().span), "\"v # w\"");
    assert_eq!(shown(b.get("l").unwrap().list()[1].span), "'y'");
    assert_eq!(document.comments.iter().map(|span| shown(*span)).collect::<Vec<_>>(), ["# ü", "# end"]);
    assert!(document.entries.iter().any(|span| shown(*span) == "l: [x, 'y']"));
}

#[test]
fn no_text_is_too_much() {
    let deep = ["[", "{a: ", "- ", "a:\n ", "(", "{ ", "if a; then ", "$(", "${", "`", "case a in b) ", "\"$(", "\\\n", "<<A\n"];
    let mut texts: Vec<String> = deep.iter().map(|part| part.repeat(20_000)).collect();
    texts.extend(deep.iter().map(|part| format!("FROM a\nCMD {}", part.repeat(5_000))));
    texts.extend(deep.iter().map(|part| format!("services:\n  a:\n    command: sh -c '{}'", part.repeat(500))));
    texts.push("a: &a [*a]\nservices: *a".to_owned());
    texts.push(format!(
        "a0: &a0 {{}}\n{}services: *a200\n",
        (1..=200).map(|n| format!("a{n}: &a{n} {{<<: [*a{}, *a{}]}}\n", n - 1, n - 1)).collect::<String>()
    ));
    texts.push("FROM a AS a\nFROM a AS a\nCOPY --from=0 / /\nCOPY --from=1 / /\nENTRYPOINT [\"/a\"]".to_owned());
    texts.push(format!("FROM a AS s\n{}ENTRYPOINT [\"/a/b/c\"]", "COPY --from=s / /\nCOPY --from=s /a /a\n".repeat(40)));
    for text in &texts {
        for path in ["/p/Dockerfile", "/p/compose.yaml", "/p/Procfile", "/p/a.sh"] {
            let text = Text { file: FileNumber(0), path: path.to_owned(), text: Arc::from(text.as_str()) };
            // Each script starts itself.
            let mut read = |path: &str| {
                let script = "#!/bin/sh\nexec ./a.sh \"$@\" x\n";
                Some(Text { file: FileNumber(1), path: path.to_owned(), text: Arc::from(script) })
            };
            Project::new(&[text], "/p", &mut read);
        }
    }
}

/// Every beginning of texts that hold most constructs.
#[test]
fn texts_that_end_anywhere_are_survived() {
    let dockerfile = "# syntax=docker/dockerfile:1\n# escape=`\nARG A=b\nFROM ${A:-c}@sha256:00 AS ä\nCOPY --from=ä --chmod=755 <<EOF /x `\n # c\n /y/\nä\nEOF\n\
                      SHELL [\"bash\", \"-c\"]\nONBUILD CMD a\nCMD [\"a\\u00e4\", \"$b\"]\nENTRYPOINT a && `\n# c\n exec \"$(b `c`)\" ${d} 'e\nUSER $A\n";
    let compose = "x: &a {build: {context: ., target: ä}}\nservices:\n  s:\n    <<: [*a]\n    command: >-\n      sh -c \"a | b\"\n    volumes: ['./a:/b']\n    user: \"ä\"\n";
    for (path, text) in [("/p/Dockerfile", dockerfile), ("/p/compose.yaml", compose), ("/p/Procfile", "web: a ä 'b\" $(c\n")] {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let text = Text { file: FileNumber(0), path: path.to_owned(), text: Arc::from(&text[..end]) };
            Project::new(&[text], "/p", &mut |_| None);
        }
    }
}
