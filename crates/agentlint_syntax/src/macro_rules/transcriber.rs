//! A rule's right side written out with what its left side bound.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use super::matcher::{Binding, Bindings, Fragment};
use super::parser::{ConcatPart, FragmentKind, MetavarExpression, Template};

/// Writes `template` out, and takes the token trees that it writes from `left`; an error when these are not enough, or when it repeats
/// without a repeating variable.
pub(super) fn transcribe(
    template: &[Template],
    bindings: &Bindings,
    dollar_crate: &str,
    left: &mut usize,
) -> Result<TokenStream, String> {
    let mut transcriber = Transcriber { bindings, dollar_crate, left, iterations: Vec::new() };
    let mut output = Vec::new();
    transcriber.write(template, &mut output)?;
    Ok(output.into_iter().collect())
}

struct Transcriber<'call> {
    bindings: &'call Bindings,
    dollar_crate: &'call str,
    left: &'call mut usize,
    /// The repetitions that are being written, from the outside in.
    iterations: Vec<Iteration>,
}

struct Iteration {
    index: usize,
    length: usize,
}

impl<'call> Transcriber<'call> {
    fn write(&mut self, template: &[Template], output: &mut Vec<TokenTree>) -> Result<(), String> {
        for (position, element) in template.iter().enumerate() {
            match element {
                Template::Token(tree) => {
                    self.take(1)?;
                    output.push(tree.clone());
                }
                Template::DollarCrate => {
                    self.take(1)?;
                    output.push(Ident::new(self.dollar_crate, Span::call_site()).into());
                }
                Template::Group(delimiter, body) => {
                    self.take(1)?;
                    let mut inner = Vec::new();
                    self.write(body, &mut inner)?;
                    output.push(Group::new(*delimiter, inner.into_iter().collect()).into());
                }
                Template::Variable(name) => {
                    let before_path = follows_path_separator(&template[position + 1..]);
                    self.write_variable(name, before_path, output)?;
                }
                Template::Repeat { body, separator, names } => self.write_repetition(body, separator, names, output)?,
                Template::Metavar(expression) => self.write_metavar(expression, output)?,
            }
        }
        Ok(())
    }

    fn write_variable(&mut self, name: &Ident, before_path: bool, output: &mut Vec<TokenTree>) -> Result<(), String> {
        match self.lookup(&name.to_string()) {
            Some(Binding::Fragment(fragment)) => {
                self.take(fragment.size)?;
                write_fragment(fragment, before_path, output);
                Ok(())
            }
            Some(Binding::Sequence(_)) => Err(format!("`${name}` still repeats here")),
            // A name that the matcher does not bind belongs to a macro that the template defines.
            None => {
                self.take(2)?;
                output.push(Punct::new('$', Spacing::Alone).into());
                output.push(name.clone().into());
                Ok(())
            }
        }
    }

    fn write_repetition(
        &mut self,
        body: &[Template],
        separator: &[TokenTree],
        names: &[String],
        output: &mut Vec<TokenTree>,
    ) -> Result<(), String> {
        let mut length = None;
        for name in names {
            if let Some(Binding::Sequence(sequence)) = self.lookup(name) {
                if length.is_some_and(|length| length != sequence.len()) {
                    return Err(format!("`${name}` repeats another number of times than its neighbours"));
                }
                length = Some(sequence.len());
            }
        }
        let length = length.ok_or("a repetition without a repeating variable")?;
        for index in 0..length {
            if index > 0 {
                self.take(separator.len())?;
                output.extend(separator.iter().cloned());
            }
            // Also an empty body costs, or nesting could loop for long without writing anything.
            self.take(1)?;
            self.iterations.push(Iteration { index, length });
            let written = self.write(body, output);
            self.iterations.pop();
            written?;
        }
        Ok(())
    }

