//! `global_client`: a long-lived client in a static.

use agentlint_diagnostics::{Diagnostic, Group, Level, LintMeta, Location};
use agentlint_linter::{Lint, LintContext};
use agentlint_semantic::Program;
use agentlint_semantic::def::{DefId, DefKind};
use agentlint_semantic::types::{Ty, TyKind};

static META: LintMeta = LintMeta {
    id: "global_client",
    summary: "a client or pool in a static",
    group: Group::Lifespan,
    level: Level::Warn,
    page: include_str!("../global_client.md"),
};

/// Types nested deeper than this are not looked into.
const DEEPEST: u32 = 8;

pub(crate) struct GlobalClient;

impl Lint for GlobalClient {
    fn meta(&self) -> &'static LintMeta {
        &META
    }

    fn check(&self, cx: &LintContext<'_>, report: &mut Vec<Diagnostic>) {
        for owner in cx.effects.owners() {
            if cx.program.kind(owner) != DefKind::Static || cx.program.def(owner).is_test {
                continue;
            }
            let ty = cx.program.type_of(owner);
            let (Some(client), Some(place)) = (client_in(cx, ty, 0), cx.program.place(owner)) else { continue };
            report.push(diagnostic(cx.program, owner, client, Location { file: place.file, start: place.span.start, end: place.span.end }));
        }
    }
}

struct Found {
    client: DefId,
    blocking: bool,
}

fn client_in(cx: &LintContext<'_>, ty: Ty, depth: u32) -> Option<Found> {
    if depth > DEEPEST {
        return None;
    }
    match *ty.kind() {
        TyKind::Adt(def, list) => {
            if let Some(client) = cx.effects.catalog.client(def) {
                return Some(Found { client: def, blocking: client.blocking });
            }
            if let Some(found) = list.iter().find_map(|ty| client_in(cx, *ty, depth + 1)) {
                return Some(found);
            }
            if !cx.program.node(def.krate).is_member {
                return None;
            }
            let variants = cx.program.members_of(def).iter().copied().filter(|m| cx.program.kind(*m) == DefKind::Variant);
            let fields = std::iter::once(def).chain(variants).flat_map(|def| cx.program.field_types(def).to_vec());
            fields.map(|ty| ty.substitute(&list)).collect::<Vec<Ty>>().into_iter().find_map(|ty| client_in(cx, ty, depth + 1))
        }
        TyKind::Tuple(list) => list.iter().find_map(|ty| client_in(cx, *ty, depth + 1)),
        TyKind::Array(inner, _) | TyKind::Slice(inner) | TyKind::Ref(inner, _) => client_in(cx, inner, depth + 1),
        _ => None,
    }
}

fn diagnostic(program: &Program<'_>, owner: DefId, found: Found, location: Location) -> Diagnostic {
    let client = format!("{}::{}", program.node(found.client.krate).name, program.name(found.client));
    let why = if found.blocking {
        "it panics when it is built or dropped in async code, and lives as long as the process"
    } else {
        "it outlives the runtime that its connections belong to, and nothing closes it"
    };
    let message = format!("the static `{}` holds a `{client}`: {why}", program.name(owner));
    let mut diagnostic = Diagnostic::new(META.id, META.level, message, location);
    diagnostic.help = Some("build it in `main`, hand it on in the application's state, and close it after the drain".to_owned());
    diagnostic
}
