//! Items told apart on tokens alone, because std is written in syntax that syn does not know.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::attributes::{Angles, Attributes};

/// One item as it stands in the source.
pub(super) struct RawItem {
    pub(super) attributes: Attributes,
    /// Everything behind the attributes, the body and the final semicolon included.
    pub(super) tokens: Vec<TokenTree>,
    pub(super) kind: RawKind,
}

pub(super) enum RawKind {
    /// `mod name;` or, with its content, `mod name { … }`.
    Module(String, Option<TokenStream>),
    Use,
    Function,
    /// `impl`, `trait`, or `extern { … }`: the last token is a group of items.
    Trait,
    Impl,
    ForeignBlock,
    /// A constant or static, with the position of its `=` in the tokens.
    Constant(Option<usize>),
    Enum,
    /// `macro_rules! name { rules }` and `macro name …`, with the rules.
    MacroRules(String, TokenStream),
    MacroTwo(String, TokenStream),
    /// A call in item position: the path's last name and the arguments.
    Call(String, TokenStream),
    Other,
}

/// Splits tokens into items. What cannot be told apart is given back as an error text, and skipped.
pub(super) fn split(tokens: TokenStream, errors: &mut Vec<String>) -> Vec<RawItem> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut items = Vec::new();
    let mut position = 0;
    while position < trees.len() {
        let mut attributes = Attributes::default();
        position = read_attributes(&trees, position, &mut attributes);
        if position >= trees.len() || is_punct(trees.get(position), ';') {
            position += 1;
            continue;
        }
        match classify(&trees, position) {
            Some((kind, end)) => {
                items.push(RawItem { attributes, tokens: trees[position..end].to_vec(), kind });
                position = end;
            }
            None => {
                let text: String = trees[position..]
                    .iter()
                    .take(8)
                    .map(|tree| format!("{tree} ").chars().take(40).collect::<String>())
                    .collect();
                errors.push(format!("not an item: {text}"));
                position += 1;
            }
        }
    }
    items
}

fn read_attributes(trees: &[TokenTree], mut position: usize, attributes: &mut Attributes) -> usize {
    while is_punct(trees.get(position), '#') {
        // An inner attribute says something about the file, not about the next item.
        let inner = is_punct(trees.get(position + 1), '!');
        let Some(TokenTree::Group(content)) = trees.get(position + 1 + usize::from(inner)) else { break };
        if !inner {
            attributes.push(content.stream());
        }
        position += 2 + usize::from(inner);
    }
    position
}

fn classify(trees: &[TokenTree], start: usize) -> Option<(RawKind, usize)> {
    let mut position = after_visibility(trees, start);
    loop {
        let Some(TokenTree::Ident(word)) = trees.get(position) else { return None };
        let next_word = match trees.get(position + 1) {
            Some(TokenTree::Ident(next)) => next.to_string(),
            _ => String::new(),
        };
        let is_call = (is_punct(trees.get(position + 1), '!') && word != "impl") || is_path_separator(trees, position + 1);
        match word.to_string().as_str() {
            "macro_rules" if is_call => return macro_rules(trees, position),
            _ if is_call => return call(trees, position),
            "mod" => return module(trees, position),
            "use" => return Some((RawKind::Use, semicolon(trees, position)?)),
            "type" => return Some((RawKind::Other, semicolon(trees, position)?)),
            "struct" => return Some((RawKind::Other, body_or_semicolon(trees, position)?)),
            "enum" => return Some((RawKind::Enum, body_or_semicolon(trees, position)?)),
            "union" if !next_word.is_empty() => return Some((RawKind::Other, body_or_semicolon(trees, position)?)),
            "fn" => return Some((RawKind::Function, body_or_semicolon(trees, position)?)),
            "trait" => return Some((RawKind::Trait, body_or_semicolon(trees, position)?)),
            "impl" => return Some((RawKind::Impl, body_or_semicolon(trees, position)?)),
            "macro" => return macro_two(trees, position),
            "const" if matches!(next_word.as_str(), "fn" | "unsafe" | "async" | "extern" | "trait" | "impl" | "auto") => {
                position += 1
            }
            "const" | "static" => {
                let end = semicolon(trees, position)?;
                return Some((RawKind::Constant(value_position(trees, start, position, end)), end));
            }
            "extern" if next_word == "crate" => return Some((RawKind::Other, semicolon(trees, position)?)),
            "extern" => {
                position += 1 + usize::from(matches!(trees.get(position + 1), Some(TokenTree::Literal(_))));
                if matches!(trees.get(position), Some(TokenTree::Group(_))) {
                    return Some((RawKind::ForeignBlock, position + 1));
                }
            }
            "default" | "unsafe" | "async" | "auto" | "safe" | "final" => position += 1,
            _ => return None,
        }
    }
}

