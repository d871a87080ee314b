//! YAML as a tree with places: anchors and merge keys followed, comments kept.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::Span;

/// A value and where it stands; what an alias stands for stands where its anchor does.
#[derive(Debug)]
pub struct Node {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    /// `is_plain` where no quotes stand around it.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<Rc<Node>>),
    Map(Vec<(Rc<Node>, Rc<Node>)>),
}

/// The first document of a file.
#[derive(Debug)]
pub struct Document {
    pub root: Rc<Node>,
    pub comments: Vec<Span>,
    /// The entries of all mappings and lists.
    pub entries: Vec<Span>,
}

/// Deeper documents are not read: nobody writes them, and taking a tree apart costs stack for each level.
const DEEPEST: usize = 64;
/// Merge keys that lead to merge keys.
const MOST_MERGES: usize = 8;

impl Node {
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub fn list(&self) -> &[Rc<Node>] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    pub fn entries(&self) -> &[(Rc<Node>, Rc<Node>)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Also where it comes in through `<<`.
    pub fn get(&self, key: &str) -> Option<&Rc<Node>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// With the key's own node.
    pub fn entry(&self, key: &str) -> Option<(&Rc<Node>, &Rc<Node>)> {
        self.entry_below(key, MOST_MERGES)
    }

    fn entry_below(&self, key: &str, merges: usize) -> Option<(&Rc<Node>, &Rc<Node>)> {
        let own = self.entries().iter().find(|(name, _)| name.text() == Some(key));
        if let Some((name, value)) = own {
            return Some((name, value));
        }
        let merged = self.entries().iter().filter(|(name, _)| name.text() == Some("<<") && merges > 0);
        merged
            .flat_map(|(_, value)| match &value.kind {
                Kind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(value),
            })
            .find_map(|node| node.entry_below(key, merges - 1))
    }

    /// Whether it is `null`, or nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, is_plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }
}

/// `None` where it is not YAML.
pub fn parse(text: &str) -> Option<Document> {
    let offsets = Offsets::new(text);
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, place) = event.ok()?;
        let span = Span { start: offsets.byte(place.start.index()), end: offsets.byte(place.end.index()) };
        match event {
            Event::DocumentEnd | Event::StreamEnd => break,
            Event::Scalar(_, style, ..) => builder.event(event, scalar_span(text, span, style))?,
            event => builder.event(event, span)?,
        }
    }
    let root = builder.root?;
    let comments = comments(text, &builder.scalars);
    let without_space = |span: &Span| {
        let written = text.get(span.start as usize..span.end as usize).unwrap_or("");
        Span { start: span.start, end: span.start + written.trim_end().len() as u32 }
    };
    let entries = builder.entries.iter().map(without_space).collect();
    Some(Document { root, comments, entries })
}

/// The parser counts what follows a scalar on its line as its own, comments too.
fn scalar_span(text: &str, span: Span, style: ScalarStyle) -> Span {
    let written = text.get(span.start as usize..span.end as usize).unwrap_or("");
    let length = match style {
        ScalarStyle::Plain => written.find(" #").map_or(written, |at| &written[..at]).trim_end().len(),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            let (mut escaped, quote) = (false, if style == ScalarStyle::SingleQuoted { '\'' } else { '"' });
            let end = written.char_indices().skip(1).find(|(at, character)| {
                let is_end = *character == quote && !escaped;
                let doubled = quote == '\'' && written[*at + 1..].starts_with(quote);
                escaped = !escaped && (*character == '\\' && quote == '"' || is_end && doubled);
                is_end && !doubled
            });
            end.map_or(written.trim_end().len(), |(at, _)| at + 1)
        }
        _ => written.trim_end().len(),
    };
    Span { start: span.start, end: span.start + length as u32 }
}

/// The parser counts characters.
struct Offsets(Option<Vec<u32>>);

impl Offsets {
    fn new(text: &str) -> Offsets {
        let offsets = || text.char_indices().map(|(at, _)| at as u32).chain([text.len() as u32]).collect();
        Offsets((!text.is_ascii()).then(offsets))
    }

    fn byte(&self, character: usize) -> u32 {
        match &self.0 {
            Some(offsets) => offsets.get(character).or(offsets.last()).copied().unwrap_or(0),
            None => character as u32,
        }
    }
}

#[derive(Default)]
struct Builder {
    root: Option<Rc<Node>>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    entries: Vec<Span>,
    scalars: Vec<Span>,
    /// Where what came last ends.
    last_end: u32,
}

struct Open {
    start: u32,
    anchor: usize,
    is_map: bool,
    items: Vec<Rc<Node>>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                self.scalars.push(span);
                let is_plain = style == ScalarStyle::Plain;
                self.add(Node { span, kind: Kind::Scalar { text: text.into_owned(), is_plain } }, anchor);
            }
            Event::Alias(anchor) => {
                let node = Rc::clone(self.anchors.get(&anchor)?);
                self.place(node, span);
            }
            Event::SequenceStart(anchor, _) => self.open(span, anchor, false)?,
            Event::MappingStart(anchor, _) => self.open(span, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { start, anchor, is_map, items } = self.open.pop()?;
                let kind = if is_map { Kind::Map(pairs(items)) } else { Kind::List(items) };
                // A block ends where the next thing begins, with comments between.
                let end = if span.start == span.end { self.last_end } else { span.end };
                self.add(Node { span: Span { start, end: end.max(start) }, kind }, anchor);
            }
            _ => {}
        }
        Some(())
    }

    fn open(&mut self, span: Span, anchor: usize, is_map: bool) -> Option<()> {
        self.open.push(Open { start: span.start, anchor, is_map, items: Vec::new() });
        (self.open.len() <= DEEPEST).then_some(())
    }

    fn add(&mut self, node: Node, anchor: usize) {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        let span = node.span;
        self.place(node, span);
    }

    /// `written` is where it stands in the text, which for an alias is not where the node does.
    fn place(&mut self, node: Rc<Node>, written: Span) {
        self.last_end = written.end;
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        open.items.push(node);
        match open.is_map {
            true if open.items.len() % 2 == 0 => {
                let key = open.items[open.items.len() - 2].span;
                self.entries.push(Span { start: key.start.min(written.start), end: written.end });
            }
            true => {}
            false => self.entries.push(written),
        }
    }
}

fn pairs(items: Vec<Rc<Node>>) -> Vec<(Rc<Node>, Rc<Node>)> {
    let mut items = items.into_iter();
    let mut pairs = Vec::new();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    pairs
}

/// What begins with `#` at a line's start or after a space, and lies in no scalar.
fn comments(text: &str, scalars: &[Span]) -> Vec<Span> {
    let mut comments = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        let marks = line.match_indices('#').map(|(at, _)| at);
        let found = marks.filter(|at| *at == 0 || line[..*at].ends_with([' ', '\t'])).find(|at| {
            let offset = (start + at) as u32;
            let after = scalars.partition_point(|scalar| scalar.start <= offset);
            // The scalar of a block may end at the next line's start, and a plain one never holds ` #`.
            after == 0 || offset >= scalars[after - 1].end
        });
        comments.extend(found.map(|at| Span { start: (start + at) as u32, end: end as u32 }));
        start += line.len();
    }
    comments
}
