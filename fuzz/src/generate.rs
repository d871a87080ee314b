//! Programs made of bytes: each byte chooses what comes next, and what is left open when they end is closed.

/// A file that parses.
pub fn program(bytes: &[u8]) -> String {
    let mut maker = Maker { bytes, text: String::from(PRELUDE), depth: 0 };
    for at in 0..8 {
        maker.function(at);
    }
    maker.text
}

const PRELUDE: &str = "
use std::{collections::HashMap, fs, future::Future, pin::Pin, sync::{Arc, Mutex}, time::Duration};
#[derive(Clone, Default)] struct A<T> { left: T, right: Vec<T> }
enum E<T> { One(T), Two { x: Option<T> }, Three }
trait Tr { type Out; fn out(&self) -> Self::Out; fn twice(&self) -> (Self::Out, Self::Out) { (self.out(), self.out()) } }
impl<T: Clone> Tr for A<T> { type Out = T; fn out(&self) -> T { self.left.clone() } }
impl<T: Tr> Tr for Vec<T> { type Out = Vec<T::Out>; fn out(&self) -> Vec<T::Out> { self.iter().map(|t| t.out()).collect() } }
impl<T: Tr, U: Tr> Tr for (T, U) { type Out = (T::Out, U::Out); fn out(&self) -> Self::Out { (self.0.out(), self.1.out()) } }
macro_rules! twice { ($e:expr) => { ($e, $e) } }
macro_rules! nest { ($e:expr) => { { let v = twice!($e); v } } }
";

/// Deeper than this only leaves are made.
const DEEPEST: u32 = 12;
/// Longer texts only get leaves.
const LONGEST: usize = 20_000;

const NAMES: [&str; 8] = ["a", "b", "c", "d", "x", "y", "v", "self_"];
const METHODS: [&str; 24] = [
    "clone",
    "iter",
    "into_iter",
    "collect",
    "map",
    "and_then",
    "unwrap",
    "len",
    "out",
    "twice",
    "lock",
    "await_",
    "next",
    "as_ref",
    "to_string",
    "into",
    "unwrap_or_default",
    "push",
    "get",
    "entry",
    "or_default",
    "cloned",
    "filter",
    "poll",
];
const TYPES: [&str; 12] = [
    "u8",
    "String",
    "Vec<_>",
    "Option<_>",
    "A<_>",
    "E<u8>",
    "Box<dyn Fn(u8) -> u8>",
    "&str",
    "impl Tr",
    "HashMap<String, Vec<u8>>",
    "Arc<Mutex<A<String>>>",
    "Pin<Box<dyn Future<Output = u8>>>",
];
const CALLS: [&str; 10] =
    ["fs::read", "f0", "f1", "f2", "f3", "Some", "E::One", "std::thread::sleep", "Default::default", "Vec::new"];

struct Maker<'a> {
    bytes: &'a [u8],
    text: String,
    depth: u32,
}

impl Maker<'_> {
    fn choose(&mut self, from: usize) -> usize {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first as usize % from
    }

    fn one_of(&mut self, list: &[&'static str]) -> &'static str {
        list[self.choose(list.len())]
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn function(&mut self, at: usize) {
        let is_async = if self.choose(2) == 0 { "async " } else { "" };
        let ty = self.one_of(&TYPES).replace('_', "u8");
        let output = self.one_of(&TYPES).replace('_', "u8");
        self.put(&format!("{is_async}fn f{at}<T: Tr + Clone>(a: {ty}, b: T) -> {output} "));
        self.block();
    }

    fn block(&mut self) {
        self.put("{\n");
        for _ in 0..self.choose(5) {
            match self.choose(4) {
                0 => {
                    let name = self.one_of(&NAMES);
                    self.put(&format!("let {name} = "));
                }
                1 => {
                    let (name, ty) = (self.one_of(&NAMES), self.one_of(&TYPES[..6]));
                    self.put(&format!("let {name}: {ty} = "));
                }
                2 => self.put("let (x, y) = "),
                _ => {}
            }
            self.expr();
            self.put(";\n");
        }
        self.expr();
        self.put("\n}");
    }

    fn expr(&mut self) {
        if self.depth >= DEEPEST || self.text.len() > LONGEST || self.bytes.is_empty() {
            let leaf = self.one_of(&["a", "b", "1", "\"s\"", "None", "x"]);
            return self.put(leaf);
        }
        self.depth += 1;
        self.inner();
        self.depth -= 1;
    }

    fn between(&mut self, before: &str, after: &str) {
        self.put(before);
        self.expr();
        self.put(after);
    }

    fn inner(&mut self) {
        match self.choose(22) {
            0 => self.put("a"),
            1 => {
                let name = self.one_of(&NAMES);
                self.put(name);
            }
            2 | 3 | 4 => {
                self.between("(", ")");
                let method = self.one_of(&METHODS);
                self.put(&format!(".{method}("));
                if self.choose(2) == 0 {
                    self.expr();
                }
                self.put(")");
            }
            5 => {
                let called = self.one_of(&CALLS);
                self.put(called);
                self.between("(", ")");
            }
            6 => self.between("|x| ", ""),
            7 => self.between("move |x, y| { ", " }"),
            8 => {
                self.put("async move ");
                self.block();
            }
            9 => self.between("(", ").await"),
            10 => self.between("(", ")?"),
            11 => {
                self.between("if (", ") ");
                self.block();
                self.put(" else ");
                self.block();
            }
            12 => {
                self.between("match (", ") { Some(x) => ");
                self.expr();
                self.between(", E::Two { x } if ", " => ");
                self.expr();
                self.put(", y => y }");
            }
            13 => {
                self.between("for x in (", ") ");
                self.block();
            }
            14 => {
                self.between("(", ", ");
                self.expr();
                self.put(")");
            }
            15 => self.between("A { left: ", ", right: vec![] }"),
            16 => self.between("&(", ")"),
            17 => self.between("*(", ")"),
            18 => self.between("twice!(", ")"),
            19 => self.between("nest!(", ")"),
            20 => self.between("vec![", "; 3]"),
            _ => {
                self.between("(", ").");
                let field = self.one_of(&["left", "right", "0", "1"]);
                self.put(field);
            }
        }
    }
}
