//! The items of a file. They are unpacked in pieces: of a large file few are ever looked at.

use std::ops::Index;

use serde::{Deserialize, Serialize};

use super::{Item, ItemId};
use crate::Lazy;

/// How many items are unpacked together.
const CHUNK: usize = 2;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Items {
    /// All but the last have `CHUNK` items.
    chunks: Vec<Lazy<Vec<Item>>>,
    length: u32,
}

impl Items {
    pub fn push(&mut self, item: Item) -> ItemId {
        let id = ItemId::from_raw(self.length);
        let last = self.chunks.last_mut().filter(|_| !(self.length as usize).is_multiple_of(CHUNK));
        match last.and_then(Lazy::get_mut) {
            Some(last) => last.push(item),
            None => self.chunks.push(vec![item].into()),
        }
        self.length += 1;
        id
    }

    pub(crate) fn into_vec(self) -> Vec<Item> {
        self.chunks.into_iter().flat_map(Lazy::into_inner).collect()
    }

    pub fn len(&self) -> usize {
        self.length as usize
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub fn get(&self, id: ItemId) -> Option<&Item> {
        self.chunks.get(id.index() / CHUNK)?.get(id.index() % CHUNK)
    }

    pub(crate) fn get_mut(&mut self, id: ItemId) -> Option<&mut Item> {
        self.chunks.get_mut(id.index() / CHUNK)?.get_mut()?.get_mut(id.index() % CHUNK)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    pub fn iter_enumerated(&self) -> impl Iterator<Item = (ItemId, &Item)> {
        (0..).map(ItemId::from_raw).zip(self.iter())
    }
}

impl Index<ItemId> for Items {
    type Output = Item;

    fn index(&self, id: ItemId) -> &Item {
        &self.chunks[id.index() / CHUNK][id.index() % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::{Bytes, Pack, Packer};
    use crate::{ParseOptions, name, parse};

    #[test]
    fn items_keep_their_places_through_a_pack() {
        let text: String = (0..100).map(|number| format!("struct S{number};\n")).collect();
        let items = parse(&text, &ParseOptions::default()).items;
        let mut packer = Packer::default();
        packer.add("items", &items).expect("a few items can be packed");
        let bytes = packer.finish().expect("there is little");
        let pack = Pack::open(Bytes::Owned { all: bytes, start: 0 }).expect("the bytes are whole");
        let mut unpacked: Items = pack.get("items").expect("the items were packed");
        assert_eq!((unpacked.len(), unpacked[ItemId::new(64)].name), (100, name("S64")));
        assert!(unpacked.get(ItemId::new(100)).is_none());
        unpacked.get_mut(ItemId::new(65)).expect("there are a hundred").name = name("changed");
        let another = unpacked[ItemId::new(99)].clone();
        assert_eq!(unpacked.push(another), ItemId::new(100));
        let all: Vec<(ItemId, &str)> = unpacked.iter_enumerated().map(|(id, item)| (id, item.name.as_str())).collect();
        assert_eq!((all.len(), all[64].1, all[65].1, all[100]), (101, "S64", "changed", (ItemId::new(100), "S99")));
    }
}
