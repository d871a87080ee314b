//! What names mean in dependencies, kept from one run to the next.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agentlint_syntax::packed::{Bytes, Pack};
use rustc_hash::FxHashMap;

use super::{Texts, found_calls, parsed, with_loader};
use crate::input::{CfgOptions, CrateFiles, CrateId, Kept, Loader};

const DEPENDENCIES: [(&str, &str); 2] = [
    ("inner", "pub mod deep { pub struct Job; impl Job { pub fn run(&self) {} } pub(crate) fn hidden() {} }"),
    (
        "dep",
        "mod own { pub use inner::deep::*; pub fn make() -> Job { Job } pub(crate) struct Private; }
        pub use own::*; pub fn hidden() {} pub use std::string::String as Text;",
    ),
];
const TEXT: &str = "
    use dep::*;
    fn f() { make().run(); dep::hidden(); Text::new().len(); dep::missing(); dep::own::make(); }";

/// Keeps what it is given of names, as the loader of real runs does.
struct Keeping {
    texts: Texts,
    /// Of each crate.
    readings: [Option<u64>; 2],
    names: Mutex<FxHashMap<String, Vec<u8>>>,
    /// How often it was given some.
    given: AtomicUsize,
}

impl Keeping {
    /// What the calls of the program resolve to, and of how many crates it had something new to keep.
    fn run(&self) -> (Vec<String>, usize) {
        let (graph, _) = parsed(&DEPENDENCIES, "");
        with_loader(graph, self, |program| {
            let calls = found_calls(program);
            let before = self.given.load(Ordering::Relaxed);
            program.graph.crates.indices().for_each(|krate| program.keep_found(krate));
            (calls, self.given.load(Ordering::Relaxed) - before)
        })
    }

    fn give(&self, name: String, what: Kept, pack: Vec<u8>) {
        if what == Kept::Names {
            self.names.lock().unwrap().insert(name, pack);
            self.given.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn kept(&self, name: String) -> Option<Pack> {
        let names = self.names.lock().unwrap();
        Pack::open(Bytes::Owned { all: names.get(&name)?.clone(), start: 0 })
    }
}

impl Loader for Keeping {
    fn load(&self, id: CrateId) -> Option<Arc<CrateFiles>> {
        self.texts.load(id)
    }

    fn reading(&self, id: CrateId) -> Option<u64> {
        self.readings.get(usize::from(id)).copied().flatten()
    }

    fn kept_names(&self, id: CrateId) -> Option<Pack> {
        self.kept(format!("{id:?}"))
    }

    fn keep(&self, id: CrateId, what: Kept, pack: Vec<u8>) {
        self.give(format!("{id:?}"), what, pack);
    }

    fn kept_std(&self, what: Kept, name: &str, _: &CfgOptions) -> Option<Pack> {
        if what == Kept::Names { self.kept(name.to_owned()) } else { None }
    }

    fn keep_std(&self, what: Kept, name: &str, _: &CfgOptions, pack: Vec<u8>) {
        self.give(name.to_owned(), what, pack);
    }
}

fn keeping() -> Keeping {
    Keeping {
        texts: parsed(&DEPENDENCIES, TEXT).1,
        readings: [Some(1), Some(2)],
        names: Mutex::default(),
        given: AtomicUsize::new(0),
    }
}

#[test]
fn a_second_run_finds_no_name_anew() {
    let keeping = keeping();
    let expected = [
        "dep::own::make",
        "inner::Job::run",
        "dep::hidden",
        "std::String::new",
        "std::String::len",
        "?missing",
        "dep::own::make",
    ];
    let (calls, new) = keeping.run();
    assert_eq!(calls, expected);
    assert!(new >= 4, "both crates, and two of std: {new}");
    assert_eq!(keeping.run(), (calls.clone(), 0));
}

#[test]
fn a_run_adds_to_what_others_found() {
    let mut keeping = keeping();
    let (calls, _) = keeping.run();
    let other = "fn f() { dep::other(); inner::deep::other(); }";
    keeping.texts = parsed(&DEPENDENCIES, other).1;
    let expected = vec!["?other".to_owned(), "?other".to_owned()];
    assert_eq!(keeping.run(), (expected.clone(), 2), "neither crate was asked about `other` before");
    for (text, expected) in [(TEXT, calls), (other, expected)] {
        keeping.texts = parsed(&DEPENDENCIES, text).1;
        assert_eq!(keeping.run(), (expected, 0));
    }
}

#[test]
fn answers_that_no_other_run_can_use_are_not_kept_again_and_again() {
    let mut keeping = keeping();
    // As where nothing is kept of `inner`.
    keeping.readings[0] = None;
    let (calls, new) = keeping.run();
    assert!(new > 0);
    assert_eq!(keeping.run(), (calls, 0));
}

#[test]
fn answers_that_lead_into_another_reading_are_found_anew() {
    let mut keeping = keeping();
    let (calls, _) = keeping.run();
    keeping.readings[0] = Some(3);
    let (again, new) = keeping.run();
    assert_eq!(again, calls);
    assert_eq!(new, 2, "those of `dep` that lead into `inner`, and its own");
    assert_eq!(keeping.run(), (calls, 0));
}

#[test]
fn damaged_answers_never_panic() {
    let keeping = keeping();
    keeping.run();
    let whole = keeping.names.lock().unwrap().clone();
    for (name, pack) in whole.iter().filter(|(name, _)| name.starts_with(|first: char| !first.is_alphabetic())) {
        for at in (0..pack.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged.get_mut(name).unwrap()[at] ^= 0xff;
            *keeping.names.lock().unwrap() = damaged;
            keeping.run();
        }
    }
}
