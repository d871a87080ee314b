//! Paths and their generic arguments.

use syn::PathArguments;

use super::Lowering;
use crate::ast::{AssocBinding, AssocValue, GenericArg, GenericArgs, Path, QualifiedSelf, Segment, TypeRef};
use crate::{Span, name};

impl Lowering<'_> {
    pub(crate) fn path(&mut self, path: &syn::Path) -> Path {
        let segments: Vec<Segment> = path.segments.iter().map(|segment| self.segment(segment)).collect();
        let span = self.path_span(path, &segments);
        Path { qualified_self: None, leading_colon: path.leading_colon.is_some(), segments, span }
    }

    pub(crate) fn qualified_path(&mut self, qself: &Option<syn::QSelf>, path: &syn::Path) -> Path {
        let mut lowered = self.path(path);
        if let Some(qself) = qself {
            let ty = self.ty(&qself.ty);
            lowered.span = lowered.span.to(self.places.span(qself.lt_token.span));
            // In `<T>::new` the colons behind the `>` are syn's leading colon.
            lowered.leading_colon &= qself.position > 0;
            lowered.qualified_self = Some(Box::new(QualifiedSelf { ty, trait_segments: qself.position as u32 }));
        }
        lowered
    }

    fn segment(&mut self, segment: &syn::PathSegment) -> Segment {
        let (name, span) = self.ident(&segment.ident);
        let arguments = match &segment.arguments {
            PathArguments::None => None,
            PathArguments::AngleBracketed(arguments) => Some(Box::new(self.generic_args(arguments))),
            PathArguments::Parenthesized(arguments) => Some(Box::new(self.parenthesized_args(arguments))),
        };
        Segment { name, span, arguments }
    }

    fn path_span(&self, path: &syn::Path, segments: &[Segment]) -> Span {
        let Some((first, last)) = segments.first().zip(segments.last()) else {
            return Span::default();
        };
        let start = match &path.leading_colon {
            Some(colons) => self.places.start(colons.spans[0]),
            None => first.span.start,
        };
        let end = match path.segments.last().map(|segment| &segment.arguments) {
            None | Some(PathArguments::None) => last.span.end,
            Some(_) => self.path_end(path),
        };
        Span { start, end }
    }

    pub(crate) fn generic_args(&mut self, arguments: &syn::AngleBracketedGenericArguments) -> GenericArgs {
        let mut lowered = GenericArgs::default();
        for argument in &arguments.args {
            match argument {
                syn::GenericArgument::Type(ty) => lowered.arguments.push(GenericArg::Type(self.ty(ty))),
                syn::GenericArgument::Const(value) => lowered.arguments.push(self.const_arg(value)),
                syn::GenericArgument::AssocType(binding) => {
                    let value = AssocValue::Type(self.ty(&binding.ty));
                    lowered.bindings.push(self.binding(&binding.ident, &binding.generics, value));
                }
                syn::GenericArgument::AssocConst(binding) => {
                    lowered.bindings.push(self.binding(&binding.ident, &binding.generics, AssocValue::Const));
                }
                syn::GenericArgument::Constraint(constraint) => {
                    let value = AssocValue::Bounds(self.bounds(&constraint.bounds));
                    lowered.bindings.push(self.binding(&constraint.ident, &constraint.generics, value));
                }
                _ => {}
            }
        }
        lowered
    }

    fn binding(
        &mut self,
        ident: &syn::Ident,
        generics: &Option<syn::AngleBracketedGenericArguments>,
        value: AssocValue,
    ) -> AssocBinding {
        let arguments = generics.as_ref().map(|generics| Box::new(self.generic_args(generics)));
        AssocBinding { name: self.name(ident), arguments, value }
    }

    fn const_arg(&mut self, value: &syn::Expr) -> GenericArg {
        match value {
            syn::Expr::Path(path) => GenericArg::Type(TypeRef::Path(self.qualified_path(&path.qself, &path.path))),
            syn::Expr::Block(block) => match block.block.stmts.as_slice() {
                [syn::Stmt::Expr(value, None)] if !matches!(value, syn::Expr::Block(_)) => self.const_arg(value),
                _ => GenericArg::Const(None),
            },
            value => GenericArg::Const(int_value(value)),
        }
    }

    fn parenthesized_args(&mut self, arguments: &syn::ParenthesizedGenericArguments) -> GenericArgs {
        let inputs = arguments.inputs.iter().map(|input| self.ty(&input.ty)).collect();
        let output = self.return_type(&arguments.output).unwrap_or_else(TypeRef::unit);
        GenericArgs {
            arguments: vec![GenericArg::Type(TypeRef::Tuple(inputs))],
            bindings: vec![AssocBinding { name: name("Output"), arguments: None, value: AssocValue::Type(output) }],
            parenthesized: true,
        }
    }
}

/// The value of an integer literal.
pub(crate) fn int_value(value: &syn::Expr) -> Option<u64> {
    match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(literal), .. }) => literal.base10_parse().ok(),
        _ => None,
    }
}
