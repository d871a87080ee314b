//! What `bitflags! { struct Flags: u32 { const A = 1; } }` declares.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, Token, Type, Visibility, braced};

use super::Lowering;
use crate::ast::ItemId;

struct Flags {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    ident: Ident,
    bits: Type,
    constants: Vec<(Vec<Attribute>, Ident)>,
    /// `impl Flags: u32 { … }`: the type is declared elsewhere.
    is_impl: bool,
}

struct AllFlags(Vec<Flags>);

impl Parse for AllFlags {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut all = Vec::new();
        while !input.is_empty() {
            all.push(input.parse()?);
        }
        Ok(AllFlags(all))
    }
}

impl Parse for Flags {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let is_impl = input.peek(Token![impl]);
        match is_impl {
            true => drop(input.parse::<Token![impl]>()?),
            false => drop(input.parse::<Token![struct]>()?),
        }
        let ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let bits = input.parse()?;
        let body;
        braced!(body in input);
        let mut constants = Vec::new();
        while !body.is_empty() {
            let attributes = body.call(Attribute::parse_outer)?;
            body.parse::<Token![const]>()?;
            let name = match body.peek(Token![_]) {
                true => {
                    body.parse::<Token![_]>()?;
                    None
                }
                false => Some(body.parse::<Ident>()?),
            };
            body.parse::<Token![=]>()?;
            body.parse::<syn::Expr>()?;
            body.parse::<Option<Token![;]>>()?;
            constants.extend(name.map(|name| (attributes, name)));
        }
        Ok(Flags { attributes, visibility, ident, bits, constants, is_impl })
    }
}

impl Lowering<'_> {
    pub(crate) fn bitflags_macro(&mut self, call: &syn::Macro, into: &mut Vec<ItemId>) -> bool {
        let Ok(AllFlags(all)) = syn::parse2::<AllFlags>(call.tokens.clone()) else { return false };
        for flags in &all {
            self.generated(&flags.tokens(), into);
        }
        true
    }
}

impl Flags {
    fn tokens(&self) -> TokenStream {
        let Flags { attributes, visibility, ident, bits, .. } = self;
        let declared = match self.is_impl {
            true => TokenStream::new(),
            false => quote_spanned!(ident.span()=> #(#attributes)* #visibility struct #ident { bits: #bits }),
        };
        let constants = self.constants.iter().map(|(attributes, name)| {
            let cfgs = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
            quote_spanned!(name.span()=> #(#cfgs)* pub const #name: Self = _;)
        });
        quote_spanned! {ident.span()=>
            #declared
            impl #ident {
                #(#constants)*
                pub const fn empty() -> Self {}
                pub const fn all() -> Self {}
                pub const fn bits(&self) -> #bits {}
                pub const fn from_bits(bits: #bits) -> ::core::option::Option<Self> {}
                pub const fn from_bits_truncate(bits: #bits) -> Self {}
                pub const fn from_bits_retain(bits: #bits) -> Self {}
                pub fn from_name(name: &str) -> ::core::option::Option<Self> {}
                pub const fn is_empty(&self) -> bool {}
                pub const fn is_all(&self) -> bool {}
                pub const fn intersects(&self, other: Self) -> bool {}
                pub const fn contains(&self, other: Self) -> bool {}
                pub fn insert(&mut self, other: Self) {}
                pub fn remove(&mut self, other: Self) {}
                pub fn toggle(&mut self, other: Self) {}
                pub fn set(&mut self, other: Self, value: bool) {}
                pub const fn intersection(self, other: Self) -> Self {}
                pub const fn union(self, other: Self) -> Self {}
                pub const fn difference(self, other: Self) -> Self {}
                pub const fn symmetric_difference(self, other: Self) -> Self {}
                pub const fn complement(self) -> Self {}
                pub fn iter(&self) -> bitflags::iter::Iter<Self> {}
                pub fn iter_names(&self) -> bitflags::iter::IterNames<Self> {}
            }
            impl ::core::ops::BitOr for #ident { type Output = Self; fn bitor(self, other: Self) -> Self {} }
            impl ::core::ops::BitAnd for #ident { type Output = Self; fn bitand(self, other: Self) -> Self {} }
            impl ::core::ops::BitXor for #ident { type Output = Self; fn bitxor(self, other: Self) -> Self {} }
            impl ::core::ops::Sub for #ident { type Output = Self; fn sub(self, other: Self) -> Self {} }
            impl ::core::ops::Not for #ident { type Output = Self; fn not(self) -> Self {} }
            impl ::core::ops::BitOrAssign for #ident { fn bitor_assign(&mut self, other: Self) {} }
            impl ::core::ops::BitAndAssign for #ident { fn bitand_assign(&mut self, other: Self) {} }
            impl ::core::ops::SubAssign for #ident { fn sub_assign(&mut self, other: Self) {} }
        }
    }
}
