//! What `#[pin_project]` and `pin_project! { … }` generate: the type of a projection, and the functions that give it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Fields, Generics, Ident, Token, Visibility};

use super::Lowering;
use crate::Bodies;
use crate::ast::ItemId;

/// The type that is projected.
struct Projected<'a> {
    ident: &'a Ident,
    visibility: &'a Visibility,
    generics: &'a Generics,
    shape: Shape<'a>,
    names: Names,
}

enum Shape<'a> {
    Struct(&'a Fields),
    Enum(&'a Punctuated<syn::Variant, Token![,]>),
}

/// The names that the attribute gives to the projections.
#[derive(Default)]
struct Names {
    project: Option<Ident>,
    project_ref: Option<Ident>,
}

impl Lowering<'_> {
    /// Adds the projections of a struct or an enum that asks for them.
    pub(crate) fn pin_projections(&mut self, item: &syn::Item, into: &mut Vec<ItemId>) {
        let (attributes, ident, visibility, generics, shape) = match item {
            syn::Item::Struct(item) => (&item.attrs, &item.ident, &item.vis, &item.generics, Shape::Struct(&item.fields)),
            syn::Item::Enum(item) => (&item.attrs, &item.ident, &item.vis, &item.generics, Shape::Enum(&item.variants)),
            _ => return,
        };
        let Some(names) = names_in_attribute(attributes) else { return };
        self.generated(&Projected { ident, visibility, generics, shape, names }.tokens(), into);
    }

    /// `pin_project! { #[project = Name] struct … }`, and the impl of `PinnedDrop` that may follow.
    pub(crate) fn pin_project_macro(&mut self, call: &syn::Macro, into: &mut Vec<ItemId>) -> bool {
        let Ok(file) = syn::parse2::<syn::File>(call.tokens.clone()) else { return false };
        for item in &file.items {
            self.item(item, into);
            let (attributes, ident, visibility, generics, shape) = match item {
                syn::Item::Struct(item) => (&item.attrs, &item.ident, &item.vis, &item.generics, Shape::Struct(&item.fields)),
                syn::Item::Enum(item) => (&item.attrs, &item.ident, &item.vis, &item.generics, Shape::Enum(&item.variants)),
                _ => continue,
            };
            let names = names_beside(attributes);
            self.generated(&Projected { ident, visibility, generics, shape, names }.tokens(), into);
        }
        true
    }

    /// Lowers declarations that a macro makes. Their bodies say nothing.
    pub(crate) fn generated(&mut self, tokens: &TokenStream, into: &mut Vec<ItemId>) {
        let Ok(file) = syn::parse2::<syn::File>(tokens.clone()) else { return };
        let bodies = std::mem::replace(&mut self.bodies, Bodies::Skip);
        for item in &file.items {
            self.item(item, into);
        }
        self.bodies = bodies;
    }
}

/// `#[pin_project(project = A, project_ref = B)]`; `None` where there is no such attribute.
fn names_in_attribute(attributes: &[Attribute]) -> Option<Names> {
    let is_it = |attribute: &&Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "pin_project");
    let attribute = attributes.iter().find(is_it)?;
    let mut names = Names::default();
    if let syn::Meta::List(list) = &attribute.meta {
        // What is not understood (`!Unpin`, `PinnedDrop`) names nothing.
        let parse = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if input.peek(Ident) && input.peek2(Token![=]) {
                    let key: Ident = input.parse()?;
                    input.parse::<Token![=]>()?;
                    names.add(&key, input.parse()?);
                } else {
                    input.parse::<proc_macro2::TokenTree>()?;
                }
            }
            Ok(())
        };
        let _ = parse.parse2(list.tokens.clone());
    }
    Some(names)
}

