//! The two spellings of a suppression: `agentlint: allow(lint) -- reason` in a comment, `cfg_attr(agentlint, allow(…))` as an
//! attribute.

use agentlint_syntax::ast::{Attribute, AttributeArguments};

/// What one suppression says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Allow {
    pub(super) names: Vec<String>,
    pub(super) reason: Option<String>,
    pub(super) is_attribute: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Allow(Allow),
    /// Meant for us, yet not an `allow`.
    NotUnderstood,
}

/// Words that people who know other linters try.
const OTHER_WORDS: [&str; 9] = ["allow", "expect", "ignore", "disable", "deny", "warn", "off", "skip", "noqa"];

/// `None` for a comment that is not meant for us; prose that begins with the tool's name is prose.
pub(super) fn comment(text: &str) -> Option<Directive> {
    let rest = text.strip_prefix("agentlint:")?.trim_start();
    let word = rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').next().unwrap_or("");
    let after = rest[word.len()..].trim_start();
    let Some(list) = after.strip_prefix('(').filter(|_| word == "allow") else {
        let is_meant = OTHER_WORDS.contains(&word) || after.starts_with('(');
        return is_meant.then_some(Directive::NotUnderstood);
    };
    let Some((names, reason)) = list.split_once(')') else { return Some(Directive::NotUnderstood) };
    let reason = reason.trim_start();
    let reason = ["--", "—", "–"].iter().find_map(|dash| reason.strip_prefix(dash)).map(str::trim);
    Some(Directive::Allow(Allow {
        names: names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        reason: reason.filter(|reason| !reason.is_empty()).map(str::to_owned),
        is_attribute: false,
    }))
}

/// The `allow`s and `expect`s of `cfg_attr(agentlint, …)` that name our lints.
pub(super) fn attribute(attribute: &Attribute) -> Vec<Allow> {
    let AttributeArguments::Tokens { text, .. } = &attribute.arguments else { return Vec::new() };
    if attribute.path.as_str() != "cfg_attr" {
        return Vec::new();
    }
    let parts = split_at_commas(text);
    let Some((&"agentlint", attributes)) = parts.split_first() else { return Vec::new() };
    attributes.iter().filter_map(|part| allow_of(part)).collect()
}

fn allow_of(part: &str) -> Option<Allow> {
    let (word, list) = part.split_once('(')?;
    let list = list.trim_end().strip_suffix(')')?;
    if !matches!(word.trim(), "allow" | "expect") {
        return None;
    }
    let mut allow = Allow { names: Vec::new(), reason: None, is_attribute: true };
    for part in split_at_commas(list) {
        let path: String = part.split_whitespace().collect();
        if let Some(name) = path.strip_prefix("agentlint::") {
            allow.names.push(name.to_owned());
        } else if let Some((key, value)) = part.split_once('=')
            && key.trim() == "reason"
        {
            let value = value.trim().trim_start_matches('r').trim_matches('#').trim_matches('"').trim();
            allow.reason = Some(value.to_owned()).filter(|value| !value.is_empty());
        }
    }
    (!allow.names.is_empty()).then_some(allow)
}

/// The parts between the commas that stand in no parentheses and no string, trimmed.
fn split_at_commas(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut in_string, mut escaped) = (Vec::new(), 0, 0_u32, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use agentlint_syntax::{Span, name};

    use super::*;

    fn allow(names: &[&str], reason: Option<&str>) -> Option<Directive> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Some(Directive::Allow(Allow { names, reason: reason.map(str::to_owned), is_attribute: false }))
    }

    #[test]
    fn comments() {
        assert_eq!(comment("agentlint: allow(a) -- why not"), allow(&["a"], Some("why not")));
        assert_eq!(comment("agentlint:allow(a, b,)-- x -- y"), allow(&["a", "b"], Some("x -- y")));
        assert_eq!(comment("agentlint: allow (a) — why"), allow(&["a"], Some("why")));
        assert_eq!(comment("agentlint: allow(a)"), allow(&["a"], None));
        assert_eq!(comment("agentlint: allow(a) --  "), allow(&["a"], None));
        assert_eq!(comment("agentlint: allow(a) because"), allow(&["a"], None));
        assert_eq!(comment("agentlint: allow() -- x"), allow(&[], Some("x")));
    }

    #[test]
    fn comments_that_are_not_understood() {
        for text in ["agentlint: ignore(a) -- x", "agentlint: allow a -- x", "agentlint: allow(a -- x", "agentlint: alow(a) -- x"]
        {
            assert_eq!(comment(text), Some(Directive::NotUnderstood), "{text}");
        }
    }

    #[test]
    fn prose_is_left_alone() {
        for text in ["agentlint: the tool that reads this", "agentlint allows this", "see agentlint: allow(a) -- x", "agentlint:"]
        {
            assert_eq!(comment(text), None, "{text}");
        }
    }

    #[test]
    fn attributes() {
        let parse = |text: &str| {
            let arguments = AttributeArguments::Tokens { text: text.to_owned(), span: Span::default() };
            attribute(&Attribute { path: name("cfg_attr"), arguments, span: Span::default() })
        };
        let found = parse(r#"agentlint, allow(agentlint::a, agentlint :: b, reason = "one, (two) \" three")"#);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].names, ["a", "b"]);
        assert_eq!(found[0].reason.as_deref(), Some(r#"one, (two) \" three"#));
        assert_eq!(parse("agentlint, allow(agentlint::a)")[0].reason, None);
        assert_eq!(parse("agentlint, allow(dead_code)"), []);
        assert_eq!(parse(r#"test, allow(agentlint::a, reason = "x")"#), []);
    }
}
