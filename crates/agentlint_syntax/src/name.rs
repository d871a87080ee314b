//! Interned names, and how they are packed.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::{LazyLock, Mutex, PoisonError};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::packed;

/// An interned string: comparing and hashing two costs as much as with two numbers. Ordered as text.
///
/// Each text exists once, for as long as the process lives: a run has few distinct names (some hundred thousand).
#[derive(Clone, Copy)]
pub struct Name(&'static Text);

struct Text {
    /// Of the text, so that maps have the same order in every run.
    hash: u64,
    text: Box<str>,
}

const SHARDS: usize = 64;

/// How many names a thread finds again without asking the table that all share.
const RECENT: usize = 1024;

/// The tables grow with the names that there are: a small program should not touch memory that it does not need.
static NAMES: LazyLock<[Mutex<HashTable<&'static Text>>; SHARDS]> =
    LazyLock::new(|| std::array::from_fn(|_| Mutex::new(HashTable::new())));

thread_local! {
    static FOUND: [Cell<Option<&'static Text>>; RECENT] = const { [const { Cell::new(None) }; RECENT] };
}

/// Interns `text`.
pub fn name(text: &str) -> Name {
    let hash = FxBuildHasher.hash_one(text);
    FOUND.with(|found| {
        let recent = &found[(hash >> 32) as usize % RECENT];
        if let Some(known) = recent.get().filter(|known| known.is(hash, text)) {
            return Name(known);
        }
        // A panic while a shard is held cannot leave it half-written: insertion is one step.
        let mut shard = NAMES[(hash >> 48) as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
        let known = match shard.find(hash, |known| known.is(hash, text)) {
            Some(known) => *known,
            None => {
                let new: &'static Text = Box::leak(Box::new(Text { hash, text: text.into() }));
                *shard.insert_unique(hash, new, |known| known.hash).get()
            }
        };
        recent.set(Some(known));
        Name(known)
    })
}

impl Text {
    fn is(&self, hash: u64, text: &str) -> bool {
        self.hash == hash && *self.text == *text
    }
}

impl Name {
    pub fn as_str(&self) -> &'static str {
        &self.0.text
    }
}

impl Default for Name {
    fn default() -> Name {
        name("")
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(out)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), out)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// A number in the table of names while facts are packed; the text elsewhere.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match packed::number_of(*self) {
            Some(number) => number.serialize(serializer),
            None => self.as_str().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        if !packed::is_unpacking() {
            return String::deserialize(deserializer).map(|text| name(&text));
        }
        let number = u32::deserialize(deserializer)?;
        packed::name_of(number).ok_or_else(|| serde::de::Error::custom("a name that the table does not have"))
    }
}
