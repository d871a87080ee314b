//! The services of a compose file, as far as they say what is started, as whom, and how it is stopped.

use std::rc::Rc;

use crate::Span;
use crate::names::is_for_development;
use crate::shell::{Places, Word, parse as parse_shell};
use crate::yaml::{Document, Kind, Node};

#[derive(Debug)]
pub struct Service {
    pub name: String,
    pub place: Span,
    pub build: Option<Build>,
    pub image: Option<String>,
    pub entrypoint: Option<Arguments>,
    pub command: Option<Arguments>,
    pub user: Option<(String, Span)>,
    pub stop_signal: Option<(String, Span)>,
    /// Folders and files of the host, and where they appear.
    pub mounts: Vec<(String, String)>,
    /// A profile or a mount of the sources says that somebody works on it.
    pub is_for_development: bool,
    /// It ends by itself: nobody stops it.
    pub is_job: bool,
}

#[derive(Debug)]
pub struct Build {
    pub context: String,
    /// Relative to the context.
    pub dockerfile: String,
    pub target: Option<(String, Span)>,
}

/// `command` or `entrypoint`, cut into words as compose does it.
#[derive(Clone, Debug)]
pub struct Arguments {
    pub span: Span,
    pub words: Vec<Word>,
}

/// Nothing where it holds no services.
pub fn services(document: &Document) -> Vec<Service> {
    let Some(services) = document.root.get("services") else { return Vec::new() };
    let jobs: Vec<&str> = services.entries().iter().flat_map(|(_, service)| awaited_jobs(service)).collect();
    let named = services.entries().iter().filter_map(|(name, service)| Some((name, name.text()?, service)));
    named
        .filter(|(_, name, service)| *name != "<<" && matches!(service.kind, Kind::Map(_)))
        .map(|(key, name, node)| service(name, key.span, node, jobs.contains(&name)))
        .collect()
}

fn service(name: &str, place: Span, node: &Node, is_awaited: bool) -> Service {
    let text = |key: &str| node.get(key).and_then(|value| Some((value.text()?.to_owned(), value.span)));
    let mounts: Vec<(String, String)> =
        node.get("volumes").map_or_else(Vec::new, |list| list.list().iter().filter_map(mount).collect());
    let profiles = node.get("profiles").map_or(&[][..], |list| list.list());
    let in_profile = profiles.iter().filter_map(|profile| profile.text()).any(is_for_development);
    let build = node.get("build").and_then(build);
    // The folder that the image is built from, or its sources, laid over the image's own.
    let context = build.as_ref().map_or(".", |build| build.context.as_str());
    let is_of_sources = |host: &str| {
        let host = plain(host);
        [plain(context), ".", "..", "src"].contains(&host)
            || host.strip_suffix("/src").is_some_and(|above| above == plain(context))
    };
    let has_sources = mounts.iter().any(|(host, _)| is_of_sources(host));
    let never = node.get("restart").and_then(|value| value.text()) == Some("no");
    Service {
        name: name.to_owned(),
        place,
        build,
        image: text("image").map(|(image, _)| image),
        entrypoint: node.get("entrypoint").and_then(arguments),
        command: node.get("command").and_then(arguments),
        user: text("user"),
        stop_signal: text("stop_signal"),
        mounts,
        is_for_development: in_profile || has_sources,
        is_job: is_awaited || never,
    }
}

/// A folder without what compose takes it for anyway.
fn plain(folder: &str) -> &str {
    match folder.trim_end_matches('/') {
        "" | "." | "$PWD" | "${PWD}" => ".",
        folder => folder.strip_prefix("./").unwrap_or(folder),
    }
}

/// The services that this one waits for until they have ended.
fn awaited_jobs(service: &Node) -> Vec<&str> {
    let Some(depends_on) = service.get("depends_on") else { return Vec::new() };
    let conditions = depends_on.entries().iter().filter_map(|(name, how)| Some((name.text()?, how.get("condition")?.text()?)));
    conditions.filter(|(_, condition)| *condition == "service_completed_successfully").map(|(name, _)| name).collect()
}

fn build(node: &Rc<Node>) -> Option<Build> {
    if let Some(context) = node.text() {
        return (!node.is_null()).then(|| Build {
            context: context.to_owned(),
            dockerfile: "Dockerfile".to_owned(),
            target: None,
        });
    }
    if node.get("dockerfile_inline").is_some() {
        return None;
    }
    let text = |key: &str| node.get(key).and_then(|value| value.text());
    let target = node.get("target").and_then(|value| Some((value.text()?.to_owned(), value.span)));
    Some(Build {
        context: text("context").unwrap_or(".").to_owned(),
        dockerfile: text("dockerfile").unwrap_or("Dockerfile").to_owned(),
        target,
    })
}

fn arguments(node: &Rc<Node>) -> Option<Arguments> {
    if node.is_null() {
        return None;
    }
    let words = match &node.kind {
        Kind::Scalar { text, .. } => {
            // Compose knows quotes, and nothing else of a shell.
            let script = parse_shell(&text.replace("$$", "$"), Places::Whole(node.span));
            script.commands.into_iter().next().map_or_else(Vec::new, |command| command.words)
        }
        Kind::List(items) => {
            let words = items.iter().map(|item| {
                let text = item.text()?.replace("$$", "$");
                Some(Word { span: item.span, is_static: !text.contains('$'), text })
            });
            words.collect::<Option<Vec<Word>>>()?
        }
        Kind::Map(_) => return None,
    };
    Some(Arguments { span: node.span, words })
}

fn mount(node: &Rc<Node>) -> Option<(String, String)> {
    if let Some(text) = node.text() {
        let mut parts = text.split(':');
        return Some((parts.next()?.to_owned(), parts.next()?.to_owned()));
    }
    let source = node.get("source")?.text()?.to_owned();
    let target = node.get("target")?.text()?.to_owned();
    (node.get("type").and_then(|kind| kind.text()) == Some("bind")).then_some((source, target))
}
