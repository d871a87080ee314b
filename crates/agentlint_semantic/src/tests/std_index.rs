//! The index of std holds together.

use rustc_hash::FxHashSet;

use super::with_program;
use crate::Program;
use crate::def::{DefId, DefKind, Visible};
use crate::names::Namespace;

/// What public paths lead to: through public modules, and what these declare, import and open.
fn public(program: &Program<'_>) -> FxHashSet<DefId> {
    let mut open: Vec<DefId> = program.std_crates().iter().map(|krate| program.root(*krate)).collect();
    let mut seen = FxHashSet::from_iter(open.iter().copied());
    while let Some(module) = open.pop() {
        let Some(data) = program.module_data(module) else { continue };
        let mut found: Vec<DefId> = data.items().map(|index| DefId { krate: module.krate, index }).collect();
        for declared in data.imports() {
            if program.krate(module.krate).defs.visible(declared.visibility) == Visible::Everywhere {
                let mut lookup = |namespace| found.extend(program.imported(module, &declared.import, namespace));
                lookup(Namespace::Type);
                lookup(Namespace::Value);
            }
        }
        found.retain(|def| program.def(*def).visibility == Visible::Everywhere);
        open.extend(found.into_iter().filter(|def| seen.insert(*def)));
    }
    seen
}

#[test]
fn every_function_has_a_public_path() {
    let hidden = with_program(&[], "fn f() {}", |program| {
        let public = public(program);
        let functions = program.std_crates().into_iter().flat_map(|krate| {
            let count = program.krate(krate).defs.len();
            (0..count).map(move |index| DefId { krate, index })
        });
        let is_free = |def: &DefId| {
            program.kind(*def) == DefKind::Function
                && program.kind(program.def(*def).parent) == DefKind::Module
                && program.def(*def).visibility == Visible::Everywhere
                && !program.is_unstable(*def)
        };
        let hidden = functions.filter(is_free).filter(|def| !public.contains(def)).map(|def| program.path_of(def));
        // What unwinding calls stands in a module that std keeps for itself.
        hidden.filter(|path| !path.starts_with("std::panicking::")).collect::<Vec<_>>()
    });
    assert_eq!(hidden, [""; 0]);
}
