//! The facts of files as bytes, unpacked part by part.
//!
//! Most of what a dependency declares is never asked about. So a file is unpacked to its items' names and kinds alone, and what
//! stands behind an item, a [`Lazy`], when something first looks at it. The layout is `postcard`'s, with names replaced by their
//! numbers in one table, and the lazy parts moved out behind the rest. [`Rows`] are never unpacked.

mod rows;

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::rows::{Names, Rows};
use crate::{Name, name};

/// A value that is unpacked when it is first looked at.
pub struct Lazy<T> {
    /// `None` where it never was packed.
    part: Option<Part>,
    value: OnceLock<Box<T>>,
}

/// A piece of a pack.
#[derive(Clone)]
struct Part {
    pack: Arc<Shared>,
    /// Within the pack's bytes.
    range: Range<usize>,
}

/// What a [`Packer`] made.
#[derive(Debug)]
pub struct Pack {
    shared: Arc<Shared>,
    values: FxHashMap<String, Range<u32>>,
}

#[derive(Debug)]
struct Shared {
    bytes: Bytes,
    /// Where the parts begin.
    parts: usize,
    /// Where the texts of the names stand, one after the other, and where it is written where each ends behind their start.
    texts: Range<usize>,
    ends: Range<usize>,
    /// Each is interned when something first asks for it: most of a dependency's never are.
    names: OnceLock<Box<[OnceLock<Name>]>>,
}

/// Bytes that are part of the program, or were read by it and begin behind something else.
#[derive(Debug)]
pub enum Bytes {
    Static(&'static [u8]),
    Owned { all: Vec<u8>, start: usize },
}

/// What stands before the values and the parts.
#[derive(Serialize, Deserialize)]
struct Contents<'a> {
    /// The names, one after the other. Each is looked at when something asks for it.
    texts: &'a [u8],
    /// Where each of them ends, four bytes a number.
    ends: &'a [u8],
    /// Each value's name, and where it ends behind the one before.
    #[serde(borrow)]
    values: Vec<(&'a str, u32)>,
}

#[derive(Debug, Default)]
struct Packing {
    numbers: FxHashMap<Name, u32>,
    names: Vec<Name>,
    parts: Vec<u8>,
}

thread_local! {
    static PACKING: RefCell<Option<Packing>> = const { RefCell::new(None) };
    static UNPACKING: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// Packs values under names, to be read through [`Pack::get`].
#[derive(Debug, Default)]
pub struct Packer {
    packing: Packing,
    values: Vec<u8>,
    /// Each value's name and where it ends.
    ends: Vec<(String, u32)>,
}

impl Packer {
    /// Facts of a file, or any plain value.
    pub fn add(&mut self, name: &str, value: &impl Serialize) -> Option<()> {
        PACKING.set(Some(std::mem::take(&mut self.packing)));
        let packed = postcard::to_allocvec(value);
        self.packing = PACKING.take()?;
        self.values.extend(packed.ok()?);
        self.ends.push((name.to_owned(), u32::try_from(self.values.len()).ok()?));
        Some(())
    }

    /// The bytes; `None` where there is too much for one pack, which is 4 GiB.
    pub fn finish(self) -> Option<Vec<u8>> {
        let (mut texts, mut ends) = (String::new(), Vec::with_capacity(4 * self.packing.names.len()));
        for name in &self.packing.names {
            texts.push_str(name.as_str());
            ends.extend(u32::try_from(texts.len()).ok()?.to_le_bytes());
        }
        let values = self.ends.iter().map(|(name, end)| (name.as_str(), *end)).collect();
        let contents = postcard::to_allocvec(&Contents { texts: texts.as_bytes(), ends: &ends, values }).ok()?;
        let total = HEADER + contents.len() + self.values.len() + self.packing.parts.len();
        u32::try_from(total).ok()?;
        let mut bytes = Vec::with_capacity(total);
        bytes.extend([contents.len(), self.values.len()].iter().flat_map(|length| (*length as u32).to_le_bytes()));
        bytes.extend(contents);
        bytes.extend(self.values);
        bytes.extend(self.packing.parts);
        Some(bytes)
    }
}

/// The form that packed facts have: of another program version it may be another.
pub const FORM: &str = env!("AGENTLINT_FACTS_FORM");

/// The lengths of the contents and of the values.
const HEADER: usize = 8;

impl Pack {
    /// `None` where the bytes are not of this form; they are not checked for damage further in.
    pub fn open(bytes: Bytes) -> Option<Pack> {
        let (all, start) = match &bytes {
            Bytes::Static(all) => (*all, 0),
            Bytes::Owned { all, start } => (all.as_slice(), *start),
        };
        let length = |at: usize| Some(u32::from_le_bytes(all.get(at..at + 4)?.try_into().ok()?) as usize);
        let header = start.checked_add(HEADER)?;
        let first = header.checked_add(length(start)?)?;
        let parts = first.checked_add(length(start + 4)?)?;
        let contents: Contents<'_> = postcard::from_bytes(all.get(header..first)?).ok()?;
        all.get(parts..)?;
        let place = |part: &[u8]| {
            let start = part.as_ptr() as usize - all.as_ptr() as usize;
            start..start + part.len()
        };
        let (texts, ends) = (place(contents.texts), place(contents.ends));
        let first = first as u32;
        let mut start = first;
        let mut values = FxHashMap::default();
        for (name, end) in contents.values {
            let end = first.checked_add(end)?;
            values.insert(name.to_owned(), start..end);
            start = end;
        }
        Some(Pack { shared: Arc::new(Shared { bytes, parts, texts, ends, names: OnceLock::new() }), values })
    }

    /// The value of that name; `None` where there is none, and where it is of another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let range = self.values.get(name)?;
        unpack(&self.shared, range.start as usize..range.end as usize)
    }

    /// The names of the values, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

impl Bytes {
    /// All of them: ranges count what stands before the pack too.
    fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Static(all) => all,
            Bytes::Owned { all, .. } => all,
        }
    }
}

