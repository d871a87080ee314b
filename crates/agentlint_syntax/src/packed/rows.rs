//! Tables of numbers and of names that are read where they stand in a pack: nothing of them is unpacked.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{PACKING, Part, UNPACKING, number_of};
use crate::Name;

/// Rows of `WIDTH` numbers each.
#[derive(Clone)]
pub struct Rows<const WIDTH: usize>(Table<[u32; WIDTH]>);

/// A column of names.
#[derive(Clone)]
pub struct Names(Table<Name>);

#[derive(Clone)]
enum Table<T> {
    Written(Vec<T>),
    /// Numbers of four bytes, the lowest first; in place of a name the one that it has in the pack.
    Packed(Part),
}

impl<const WIDTH: usize> Rows<WIDTH> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Table::Written(rows) => rows.len(),
            Table::Packed(part) => part.range.len() / (4 * WIDTH),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub fn get(&self, row: usize) -> Option<[u32; WIDTH]> {
        match &self.0 {
            Table::Written(rows) => rows.get(row).copied(),
            Table::Packed(part) => {
                let start = row.checked_mul(4 * WIDTH)?;
                let numbers = part.bytes().get(start..start.checked_add(4 * WIDTH)?)?.as_chunks::<4>().0;
                Some(std::array::from_fn(|column| numbers.get(column).map_or(0, |number| u32::from_le_bytes(*number))))
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = [u32; WIDTH]> {
        (0..self.len()).filter_map(|row| self.get(row))
    }

    /// Of rows of which those that `precedes` holds for come first: the number of these.
    pub fn partition_point(&self, precedes: impl Fn([u32; WIDTH]) -> bool) -> usize {
        let (mut start, mut end) = (0, self.len());
        while start < end {
            let middle = start.midpoint(end);
            match self.get(middle).is_some_and(&precedes) {
                true => start = middle + 1,
                false => end = middle,
            }
        }
        start
    }
}

impl Names {
    #[inline]
    pub fn get(&self, row: usize) -> Option<Name> {
        match &self.0 {
            Table::Written(names) => names.get(row).copied(),
            Table::Packed(part) => {
                let number = part.bytes().as_chunks::<4>().0.get(row)?;
                part.pack.name(u32::from_le_bytes(*number) as usize)
            }
        }
    }
}

impl<const WIDTH: usize> FromIterator<[u32; WIDTH]> for Rows<WIDTH> {
    fn from_iter<I: IntoIterator<Item = [u32; WIDTH]>>(rows: I) -> Rows<WIDTH> {
        Rows(Table::Written(rows.into_iter().collect()))
    }
}

impl FromIterator<Name> for Names {
    fn from_iter<I: IntoIterator<Item = Name>>(names: I) -> Names {
        Names(Table::Written(names.into_iter().collect()))
    }
}

impl<const WIDTH: usize> Default for Rows<WIDTH> {
    fn default() -> Rows<WIDTH> {
        Rows(Table::Written(Vec::new()))
    }
}

impl Default for Names {
    fn default() -> Names {
        Names(Table::Written(Vec::new()))
    }
}

impl<const WIDTH: usize> std::fmt::Debug for Rows<WIDTH> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.iter()).finish()
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries((0..).map_while(|row| self.get(row))).finish()
    }
}

/// Rows are for packs alone: elsewhere the tables that hold them are not written.
impl<const WIDTH: usize> Serialize for Rows<WIDTH> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.iter().flatten().map(Some)).ok_or_else(outside)?.serialize(serializer)
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write((0..).map_while(|row| self.get(row)).map(number_of)).ok_or_else(outside)?.serialize(serializer)
    }
}

impl<'de, const WIDTH: usize> Deserialize<'de> for Rows<WIDTH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rows<WIDTH>, D::Error> {
        read(deserializer).map(|part| Rows(Table::Packed(part)))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        read(deserializer).map(|part| Names(Table::Packed(part)))
    }
}

/// Puts the numbers behind the parts that this thread packs, and says where; `None` while it packs nothing.
fn write(numbers: impl Iterator<Item = Option<u32>>) -> Option<(u32, u32)> {
    // Numbers of names are given out by the same packing.
    let bytes: Vec<u8> = numbers.map(|number| number.map(u32::to_le_bytes)).collect::<Option<Vec<_>>>()?.concat();
    PACKING.with_borrow_mut(|packing| packing.as_mut().map(|packing| packing.push(&bytes)))
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Part, D::Error> {
    let pack = UNPACKING.with_borrow(Clone::clone).ok_or_else(|| serde::de::Error::custom(OUTSIDE))?;
    Part::deserialize(pack, deserializer)
}

fn outside<E: serde::ser::Error>() -> E {
    E::custom(OUTSIDE)
}

const OUTSIDE: &str = "a table of rows outside of a pack";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name;
    use crate::packed::tests::damaged;
    use crate::packed::{Bytes, Pack, Packer};

    type Tables = (Rows<3>, Names, Rows<1>);

    fn written() -> Tables {
        let rows = (0..5).map(|row| [row, 70_000 * row, u32::MAX - row]).collect();
        (rows, ["a", "", "long_name", "a"].map(name).into_iter().collect(), Rows::default())
    }

    fn packed() -> Vec<u8> {
        let mut packer = Packer::default();
        packer.add("first", &String::from("odd")).expect("a text can be packed");
        packer.add("tables", &written()).expect("a few rows can be packed");
        packer.finish().expect("there is little")
    }

    #[test]
    fn rows_come_back_as_they_were_written() {
        let pack = Pack::open(Bytes::Owned { all: packed(), start: 0 }).expect("the bytes are whole");
        let unpacked: Tables = pack.get("tables").expect("the tables were packed");
        assert_eq!(format!("{unpacked:?}"), format!("{:?}", written()));
        assert_eq!((unpacked.0.len(), unpacked.0.get(4), unpacked.0.get(5)), (5, Some([4, 280_000, u32::MAX - 4]), None));
        assert_eq!((unpacked.1.get(2), unpacked.1.get(4)), (Some(name("long_name")), None));
        assert!(unpacked.2.is_empty() && unpacked.2.get(0).is_none());
    }

    #[test]
    fn rows_are_found_by_what_precedes_them() {
        let rows: Rows<1> = [[2], [4], [4], [6]].into_iter().collect();
        let found = [1, 2, 4, 5, 6, 7].map(|wanted| rows.partition_point(|[number]| number < wanted));
        assert_eq!(found, [0, 0, 1, 3, 3, 4]);
        assert_eq!(Rows::<1>::default().partition_point(|_| true), 0);
    }

    #[test]
    fn damaged_bytes_never_panic() {
        for pack in damaged(&packed()) {
            let _ = pack.get::<Tables>("tables").map(|(rows, names, _)| format!("{:?} {:?}", rows.get(4), names.get(3)));
        }
    }

    #[test]
    fn rows_outside_of_a_pack_are_refused() {
        assert!(postcard::to_allocvec(&written()).is_err());
        assert!(postcard::from_bytes::<Rows<3>>(&[0, 0]).is_err());
    }
}
