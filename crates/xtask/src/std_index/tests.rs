//! The checked-in index says what std's documentation says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

/// Crate, module, and what the module must contain, spaces aside.
const SPOT_CHECKS: [(&str, &str, &str); 33] = [
    ("std", "fs", "pub fn read_to_string<P: AsRef<Path>>(path: P) -> io::Result<String> {}"),
    ("std", "fs", "impl Read for File {}"),
    ("std", "sync::poison::mutex", "pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {}"),
    ("std", "sync::poison::mutex", "impl<T: ?Sized> Deref for MutexGuard<'_, T> { type Target = T; }"),
    ("std", "collections::hash::map", "pub fn entry(&mut self, key: K) -> Entry<'_, K, V, A> {}"),
    ("std", "path", "pub fn exists(&self) -> bool {}"),
    ("std", "process", "pub fn output(&mut self) -> io::Result<Output> {}"),
    ("std", "thread::functions", "pub fn sleep(dur: Duration) {}"),
    ("std", "net::tcp", "impl Read for TcpStream {}"),
    ("std", "macros", "#[macro_export] macro_rules! println {"),
    ("std", "prelude::rust_2024", "pub use core::prelude::rust_2024::*;"),
    ("std", "os::unix::fs", "impl FileExt for fs::File {}"),
    ("std", "f64", "pub fn sin(self) -> f64 {}"),
    ("core", "option", "pub fn map<U, F>(self, f: F) -> Option<U> where F: FnOnce(T) -> U + Destruct, {}"),
    ("core", "option", "#[lang = \"Some\"] Some(T)"),
    (
        "core",
        "iter::traits::iterator",
        "fn map<B, F>(self, f: F) -> Map<Self, F> where Self: Sized, F: FnMut(Self::Item) -> B, {}",
    ),
    (
        "core",
        "iter::adapters::map",
        "impl<B, I: Iterator, F> Iterator for Map<I, F> where F: FnMut(I::Item) -> B, { type Item = B; }",
    ),
    ("core", "iter::traits::collect", "impl<I: Iterator> IntoIterator for I { type Item = I::Item; type IntoIter = I; }"),
    ("core", "iter::sources", "pub use self::once::{Once, once};"),
    ("core", "num", "pub fn checked_add(self, rhs: Self) -> Option<Self> {}"),
    ("core", "slice", "pub fn iter(&self) -> Iter<'_, T> {}"),
    ("core", "str", "pub fn split<P: Pattern>(&self, pat: P) -> Split<'_, P> {}"),
    ("core", "sync::atomic", "pub fn load(&self, order: Ordering) -> usize {}"),
    ("core", "sync::atomic", "pub type AtomicUsize = Atomic<usize>;"),
    ("core", "time", "pub fn from_secs(secs: u64) -> Duration {}"),
    ("core", "ops::arith", "impl Add for u32 { type Output = u32; }"),
    ("core", "ops::function", "#[lang = \"fn_once_output\"] type Output;"),
    ("core", "future::future", "#[lang = \"future_trait\"] pub trait Future {"),
    ("core", "task::ready", "pub macro ready {"),
    ("core", "tuple", "impl<T> From<[T; 2]> for (T, T) {}"),
    ("alloc", "sync", "impl<T: ?Sized, A: Allocator> Deref for Arc<T, A> { type Target = T; }"),
    ("alloc", "string", "impl From<&str> for String {}"),
    ("alloc", "boxed", "#[lang = \"owned_box\"] #[fundamental] pub struct Box<T: ?Sized, A: Allocator = Global>();"),
];

#[test]
fn spot_checks() {
    for krate in super::CRATES {
        let text = format!("{}/../agentlint_semantic/std_index/{krate}.rs", env!("CARGO_MANIFEST_DIR"));
        let file = syn::parse_file(&std::fs::read_to_string(&text).unwrap()).unwrap();
        for (_, module, expected) in SPOT_CHECKS.iter().filter(|check| check.0 == krate) {
            let content = content_of(&file.items, module).unwrap_or_else(|| panic!("{krate} has no {module}"));
            let text = quote::quote!(#(#content)*).to_string();
            let plain = |text: &str| text.split_whitespace().collect::<String>();
            assert!(plain(&text).contains(&plain(expected)), "{krate}::{module} does not contain `{expected}`");
        }
    }
}

fn content_of<'items>(items: &'items [syn::Item], module: &str) -> Option<&'items [syn::Item]> {
    let (first, rest) = module.split_once("::").unwrap_or((module, ""));
    let content = items.iter().find_map(|item| match item {
        syn::Item::Mod(item) if item.ident == first => item.content.as_ref().map(|(_, content)| content),
        _ => None,
    })?;
    if rest.is_empty() { Some(content) } else { content_of(content, rest) }
}
