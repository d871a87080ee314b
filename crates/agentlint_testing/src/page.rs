//! Reads a lint's page: its parts, and the blocks in them that are linted.

use std::fmt;

/// The headings of every page, in their order; a page has them all and no other.
pub const HEADINGS: [&str; 6] = ["What it does", "Why is this bad?", "Example", "Use instead", "Known gaps", "Configuration"];

/// A lint's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The text of the first line's heading: the lint's id.
    pub id: String,
    /// The paragraph below it.
    pub lead: String,
    /// The blocks in a language that is linted, in the page's order.
    pub blocks: Vec<Block>,
}

/// What a block is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Rust,
    Dockerfile,
    /// A compose file.
    Yaml,
    Procfile,
    /// A script that an image starts.
    Shell,
}

impl Language {
    fn of_fence(info: &str) -> Option<Language> {
        match info.trim() {
            "rust" => Some(Language::Rust),
            "dockerfile" => Some(Language::Dockerfile),
            "yaml" => Some(Language::Yaml),
            "procfile" => Some(Language::Procfile),
            "sh" => Some(Language::Shell),
            _ => None,
        }
    }
}

/// One fenced block of a language that is linted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub language: Language,
    /// The heading that it stands under: `Example`.
    pub heading: String,
    /// The page's line that holds the block's first line, from 1.
    pub first_line: u32,
    pub text: String,
}

/// What is wrong with a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError {
    /// From 1.
    pub line: u32,
    pub reason: String,
}

impl fmt::Display for PageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for PageError {}

/// Reads a page and holds it to the form that all pages have.
pub fn read_page(text: &str) -> Result<Page, PageError> {
    let mut reader = Reader::default();
    for (number, line) in (1u32..).zip(text.lines()) {
        reader.line(number, line)?;
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    id: Option<String>,
    lead: Vec<String>,
    headings: Vec<String>,
    blocks: Vec<Block>,
    fence: Option<Fence>,
    last: u32,
}

struct Fence {
    opened_on: u32,
    language: Option<Language>,
    lines: Vec<String>,
}

impl Reader {
    fn line(&mut self, number: u32, line: &str) -> Result<(), PageError> {
        self.last = number;
        if let Some(info) = line.strip_prefix("```") {
            return self.fence_line(number, info);
        }
        if let Some(fence) = &mut self.fence {
            fence.lines.push(line.to_owned());
        } else if let Some(title) = line.strip_prefix("# ") {
            if self.id.replace(title.trim().to_owned()).is_some() {
                return Err(error(number, "a page has one title"));
            }
        } else if let Some(heading) = line.strip_prefix("## ") {
            return self.heading(number, heading.trim());
        } else if self.headings.is_empty() && !line.trim().is_empty() {
            self.lead.push(line.trim().to_owned());
        }
        Ok(())
    }

    fn heading(&mut self, number: u32, heading: &str) -> Result<(), PageError> {
        let expected = HEADINGS.get(self.headings.len()).copied();
        if expected != Some(heading) {
            let reason = match expected {
                Some(expected) => format!("the heading here is `{expected}`, not `{heading}`"),
                None => format!("no heading comes after `{}`", HEADINGS[HEADINGS.len() - 1]),
            };
            return Err(error(number, &reason));
        }
        self.headings.push(heading.to_owned());
        Ok(())
    }

    fn fence_line(&mut self, number: u32, info: &str) -> Result<(), PageError> {
        let Some(fence) = self.fence.take() else {
            self.fence = Some(Fence { opened_on: number, language: Language::of_fence(info), lines: Vec::new() });
            return Ok(());
        };
        if !info.trim().is_empty() {
            return Err(error(number, "a block begins inside another"));
        }
        if let Some(language) = fence.language {
            let heading = self.headings.last().ok_or_else(|| error(number, "a block stands before any heading"))?;
            let mut text = fence.lines.join("\n");
            text.push('\n');
            self.blocks.push(Block { language, heading: heading.clone(), first_line: fence.opened_on + 1, text });
        }
        Ok(())
    }

    fn finish(self) -> Result<Page, PageError> {
        let last = self.last;
        if let Some(fence) = self.fence {
            return Err(error(fence.opened_on, "this block does not end"));
        }
        if let Some(missing) = HEADINGS.get(self.headings.len()) {
            return Err(error(last, &format!("the heading `{missing}` is missing")));
        }
        for heading in ["Example", "Use instead"] {
            if !self.blocks.iter().any(|block| block.heading == heading) {
                return Err(error(last, &format!("`{heading}` has no block that is linted")));
            }
        }
        let id = self.id.ok_or_else(|| error(1, "the page has no title"))?;
        if self.lead.is_empty() {
            return Err(error(1, "the page has no lead"));
        }
        Ok(Page { id, lead: self.lead.join(" "), blocks: self.blocks })
    }
}

fn error(line: u32, reason: &str) -> PageError {
    PageError { line, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let mut text = "# some_lint\n\nWhat it is about,\nin a sentence.\n".to_owned();
        for heading in HEADINGS {
            text.push_str(&format!("\n## {heading}\n\n"));
            match heading {
                "Example" => text.push_str("```rust\nfn a() {} //~ some_lint\n```\n"),
                "Use instead" => text.push_str("```rust\nfn b() {}\n\nfn c() {}\n```\n"),
                "Configuration" => text.push_str("```toml\n# not a heading\n```\n"),
                _ => text.push_str("Words.\n"),
            }
        }
        text
    }

    #[test]
    fn a_page_has_its_parts() {
        let page = read_page(&page()).unwrap();
        assert_eq!(page.id, "some_lint");
        assert_eq!(page.lead, "What it is about, in a sentence.");
        let blocks: Vec<_> =
            page.blocks.iter().map(|block| (block.heading.as_str(), block.first_line, block.text.as_str())).collect();
        assert_eq!(blocks, [("Example", 17, "fn a() {} //~ some_lint\n"), ("Use instead", 23, "fn b() {}\n\nfn c() {}\n")]);
    }

    #[test]
    fn the_form_is_held() {
        let whole = page();
        let broken = [
            whole.replace("## Known gaps", "## Gaps"),
            whole.replace("## Configuration", "Configuration"),
            whole.replace("# some_lint", ""),
            whole.replace("What it is about,\nin a sentence.", ""),
            whole.replace("fn c() {}\n```", "fn c() {}"),
            whole.replace("```rust\nfn b", "```text\nfn b"),
            format!("{whole}\n## More\n"),
        ];
        for text in broken {
            assert!(read_page(&text).is_err(), "{text}");
        }
    }
}
