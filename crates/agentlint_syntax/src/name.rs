//! Interned names, and how they are packed.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ustr::Ustr;

use crate::packed;

/// An interned string: comparing and hashing two costs as much as with two numbers. Ordered as text.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Ustr);

/// Interns `text`.
pub fn name(text: &str) -> Name {
    Name(ustr::ustr(text))
}

impl Name {
    pub fn as_str(&self) -> &'static str {
        self.0.as_str()
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_str().fmt(out)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.as_str(), out)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.0.as_str() == *other
    }
}

/// A number in the table of names while facts are packed; the text elsewhere.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match packed::number_of(*self) {
            Some(number) => number.serialize(serializer),
            None => self.0.as_str().serialize(serializer),
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
