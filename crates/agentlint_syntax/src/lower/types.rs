//! Types, bounds and generics.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Token;
use syn::punctuated::Punctuated;

use super::paths::int_value;
use super::printer::printed;
use super::{Lowering, TYPE_DEPTH};
use crate::ast::{Bound, GenericParam, GenericParamKind, Generics, MacroArguments, MacroCall, Path, TypeRef, WherePredicate};

impl Lowering<'_> {
    pub(crate) fn ty(&mut self, ty: &syn::Type) -> TypeRef {
        if self.type_depth == TYPE_DEPTH {
            return TypeRef::Unknown;
        }
        self.type_depth += 1;
        let lowered = self.ty_here(ty);
        self.type_depth -= 1;
        lowered
    }

    fn ty_here(&mut self, ty: &syn::Type) -> TypeRef {
        match ty {
            syn::Type::Path(path) => TypeRef::Path(self.qualified_path(&path.qself, &path.path)),
            syn::Type::Reference(reference) => {
                TypeRef::Reference { mutable: reference.mutability.is_some(), inner: Box::new(self.ty(&reference.elem)) }
            }
            syn::Type::Ptr(pointer) => {
                let mutable = matches!(pointer.mutability, syn::PointerMutability::Mut(_));
                TypeRef::Pointer { mutable, inner: Box::new(self.ty(&pointer.elem)) }
            }
            syn::Type::Slice(slice) => TypeRef::Slice(Box::new(self.ty(&slice.elem))),
            syn::Type::Array(array) => TypeRef::Array { element: Box::new(self.ty(&array.elem)), length: int_value(&array.len) },
            syn::Type::Tuple(tuple) => TypeRef::Tuple(tuple.elems.iter().map(|element| self.ty(element)).collect()),
            syn::Type::Never(_) => TypeRef::Never,
            syn::Type::Infer(_) => TypeRef::Infer,
            syn::Type::Paren(paren) => self.ty(&paren.elem),
            syn::Type::Group(group) => self.ty(&group.elem),
            syn::Type::FnPtr(pointer) => TypeRef::Function {
                parameters: pointer.inputs.iter().map(|input| self.ty(&input.ty)).collect(),
                output: Box::new(self.return_type(&pointer.output).unwrap_or_else(TypeRef::unit)),
            },
            syn::Type::ImplTrait(bounds) => TypeRef::ImplTrait(self.bounds(&bounds.bounds)),
            syn::Type::TraitObject(bounds) => TypeRef::DynTrait(self.bounds(&bounds.bounds)),
            syn::Type::Macro(call) => TypeRef::Macro(Box::new(self.opaque_macro_call(&call.mac))),
            _ => TypeRef::Unknown,
        }
    }

    pub(crate) fn return_type(&mut self, output: &syn::ReturnType) -> Option<TypeRef> {
        match output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some(self.ty(ty)),
        }
    }

    pub(crate) fn bounds(&mut self, bounds: &Punctuated<syn::TypeParamBound, Token![+]>) -> Vec<Bound> {
        bounds.iter().filter_map(|bound| self.bound(bound)).collect()
    }

    fn bound(&mut self, bound: &syn::TypeParamBound) -> Option<Bound> {
        match bound {
            syn::TypeParamBound::Trait(bound) => Some(self.trait_bound(bound)),
            syn::TypeParamBound::Verbatim(tokens) => conditional_bound(tokens.clone()).map(|bound| self.trait_bound(&bound)),
            _ => None,
        }
    }

    fn trait_bound(&mut self, bound: &syn::TraitBound) -> Bound {
        Bound { path: self.path(&bound.path), maybe: bound.maybe.is_some() }
    }

    pub(crate) fn generics(&mut self, generics: &syn::Generics) -> Generics {
        let params = generics.params.iter().filter_map(|param| self.generic_param(param)).collect();
        let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let predicates = clause.filter_map(|predicate| match predicate {
            syn::WherePredicate::Type(predicate) => {
                Some(WherePredicate { ty: self.ty(&predicate.bounded_ty), bounds: self.bounds(&predicate.bounds) })
            }
            _ => None,
        });
        Generics { predicates: predicates.collect(), params }
    }

    fn generic_param(&mut self, param: &syn::GenericParam) -> Option<GenericParam> {
        match param {
            syn::GenericParam::Lifetime(_) => None,
            syn::GenericParam::Type(param) => {
                let bounds = self.bounds(&param.bounds);
                let default = param.default.as_ref().map(|(_, ty)| self.ty(ty));
                Some(GenericParam { name: self.name(&param.ident), kind: GenericParamKind::Type { bounds, default } })
            }
            syn::GenericParam::Const(param) => {
                let ty = self.ty(&param.ty);
                Some(GenericParam { name: self.name(&param.ident), kind: GenericParamKind::Const { ty } })
            }
        }
    }

    /// A macro call whose arguments nobody asks for: of an item, of a type.
    pub(crate) fn opaque_macro_call(&mut self, call: &syn::Macro) -> MacroCall {
        let path = self.path(&call.path);
        self.macro_tokens(call, path)
    }

    pub(crate) fn macro_tokens(&mut self, call: &syn::Macro, path: Path) -> MacroCall {
        let delimiters = call.delimiter.span().join();
        let (tokens, text, places) = match self.places.text(delimiters) {
            Some(_) => {
                let (tokens, text) = self.between(delimiters, &call.tokens);
                (tokens, text, Vec::new())
            }
            None => {
                let (text, places) = printed(&call.tokens, &self.places);
                (self.places.span(delimiters), text, places)
            }
        };
        MacroCall { path, tokens, text: text.into(), places, arguments: MacroArguments::Opaque }
    }
}

/// `[const] Trait`, `~const Trait` and `async Trait`, which syn does not read.
fn conditional_bound(tokens: TokenStream) -> Option<syn::TraitBound> {
    let bound = tokens.into_iter().skip_while(|tree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Bracket,
        TokenTree::Punct(punct) => punct.as_char() == '~',
        TokenTree::Ident(ident) => ident == "const" || ident == "async",
        TokenTree::Literal(_) => false,
    });
    syn::parse2(bound.collect()).ok()
}
