//! Items of modules and blocks.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Item as Syn;

use super::Lowering;
use super::attributes::Attributes;
use crate::ast::{
    Const, Enum, ExternCrate, Field, Fields, Impl, ImplHeader, Item, ItemId, ItemKind, MacroRules, Module, Static, StaticOrigin,
    Struct, StructDeclaration, Trait, TraitHeader, TypeAlias, Variant, Visibility,
};
use crate::{Bodies, Name, Span, name};

/// An item's name, its place, and the place of the whole item without its visibility.
pub(crate) struct Named {
    pub(crate) name: Name,
    pub(crate) name_span: Span,
    pub(crate) span: Span,
}

impl Lowering<'_> {
    /// All of a file, or of a piece of one.
    pub(crate) fn whole(&mut self, file: &syn::File) {
        self.file_attributes(&file.attrs);
        let items = self.items(&file.items);
        self.file.root.extend(items);
    }

    pub(crate) fn items(&mut self, items: &[Syn]) -> Vec<ItemId> {
        let mut lowered = Vec::with_capacity(items.len());
        for item in items {
            self.item(item, &mut lowered);
        }
        lowered
    }

    /// Lowers one item. Some macros declare several, and what cannot be understood declares none.
    pub(crate) fn item(&mut self, item: &Syn, into: &mut Vec<ItemId>) {
        let id = match item {
            Syn::Fn(item) => self.function(item),
            Syn::Use(item) => {
                let imports = self.imports(item);
                let named = self.unnamed(item.use_token.span, self.places.end(item.semi_token.span));
                self.add(named, &item.attrs, &item.vis, |_, _| ItemKind::Use(imports))
            }
            Syn::Mod(item) => self.module(item),
            Syn::Struct(item) => self.structure(item),
            Syn::Enum(item) => self.enumeration(item),
            Syn::Union(item) => {
                let named = self.named(&item.ident, item.union_token.span, self.delimiters(&item.fields.brace_token.span).end);
                self.add(named, &item.attrs, &item.vis, |lowering, attributes| {
                    let fields = Fields::Named(lowering.fields(&item.fields.named));
                    let derives = std::mem::take(&mut attributes.derives);
                    let generics = lowering.generics(&item.generics);
                    ItemKind::Union(Struct { declaration: StructDeclaration { generics, fields }.into(), derives })
                })
            }
            Syn::Impl(item) => self.implementation(item),
            Syn::Trait(item) => self.trait_definition(item),
            Syn::TraitAlias(item) => {
                let named = self.named(&item.ident, item.trait_token.span, self.places.end(item.semi_token.span));
                self.add(named, &item.attrs, &item.vis, |lowering, _| {
                    let supertraits = lowering.bounds(&item.bounds);
                    let generics = lowering.generics(&item.generics);
                    let header = TraitHeader { generics, supertraits, is_alias: true }.into();
                    ItemKind::Trait(Trait { header, items: Vec::new() })
                })
            }
            Syn::Type(item) => {
                let named = self.named(&item.ident, item.type_token.span, self.places.end(item.semi_token.span));
                self.add(named, &item.attrs, &item.vis, |lowering, _| {
                    let ty = Some(lowering.ty(&item.ty));
                    ItemKind::TypeAlias(TypeAlias { generics: lowering.generics(&item.generics), bounds: Vec::new(), ty }.into())
                })
            }
            Syn::Const(item) => {
                let named = self.named(&item.ident, item.const_token.span, self.places.end(item.semi_token.span));
                self.add(named, &item.attrs, &item.vis, |lowering, _| {
                    ItemKind::Const(Const { ty: lowering.ty(&item.ty), body: lowering.value(&item.expr) })
                })
            }
            Syn::Static(item) => {
                let named = self.named(&item.ident, item.static_token.span, self.places.end(item.semi_token.span));
                self.add(named, &item.attrs, &item.vis, |lowering, _| {
                    let mutable = matches!(item.mutability, syn::StaticMutability::Mut(_));
                    let (ty, body) = (lowering.ty(&item.ty), lowering.value(&item.expr));
                    ItemKind::Static(Static { ty, mutable, origin: StaticOrigin::Item, body })
                })
            }
            Syn::ExternCrate(item) => {
                let named = self.named(&item.ident, item.extern_token.span, self.places.end(item.semi_token.span));
                let alias = match &item.rename {
                    Some((_, alias)) => Some(self.name(alias)).filter(|alias| *alias != name("_")),
                    None => Some(named.name),
                };
                self.add(named, &item.attrs, &item.vis, |_, _| ItemKind::ExternCrate(ExternCrate { alias }))
            }
            Syn::ForeignMod(item) => self.extern_block(item),
            Syn::Macro(item) => return self.item_macro(item, into),
            Syn::Verbatim(tokens) => return self.verbatim(tokens.clone(), into),
            _ => return,
        };
        into.push(id);
        self.pin_projections(item, into);
    }

    pub(crate) fn named(&self, ident: &syn::Ident, keyword: proc_macro2::Span, end: u32) -> Named {
        let (name, name_span) = self.ident(ident);
        Named { name, name_span, span: Span { start: self.places.start(keyword), end } }
    }

    pub(crate) fn unnamed(&self, keyword: proc_macro2::Span, end: u32) -> Named {
        let name_span = self.places.span(keyword);
        Named { name: name(""), name_span, span: Span { start: name_span.start, end } }
    }

    pub(crate) fn add(
        &mut self,
        named: Named,
        attributes: &[syn::Attribute],
        visibility: &syn::Visibility,
        kind: impl FnOnce(&mut Self, &mut Attributes) -> ItemKind,
    ) -> ItemId {
        let Named { name, name_span, mut span } = named;
        if let Some(start) = self.visibility_start(visibility) {
            span.start = start;
        }
        let mut attributes = self.attributes(attributes);
        let visibility = self.visibility(visibility);
        let kind = kind(self, &mut attributes);
        let Attributes { attributes, cfg, .. } = attributes;
        self.file.items.push(Item { name, name_span, span, attributes, cfg, visibility, kind })
    }

    fn visibility_start(&self, visibility: &syn::Visibility) -> Option<u32> {
        match visibility {
            syn::Visibility::Public(public) => Some(self.places.start(public.span)),
            syn::Visibility::Restricted(restricted) => Some(self.places.start(restricted.pub_token.span)),
            syn::Visibility::Inherited => None,
        }
    }

    pub(crate) fn visibility(&mut self, visibility: &syn::Visibility) -> Visibility {
        match visibility {
            syn::Visibility::Public(_) => Visibility::Public,
            syn::Visibility::Inherited => Visibility::Inherited,
            syn::Visibility::Restricted(restricted) if restricted.path.is_ident("crate") => Visibility::Crate,
            syn::Visibility::Restricted(restricted) => Visibility::In(Box::new(self.path(&restricted.path))),
        }
    }

    /// The body of a constant or a static.
    pub(crate) fn value(&mut self, value: &syn::Expr) -> Option<crate::ast::BodyId> {
        let is_left_out = match self.bodies {
            Bodies::Full => false,
            Bodies::InText | Bodies::WithoutTests => matches!(value, syn::Expr::Infer(_)),
            Bodies::Skip => true,
        };
        (!is_left_out).then(|| self.body(|body| body.expr(value)))
    }

    fn module(&mut self, item: &syn::ItemMod) -> ItemId {
        let end = match (&item.content, &item.semi) {
            (Some((brace, _)), _) => self.delimiters(&brace.span).end,
            (None, Some(semi)) => self.places.end(semi.span),
            (None, None) => self.places.end(item.ident.span()),
        };
        let named = self.named(&item.ident, item.mod_token.span, end);
        let span = named.span;
        self.add(named, &item.attrs, &item.vis, |lowering, _| {
            let items = item.content.as_ref().map(|(_, items)| lowering.items(items));
            ItemKind::Module(Module { items, span })
        })
    }

    fn structure(&mut self, item: &syn::ItemStruct) -> ItemId {
        let end = match (&item.semi_token, &item.fields) {
            (Some(semi), _) => self.places.end(semi.span),
            (None, syn::Fields::Named(fields)) => self.delimiters(&fields.brace_token.span).end,
            (None, syn::Fields::Unnamed(fields)) => self.delimiters(&fields.paren_token.span).end,
            (None, syn::Fields::Unit) => self.places.end(item.ident.span()),
        };
        let named = self.named(&item.ident, item.struct_token.span, end);
        self.add(named, &item.attrs, &item.vis, |lowering, attributes| {
            let derives = std::mem::take(&mut attributes.derives);
            let fields = lowering.all_fields(&item.fields);
            let generics = lowering.generics(&item.generics);
            ItemKind::Struct(Struct { declaration: StructDeclaration { generics, fields }.into(), derives })
        })
    }

    fn enumeration(&mut self, item: &syn::ItemEnum) -> ItemId {
        let named = self.named(&item.ident, item.enum_token.span, self.delimiters(&item.brace_token.span).end);
        self.add(named, &item.attrs, &item.vis, |lowering, attributes| {
            let derives = std::mem::take(&mut attributes.derives);
            let variants = item.variants.iter().map(|variant| {
                let (name, span) = lowering.ident(&variant.ident);
                let fields = lowering.all_fields(&variant.fields);
                Variant { name, span, fields, cfg: lowering.cfg(&variant.attrs) }
            });
            let variants = variants.collect();
            ItemKind::Enum(Box::new(Enum { generics: lowering.generics(&item.generics), variants, derives }))
        })
    }

    fn all_fields(&mut self, fields: &syn::Fields) -> Fields {
        match fields {
            syn::Fields::Unit => Fields::Unit,
            syn::Fields::Named(fields) => Fields::Named(self.fields(&fields.named)),
            syn::Fields::Unnamed(fields) => Fields::Tuple(self.fields(&fields.unnamed)),
        }
    }

    fn fields(&mut self, fields: &syn::punctuated::Punctuated<syn::Field, syn::Token![,]>) -> Vec<Field> {
        let fields = fields.iter().enumerate().map(|(index, field)| {
            let ty = self.ty(&field.ty);
            let (name, span) = match &field.ident {
                Some(ident) => self.ident(ident),
                None => {
                    let end = self.type_end(&field.ty);
                    let start = self.type_start(&field.ty).unwrap_or(end);
                    (name(&index.to_string()), Span { start, end })
                }
            };
            Field { name, span, ty, visibility: self.visibility(&field.vis), cfg: self.cfg(&field.attrs) }
        });
        fields.collect()
    }

    fn implementation(&mut self, item: &syn::ItemImpl) -> ItemId {
        let named = self.unnamed(item.impl_token.span, self.delimiters(&item.brace_token.span).end);
        self.add(named, &item.attrs, &syn::Visibility::Inherited, |lowering, _| {
            let generics = lowering.generics(&item.generics);
            let trait_path = item.trait_.as_ref().map(|(path, _)| lowering.path(path));
            let self_type = lowering.ty(&item.self_ty);
            let items = lowering.impl_items(&item.items);
            let is_negative = item.modifiers.polarity.is_some();
            let header = ImplHeader { generics, trait_path, self_type };
            ItemKind::Impl(Impl {
                is_plain: header.trait_path.as_ref().is_some_and(|path| path.segments.len() == 1 && !path.leading_colon),
                trait_name: header.trait_path.as_ref().and_then(|path| path.segments.last()).map(|last| last.name),
                self_head: header.self_head(),
                is_negative,
                header: header.into(),
                items,
            })
        })
    }

    fn trait_definition(&mut self, item: &syn::ItemTrait) -> ItemId {
        let named = self.named(&item.ident, item.trait_token.span, self.delimiters(&item.brace_token.span).end);
        self.add(named, &item.attrs, &item.vis, |lowering, _| {
            let generics = lowering.generics(&item.generics);
            let supertraits = lowering.bounds(&item.supertraits);
            let header = TraitHeader { generics, supertraits, is_alias: false }.into();
            ItemKind::Trait(Trait { header, items: lowering.trait_items(&item.items) })
        })
    }

    fn extern_block(&mut self, item: &syn::ItemForeignMod) -> ItemId {
        let named = self.unnamed(item.abi.extern_token.span, self.delimiters(&item.brace_token.span).end);
        self.add(named, &item.attrs, &syn::Visibility::Inherited, |lowering, _| {
            ItemKind::ExternBlock(lowering.foreign_items(&item.items))
        })
    }

    fn item_macro(&mut self, item: &syn::ItemMacro, into: &mut Vec<ItemId>) {
        let start = item.mac.path.segments.first().map_or_else(proc_macro2::Span::call_site, |first| first.ident.span());
        let end = match &item.semi_token {
            Some(semi) => self.places.end(semi.span),
            None => self.delimiters(item.mac.delimiter.span()).end,
        };
        let Some(ident) = &item.ident else {
            if !self.native_item_macro(&item.mac, &item.attrs, into) {
                let call = self.opaque_macro_call(&item.mac);
                let Span { start, .. } = call.path.span;
                let named = Named { name: name(""), name_span: call.path.span, span: Span { start, end } };
                into.push(self.add(named, &item.attrs, &syn::Visibility::Inherited, |_, _| ItemKind::MacroCall(Box::new(call))));
            }
            return;
        };
        let (text_span, text) = self.between(item.mac.delimiter.span().join(), &item.mac.tokens);
        let exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
        let named = self.named(ident, start, end);
        into.push(self.add(named, &item.attrs, &syn::Visibility::Inherited, |_, _| {
            ItemKind::MacroRules(MacroRules { text: text.into(), text_span, exported })
        }));
    }

    /// Items that syn passes by: `macro name { … }`, what a macro that is called in a trait declares (`fn f();`), and the unstable
    /// `const` traits and impls of the standard library.
    fn verbatim(&mut self, tokens: TokenStream, into: &mut Vec<ItemId>) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        if let Ok(definition) = syn::parse2::<MacroDefinition>(trees.iter().cloned().collect()) {
            into.push(self.macro_definition(&definition));
            return;
        }
        match syn::parse2::<syn::TraitItem>(trees.iter().cloned().collect()) {
            Ok(syn::TraitItem::Verbatim(_)) | Err(_) => {}
            Ok(member) => return into.extend(self.trait_items(&[member])),
        }
        let is_const = |tree: &TokenTree| matches!(tree, TokenTree::Ident(ident) if ident == "const");
        let Some(position) = trees.iter().position(is_const) else { return };
        let rest = trees.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, tree)| tree.clone());
        match syn::parse2(rest.collect()) {
            Ok(Syn::Verbatim(_)) | Err(_) => {}
            Ok(item) => self.item(&item, into),
        }
    }

    fn macro_definition(&mut self, definition: &MacroDefinition) -> ItemId {
        let end = self.places.end(definition.body.span());
        let named = self.named(&definition.ident, definition.keyword, end);
        let (text_span, text) = match &definition.parameters {
            Some(parameters) => {
                let span = self.places.span(parameters.span()).to(self.places.span(definition.body.span()));
                let text = self.places.slice(span).map(str::to_owned);
                (span, text.unwrap_or_else(|| format!("{parameters} {}", definition.body)))
            }
            None => self.between(definition.body.span(), &definition.body.stream()),
        };
        self.add(named, &definition.attributes, &definition.visibility, |_, _| {
            ItemKind::MacroRules(MacroRules { text: text.into(), text_span, exported: false })
        })
    }
}

/// `pub macro name { … }` or `pub macro name(…) { … }`.
struct MacroDefinition {
    attributes: Vec<syn::Attribute>,
    visibility: syn::Visibility,
    keyword: proc_macro2::Span,
    ident: syn::Ident,
    parameters: Option<proc_macro2::Group>,
    body: proc_macro2::Group,
}

impl syn::parse::Parse for MacroDefinition {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(syn::Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let keyword = input.parse::<syn::Token![macro]>()?.span;
        let ident = input.parse()?;
        let mut body: proc_macro2::Group = input.parse()?;
        let mut parameters = None;
        if body.delimiter() == Delimiter::Parenthesis {
            parameters = Some(std::mem::replace(&mut body, input.parse()?));
        }
        Ok(MacroDefinition { attributes, visibility, keyword, ident, parameters, body })
    }
}
