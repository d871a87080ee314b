//! Where the modules under `#[cfg(test)]` stand that begin in the open: in a run that no test takes part in, nothing asks for what is
//! in them, and often they are a third of a file.

use std::ops::Range;

use crate::scanner::Coarse;

/// Finds them among a file's tokens, which are fed to it in order.
#[derive(Default)]
pub(crate) struct TestModules {
    step: Step,
    /// Between their braces.
    pub(crate) contents: Vec<Range<u32>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Step {
    #[default]
    Elsewhere,
    /// So many tokens of `#[cfg(test)]` were seen.
    Attribute(usize),
    /// After the attribute: others may follow, and a visibility.
    Item,
    /// Within one of these.
    Aside,
    /// After `mod`.
    Name,
    /// After the name.
    Body,
    /// Within the braces, from there on.
    Contents(u32),
}

impl TestModules {
    /// Whether it wants to see tokens that stand within delimiters.
    pub(crate) fn is_reading(&self) -> bool {
        !matches!(self.step, Step::Elsewhere | Step::Contents(_))
    }

    /// Takes the next token, no comment, which ends at `end`; `depth` delimiters are open behind it.
    pub(crate) fn feed(&mut self, token: Coarse<'_>, depth: u32, end: u32) {
        self.step = match (self.step, token) {
            (Step::Contents(start), Coarse::Close(_)) if depth == 0 => {
                self.contents.push(start..end - 1);
                Step::Elsewhere
            }
            (Step::Contents(start), _) => Step::Contents(start),
            (Step::Elsewhere, Coarse::Punct(b'#', b'[')) if depth == 0 => Step::Attribute(1),
            (Step::Attribute(1), Coarse::Open) => Step::Attribute(2),
            (Step::Attribute(2), Coarse::Word("cfg")) => Step::Attribute(3),
            (Step::Attribute(3), Coarse::Open) => Step::Attribute(4),
            (Step::Attribute(4), Coarse::Word("test")) => Step::Attribute(5),
            (Step::Attribute(5), Coarse::Close(_)) => Step::Attribute(6),
            (Step::Attribute(6), Coarse::Close(_)) => Step::Item,
            (Step::Item, Coarse::Punct(b'#', b'[') | Coarse::Word("pub")) => Step::Item,
            (Step::Item, Coarse::Open) => Step::Aside,
            (Step::Aside, Coarse::Close(_)) if depth == 0 => Step::Item,
            (Step::Aside, _) => Step::Aside,
            (Step::Item, Coarse::Word("mod")) => Step::Name,
            (Step::Name, Coarse::Word(_)) => Step::Body,
            (Step::Body, Coarse::Open) => Step::Contents(end),
            _ => Step::Elsewhere,
        };
    }
}

#[cfg(test)]
mod tests {
    use crate::Bodies;
    use crate::ast::SourceFile;
    use crate::parse::scan;

    fn contents(text: &str) -> Vec<&str> {
        let left_out = scan(text, 0, Bodies::WithoutTests, &mut SourceFile::default()).expect("it does not nest deep");
        left_out.tests.into_iter().map(|range| &text[range.start as usize..range.end as usize]).collect()
    }

    #[test]
    fn modules_of_tests_are_found() {
        assert_eq!(contents("fn a() {}\n#[cfg(test)]\nmod tests { fn b() { \"}\"; }\n}\nfn c() {}"), [" fn b() { \"}\"; }\n"]);
        assert_eq!(contents("#[cfg(test)] /* why */ #[allow(dead_code, reason = \"]\")] pub(crate) mod r#try {\n}"), ["\n"]);
        assert_eq!(contents("#[cfg(test)] mod a { x\n}\n#[cfg(test)] mod b { y\n}"), [" x\n", " y\n"]);
    }

    #[test]
    fn other_items_are_not() {
        for text in [
            "#[cfg(not(test))] mod a { x\n}",
            "#[cfg(test)] mod a;",
            "#[cfg(test)] fn a() { x\n}",
            "#![cfg(test)] mod a { x\n}",
            "#[cfg(test)] use a::{b}; mod c { x\n}",
            "#[cfg(any(test, unix))] mod a { x\n}",
            "m! { #[cfg(test)] mod a { x\n} }",
            "#[cfg(test)] mod a { x\n",
            // Its lines would not stay as they are.
            "#[cfg(test)] mod a { x }",
        ] {
            assert_eq!(contents(&format!("{text} // #[cfg(test)]")), Vec::<&str>::new(), "{text}");
        }
    }
}