/// `#[project = A]`, `#[project_ref = B]`
fn names_beside(attributes: &[Attribute]) -> Names {
    let mut names = Names::default();
    for attribute in attributes {
        if let syn::Meta::NameValue(pair) = &attribute.meta
            && let (Some(key), syn::Expr::Path(value)) = (pair.path.get_ident(), &pair.value)
            && let Some(value) = value.path.get_ident()
        {
            names.add(key, value.clone());
        }
    }
    names
}

impl Names {
    fn add(&mut self, key: &Ident, value: Ident) {
        match key.to_string().as_str() {
            "project" => self.project = Some(value),
            "project_ref" => self.project_ref = Some(value),
            _ => {}
        }
    }
}

impl Projected<'_> {
    fn tokens(&self) -> TokenStream {
        let Projected { ident, visibility, generics, names, .. } = self;
        let project = names.project.clone().unwrap_or_else(|| format_ident!("__{ident}Projection", span = ident.span()));
        let project_ref =
            names.project_ref.clone().unwrap_or_else(|| format_ident!("__{ident}ProjectionRef", span = ident.span()));
        let (in_impl, arguments, bounds) = generics.split_for_impl();
        let mut longer = (*generics).clone();
        longer.params.insert(0, syn::parse_quote!('__pin));
        let (_, longer_arguments, _) = longer.split_for_impl();
        let mutable = self.type_tokens(&project, &longer, &quote_spanned!(ident.span()=> &'__pin mut));
        let shared = self.type_tokens(&project_ref, &longer, &quote_spanned!(ident.span()=> &'__pin));
        quote_spanned! {ident.span()=>
            #mutable
            #shared
            impl #in_impl #ident #arguments #bounds {
                #visibility fn project<'__pin>(self: ::core::pin::Pin<&'__pin mut Self>) -> #project #longer_arguments {}
                #visibility fn project_ref<'__pin>(self: ::core::pin::Pin<&'__pin Self>) -> #project_ref #longer_arguments {}
            }
        }
    }

    fn type_tokens(&self, name: &Ident, generics: &Generics, reference: &TokenStream) -> TokenStream {
        let (visibility, bounds) = (self.visibility, &generics.where_clause);
        match self.shape {
            Shape::Struct(fields) => {
                let projected = fields_tokens(fields, reference, name.span());
                match fields {
                    Fields::Named(_) => quote_spanned!(name.span()=> #visibility struct #name #generics #bounds #projected),
                    _ => quote_spanned!(name.span()=> #visibility struct #name #generics #projected #bounds;),
                }
            }
            Shape::Enum(variants) => {
                let projected = variants.iter().map(|variant| {
                    let (ident, fields) = (&variant.ident, fields_tokens(&variant.fields, reference, name.span()));
                    quote_spanned!(name.span()=> #ident #fields)
                });
                quote_spanned!(name.span()=> #visibility enum #name #generics #bounds { #(#projected,)* })
            }
        }
    }
}

fn fields_tokens(fields: &Fields, reference: &TokenStream, span: proc_macro2::Span) -> TokenStream {
    let projected = |field: &syn::Field| {
        let (visibility, ty) = (&field.vis, &field.ty);
        let cfgs = field.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        let is_pinned = field.attrs.iter().any(|attribute| attribute.path().is_ident("pin"));
        let ty = match is_pinned {
            true => quote_spanned!(span=> ::core::pin::Pin<#reference #ty>),
            false => quote_spanned!(span=> #reference #ty),
        };
        match &field.ident {
            Some(ident) => quote_spanned!(ident.span()=> #(#cfgs)* #visibility #ident: #ty),
            None => quote_spanned!(span=> #(#cfgs)* #visibility #ty),
        }
    };
    match fields {
        Fields::Named(named) => {
            let fields = named.named.iter().map(projected);
            quote_spanned!(span=> { #(#fields,)* })
        }
        Fields::Unnamed(unnamed) => {
            let fields = unnamed.unnamed.iter().map(projected);
            quote_spanned!(span=> (#(#fields,)*))
        }
        Fields::Unit => TokenStream::new(),
    }
}
