//! Attributes, and what is read out of them: `cfg` and `derive`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::{Meta, Token};

use super::{Lowering, unraw};
use crate::ast::{Attribute, AttributeArguments, CfgExpr, Path};
use crate::{Name, Span, name};

/// The attributes of one item.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) cfg: Option<CfgExpr>,
    pub(crate) derives: Vec<Path>,
}

impl Lowering<'_> {
    pub(crate) fn attributes(&mut self, attributes: &[syn::Attribute]) -> Attributes {
        let mut lowered = Attributes { cfg: self.cfg(attributes), ..Attributes::default() };
        for attribute in attributes {
            let path = attribute.path();
            if path.is_ident("doc") || path.is_ident("cfg") {
                continue;
            }
            if path.is_ident("derive") {
                self.derives(&attribute.meta, &mut lowered.derives);
                continue;
            }
            if path.is_ident("cfg_attr") {
                for meta in conditional_metas(&attribute.meta).unwrap_or_default() {
                    self.derives(&meta, &mut lowered.derives);
                }
            }
            let span = self.places.span(attribute.pound_token.span).to(self.delimiters(&attribute.bracket_token.span));
            lowered.attributes.push(self.attribute(&attribute.meta, span));
        }
        lowered
    }

    /// A file's own attributes, `cfg` among them.
    pub(crate) fn file_attributes(&mut self, attributes: &[syn::Attribute]) {
        let Attributes { attributes: mut lowered, cfg, .. } = self.attributes(attributes);
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
            let span = self.places.span(attribute.pound_token.span).to(self.delimiters(&attribute.bracket_token.span));
            lowered.push(self.attribute(&attribute.meta, span));
        }
        lowered.sort_by_key(|attribute| attribute.span);
        self.file.attributes.extend(lowered);
        self.file.cfg = all(self.file.cfg.take().into_iter().chain(cfg).collect());
    }

    pub(crate) fn attribute(&mut self, meta: &Meta, span: Span) -> Attribute {
        let arguments = match meta {
            Meta::Path(_) => AttributeArguments::None,
            Meta::List(list) => {
                let (span, text) = self.between(list.delimiter.span().join(), &list.tokens);
                AttributeArguments::Tokens { text, span }
            }
            Meta::NameValue(pair) => match &pair.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => AttributeArguments::Value(text.value()),
                _ => AttributeArguments::None,
            },
        };
        Attribute { path: self.joined_path(meta.path()), arguments, span }
    }

    fn joined_path(&self, path: &syn::Path) -> Name {
        if let Some(ident) = path.get_ident() {
            return self.name(ident);
        }
        let mut text = String::from(if path.leading_colon.is_some() { "::" } else { "" });
        for (index, segment) in path.segments.iter().enumerate() {
            text.push_str(if index > 0 { "::" } else { "" });
            text.push_str(&self.name(&segment.ident));
        }
        name(&text)
    }

    fn derives(&mut self, meta: &Meta, derives: &mut Vec<Path>) {
        if let Meta::List(list) = meta
            && list.path.is_ident("derive")
            && let Ok(paths) = list.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)
        {
            derives.extend(paths.iter().map(|path| self.path(path)));
        }
    }

    /// The place and the text between the delimiters at `delimiters`.
    pub(crate) fn between(&self, delimiters: proc_macro2::Span, tokens: &TokenStream) -> (Span, String) {
        let span = self.places.span(delimiters);
        match self.places.text(delimiters) {
            Some(text) if text.len() >= 2 => {
                (Span { start: span.start + 1, end: span.end - 1 }, text[1..text.len() - 1].to_owned())
            }
            _ => (span, tokens.to_string()),
        }
    }

    /// All `cfg` attributes together, and those inside `cfg_attr`.
    pub(crate) fn cfg(&self, attributes: &[syn::Attribute]) -> Option<CfgExpr> {
        let mut cfgs = Vec::new();
        for attribute in attributes {
            match &attribute.meta {
                Meta::List(list) if list.path.is_ident("cfg") => cfgs.push(cfg_predicate(list.tokens.clone())),
                meta @ Meta::List(list) if list.path.is_ident("cfg_attr") => {
                    for inner in conditional_metas(meta).unwrap_or_default() {
                        if let Meta::List(inner) = inner
                            && inner.path.is_ident("cfg")
                        {
                            let absent = CfgExpr::Not(Box::new(cfg_predicate(first_argument(list.tokens.clone()))));
                            cfgs.push(CfgExpr::Any(vec![absent, cfg_predicate(inner.tokens)]));
                        }
                    }
                }
                _ => {}
            }
        }
        all(cfgs)
    }
}