    fn write_metavar(&mut self, expression: &MetavarExpression, output: &mut Vec<TokenTree>) -> Result<(), String> {
        self.take(1)?;
        match expression {
            MetavarExpression::Ignore(_) => {}
            MetavarExpression::Index(depth) => output.push(number(self.iteration(*depth)?.index)),
            MetavarExpression::Length(depth) => output.push(number(self.iteration(*depth)?.length)),
            MetavarExpression::Count { name, depth } => match self.lookup(name) {
                Some(binding) => output.push(number(count(binding, depth.unwrap_or(usize::MAX)))),
                None => return Err(format!("`${name}` is not bound")),
            },
            MetavarExpression::Concat(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        ConcatPart::Text(part) => text.push_str(part),
                        ConcatPart::Variable(name) => match self.lookup(name) {
                            Some(Binding::Fragment(fragment)) => {
                                text.push_str(fragment.tokens.to_string().trim_matches('"'));
                            }
                            _ => return Err(format!("`${name}` is no single token here")),
                        },
                    }
                }
                let mut ident = syn::parse_str::<Ident>(&text).map_err(|_| format!("`{text}` is not an identifier"))?;
                ident.set_span(Span::call_site());
                output.push(ident.into());
            }
        }
        Ok(())
    }

    /// The binding of `name` in the iterations that are being written.
    fn lookup(&self, name: &str) -> Option<&'call Binding> {
        let mut binding = self.bindings.get(name)?;
        for iteration in &self.iterations {
            match binding {
                Binding::Sequence(sequence) => binding = sequence.get(iteration.index)?,
                Binding::Fragment(_) => break,
            }
        }
        Some(binding)
    }

    fn iteration(&self, depth: usize) -> Result<&Iteration, String> {
        self.iterations.iter().rev().nth(depth).ok_or_else(|| "a repetition's index outside of a repetition".to_owned())
    }

    fn take(&mut self, count: usize) -> Result<(), String> {
        match self.left.checked_sub(count) {
            Some(left) => {
                *self.left = left;
                Ok(())
            }
            None => {
                *self.left = 0;
                Err("the macro's expansion is too large".to_owned())
            }
        }
    }
}

fn write_fragment(fragment: &Fragment, before_path: bool, output: &mut Vec<TokenTree>) {
    let trees: Vec<TokenTree> = fragment.tokens.clone().into_iter().collect();
    let grouped = matches!(fragment.kind, FragmentKind::Type | FragmentKind::Expression);
    // A single token binds tightly as it is, and stays visible to the literal tokens of the next macro's rules.
    if !grouped || trees.len() == 1 {
        output.extend(trees);
        return;
    }
    let span = match (trees.first(), trees.last()) {
        (Some(first), Some(last)) => first.span().join(last.span()).unwrap_or(first.span()),
        _ => Span::call_site(),
    };
    if fragment.kind == FragmentKind::Type && before_path {
        let angle = |character| {
            let mut punct = Punct::new(character, Spacing::Alone);
            punct.set_span(Span::call_site());
            TokenTree::Punct(punct)
        };
        output.push(angle('<'));
        output.extend(trees);
        output.push(angle('>'));
        return;
    }
    let mut group = Group::new(Delimiter::None, fragment.tokens.clone());
    group.set_span(span);
    output.push(group.into());
}

fn follows_path_separator(rest: &[Template]) -> bool {
    let colon =
        |element: Option<&Template>| matches!(element, Some(Template::Token(TokenTree::Punct(punct))) if punct.as_char() == ':');
    colon(rest.first()) && colon(rest.get(1))
}

fn number(value: usize) -> TokenTree {
    Literal::usize_unsuffixed(value).into()
}

fn count(binding: &Binding, depth: usize) -> usize {
    match binding {
        Binding::Fragment(_) => 1,
        Binding::Sequence(sequence) if depth == 0 => sequence.len(),
        Binding::Sequence(sequence) => sequence.iter().map(|binding| count(binding, depth - 1)).sum(),
    }
}
