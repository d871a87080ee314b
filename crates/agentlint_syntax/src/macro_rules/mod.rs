//! Expansion of one `macro_rules!` (or `macro`) call on tokens.
//!
//! Matching follows rustc where real macros depend on it: rules are tried in order, repetitions are greedy and never give back
//! what they took, and fragments such as `$e:expr` take what the Rust grammar takes. It is more lenient in one way: where rustc
//! stops with an error inside a fragment, the next rule is tried. There is no hygiene.

mod matcher;
mod parser;
mod transcriber;

#[cfg(test)]
mod tests;

use std::cell::Cell;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};

/// The most token trees that one expansion may give. The largest seen in use, that of the commands of the crate `redis`, is above
/// 200,000.
const OUTPUT_LIMIT: usize = 500_000;
/// The most matcher steps that one call may cost, over all rules.
const STEP_LIMIT: usize = 4_000_000;

/// What the calls that share it may still cost together, in matcher steps and token trees that come out.
#[derive(Debug)]
pub struct Budget {
    left: Cell<usize>,
}

impl Budget {
    pub fn new(all: usize) -> Budget {
        Budget { left: Cell::new(all) }
    }

    pub fn left(&self) -> usize {
        self.left.get()
    }

    /// Takes what a call has cost elsewhere; false where that is not there, and nothing is taken.
    pub fn pay(&self, cost: usize) -> bool {
        let is_enough = cost <= self.left.get();
        if is_enough {
            self.spend(cost);
        }
        is_enough
    }

    fn spend(&self, cost: usize) {
        self.left.set(self.left.get().saturating_sub(cost));
    }
}

/// A macro defined by rules.
pub struct MacroRules {
    rules: Vec<Rule>,
}

struct Rule {
    matcher: Vec<parser::Matcher>,
    template: Vec<parser::Template>,
}

impl MacroRules {
    /// Reads the rules of a macro: what stands between the outer delimiters of `macro_rules! m { … }` or `macro m { … }`, or the
    /// two groups `(…) {…}` of `macro m(…) {…}`. No rules at all is accepted; such a macro matches nothing.
    pub fn parse(tokens: TokenStream) -> Result<MacroRules, String> {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        if let [TokenTree::Group(matcher), TokenTree::Group(body)] = trees.as_slice()
            && body.delimiter() == Delimiter::Brace
        {
            return Ok(MacroRules { rules: vec![Rule::new(matcher.stream(), body.stream())?] });
        }
        let mut rules = Vec::new();
        let mut position = 0;
        while position < trees.len() {
            // Rules for use as an attribute or a derive are prefixed by a word; a call never means them.
            let mut callable = true;
            while let Some(TokenTree::Ident(_)) = trees.get(position) {
                callable = false;
                position += 1;
            }
            if !callable && is_group(trees.get(position)) && is_group(trees.get(position + 1)) {
                position += 1;
            }
            let Some(TokenTree::Group(matcher)) = trees.get(position) else {
                return Err("expected the matcher of a rule".to_owned());
            };
            let arrow = (trees.get(position + 1), trees.get(position + 2));
            if !matches!(arrow, (Some(TokenTree::Punct(a)), Some(TokenTree::Punct(b))) if a.as_char() == '=' && b.as_char() == '>')
            {
                return Err("expected `=>` after the matcher of a rule".to_owned());
            }
            let Some(TokenTree::Group(body)) = trees.get(position + 3) else {
                return Err("expected the body of a rule".to_owned());
            };
            if callable {
                rules.push(Rule::new(matcher.stream(), body.stream())?);
            }
            position += 4;
            match trees.get(position) {
                None => {}
                Some(TokenTree::Punct(separator)) if matches!(separator.as_char(), ';' | ',') => position += 1,
                // `macro m { (..) {..} (..) {..} }` does not exist: without a separator nothing can follow.
                Some(other) => return Err(format!("expected `;` between rules, found `{other}`")),
            }
        }
        Ok(MacroRules { rules })
    }

    /// Expands one call, as far as `budget` goes. `input` is what stands between the delimiters of the call; `dollar_crate` is the identifier to write for
    /// `$crate`. Tokens from the definition come back with `Span::call_site()`, tokens from the call keep their spans. Calls in
    /// the result are not expanded.
    ///
    /// `$e:expr` and `$t:ty` of several tokens come back in a group without delimiters, so that precedence holds; a type that is
    /// followed by `::` is written `<T>::`.
    pub fn expand(&self, input: TokenStream, dollar_crate: &str, budget: &Budget) -> Result<TokenStream, String> {
        let most_steps = STEP_LIMIT.min(budget.left());
        let mut steps = matcher::Steps::new(most_steps, dollar_crate);
        let find_rule = |stream: ParseStream<'_>| {
            let mut found = None;
            for rule in &self.rules {
                if let Some(bindings) = matcher::match_rule(&rule.matcher, &stream.fork(), &mut steps) {
                    found = Some((rule, bindings));
                    break;
                }
            }
            stream.parse::<TokenStream>()?;
            Ok(found)
        };
        let found = find_rule.parse2(input).map_err(|error| error.to_string());
        budget.spend(most_steps - steps.left());
        match found? {
            Some((rule, bindings)) => {
                let most_trees = OUTPUT_LIMIT.min(budget.left());
                let mut left = most_trees;
                let output = transcriber::transcribe(&rule.template, &bindings, dollar_crate, &mut left);
                budget.spend(most_trees - left);
                output
            }
            None if steps.exhausted() => Err("the macro call is too large to match".to_owned()),
            None => Err("no rule of the macro matches".to_owned()),
        }
    }
}

impl Rule {
    fn new(matcher: TokenStream, body: TokenStream) -> Result<Rule, String> {
        Ok(Rule { matcher: parser::parse_matcher(matcher)?, template: parser::parse_template(body)? })
    }
}

fn is_group(tree: Option<&TokenTree>) -> bool {
    matches!(tree, Some(TokenTree::Group(_)))
}
