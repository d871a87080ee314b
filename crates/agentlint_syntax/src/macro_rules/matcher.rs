//! A macro call's tokens matched against a rule's left side.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::buffer::Cursor;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseBuffer, ParseStream};
use syn::{Ident, Token};

use super::parser::{FragmentKind, Kleene, Literally, Matcher, glue};

pub(super) type Bindings = BTreeMap<String, Binding>;

/// What a variable stands for.
pub(super) enum Binding {
    Fragment(Fragment),
    /// One binding for each iteration of the repetition around the variable.
    Sequence(Vec<Binding>),
}

pub(super) struct Fragment {
    pub(super) kind: FragmentKind,
    pub(super) tokens: TokenStream,
    /// Token trees at any depth.
    pub(super) size: usize,
}

/// What matching may still cost, and what `$crate` means here.
pub(super) struct Steps<'call> {
    left: usize,
    dollar_crate: &'call str,
}

impl<'call> Steps<'call> {
    pub(super) fn new(limit: usize, dollar_crate: &'call str) -> Steps<'call> {
        Steps { left: limit, dollar_crate }
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }

    pub(super) fn exhausted(&self) -> bool {
        self.left == 0
    }

    fn take(&mut self, count: usize) -> bool {
        self.left = self.left.saturating_sub(count);
        self.left > 0
    }
}

/// Matches the whole of `input`; `None` when the rule does not apply.
pub(super) fn match_rule(matchers: &[Matcher], input: ParseStream<'_>, steps: &mut Steps<'_>) -> Option<Bindings> {
    let mut bindings = Bindings::new();
    (match_sequence(matchers, input, &mut bindings, steps) && input.is_empty()).then_some(bindings)
}

fn match_sequence(matchers: &[Matcher], input: ParseStream<'_>, bindings: &mut Bindings, steps: &mut Steps<'_>) -> bool {
    matchers.iter().all(|matcher| match_one(matcher, input, bindings, steps))
}

fn match_one(matcher: &Matcher, input: ParseStream<'_>, bindings: &mut Bindings, steps: &mut Steps<'_>) -> bool {
    if !steps.take(1) {
        return false;
    }
    match matcher {
        Matcher::Token(token) => take_token(token, input),
        Matcher::DollarCrate => take_token(&Literally::Ident(steps.dollar_crate.to_owned()), input),
        Matcher::Group(delimiter, body) => {
            // An undelimited group only marks precedence, so its content matches in place.
            if *delimiter == Delimiter::None {
                return match_sequence(body, input, bindings, steps);
            }
            match content(*delimiter, input) {
                Ok(content) => match_sequence(body, &content, bindings, steps) && content.is_empty(),
                Err(_) => false,
            }
        }
        Matcher::Variable { name, kind } => match take_fragment(*kind, input, steps) {
            Some(fragment) => {
                bindings.insert(name.clone(), Binding::Fragment(fragment));
                true
            }
            None => false,
        },
        Matcher::Repeat { body, separator, operator, names } => {
            let mut sequences: Vec<Vec<Binding>> = names.iter().map(|_| Vec::new()).collect();
            let count = match_repetition(body, separator.as_ref(), *operator, input, steps, &mut |mut iteration| {
                for (name, sequence) in names.iter().zip(&mut sequences) {
                    sequence.extend(iteration.remove(name));
                }
            });
            for (name, sequence) in names.iter().zip(sequences) {
                bindings.insert(name.clone(), Binding::Sequence(sequence));
            }
            !steps.exhausted() && (count > 0 || *operator != Kleene::OneOrMore)
        }
    }
}

fn match_repetition(
    body: &[Matcher],
    separator: Option<&Literally>,
    operator: Kleene,
    input: ParseStream<'_>,
    steps: &mut Steps<'_>,
    keep: &mut dyn FnMut(Bindings),
) -> usize {
    let mut count = 0;
    while !input.is_empty() {
        // The iteration and the separator before it are taken together or not at all, so that a trailing separator is left.
        let attempt = input.fork();
        if count > 0 && separator.is_some_and(|separator| !take_token(separator, &attempt)) {
            break;
        }
        let mut iteration = Bindings::new();
        if !match_sequence(body, &attempt, &mut iteration, steps) || attempt.cursor() == input.cursor() {
            break;
        }
        input.advance_to(&attempt);
        keep(iteration);
        count += 1;
        if operator == Kleene::ZeroOrOne {
            break;
        }
    }
    count
}

fn content<'input>(delimiter: Delimiter, input: &'input ParseBuffer<'_>) -> syn::Result<ParseBuffer<'input>> {
    let content;
    match delimiter {
        Delimiter::Parenthesis => drop(syn::parenthesized!(content in input)),
        Delimiter::Bracket => drop(syn::bracketed!(content in input)),
        Delimiter::Brace | Delimiter::None => drop(syn::braced!(content in input)),
    }
    Ok(content)
}

fn take_token(token: &Literally, input: ParseStream<'_>) -> bool {
    let taken = input.step(|cursor| {
        let rest = match token {
            Literally::Ident(name) => cursor.ident().filter(|(ident, _)| ident == name).map(|(_, rest)| rest),
            Literally::Literal(text) => {
                cursor.literal().filter(|(literal, _)| literal.to_string() == *text).map(|(_, rest)| rest)
            }
            Literally::Lifetime(name) => cursor.lifetime().filter(|(lifetime, _)| lifetime.ident == name).map(|(_, rest)| rest),
            Literally::Operator(operator) => match operator_at(*cursor) {
                Some((found, rest)) if found == *operator => Some(rest),
                _ => None,
            },
        };
        rest.map(|rest| ((), rest)).ok_or_else(|| cursor.error("no match"))
    });
    taken.is_ok()
}

/// The operator at the cursor as rustc lexes it, and where the tokens go on behind it.
fn operator_at(cursor: Cursor<'_>) -> Option<(String, Cursor<'_>)> {
    let mut puncts = Vec::new();
    let mut next = cursor;
    while let (Some((punct, rest)), true) = (next.punct(), puncts.len() < 3) {
        puncts.push((punct, rest));
        next = rest;
    }
    puncts.first()?;
    let operator = glue(puncts.iter().map(|(punct, _)| (punct.as_char(), punct.spacing())));
    let rest = puncts[operator.chars().count() - 1].1;
    Some((operator, rest))
}

fn take_fragment(kind: FragmentKind, input: ParseStream<'_>, steps: &mut Steps<'_>) -> Option<Fragment> {
    let begin = input.cursor();
    // The attempt is a fork because a failed parse leaves a mark on its stream that would fail the whole call.
    match kind {
        FragmentKind::Ident => input.step(|cursor| match cursor.ident() {
            Some((ident, rest)) if ident != "_" => Ok(((), rest)),
            _ => Err(cursor.error("expected an identifier")),
        }),
        FragmentKind::TokenTree => input.step(|cursor| token_tree(*cursor).ok_or_else(|| cursor.error("expected a token"))),
        FragmentKind::Lifetime => {
            input.step(|cursor| cursor.lifetime().map(|(_, rest)| ((), rest)).ok_or_else(|| cursor.error("no lifetime")))
        }
        FragmentKind::Path => advance::<syn::Path>(input, syn::Path::parse),
        FragmentKind::Type => advance(input, syn::Type::parse),
        FragmentKind::Expression => advance(input, syn::Expr::parse),
        FragmentKind::Statement => advance(input, statement),
        FragmentKind::Block => advance(input, syn::Block::parse),
        FragmentKind::Item => advance(input, syn::Item::parse).or_else(|_| advance(input, unstable_item)),
        FragmentKind::Pattern => advance(input, syn::Pat::parse_multi_with_leading_vert),
        FragmentKind::PatternParameter => advance(input, syn::Pat::parse_single),
        FragmentKind::Literal => advance(input, syn::Lit::parse),
        FragmentKind::Meta => advance(input, syn::Meta::parse),
        FragmentKind::Visibility => advance(input, syn::Visibility::parse),
    }
    .ok()?;
    let tokens = between(begin, input.cursor())?;
    let size = size(&tokens);
    steps.take(size).then_some(Fragment { kind, tokens, size })
}

fn advance<T>(input: ParseStream<'_>, parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<()> {
    let attempt = input.fork();
    parse(&attempt)?;
    input.advance_to(&attempt);
    Ok(())
}

/// One token tree as rustc counts them: a lifetime or a glued operator is one.
fn token_tree(cursor: Cursor<'_>) -> Option<((), Cursor<'_>)> {
    if let Some((_, rest)) = cursor.group(Delimiter::None).map(|(_, _, rest)| ((), rest)) {
        return Some(((), rest));
    }
    if let Some((_, rest)) = cursor.lifetime() {
        return Some(((), rest));
    }
    if let Some((_, rest)) = operator_at(cursor) {
        return Some(((), rest));
    }
    cursor.token_tree().map(|(_, rest)| ((), rest))
}

/// `$s:stmt` takes a statement without its semicolon, which syn has no parser for.
fn statement(input: ParseStream<'_>) -> syn::Result<()> {
    // What ends a statement belongs to none, and is an empty one.
    if input.parse::<Option<Token![;]>>()?.is_some() {
        return Ok(());
    }
    let ahead = input.fork();
    ahead.call(syn::Attribute::parse_outer)?;
    if ahead.peek(Token![let]) {
        input.call(syn::Attribute::parse_outer)?;
        input.parse::<Token![let]>()?;
        syn::Pat::parse_multi_with_leading_vert(input)?;
        if input.parse::<Option<Token![:]>>()?.is_some() {
            input.parse::<syn::Type>()?;
        }
        if input.parse::<Option<Token![=]>>()?.is_some() {
            input.parse::<syn::Expr>()?;
            if input.parse::<Option<Token![else]>>()?.is_some() {
                input.parse::<syn::Block>()?;
            }
        }
        return Ok(());
    }
    let expression = input.fork();
    if expression.parse::<syn::Expr>().is_ok() && (expression.is_empty() || at_statement_end(&expression)) {
        input.advance_to(&expression);
        return Ok(());
    }
    // `Ident` rules out a stray operator, which syn would take for an empty item.
    if !ahead.peek(Token![#]) && !ahead.peek(syn::Lifetime) && ahead.call(any_ident).is_err() {
        return Err(input.error("expected a statement"));
    }
    input.parse::<syn::Item>().map(drop)
}

/// An item in syntax that syn does not know, such as `impl const Trait for T`: it ends with its first braces or semicolon.
fn unstable_item(input: ParseStream<'_>) -> syn::Result<()> {
    input.call(syn::Attribute::parse_outer)?;
    input.parse::<syn::Visibility>()?;
    let keyword = input.fork().call(any_ident)?.to_string();
    if !matches!(
        keyword.as_str(),
        "impl" | "trait" | "fn" | "const" | "unsafe" | "auto" | "default" | "extern" | "type" | "macro"
    ) {
        return Err(input.error("expected an item"));
    }
    loop {
        let tree: TokenTree = input.parse()?;
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return Ok(()),
            TokenTree::Punct(punct) if punct.as_char() == ';' => return Ok(()),
            _ => {}
        }
    }
}

fn at_statement_end(input: ParseStream<'_>) -> bool {
    input.peek(Token![;]) || input.peek(Token![,]) || input.peek(Token![=>])
}

fn any_ident(input: ParseStream<'_>) -> syn::Result<Ident> {
    use syn::ext::IdentExt;
    input.call(Ident::parse_any)
}

/// The token trees between two cursors of one stream; `None` when `end` does not follow `begin`.
fn between(begin: Cursor<'_>, end: Cursor<'_>) -> Option<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut cursor = begin;
    while cursor != end {
        let (tree, next) = cursor.token_tree()?;
        if end < next {
            // A fragment can end inside an undelimited group, which is transparent to the grammar.
            cursor = cursor.group(Delimiter::None)?.0;
            continue;
        }
        tree.to_tokens(&mut tokens);
        cursor = next;
    }
    Some(tokens)
}

fn size(tokens: &TokenStream) -> usize {
    let tree_size = |tree| match tree {
        TokenTree::Group(group) => 1 + size(&group.stream()),
        _ => 1,
    };
    tokens.clone().into_iter().map(tree_size).sum()
}
