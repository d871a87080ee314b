//! What happens to attributes: `cfg` is evaluated, a few that name resolution and method lookup need stay, the rest goes.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use super::cfg;

/// The attributes of one item after `cfg_attr` was resolved: the tokens between `#[` and `]` of each.
#[derive(Clone, Default)]
pub(super) struct Attributes {
    all: Vec<Vec<TokenTree>>,
}

impl Attributes {
    pub(super) fn push(&mut self, content: TokenStream) {
        let trees: Vec<TokenTree> = content.into_iter().collect();
        match trees.as_slice() {
            [TokenTree::Ident(name), TokenTree::Group(arguments)] if name == "cfg_attr" => {
                let mut arguments = cfg::split_commas(arguments.stream()).into_iter();
                if arguments.next().is_some_and(|predicate| cfg::holds(&predicate)) {
                    arguments.for_each(|attribute| self.push(attribute));
                }
            }
            _ => self.all.push(trees),
        }
    }

    /// Whether every `#[cfg]` holds.
    pub(super) fn enabled(&self) -> bool {
        self.all.iter().all(|attribute| match attribute.as_slice() {
            [TokenTree::Ident(name), TokenTree::Group(predicate)] if name == "cfg" => cfg::holds(&predicate.stream()),
            _ => true,
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The text of `#[name = "text"]`.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        self.find(name)?.get(2).map(|value| value.to_string().trim_matches('"').to_owned())
    }

    fn only(&self, name: &str) -> TokenStream {
        self.find(name).map(|attribute| quote!(#[#(#attribute)*])).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Option<&Vec<TokenTree>> {
        self.all.iter().find(|attribute| matches!(attribute.first(), Some(TokenTree::Ident(first)) if first == name))
    }

    /// The attributes that stay, as tokens.
    pub(super) fn kept(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attribute in &self.all {
            let Some(TokenTree::Ident(name)) = attribute.first() else { continue };
            match name.to_string().as_str() {
                "unstable" => tokens.extend(quote!(#[unstable])),
                "derive" | "lang" | "fundamental" | "macro_export" => tokens.extend(quote!(#[#(#attribute)*])),
                "derive_const" => {
                    let arguments = &attribute[1..];
                    tokens.extend(quote!(#[derive #(#arguments)*]));
                }
                // Written by hand only where the compiler knows the macro itself.
                "rustc_builtin_macro" => tokens.extend(quote!(#[rustc_builtin_macro])),
                _ => {}
            }
        }
        tokens
    }
}

/// Resolves the attributes inside one item (on fields, variants, parameters): removes what a false `cfg` switches off, and every
/// attribute that does not stay. Elements end at a comma, as everything inside an item without a body does.
pub(super) fn resolve_inside(tokens: TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut output = Vec::new();
    let mut position = 0;
    while position < trees.len() {
        let mut attributes = Attributes::default();
        while let (Some(TokenTree::Punct(hash)), Some(TokenTree::Group(content))) = (trees.get(position), trees.get(position + 1))
        {
            if hash.as_char() != '#' || content.delimiter() != Delimiter::Bracket {
                break;
            }
            attributes.push(content.stream());
            position += 2;
        }
        if !attributes.enabled() {
            let mut angles = Angles::default();
            while let Some(tree) = trees.get(position) {
                position += 1;
                angles.see(tree);
                if angles.outside() && matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',') {
                    break;
                }
            }
            continue;
        }
        // Inside an item only variants that the compiler knows (`Some`, `Ok`) are worth telling.
        output.extend(attributes.only("lang"));
        match trees.get(position) {
            Some(TokenTree::Group(group)) => {
                output.push(Group::new(group.delimiter(), resolve_inside(group.stream())).into());
            }
            Some(tree) => output.push(tree.clone()),
            None => {}
        }
        position += 1;
    }
    output.into_iter().collect()
}

/// Counts angle brackets, which token trees do not group.
#[derive(Default)]
pub(super) struct Angles {
    depth: usize,
    arrow: bool,
}

impl Angles {
    pub(super) fn see(&mut self, tree: &TokenTree) {
        if let TokenTree::Punct(punct) = tree {
            match punct.as_char() {
                '<' => self.depth += 1,
                '>' if !self.arrow => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.arrow = matches!(punct.as_char(), '-' | '=') && punct.spacing() == proc_macro2::Spacing::Joint;
        } else {
            self.arrow = false;
        }
    }

    pub(super) fn outside(&self) -> bool {
        self.depth == 0
    }
}
