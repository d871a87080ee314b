//! The two sides of a rule, matcher and template, read from tokens.

use proc_macro2::{Delimiter, Group, Punct, Spacing, Span, TokenStream, TokenTree};

/// One element of a rule's left side.
pub(super) enum Matcher {
    /// A token that must stand there literally: an identifier, an operator as rustc glues it, a lifetime or a literal.
    Token(Literally),
    /// `$crate`.
    DollarCrate,
    Group(Delimiter, Vec<Matcher>),
    Variable {
        name: String,
        kind: FragmentKind,
    },
    Repeat {
        body: Vec<Matcher>,
        separator: Option<Literally>,
        operator: Kleene,
        /// Every variable inside, at any depth: each is bound even when there is no iteration.
        names: Vec<String>,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Literally {
    Ident(String),
    Operator(String),
    Lifetime(String),
    Literal(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kleene {
    ZeroOrMore,
    OneOrMore,
    ZeroOrOne,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FragmentKind {
    Ident,
    Path,
    Type,
    Expression,
    Statement,
    Block,
    Item,
    Pattern,
    PatternParameter,
    Literal,
    Lifetime,
    Meta,
    Visibility,
    TokenTree,
}

/// One element of a rule's right side.
pub(super) enum Template {
    /// A token of the definition, its span already erased.
    Token(TokenTree),
    Group(Delimiter, Vec<Template>),
    /// `$name`; written as it stands when the matcher binds no such name.
    Variable(proc_macro2::Ident),
    DollarCrate,
    Repeat {
        body: Vec<Template>,
        separator: Vec<TokenTree>,
        /// Every variable inside, at any depth: those that repeat decide how often.
        names: Vec<String>,
    },
    Metavar(MetavarExpression),
}

/// `${…}`.
pub(super) enum MetavarExpression {
    Count { name: String, depth: Option<usize> },
    Index(usize),
    Length(usize),
    Ignore(String),
    Concat(Vec<ConcatPart>),
}

pub(super) enum ConcatPart {
    Variable(String),
    Text(String),
}

pub(super) fn parse_matcher(tokens: TokenStream) -> Result<Vec<Matcher>, String> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut matchers = Vec::new();
    let mut position = 0;
    while position < trees.len() {
        if !is_punct(trees.get(position), '$') {
            match &trees[position] {
                TokenTree::Group(group) => {
                    matchers.push(Matcher::Group(group.delimiter(), parse_matcher(group.stream())?));
                    position += 1;
                }
                _ => {
                    let (token, taken) = literally(&trees[position..]);
                    matchers.push(Matcher::Token(token));
                    position += taken;
                }
            }
            continue;
        }
        match trees.get(position + 1) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                let body = parse_matcher(group.stream())?;
                let (separator, operator, taken) = separator_and_operator(&trees[position + 2..])?;
                let separator = separator.first().map(|_| literally(&separator).0);
                let mut names = Vec::new();
                matcher_names(&body, &mut names);
                matchers.push(Matcher::Repeat { body, separator, operator, names });
                position += 2 + taken;
            }
            Some(TokenTree::Ident(name)) if name == "crate" => {
                matchers.push(Matcher::DollarCrate);
                position += 2;
            }
            Some(TokenTree::Ident(name)) => {
                let Some(TokenTree::Ident(kind)) = trees.get(position + 3).filter(|_| is_punct(trees.get(position + 2), ':'))
                else {
                    return Err(format!("`${name}` has no fragment specifier"));
                };
                let kind = FragmentKind::named(&kind.to_string())?;
                matchers.push(Matcher::Variable { name: name.to_string(), kind });
                position += 4;
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '$' => {
                matchers.push(Matcher::Token(Literally::Operator("$".to_owned())));
                position += 2;
            }
            // With nothing behind it it stands for itself, as a macro hands it to another.
            None => {
                matchers.push(Matcher::Token(Literally::Operator("$".to_owned())));
                position += 1;
            }
            _ => return Err("expected a name or a repetition after `$`".to_owned()),
        }
    }
    Ok(matchers)
}

fn matcher_names(matchers: &[Matcher], names: &mut Vec<String>) {
    for matcher in matchers {
        match matcher {
            Matcher::Variable { name, .. } => names.push(name.clone()),
            Matcher::Group(_, body) | Matcher::Repeat { body, .. } => matcher_names(body, names),
            Matcher::Token(_) | Matcher::DollarCrate => {}
        }
    }
}

pub(super) fn parse_template(tokens: TokenStream) -> Result<Vec<Template>, String> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut templates = Vec::new();
    let mut position = 0;
    while position < trees.len() {
        if !is_punct(trees.get(position), '$') {
            match &trees[position] {
                TokenTree::Group(group) => {
                    templates.push(Template::Group(group.delimiter(), parse_template(group.stream())?));
                }
                // What replaces a variable must not be glued to the operator in front of it.
                tree if is_punct(trees.get(position + 1), '$') => templates.push(Template::Token(alone(tree.clone()))),
                tree => templates.push(Template::Token(without_span(tree.clone()))),
            }
            position += 1;
            continue;
        }
        match trees.get(position + 1) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                let body = parse_template(group.stream())?;
                let (separator, _, taken) = separator_and_operator(&trees[position + 2..])?;
                let mut separator: Vec<TokenTree> = separator.into_iter().map(without_span).collect();
                if let Some(last) = separator.pop() {
                    separator.push(alone(last));
                }
                let mut names = Vec::new();
                template_names(&body, &mut names);
                templates.push(Template::Repeat { body, separator, names });
                position += 2 + taken;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                templates.push(Template::Metavar(parse_metavar(group)?));
                position += 2;
            }
            Some(TokenTree::Ident(name)) if name == "crate" => {
                templates.push(Template::DollarCrate);
                position += 2;
            }
            Some(TokenTree::Ident(name)) => {
                let mut name = name.clone();
                name.set_span(Span::call_site());
                templates.push(Template::Variable(name));
                position += 2;
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '$' => {
                templates.push(Template::Token(without_span(trees[position].clone())));
                position += 2;
            }
            None => {
                templates.push(Template::Token(without_span(trees[position].clone())));
                position += 1;
            }
            _ => return Err("expected a name or a repetition after `$`".to_owned()),
        }
    }
    Ok(templates)
}

fn template_names(templates: &[Template], names: &mut Vec<String>) {
    for template in templates {
        match template {
            Template::Variable(name) => names.push(name.to_string()),
            Template::Group(_, body) | Template::Repeat { body, .. } => template_names(body, names),
            Template::Metavar(MetavarExpression::Ignore(name)) => names.push(name.clone()),
            Template::Metavar(MetavarExpression::Concat(parts)) => {
                names.extend(parts.iter().filter_map(|part| match part {
                    ConcatPart::Variable(name) => Some(name.clone()),
                    ConcatPart::Text(_) => None,
                }));
            }
            Template::Metavar(_) | Template::Token(_) | Template::DollarCrate => {}
        }
    }
}

fn parse_metavar(group: &Group) -> Result<MetavarExpression, String> {
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let [TokenTree::Ident(function), TokenTree::Group(arguments)] = trees.as_slice() else {
        return Err(format!("`${{{}}}` is not a macro metavariable expression", group.stream()));
    };
    let arguments: Vec<TokenTree> = arguments.stream().into_iter().collect();
    let arguments: Vec<&[TokenTree]> =
        arguments.split(|tree| is_punct(Some(tree), ',')).filter(|argument| !argument.is_empty()).collect();
    let name = |argument: Option<&&[TokenTree]>| match argument {
        Some([TokenTree::Ident(name)]) => Ok(name.to_string()),
        Some([dollar, TokenTree::Ident(name)]) if is_punct(Some(dollar), '$') => Ok(name.to_string()),
        _ => Err(format!("`${{{function}(…)}}` needs a variable")),
    };
    let number = |argument: Option<&&[TokenTree]>| match argument {
        Some([TokenTree::Literal(literal)]) => literal.to_string().parse::<usize>().ok(),
        _ => None,
    };
    match function.to_string().as_str() {
        "count" => Ok(MetavarExpression::Count { name: name(arguments.first())?, depth: number(arguments.get(1)) }),
        "index" => Ok(MetavarExpression::Index(number(arguments.first()).unwrap_or(0))),
        "len" | "length" => Ok(MetavarExpression::Length(number(arguments.first()).unwrap_or(0))),
        "ignore" => Ok(MetavarExpression::Ignore(name(arguments.first())?)),
        "concat" => {
            let parts = arguments.iter().map(|argument| match argument {
                [TokenTree::Ident(text)] => Ok(ConcatPart::Text(text.to_string())),
                [TokenTree::Literal(text)] => Ok(ConcatPart::Text(text.to_string().trim_matches('"').to_owned())),
                [dollar, TokenTree::Ident(name)] if is_punct(Some(dollar), '$') => Ok(ConcatPart::Variable(name.to_string())),
                _ => Err("`${concat(…)}` takes names and literals".to_owned()),
            });
            Ok(MetavarExpression::Concat(parts.collect::<Result<_, _>>()?))
        }
        other => Err(format!("unknown macro metavariable expression `{other}`")),
    }
}

/// Reads `*`, `,*`, `=>+`, … behind `$(…)`; gives the separator's tokens, the operator and how many tokens were read.
fn separator_and_operator(trees: &[TokenTree]) -> Result<(Vec<TokenTree>, Kleene, usize), String> {
    if let Some(operator) = kleene(trees.first()) {
        return Ok((Vec::new(), operator, 1));
    }
    if trees.is_empty() || matches!(trees[0], TokenTree::Group(_)) {
        return Err("expected `*`, `+` or `?` after a repetition".to_owned());
    }
    let (_, taken) = literally(trees);
    let operator = kleene(trees.get(taken)).ok_or("expected `*` or `+` after the separator of a repetition")?;
    Ok((trees[..taken].to_vec(), operator, taken + 1))
}

fn kleene(tree: Option<&TokenTree>) -> Option<Kleene> {
    match tree {
        Some(TokenTree::Punct(punct)) => match punct.as_char() {
            '*' => Some(Kleene::ZeroOrMore),
            '+' => Some(Kleene::OneOrMore),
            '?' => Some(Kleene::ZeroOrOne),
            _ => None,
        },
        _ => None,
    }
}

/// The token at the front as rustc sees it, and how many token trees it is made of. Never called on a group.
fn literally(trees: &[TokenTree]) -> (Literally, usize) {
    match &trees[0] {
        TokenTree::Ident(ident) => (Literally::Ident(ident.to_string()), 1),
        TokenTree::Literal(literal) => (Literally::Literal(literal.to_string()), 1),
        TokenTree::Group(group) => (Literally::Literal(group.to_string()), 1),
        TokenTree::Punct(punct) => {
            if let (true, Some(TokenTree::Ident(name))) = (punct.as_char() == '\'', trees.get(1)) {
                return (Literally::Lifetime(name.to_string()), 2);
            }
            let characters = trees.iter().map_while(|tree| match tree {
                TokenTree::Punct(punct) => Some((punct.as_char(), punct.spacing())),
                _ => None,
            });
            let operator = glue(characters);
            let taken = operator.chars().count();
            (Literally::Operator(operator), taken)
        }
    }
}

/// The longest operator that rustc would lex from these characters; at least the first one.
pub(super) fn glue(characters: impl Iterator<Item = (char, Spacing)>) -> String {
    const OPERATORS: [&str; 25] = [
        "<<=", ">>=", "...", "..=", "::", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "^=",
        "&=", "|=", "<<", ">>", "..", "<-",
    ];
    let mut text = String::new();
    for (character, spacing) in characters.take(3) {
        text.push(character);
        if spacing == Spacing::Alone {
            break;
        }
    }
    match OPERATORS.iter().find(|operator| text.starts_with(**operator)) {
        Some(operator) => (*operator).to_owned(),
        None => text.chars().take(1).collect(),
    }
}

fn is_punct(tree: Option<&TokenTree>, character: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn without_span(mut tree: TokenTree) -> TokenTree {
    tree.set_span(Span::call_site());
    tree
}

fn alone(tree: TokenTree) -> TokenTree {
    match tree {
        TokenTree::Punct(punct) => Punct::new(punct.as_char(), Spacing::Alone).into(),
        tree => without_span(tree),
    }
}

impl FragmentKind {
    fn named(name: &str) -> Result<FragmentKind, String> {
        Ok(match name {
            "ident" => FragmentKind::Ident,
            "path" => FragmentKind::Path,
            "ty" => FragmentKind::Type,
            "expr" | "expr_2021" => FragmentKind::Expression,
            "stmt" => FragmentKind::Statement,
            "block" => FragmentKind::Block,
            "item" => FragmentKind::Item,
            "pat" => FragmentKind::Pattern,
            "pat_param" => FragmentKind::PatternParameter,
            "literal" => FragmentKind::Literal,
            "lifetime" => FragmentKind::Lifetime,
            "meta" => FragmentKind::Meta,
            "vis" => FragmentKind::Visibility,
            "tt" => FragmentKind::TokenTree,
            other => return Err(format!("unknown fragment specifier `{other}`")),
        })
    }
}
