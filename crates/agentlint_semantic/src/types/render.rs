//! Types as people write them.

use super::{Ty, TyKind};
use crate::program::Program;

impl Ty {
    /// The name of the outermost constructor: `Vec`, `str`, `[T]`.
    pub fn head_name(self, program: &Program<'_>) -> String {
        match *self.kind() {
            TyKind::Adt(def, _) => program.name(def).to_string(),
            TyKind::Ref(inner, _) => inner.head_name(program),
            TyKind::Dyn(bounds) => bounds.traits.first().map_or(String::new(), |b| program.name(b.trait_def).to_string()),
            _ => self.render(program),
        }
    }

    /// The whole type: `Result<Vec<u8>, Error>`.
    pub fn render(self, program: &Program<'_>) -> String {
        let list = |types: &[Ty]| types.iter().map(|ty| ty.render(program)).collect::<Vec<_>>().join(", ");
        let named = |name: String, types: &[Ty]| match types {
            [] => name,
            _ => format!("{name}<{}>", list(types)),
        };
        match *self.kind() {
            TyKind::Bool => "bool".to_owned(),
            TyKind::Char => "char".to_owned(),
            TyKind::Str => "str".to_owned(),
            TyKind::Never => "!".to_owned(),
            TyKind::Int(int) => int.name().to_owned(),
            TyKind::Float(float) => float.name().to_owned(),
            TyKind::Adt(def, args) => {
                // Allocators that nobody wrote are noise.
                let shown: Vec<Ty> = args.iter().copied().filter(|ty| !is_global(program, *ty)).collect();
                named(program.name(def).to_string(), &shown)
            }
            TyKind::Ref(inner, mutable) => format!("&{}{}", if mutable { "mut " } else { "" }, inner.render(program)),
            TyKind::Pointer(inner, mutable) => format!("*{} {}", if mutable { "mut" } else { "const" }, inner.render(program)),
            TyKind::Slice(element) => format!("[{}]", element.render(program)),
            TyKind::Array(element, length) => format!("[{}; {}]", element.render(program), length.render(program)),
            TyKind::Tuple(types) => format!("({})", list(&types)),
            TyKind::FnDef(def, _) => format!("fn {}", program.path_of(def)),
            TyKind::FnPtr(types) | TyKind::Closure(_, types) => match types.split_last() {
                Some((output, inputs)) => format!("fn({}) -> {}", list(inputs), output.render(program)),
                None => "fn".to_owned(),
            },
            TyKind::Async(_, output) => format!("impl Future<Output = {}>", output.render(program)),
            TyKind::Opaque(def, _, _) => format!("impl {}", program.name(def)),
            TyKind::Dyn(bounds) => {
                let names = bounds.traits.iter().map(|b| program.name(b.trait_def).to_string());
                format!("dyn {}", names.collect::<Vec<_>>().join(" + "))
            }
            TyKind::Param(_, name) => name.to_string(),
            TyKind::Projection(assoc, args) => {
                let subject = args.first().map_or("_".to_owned(), |ty| ty.render(program));
                format!("<{subject}>::{}", program.name(assoc))
            }
            TyKind::Const(value) => value.to_string(),
            TyKind::Var(_) | TyKind::Unknown => "_".to_owned(),
        }
    }
}

fn is_global(program: &Program<'_>, ty: Ty) -> bool {
    matches!(*ty.kind(), TyKind::Adt(def, _) if program.is_std(def.krate) && program.name(def).as_str() == "Global")
}