pub(super) fn after_visibility(trees: &[TokenTree], start: usize) -> usize {
    match (trees.get(start), trees.get(start + 1)) {
        (Some(TokenTree::Ident(word)), Some(TokenTree::Group(group)))
            if word == "pub" && group.delimiter() == Delimiter::Parenthesis =>
        {
            start + 2
        }
        (Some(TokenTree::Ident(word)), _) if word == "pub" => start + 1,
        _ => start,
    }
}

fn macro_rules(trees: &[TokenTree], position: usize) -> Option<(RawKind, usize)> {
    let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(rules))) = (trees.get(position + 2), trees.get(position + 3)) else {
        return None;
    };
    let end = position + 4 + usize::from(is_punct(trees.get(position + 4), ';'));
    Some((RawKind::MacroRules(name.to_string(), rules.stream()), end))
}

fn macro_two(trees: &[TokenTree], position: usize) -> Option<(RawKind, usize)> {
    let Some(TokenTree::Ident(name)) = trees.get(position + 1) else { return None };
    let name = name.to_string();
    match (trees.get(position + 2), trees.get(position + 3)) {
        (Some(TokenTree::Group(rules)), _) if rules.delimiter() == Delimiter::Brace => {
            Some((RawKind::MacroTwo(name, rules.stream()), position + 3))
        }
        (Some(matcher @ TokenTree::Group(_)), Some(body @ TokenTree::Group(_))) => {
            let rules = quote::quote!(#matcher => #body);
            Some((RawKind::MacroTwo(name, rules), position + 4))
        }
        _ => None,
    }
}

fn call(trees: &[TokenTree], mut position: usize) -> Option<(RawKind, usize)> {
    let mut name = String::new();
    loop {
        match trees.get(position)? {
            TokenTree::Ident(ident) => name = ident.to_string(),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            TokenTree::Punct(punct) if punct.as_char() == '!' => break,
            _ => return None,
        }
        position += 1;
    }
    let Some(TokenTree::Group(arguments)) = trees.get(position + 1) else { return None };
    let end = position + 2 + usize::from(is_punct(trees.get(position + 2), ';'));
    Some((RawKind::Call(name, arguments.stream()), end))
}

fn module(trees: &[TokenTree], position: usize) -> Option<(RawKind, usize)> {
    let Some(TokenTree::Ident(name)) = trees.get(position + 1) else { return None };
    let content = match trees.get(position + 2) {
        Some(TokenTree::Group(content)) => Some(content.stream()),
        _ => None,
    };
    Some((RawKind::Module(name.to_string(), content), position + 3))
}

fn semicolon(trees: &[TokenTree], position: usize) -> Option<usize> {
    (position..trees.len()).find(|&index| is_punct(trees.get(index), ';')).map(|index| index + 1)
}

fn body_or_semicolon(trees: &[TokenTree], position: usize) -> Option<usize> {
    let mut angles = Angles::default();
    for (index, tree) in trees.iter().enumerate().skip(position) {
        angles.see(tree);
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && angles.outside() => return Some(index + 1),
            TokenTree::Punct(punct) if punct.as_char() == ';' => return Some(index + 1),
            _ => {}
        }
    }
    None
}

fn value_position(trees: &[TokenTree], start: usize, position: usize, end: usize) -> Option<usize> {
    let mut angles = Angles::default();
    for (index, tree) in trees.iter().enumerate().take(end).skip(position) {
        angles.see(tree);
        if angles.outside() && is_punct(Some(tree), '=') {
            return Some(index - start);
        }
    }
    None
}

fn is_path_separator(trees: &[TokenTree], position: usize) -> bool {
    is_punct(trees.get(position), ':') && is_punct(trees.get(position + 1), ':')
}

pub(super) fn is_punct(tree: Option<&TokenTree>, character: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// An item whose body, if it has one, is replaced.
pub(super) fn with_body(tokens: &[TokenTree], body: TokenStream) -> TokenStream {
    match tokens.split_last() {
        Some((TokenTree::Group(old), head)) if old.delimiter() == Delimiter::Brace => {
            let body = Group::new(Delimiter::Brace, body);
            quote::quote!(#(#head)* #body)
        }
        _ => tokens.iter().cloned().collect(),
    }
}
