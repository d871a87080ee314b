//! Where a type as written ends: `Spanned` would print it as tokens only to look at the last.

use proc_macro2::TokenStream;

use super::Lowering;

impl Lowering<'_> {
    pub(crate) fn type_end(&self, ty: &syn::Type) -> u32 {
        match ty {
            syn::Type::Array(array) => self.delimiters(&array.bracket_token.span).end,
            syn::Type::Slice(slice) => self.delimiters(&slice.bracket_token.span).end,
            syn::Type::Tuple(tuple) => self.delimiters(&tuple.paren_token.span).end,
            syn::Type::Paren(paren) => self.delimiters(&paren.paren_token.span).end,
            syn::Type::Group(group) => self.type_end(&group.elem),
            syn::Type::FnPtr(pointer) => match &pointer.output {
                syn::ReturnType::Default => self.delimiters(&pointer.paren_token.span).end,
                syn::ReturnType::Type(_, ty) => self.type_end(ty),
            },
            syn::Type::ImplTrait(bounds) => self.bounds_end(&bounds.bounds),
            syn::Type::TraitObject(bounds) => self.bounds_end(&bounds.bounds),
            syn::Type::Infer(infer) => self.places.end(infer.underscore_token.span),
            syn::Type::Macro(call) => self.delimiters(call.mac.delimiter.span()).end,
            syn::Type::Never(never) => self.places.end(never.bang_token.span),
            syn::Type::Path(path) => self.path_end(&path.path),
            syn::Type::Ptr(pointer) => self.type_end(&pointer.elem),
            syn::Type::Reference(reference) => self.type_end(&reference.elem),
            syn::Type::Verbatim(tokens) => self.tokens_end(tokens),
            _ => 0,
        }
    }

    /// `None` for what seldom stands as a field: its end has to do.
    pub(crate) fn type_start(&self, ty: &syn::Type) -> Option<u32> {
        match ty {
            syn::Type::Path(syn::TypePath { qself: Some(qself), .. }) => Some(self.places.start(qself.lt_token.span)),
            syn::Type::Path(path) => match &path.path.leading_colon {
                Some(colons) => Some(self.places.start(colons.spans[0])),
                None => path.path.segments.first().map(|first| self.places.start(first.ident.span())),
            },
            syn::Type::Reference(reference) => Some(self.places.start(reference.and_token.span)),
            syn::Type::Ptr(pointer) => Some(self.places.start(pointer.star_token.span)),
            syn::Type::Array(array) => Some(self.delimiters(&array.bracket_token.span).start),
            syn::Type::Slice(slice) => Some(self.delimiters(&slice.bracket_token.span).start),
            syn::Type::Tuple(tuple) => Some(self.delimiters(&tuple.paren_token.span).start),
            syn::Type::FnPtr(pointer) => Some(self.places.start(pointer.fn_token.span)),
            _ => None,
        }
    }

    pub(crate) fn path_end(&self, path: &syn::Path) -> u32 {
        let Some(last) = path.segments.last() else { return 0 };
        match &last.arguments {
            syn::PathArguments::None => self.places.end(last.ident.span()),
            syn::PathArguments::AngleBracketed(arguments) => self.places.end(arguments.gt_token.span),
            syn::PathArguments::Parenthesized(arguments) => match &arguments.output {
                syn::ReturnType::Default => self.delimiters(&arguments.paren_token.span).end,
                syn::ReturnType::Type(_, ty) => self.type_end(ty),
            },
        }
    }

    fn bounds_end(&self, bounds: &syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>) -> u32 {
        match bounds.last() {
            Some(syn::TypeParamBound::Trait(bound)) => match &bound.paren_token {
                Some(paren) => self.delimiters(&paren.span).end,
                None => self.path_end(&bound.path),
            },
            Some(syn::TypeParamBound::Lifetime(lifetime)) => self.places.end(lifetime.ident.span()),
            Some(syn::TypeParamBound::PreciseCapture(capture)) => self.places.end(capture.gt_token.span),
            Some(syn::TypeParamBound::Verbatim(tokens)) => self.tokens_end(tokens),
            _ => 0,
        }
    }

    fn tokens_end(&self, tokens: &TokenStream) -> u32 {
        tokens.clone().into_iter().last().map_or(0, |last| self.places.end(last.span()))
    }
}