/// The predicates taken together; `None` for none.
pub(crate) fn all(mut cfgs: Vec<CfgExpr>) -> Option<CfgExpr> {
    match cfgs.len() {
        0 | 1 => cfgs.pop(),
        _ => Some(CfgExpr::All(cfgs)),
    }
}

/// Reads the inside of `cfg(…)`. A predicate that this crate does not know is a flag by its name, which holds nowhere.
pub(crate) fn cfg_predicate(tokens: TokenStream) -> CfgExpr {
    let mut trees = tokens.into_iter();
    let Some(TokenTree::Ident(word)) = trees.next() else {
        return CfgExpr::Bool(false);
    };
    let word = unraw(&word);
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Punct(equals)), Some(TokenTree::Literal(value))) if equals.as_char() == '=' => {
            match syn::Lit::new(value) {
                syn::Lit::Str(value) => CfgExpr::KeyValue(word, name(&value.value())),
                _ => CfgExpr::Flag(word),
            }
        }
        (Some(TokenTree::Group(group)), _) if group.delimiter() == Delimiter::Parenthesis => {
            let inner = arguments(group.stream()).map(cfg_predicate);
            match word.as_str() {
                "all" => CfgExpr::All(inner.collect()),
                "any" => CfgExpr::Any(inner.collect()),
                "not" => CfgExpr::Not(Box::new(inner.last().unwrap_or(CfgExpr::Bool(false)))),
                _ => CfgExpr::Flag(word),
            }
        }
        _ => match word.as_str() {
            "true" => CfgExpr::Bool(true),
            "false" => CfgExpr::Bool(false),
            _ => CfgExpr::Flag(word),
        },
    }
}

/// Reads the inside of `cfg_attr(…)`; the attributes' spans are those of the tokens.
pub(crate) fn cfg_attr(lowering: &mut Lowering<'_>, tokens: TokenStream) -> (CfgExpr, Vec<Attribute>) {
    let predicate = cfg_predicate(first_argument(tokens.clone()));
    let metas = later_arguments(tokens).filter_map(|meta| {
        let trees: Vec<TokenTree> = meta.clone().into_iter().collect();
        let (first, last) = (trees.first()?.span(), trees.last()?.span());
        let span = lowering.places.span(first).to(lowering.places.span(last));
        Some(lowering.attribute(&syn::parse2(meta).ok()?, span))
    });
    (predicate, metas.collect())
}

/// The attributes inside a `cfg_attr`; `None` for anything else.
fn conditional_metas(meta: &Meta) -> Option<Vec<Meta>> {
    let Meta::List(list) = meta else { return None };
    Some(later_arguments(list.tokens.clone()).filter_map(|meta| syn::parse2(meta).ok()).collect())
}

fn first_argument(tokens: TokenStream) -> TokenStream {
    arguments(tokens).next().unwrap_or_default()
}

fn later_arguments(tokens: TokenStream) -> impl Iterator<Item = TokenStream> {
    arguments(tokens).skip(1)
}

/// Splits tokens at their commas.
fn arguments(tokens: TokenStream) -> impl Iterator<Item = TokenStream> {
    let mut trees = tokens.into_iter();
    std::iter::from_fn(move || {
        let argument: Vec<TokenTree> =
            trees.by_ref().take_while(|tree| !matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',')).collect();
        (!argument.is_empty()).then(|| argument.into_iter().collect())
    })
}
