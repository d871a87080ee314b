//! Where the entries of runs lie in SQLite's table of them, which has them in order of arrival.
//!
//! A key of `(run, seq)` would cost a page for each entry: the entries of a group are of as many runs, and SQLite writes pages whole.
//! So the key, `places`, has a row for each dozen of a run's entries, written once they are there, or with the first of them that is no
//! token. What has no row yet is the end of a run's log. Readers here have it in memory, since the tail of the feed is no shorter, and
//! who starts or takes over runs files it first, from the table itself.

use std::collections::{BTreeMap, HashMap};

use super::feed::TAIL;
use crate::event::{Frame, Kind};

/// So many entries have a row together. What waits for others must be within the tail of the feed.
const TOGETHER: usize = TAIL;
/// What lies further back than this is filed, however little it is: whoever looks for the ends of runs reads no more.
const LATEST: i64 = 65_536;

/// A row of the key: run, first sequence number, places.
pub(super) type Row = (i64, i64, Vec<i64>);

/// What this process knows of the end of the log.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The last place that is taken, as far as is known.
    pub(super) last: i64,
    unfiled: HashMap<i64, Unfiled>,
    /// The runs of `unfiled`, by the place of their first entry there.
    oldest: BTreeMap<i64, i64>,
    /// To be filed now.
    due: Vec<Row>,
}

/// The places of entries of one run that follow each other, from this sequence number on.
#[derive(Clone, Debug, PartialEq)]
struct Unfiled {
    seq: i64,
    places: Vec<i64>,
}

/// Where the entries of a group go, and what is to be filed with them or after them. Nothing has happened before [`Places`] is told.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) last: i64,
    unfiled: HashMap<i64, Unfiled>,
    pub(super) filed: Vec<Row>,
}

impl Places {
    /// The entries of a group take the next places, in their order; those of a run are in order.
    pub(super) fn plan<'a>(&self, entries: impl IntoIterator<Item = (i64, &'a Frame)>) -> Plan {
        let mut plan = Plan { last: self.last, unfiled: HashMap::new(), filed: self.due.clone() };
        for (run, frame) in entries {
            plan.last += 1;
            let known =
                plan.unfiled.entry(run).or_insert_with(|| self.unfiled.get(&run).cloned().unwrap_or(Unfiled::at(frame.seq)));
            if known.seq + known.places.len() as i64 != frame.seq {
                // Another process drove the run meanwhile, and filed what was here.
                *known = Unfiled::at(frame.seq);
            }
            known.places.push(plan.last);
            if known.places.len() >= TOGETHER || frame.kind != Kind::Token {
                let Unfiled { seq, places } = std::mem::replace(known, Unfiled::at(frame.seq + 1));
                plan.filed.push((run, seq, places));
            }
        }
        // Who says little is filed before it is out of reach.
        for (_, &run) in self.oldest.range(..=plan.last - LATEST) {
            if let (Some(late), false) = (self.unfiled.get(&run), plan.unfiled.contains_key(&run)) {
                plan.filed.push((run, late.seq, late.places.clone()));
                plan.unfiled.insert(run, Unfiled::at(late.seq));
            }
        }
        plan
    }

    /// What was not filed although it should have been.
    pub(super) fn due(&self) -> &[Row] {
        &self.due
    }

    pub(super) fn filed(&mut self) {
        self.due.clear();
    }

    /// The entries of a plan were written; nothing was filed yet.
    pub(super) fn written(&mut self, plan: Plan) {
        self.last = plan.last;
        self.due = plan.filed;
        for (run, unfiled) in plan.unfiled {
            if let Some(first) = self.unfiled.get(&run).and_then(|before| before.places.first()) {
                self.oldest.remove(first);
            }
            if let Some(&first) = unfiled.places.first() {
                self.oldest.insert(first, run);
                self.unfiled.insert(run, unfiled);
            } else {
                self.unfiled.remove(&run);
            }
        }
    }
}

impl Plan {
    /// Whether readers have in memory what is not filed before it is shown. Where a run says much at once, they would look for the
    /// rest in the database, and nobody would wake them when it is there.
    pub(super) fn is_within_tails(&self) -> bool {
        let mut waits: HashMap<i64, usize> = HashMap::new();
        for (run, _, places) in &self.filed {
            *waits.entry(*run).or_default() += places.len();
        }
        let unfiled = |run| self.unfiled.get(run).map_or(0, |unfiled| unfiled.places.len());
        waits.iter().all(|(run, filed)| filed + unfiled(run) <= TAIL)
    }
}

