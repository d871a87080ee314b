//! Functions, and what stands in impls, traits and extern blocks.

use super::Lowering;
use super::item_macros::last_name;
use crate::Bodies;
use crate::ast::{
    BlockKind, BodyId, Const, Function, FunctionDeclaration, ItemId, ItemKind, Parameter, SelfParameter, Static, StaticOrigin,
    TypeAlias,
};
use crate::skip::is_left_out;

/// What a function's body may be.
enum Written<'a> {
    Declaration,
    Body(&'a syn::Block),
}

impl Lowering<'_> {
    pub(crate) fn function(&mut self, item: &syn::ItemFn) -> ItemId {
        self.method(&item.attrs, &item.vis, &item.modifiers, &item.sig, Written::Body(&item.block), None)
    }

    fn method(
        &mut self,
        attributes: &[syn::Attribute],
        visibility: &syn::Visibility,
        modifiers: &syn::FnModifiers,
        signature: &syn::Signature,
        written: Written<'_>,
        semicolon: Option<&syn::Token![;]>,
    ) -> ItemId {
        let end = match (&written, semicolon) {
            (Written::Body(block), _) => self.delimiters(&block.brace_token.span).end,
            (Written::Declaration, Some(semicolon)) => self.places.end(semicolon.span),
            (Written::Declaration, None) => self.delimiters(&signature.paren_token.span).end,
        };
        let named = self.named(&signature.ident, first_keyword(modifiers, signature), end);
        self.add(named, attributes, visibility, |lowering, _| {
            let function = lowering.signature(signature, written);
            ItemKind::Function(function)
        })
    }

    fn signature(&mut self, signature: &syn::Signature, written: Written<'_>) -> Function {
        let mut self_parameter = None;
        let mut parameters = Vec::with_capacity(signature.inputs.len());
        for input in &signature.inputs {
            match input {
                syn::FnArg::Receiver(receiver) => self_parameter = Some(self.receiver(receiver)),
                syn::FnArg::Typed(parameter) => {
                    parameters.push(Parameter { ty: self.ty(&parameter.ty), cfg: self.cfg(&parameter.attrs) });
                }
            }
        }
        let declaration = FunctionDeclaration {
            generics: self.generics(&signature.generics),
            self_parameter,
            parameters,
            output: self.return_type(&signature.output),
            is_async: signature.asyncness.is_some(),
            is_const: signature.constness.is_some(),
            is_unsafe: matches!(signature.safety, syn::Safety::Unsafe(_)),
            has_body: matches!(written, Written::Body(_)),
        };
        let body = match written {
            Written::Body(block) => self.function_body(signature, block),
            Written::Declaration => None,
        };
        Function { declaration: declaration.into(), body }
    }

    fn function_body(&mut self, signature: &syn::Signature, block: &syn::Block) -> Option<BodyId> {
        let is_broken = || self.broken_bodies.contains(&self.delimiters(&block.brace_token.span).start);
        let is_left_out = self.bodies == Bodies::Skip || (self.bodies != Bodies::Full && is_left_out(block));
        if is_left_out || (!self.broken_bodies.is_empty() && is_broken()) {
            return None;
        }
        Some(self.body(|body| {
            for input in &signature.inputs {
                if let syn::FnArg::Typed(parameter) = input {
                    let pat = body.pat(&parameter.pat);
                    body.parameters.push(pat);
                }
            }
            body.block(block, BlockKind::Plain, None, None)
        }))
    }

    fn receiver(&mut self, receiver: &syn::Receiver) -> SelfParameter {
        let (reference, mut mutable, mut ty) = (matches!(receiver.kind, syn::ReceiverKind::Reference(..)), false, None);
        let mut span = self.places.span(receiver.self_token.span);
        if let Some(keyword) = &receiver.mutability {
            mutable = true;
            span = span.to(self.places.span(keyword.span));
        }
        match &receiver.kind {
            syn::ReceiverKind::Reference(and, _, keyword) => {
                mutable |= keyword.is_some();
                span = span.to(self.places.span(and.span));
            }
            syn::ReceiverKind::Typed(_, written) => {
                ty = Some(self.ty(written));
                span.end = self.type_end(written).max(span.end);
            }
            _ => {}
        }
        SelfParameter { reference, mutable, ty, span }
    }

    pub(crate) fn impl_items(&mut self, items: &[syn::ImplItem]) -> Vec<ItemId> {
        let mut pasted = Vec::new();
        let items = items.iter().filter_map(|item| match item {
            syn::ImplItem::Fn(item) => {
                Some(self.method(&item.attrs, &item.vis, &item.modifiers, &item.sig, Written::Body(&item.block), None))
            }
            syn::ImplItem::Const(item) => {
                let named = self.named(&item.ident, item.const_token.span, self.places.end(item.semi_token.span));
                Some(self.add(named, &item.attrs, &item.vis, |lowering, _| {
                    ItemKind::Const(Const { ty: lowering.ty(&item.ty), body: lowering.value(&item.expr) })
                }))
            }
            syn::ImplItem::Type(item) => {
                let named = self.named(&item.ident, item.type_token.span, self.places.end(item.semi_token.span));
                Some(self.add(named, &item.attrs, &item.vis, |lowering, _| {
                    let ty = Some(lowering.ty(&item.ty));
                    ItemKind::TypeAlias(TypeAlias { generics: lowering.generics(&item.generics), bounds: Vec::new(), ty }.into())
                }))
            }
            syn::ImplItem::Macro(item) => self.member_macro(&item.mac, &item.attrs, &mut pasted),
            _ => None,
        });
        let mut items: Vec<ItemId> = items.collect();
        items.append(&mut pasted);
        items
    }

    pub(crate) fn trait_items(&mut self, items: &[syn::TraitItem]) -> Vec<ItemId> {
        let inherited = &syn::Visibility::Inherited;
        let mut pasted = Vec::new();
        let items = items.iter().filter_map(|item| match item {
            syn::TraitItem::Fn(item) => {
                let written = item.default.as_ref().map_or(Written::Declaration, Written::Body);
                Some(self.method(&item.attrs, inherited, &item.modifiers, &item.sig, written, item.semi_token.as_ref()))
            }
            syn::TraitItem::Const(item) => {
                let named = self.named(&item.ident, item.const_token.span, self.places.end(item.semi_token.span));
                Some(self.add(named, &item.attrs, inherited, |lowering, _| {
                    let body = item.default.as_ref().and_then(|(_, value)| lowering.value(value));
                    ItemKind::Const(Const { ty: lowering.ty(&item.ty), body })
                }))
            }
            syn::TraitItem::Type(item) => {
                let named = self.named(&item.ident, item.type_token.span, self.places.end(item.semi_token.span));
                Some(self.add(named, &item.attrs, inherited, |lowering, _| {
                    let ty = item.default.as_ref().map(|(_, ty)| lowering.ty(ty));
                    let bounds = lowering.bounds(&item.bounds);
                    ItemKind::TypeAlias(TypeAlias { generics: lowering.generics(&item.generics), bounds, ty }.into())
                }))
            }
            syn::TraitItem::Macro(item) => self.member_macro(&item.mac, &item.attrs, &mut pasted),
            _ => None,
        });
        let mut items: Vec<ItemId> = items.collect();
        items.append(&mut pasted);
        items
    }

    pub(crate) fn foreign_items(&mut self, items: &[syn::ForeignItem]) -> Vec<ItemId> {
        let mut pasted = Vec::new();
        let items = items.iter().filter_map(|item| match item {
            syn::ForeignItem::Fn(item) => {
                let (written, semicolon) = (Written::Declaration, Some(&item.semi_token));
                Some(self.method(&item.attrs, &item.vis, &item.modifiers, &item.sig, written, semicolon))
            }
            syn::ForeignItem::Static(item) => {
                let named = self.named(&item.ident, item.static_token.span, self.places.end(item.semi_token.span));
                Some(self.add(named, &item.attrs, &item.vis, |lowering, _| {
                    let mutable = matches!(item.mutability, syn::StaticMutability::Mut(_));
                    ItemKind::Static(Static { ty: lowering.ty(&item.ty), mutable, origin: StaticOrigin::Item, body: None })
                }))
            }
            syn::ForeignItem::Type(item) => {
                let named = self.named(&item.ident, item.type_token.span, self.places.end(item.semi_token.span));
                Some(self.add(named, &item.attrs, &item.vis, |lowering, _| {
                    let generics = lowering.generics(&item.generics);
                    ItemKind::TypeAlias(TypeAlias { generics, bounds: Vec::new(), ty: None }.into())
                }))
            }
            syn::ForeignItem::Macro(item) => self.member_macro(&item.mac, &item.attrs, &mut pasted),
            _ => None,
        });
        let mut items: Vec<ItemId> = items.collect();
        items.append(&mut pasted);
        items
    }

    /// The call; `None` of one whose members are added to `pasted`.
    fn member_macro(&mut self, call: &syn::Macro, attributes: &[syn::Attribute], pasted: &mut Vec<ItemId>) -> Option<ItemId> {
        let first = pasted.len();
        if last_name(call).is_some_and(|name| name == "paste") && self.pasted_items(call, pasted) {
            if let Some(cfg) = self.cfg(attributes) {
                self.restrict(&pasted[first..], &cfg);
            }
            return None;
        }
        let end = self.delimiters(call.delimiter.span()).end;
        let call = self.opaque_macro_call(call);
        let mut named = self.unnamed(proc_macro2::Span::call_site(), end);
        named.name_span = call.path.span;
        named.span.start = call.path.span.start;
        Some(self.add(named, attributes, &syn::Visibility::Inherited, |_, _| ItemKind::MacroCall(Box::new(call))))
    }
}

fn first_keyword(modifiers: &syn::FnModifiers, signature: &syn::Signature) -> proc_macro2::Span {
    if let Some(keyword) = &modifiers.defaultness {
        return keyword.span;
    }
    if let Some(keyword) = &signature.constness {
        return keyword.span;
    }
    if let Some(keyword) = &signature.asyncness {
        return keyword.span;
    }
    match (&signature.safety, &signature.abi) {
        (syn::Safety::Unsafe(keyword), _) => keyword.span,
        (syn::Safety::Safe(keyword), _) => keyword.span,
        (syn::Safety::Default, Some(abi)) => abi.extern_token.span,
        (syn::Safety::Default, None) => signature.fn_token.span,
    }
}