fn unpack<T: DeserializeOwned>(pack: &Arc<Shared>, range: Range<usize>) -> Option<T> {
    let bytes = pack.bytes.as_slice().get(range)?;
    let outer = UNPACKING.replace(Some(Arc::clone(pack)));
    let value = postcard::from_bytes(bytes).ok();
    UNPACKING.set(outer);
    value
}

/// While this thread packs: the name's number in the table.
pub(crate) fn number_of(name: Name) -> Option<u32> {
    PACKING.with_borrow_mut(|packing| {
        let Packing { numbers, names, .. } = packing.as_mut()?;
        Some(*numbers.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() as u32 - 1
        }))
    })
}

pub(crate) fn is_unpacking() -> bool {
    UNPACKING.with_borrow(Option::is_some)
}

pub(crate) fn name_of(number: u32) -> Option<Name> {
    UNPACKING.with_borrow(|pack| pack.as_ref()?.name(number as usize))
}

impl Shared {
    fn name(&self, number: usize) -> Option<Name> {
        let names = self.names.get_or_init(|| (0..self.ends.len() / 4).map(|_| OnceLock::new()).collect());
        let slot = names.get(number)?;
        if let Some(known) = slot.get() {
            return Some(*known);
        }
        let start = number.checked_sub(1).map_or(Some(0), |before| self.end(before))?;
        let texts = self.bytes.as_slice().get(self.texts.clone())?;
        let text = std::str::from_utf8(texts.get(start..self.end(number)?)?).ok()?;
        Some(*slot.get_or_init(|| name(text)))
    }

    fn end(&self, number: usize) -> Option<usize> {
        let ends = self.bytes.as_slice().get(self.ends.clone())?;
        Some(u32::from_le_bytes(*ends.as_chunks().0.get(number)?) as usize)
    }
}

impl Packing {
    /// Adds a part, and says where it begins among the parts, and its length.
    fn push(&mut self, part: &[u8]) -> (u32, u32) {
        let start = self.parts.len() as u32;
        self.parts.extend(part);
        (start, part.len() as u32)
    }
}

impl Part {
    fn deserialize<'de, D: Deserializer<'de>>(pack: Arc<Shared>, deserializer: D) -> Result<Part, D::Error> {
        let (start, length) = <(u32, u32)>::deserialize(deserializer)?;
        let start = pack.parts.checked_add(start as usize);
        let range = start.and_then(|start| Some(start..start.checked_add(length as usize)?));
        let range = range.filter(|range| range.end <= pack.bytes.as_slice().len());
        Ok(Part { pack, range: range.ok_or_else(|| serde::de::Error::custom("a part that ends nowhere"))? })
    }

    fn bytes(&self) -> &[u8] {
        self.pack.bytes.as_slice().get(self.range.clone()).unwrap_or_default()
    }
}

impl<T: DeserializeOwned + Default> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(|| self.unpacked())
    }
}

impl<T: DeserializeOwned + Default> Lazy<T> {
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_or_init(|| self.unpacked());
        self.part = None;
        self.value.get_mut().map(|value| &mut **value)
    }

    pub(crate) fn into_inner(mut self) -> T {
        let value = self.value.take();
        *value.unwrap_or_else(|| self.unpacked())
    }

    /// A damaged part, which a checksum around the pack is to rule out, reads as an empty one.
    fn unpacked(&self) -> Box<T> {
        let unpacked = self.part.as_ref().and_then(|part| unpack(&part.pack, part.range.clone()));
        Box::new(unpacked.unwrap_or_default())
    }
}

