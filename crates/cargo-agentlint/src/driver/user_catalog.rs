//! The catalog entries of a configuration file, as the model wants them.

use agentlint_diagnostics::Confidence;
use agentlint_effects::Effect;
use agentlint_effects::catalog::{Catalog, Certainty, Client, Offload, Sink, Subject, Trusted};
use agentlint_workspace::{CatalogEntry, CatalogKind};

pub(super) fn catalog(entries: &[CatalogEntry]) -> anyhow::Result<Catalog> {
    let mut catalog = Catalog::default();
    for entry in entries {
        let subject = Subject { path: Some(entry.path.clone()), ..Subject::default() };
        match entry.kind {
            CatalogKind::Sink => catalog.sinks.push(sink(entry, subject)?),
            CatalogKind::Offload => {
                catalog.offloads.push(Offload { subject, argument: entry.argument.unwrap_or(0) as usize });
            }
            CatalogKind::Trusted => catalog.trusted.push(Trusted { subject }),
            CatalogKind::Client => catalog.clients.push(Client { subject, blocking: false }),
        }
    }
    Ok(catalog)
}

fn sink(entry: &CatalogEntry, subject: Subject) -> anyhow::Result<Sink> {
    let wanted = entry.effect.as_deref().unwrap_or_default();
    let Some(effect) = Effect::ALL.into_iter().find(|effect| effect.name() == wanted) else {
        let names: Vec<_> = Effect::ALL.into_iter().map(Effect::name).collect();
        anyhow::bail!("the sink `{}` has the unknown effect `{wanted}`; there are {}", entry.path, names.join(", "));
    };
    Ok(Sink {
        subject,
        effect,
        confidence: match entry.confidence {
            Some(Confidence::Possible) => Certainty::Possible,
            Some(Confidence::Likely) => Certainty::Likely,
            Some(Confidence::Certain) | None => Certainty::Certain,
        },
        instead: entry.instead.clone().unwrap_or_default(),
        advice: String::new(),
        does: "blocks, as the configuration says".to_owned(),
        panics: entry.panics.unwrap_or(false),
        lazy: false,
    })
}
