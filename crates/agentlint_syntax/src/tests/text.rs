//! Places in the file's text, comments, and texts that are odd as a whole.

use super::{full, item, on_large_stack, signatures, sound};
use crate::ast::{ExprKind, SourceFile};

/// The names of all method calls, as their places say.
fn methods<'text>(file: &SourceFile, text: &'text str) -> Vec<&'text str> {
    let exprs = file.bodies.iter().flat_map(|body| &body.exprs);
    let spans = exprs.filter_map(|expr| match &expr.kind {
        ExprKind::MethodCall { name_span, .. } => Some(*name_span),
        _ => None,
    });
    spans.map(|span| span.of(text)).collect()
}

#[test]
fn places_are_bytes_of_the_original_text() {
    let body = "fn f() {\n    let größe = \"日本語\"; größe.länge(\"𝄞\").b(); // ü\n}\nfn g() { x.y() }\n";
    let long = format!("// {}\n{body}", "ä".repeat(100));
    let texts = [
        body.to_owned(),
        body.replace('\n', "\r\n"),
        format!("\u{feff}{body}"),
        format!("#!/usr/bin/env überlauf\n{body}"),
        format!("\u{feff}#!/usr/bin/env run\n{body}"),
        format!("/// doc ä\n{body}"),
        long,
    ];
    for text in &texts {
        let file = sound(text);
        assert_eq!(methods(&file, text), ["länge", "b", "y"], "{text:?}");
        assert_eq!(item(&file, "g").name_span.of(text), "g");
        assert_eq!(signatures(text).items[1usize.into()].span.of(text), "fn g() { x.y() }");
    }
    let file = sound(&texts[0]);
    let span = file.bodies[0usize].exprs.iter().find_map(|expr| match &expr.kind {
        ExprKind::MethodCall { name, name_span, .. } if name == "b" => Some(*name_span),
        _ => None,
    });
    let place = file.lines.line_column(span.unwrap().start);
    let line = texts[0].lines().nth(1).unwrap();
    assert_eq!((place.line, place.column as usize), (2, line.find("b()").unwrap() + 1));
}

#[test]
fn an_attribute_is_no_shebang() {
    assert_eq!(sound("#![allow(x)]\nfn f() {}").attributes.len(), 1);
    assert_eq!(sound("#! /* c */ [allow(x)]\nfn f() {}").attributes.len(), 1);
}

#[test]
fn texts_with_nothing_in_them() {
    for text in ["", "\u{feff}", "\n", "// only this", "/* and this */", "//! doc", "#!shebang"] {
        let file = sound(text);
        assert!(file.items.is_empty(), "{text:?}");
    }
}

#[track_caller]
fn check_comments(text: &str, expected: &[(&str, &str)]) {
    let file = full(text);
    let comments: Vec<_> = file.comments.iter().map(|comment| (comment.span.of(text), comment.text.as_str())).collect();
    assert_eq!(comments, expected);
}

#[test]
fn comments() {
    check_comments(
        "// a\r\nfn f() { // b ü\n /* c /* d */ e */ }\n//// f\n/*** g ***/ /**/ //",
        &[
            ("// a", "a"),
            ("// b ü", "b ü"),
            ("/* c /* d */ e */", "c /* d */ e"),
            ("//// f", "f"),
            ("/*** g ***/", "g"),
            ("/**/", ""),
            ("//", ""),
        ],
    );
}

#[test]
fn documentation_is_no_comment() {
    check_comments("/// a\n//! b\n/** c */ /*! d */ fn f() {}", &[]);
}

#[test]
fn strings_hide_comments() {
    check_comments(
        r####"fn f() { a("// b \" // c", r#"// d " // e"#, b"//", br##"/* "# "##, c"//", cr"//"); } // yes"####,
        &[("// yes", "yes")],
    );
    check_comments("fn f<'a>(x: &'a u8) { ('\"', '\\'', b'\"', '/', '\\u{2f}', 'ä') } // yes", &[("// yes", "yes")]);
    check_comments("fn f() { let r = r#type; br; r\"\\\" } // yes", &[("// yes", "yes")]);
}

#[test]
fn unclosed_comments_and_strings_end_with_the_text() {
    for text in ["/* a", "\"a // b", "r#\"a // b", "'", "b'", "'\\", "\"\\", "r##", "/*/"] {
        let file = full(text);
        assert!(!file.errors.is_empty(), "{text:?}");
    }
}

const REALISTIC: &str = r##"#!/usr/bin/env cargo
//! Größe — an example.
#![allow(dead_code)]
use std::{collections::HashMap as Map, sync::{self, Arc, Mutex}};
/// Doc.
#[derive(Clone, Debug)]
pub struct Server<T: Send + 'static = u8> where T: Clone { state: Arc<Mutex<Map<String, T>>>, #[cfg(test)] n: [u8; 4] }
#[async_trait::async_trait]
impl<T> Service for Server<T> {
    type Out = Box<dyn Fn(&str) -> Result<u8, ()> + Send>;
    async fn call(&mut self, Request { id, .. }: Request) -> Result<(), Error> {
        let x = self.state.lock().unwrap().get("ключ").cloned().unwrap_or_else(|| b'\''.into()); /* c */
        tokio::select! { biased; Some(m) = rx.recv(), if id > 3 => { m.handle().await?; } else => break }
        let v = json!({ "a": [1, { "b": x?.y::<Vec<_>>()[0] }], "c": r#"raw " "# });
        'outer: for (i, c) in v.iter().enumerate() { match c { Some(1..=3) if i < 2 => continue 'outer, _ => {} } }
        println!("{:?} {}", x as u64 << 2, if let Ok(y) = z { y } else { !0 });
        Ok(())
    }
}
macro_rules! m { ($($x:expr),* $(,)?) => { [$($x),*] }; }
lazy_static! { static ref CLIENT: Client = Client::new(); }
"##;

#[test]
fn a_text_that_breaks_off_anywhere_is_read() {
    assert_eq!(full(REALISTIC).errors, []);
    on_large_stack(|| {
        for (end, _) in REALISTIC.char_indices() {
            for text in [&REALISTIC[..end], &REALISTIC[end..]] {
                let (all, some) = (full(text), signatures(text));
                for file in [all, some] {
                    for item in file.items.iter() {
                        assert!(text.get(item.span.start as usize..item.span.end as usize).is_some(), "{text}");
                    }
                    for error in &file.errors {
                        assert!(error.span.end as usize <= text.len(), "{text}");
                    }
                }
            }
        }
    });
}