impl Unfiled {
    fn at(seq: i64) -> Self {
        Self { seq, places: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn frame(seq: i64, kind: Kind) -> Frame {
        Frame { seq, kind, data: "{}".into() }
    }

    /// The database: entries by their place, and the key.
    #[derive(Default)]
    struct Tables {
        events: BTreeMap<i64, (i64, i64)>,
        key: BTreeMap<(i64, i64), Vec<i64>>,
    }

    impl Tables {
        fn append(&mut self, after: i64, entries: &[(i64, Frame)]) {
            for (place, (run, frame)) in (after + 1..).zip(entries) {
                assert!(self.events.insert(place, (*run, frame.seq)).is_none(), "place {place} was taken");
            }
        }

        /// As the statement does.
        fn file(&mut self, rows: &[Row]) {
            for (run, seq, places) in rows {
                let row = self.key.entry((*run, *seq)).or_default();
                if places.len() > row.len() {
                    row.clone_from(places);
                }
            }
        }

        /// The sequence numbers that are found by the key.
        fn filed(&self, run: i64) -> Vec<i64> {
            let rows = self.key.range((run, 0)..(run + 1, 0));
            rows.flat_map(|(_, places)| places)
                .map(|place| self.events[place])
                .map(|(of, seq)| {
                    assert_eq!(of, run);
                    seq
                })
                .collect()
        }
    }

    #[test]
    fn tokens_wait_for_company_and_for_nothing_else() {
        let mut places = Places::default();
        let tokens: Vec<Frame> = (1..=16).map(|seq| frame(seq, Kind::Token)).collect();
        let plan = places.plan(tokens[..15].iter().map(|frame| (7, frame)));
        assert_eq!((plan.last, plan.filed.len()), (15, 0));
        places.written(plan);
        let plan = places.plan([(8, &frame(1, Kind::Input)), (7, &tokens[15])]);
        assert_eq!(plan.filed, [(8, 1, vec![16]), (7, 1, (1..=15).chain([17]).collect())]);
        places.written(plan);
        assert_eq!(places.due().len(), 2);
        places.filed();
        // Nothing waits any more.
        assert!(places.unfiled.is_empty() && places.oldest.is_empty() && places.due().is_empty());
    }

    #[test]
    fn what_a_run_says_at_once_is_filed_before_it_is_shown() {
        let tokens: Vec<Frame> = (1..=17).map(|seq| frame(seq, Kind::Token)).collect();
        let plan = |count| Places::default().plan(tokens[..count].iter().map(|frame| (7, frame)));
        assert!(plan(15).is_within_tails() && plan(16).is_within_tails());
        assert!(!plan(17).is_within_tails(), "the first of them is in no tail");
    }

    #[test]
    fn who_says_little_is_filed_before_it_is_far_back() {
        let mut places = Places::default();
        places.written(places.plan([(1, &frame(1, Kind::Token))]));
        places.last += LATEST - 2;
        assert!(places.plan([(2, &frame(1, Kind::Token))]).filed.is_empty());
        let plan = places.plan([(2, &frame(1, Kind::Token)), (2, &frame(2, Kind::Token))]);
        assert_eq!(plan.filed, [(1, 1, vec![1])]);
        places.written(plan);
        assert_eq!(places.oldest.len(), 1);
    }

    #[test]
    fn what_another_process_has_filed_is_not_filed_again() {
        let mut places = Places::default();
        places.written(places.plan([(1, &frame(4, Kind::Token))]));
        // Entry 5 was the other's.
        let plan = places.plan([(1, &frame(6, Kind::Resumed))]);
        assert_eq!(plan.filed, [(1, 6, vec![2])]);
    }

    proptest! {
        /// Groups of entries of a few runs; some are filed late, some never arrive; the process may end anywhere.
        #[test]
        fn the_key_and_what_is_unfiled_are_the_log(
            groups in prop::collection::vec((prop::collection::vec((0..4_i64, 0..12_u8), 0..30), 0..4_u8), 1..40),
        ) {
            let (mut places, mut tables) = (Places::default(), Tables::default());
            let mut last = BTreeMap::<i64, i64>::new();
            for (group, fate) in groups {
                let mut seqs = last.clone();
                let entries: Vec<(i64, Frame)> = group.into_iter().map(|(run, kind)| {
                    let seq = seqs.entry(run).or_default();
                    *seq += 1;
                    (run, frame(*seq, if kind == 0 { Kind::Message } else { Kind::Token }))
                }).collect();
                let plan = places.plan(entries.iter().map(|(run, frame)| (*run, frame)));
                if fate == 0 {
                    // The database took nothing of it.
                    continue;
                }
                tables.append(places.last, &entries);
                last = seqs;
                places.written(plan);
                if fate > 1 {
                    tables.file(places.due());
                    places.filed();
                    for (&run, &seq) in &last {
                        let filed = tables.filed(run);
                        let waits = places.unfiled.get(&run).map_or(0, |unfiled| unfiled.places.len());
                        prop_assert_eq!(&filed, &(1..=seq - waits as i64).collect::<Vec<_>>());
                        prop_assert!(waits < TAIL, "{} entries wait, more than readers have in memory", waits);
                    }
                }
            }
        }
    }
}