impl<T> From<T> for Lazy<T> {
    fn from(value: T) -> Lazy<T> {
        Lazy { part: None, value: OnceLock::from(Box::new(value)) }
    }
}

impl<T: Default> Default for Lazy<T> {
    fn default() -> Lazy<T> {
        T::default().into()
    }
}

impl<T: Clone> Clone for Lazy<T> {
    fn clone(&self) -> Lazy<T> {
        Lazy { part: self.part.clone(), value: self.value.clone() }
    }
}

impl<T: DeserializeOwned + Default + PartialEq> PartialEq for Lazy<T> {
    fn eq(&self, other: &Lazy<T>) -> bool {
        **self == **other
    }
}

impl<T: DeserializeOwned + Default + fmt::Debug> fmt::Debug for Lazy<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

impl<T: Serialize + DeserializeOwned + Default> Serialize for Lazy<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if PACKING.with_borrow(Option::is_none) {
            return (**self).serialize(serializer);
        }
        let part = postcard::to_allocvec(&**self).map_err(serde::ser::Error::custom)?;
        let place = PACKING.with_borrow_mut(|packing| packing.as_mut().map(|packing| packing.push(&part)));
        place.unwrap_or_default().serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lazy<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Lazy<T>, D::Error> {
        let Some(pack) = UNPACKING.with_borrow(Clone::clone) else {
            return T::deserialize(deserializer).map(Lazy::from);
        };
        Ok(Lazy { part: Some(Part::deserialize(pack, deserializer)?), value: OnceLock::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{ItemKind, SourceFile};
    use crate::{Bodies, ParseOptions, parse};

    const TEXT: &str =
        "use std::fs;\npub struct A<T>(Vec<T>);\nimpl<T: Clone> A<T> { pub fn first(&self) -> Option<&T> { None } }";

    fn packed() -> Vec<u8> {
        let facts = parse(TEXT, &ParseOptions { bodies: Bodies::Skip });
        let mut packer = Packer::default();
        packer.add("src/a.rs", &facts).expect("a small file can be packed");
        packer.add("src/b.rs", &SourceFile::default()).expect("an empty file can be packed");
        packer.finish().expect("there is little")
    }

    #[test]
    fn what_was_packed_comes_back() {
        let pack = Pack::open(Bytes::Owned { all: packed(), start: 0 }).expect("the bytes are whole");
        let unpacked: SourceFile = pack.get("src/a.rs").expect("the file was packed");
        let facts = parse(TEXT, &ParseOptions { bodies: Bodies::Skip });
        assert_eq!(format!("{unpacked:?}"), format!("{facts:?}"));
        assert!(pack.get("src/b.rs").is_some_and(|empty: SourceFile| empty.items.is_empty()));
        assert!(pack.get::<SourceFile>("src/c.rs").is_none());
    }

    #[test]
    fn a_pack_may_stand_behind_something_else() {
        let all = [b"something".to_vec(), packed()].concat();
        let pack = Pack::open(Bytes::Owned { all, start: 9 }).expect("the bytes are whole");
        let unpacked: SourceFile = pack.get("src/a.rs").expect("the file was packed");
        assert_eq!(format!("{unpacked:?}"), format!("{:?}", parse(TEXT, &ParseOptions { bodies: Bodies::Skip })));
    }

    #[test]
    fn a_part_is_unpacked_when_it_is_looked_at() {
        let pack = Pack::open(Bytes::Owned { all: packed(), start: 0 }).expect("the bytes are whole");
        let unpacked: SourceFile = pack.get("src/a.rs").expect("the file was packed");
        let Some(ItemKind::Struct(declared)) = unpacked.items.iter().map(|item| &item.kind).nth(1) else { panic!("no struct") };
        assert!(declared.declaration.value.get().is_none());
        assert_eq!(declared.declaration.fields.list().len(), 1);
        assert!(declared.declaration.value.get().is_some());
    }

    /// Every pack that opens of those that are cut, or have a byte changed.
    pub(super) fn damaged(whole: &[u8]) -> impl Iterator<Item = Pack> {
        let damages = (0..whole.len()).flat_map(|at| {
            let mut flipped = whole.to_vec();
            flipped[at] ^= 0xff;
            [flipped, whole[..at].to_vec()]
        });
        damages.filter_map(|all| Pack::open(Bytes::Owned { all, start: 0 }))
    }

    #[test]
    fn damaged_bytes_never_panic() {
        for pack in damaged(&packed()) {
            let _ = format!("{:?}", pack.get::<SourceFile>("src/a.rs"));
        }
    }
}
