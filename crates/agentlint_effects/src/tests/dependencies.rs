//! Dependencies' own code.

use super::check;

#[test]
fn a_chain_leads_through_a_dependency() {
    let dependency = "
mod disk { pub(crate) fn read() -> String { std::fs::read_to_string(\"a\").unwrap() } }
pub fn load() -> String { disk::read() }
pub struct Store;
impl Store { pub fn open(&self) -> String { load() } pub fn quick(&self) -> usize { 1 } }
";
    let found = check(
        dependency,
        "
pub async fn handler(store: dep::Store) {
    dep::load(); //~ fs likely
    store.open(); //~ fs likely
    store.quick();
    std::thread::spawn(|| dep::load());
}
pub fn helper() -> String { dep::load() }
pub async fn through() { helper(); } //~ fs likely
pub fn not_async() { dep::load(); }
",
    );
    assert_eq!(
        found[0],
        [
            "dep::load of dep 1.2.0 47",
            "dep::load of dep 1.2.0 calls dep::disk::read at 0:113",
            "dep::disk::read of dep 1.2.0 calls std::fs::read_to_string at 0:45",
        ]
    );
    assert!(found[2][1].starts_with("helper calls dep::load at 1:"), "{}", found[2][1]);
}

#[test]
fn what_a_condition_of_the_dependency_guards_is_possible() {
    let dependency = "
pub fn cached(known: Option<String>) -> String {
    if let Some(known) = known { return known; }
    std::fs::read_to_string(\"a\").unwrap()
}
pub fn chosen(verbose: bool) { if verbose { std::fs::read_to_string(\"a\").unwrap(); } }
pub fn one_of(kind: u8) { match kind { 0 => {} _ => { std::fs::read_to_string(\"a\").unwrap(); } } }
pub fn lazily(known: Option<String>) -> String { known.unwrap_or_else(|| std::fs::read_to_string(\"a\").unwrap()) }
pub fn and(wanted: bool) -> bool { wanted && std::fs::read_to_string(\"a\").is_ok() }
pub fn checked(name: &str) -> Result<String, String> {
    if name.is_empty() { return Err(String::new()); }
    match name.parse::<u8>() { Ok(_) => std::fs::read_to_string(name).map_err(|e| e.to_string()), Err(e) => Err(e.to_string()) }
}
pub fn each(names: &[String]) { for name in names { let _ = std::fs::read_to_string(name); } }
";
    check(
        dependency,
        "
pub async fn handler() {
    dep::cached(None); //~ fs possible
    dep::chosen(true); //~ fs possible
    dep::one_of(1); //~ fs possible
    dep::lazily(None); //~ fs possible
    dep::and(true); //~ fs possible
    let _ = dep::checked(\"1\"); //~ fs likely
    dep::each(&[]); //~ fs likely
}
",
    );
}

#[test]
fn an_async_function_of_a_dependency_is_found_where_it_is_awaited() {
    let dependency = "
use std::future::Future;
use std::pin::Pin;
pub async fn load() -> String { nested().await }
async fn nested() -> String { std::fs::read_to_string(\"a\").unwrap() }
pub fn later() -> impl Future<Output = String> { async move { std::fs::read_to_string(\"a\").unwrap() } }
pub fn boxed() -> Pin<Box<dyn Future<Output = String> + Send>> { Box::pin(async { std::fs::read_to_string(\"a\").unwrap() }) }
pub fn at_once() -> impl Future<Output = ()> { std::fs::read_to_string(\"a\").unwrap(); async {} }
pub fn passed_on() -> impl Future<Output = String> { nested() }
pub async fn quick() -> u8 { 1 }
";
    check(
        dependency,
        "
pub async fn handler() {
    dep::load().await; //~ fs likely
    let load = dep::load();
    load.await;
    dep::later().await; //~ fs likely
    dep::boxed().await; //~ fs likely
    let _unused = dep::later();
    drop(dep::at_once()); //~ fs likely
    dep::passed_on().await; //~ fs likely
    dep::quick().await;
    wait(dep::load()).await; //~ fs likely
}
async fn wait<F: Future>(future: F) -> F::Output { future.await }
"
        .replace("let load = dep::load();", "let load = dep::load(); //~ fs likely")
        .as_str(),
    );
}

#[test]
fn the_types_that_a_dependency_is_called_with_decide() {
    let dependency = "
use std::io::Read;
pub fn first<R: Read>(mut from: R) -> usize { read(&mut from) }
fn read<R: Read>(from: &mut R) -> usize { from.read(&mut [0]).unwrap_or(0) }
pub trait Source { fn get(&self) -> String; fn length(&self) -> usize { self.get().len() } }
pub struct Disk;
impl Source for Disk { fn get(&self) -> String { std::fs::read_to_string(\"a\").unwrap() } }
pub struct Fixed;
impl Source for Fixed { fn get(&self) -> String { String::new() } }
pub fn run<S: Source>(source: S) -> usize { source.length() }
pub fn of_anything(source: &dyn Source) -> usize { source.length() }
";
    check(
        dependency,
        "
pub async fn handler(file: std::fs::File, bytes: &[u8]) {
    dep::first(file); //~ fs likely
    dep::first(bytes);
    dep::run(dep::Disk); //~ fs likely
    dep::run(dep::Fixed);
    dep::of_anything(&dep::Fixed);
}
pub fn helper<S: dep::Source>(source: S) -> usize { dep::run(source) }
pub async fn through() {
    helper(dep::Disk); //~ fs likely
    helper(dep::Fixed);
}
",
    );
}

#[test]
fn closures_given_to_a_dependency_run_where_its_body_says() {
    let dependency = "
pub fn at_once<T>(work: impl FnOnce() -> T) -> T { inner(work) }
fn inner<T>(work: impl FnOnce() -> T) -> T { work() }
pub fn elsewhere(work: impl FnOnce() + Send + 'static) { std::thread::spawn(move || work()); }
pub fn sent_and_called(work: impl FnOnce() + Send) { work() }
pub fn never(_work: impl FnOnce()) {}
";
    check(
        dependency,
        "
fn nap() { std::thread::sleep(std::time::Duration::from_secs(1)) }
pub async fn handler() {
    dep::at_once(|| nap()); //~ sleep certain
    dep::elsewhere(|| nap());
    dep::sent_and_called(|| nap()); //~ sleep certain
    dep::never(|| nap());
}
",
    );
}

#[test]
fn a_trusted_module_is_not_followed() {
    let dependency = "
pub mod trusted { pub fn log() { std::fs::read_to_string(\"a\").unwrap(); } pub fn with(f: impl FnOnce()) { f() } }
pub fn logs() { trusted::log() }
";
    check(
        dependency,
        "
pub async fn handler() {
    dep::trusted::log();
    dep::logs();
    dep::trusted::with(|| dep::logs());
}
",
    );
}

#[test]
fn bodies_that_declare_items_and_macros_are_read_too() {
    let dependency = "
macro_rules! reads { ($name:ident) => { pub fn $name() -> String { std::fs::read_to_string(\"a\").unwrap() } }; }
reads!(made);
pub fn local() -> String {
    use std::fs::read_to_string as read;
    fn inner(name: &str) -> String { read(name).unwrap() }
    inner(\"a\")
}
macro_rules! read { ($name:expr) => { std::fs::read_to_string($name).unwrap() }; }
pub fn called() -> String { read!(\"a\") }
pub fn recursive(n: u8) -> String { if n == 0 { called() } else { recursive(n - 1) } }
pub const fn nothing() {}
";
    check(
        dependency,
        "
pub async fn handler() {
    dep::made(); //~ fs likely
    dep::local(); //~ fs likely
    dep::called(); //~ fs likely
    dep::recursive(1); //~ fs possible
    dep::nothing();
}
",
    );
}

#[test]
fn values_of_a_dependency_are_dropped() {
    let dependency = "
pub struct Journal(pub u8);
impl Drop for Journal { fn drop(&mut self) { std::fs::read_to_string(\"a\").unwrap(); } }
pub struct Perhaps(pub bool);
impl Drop for Perhaps { fn drop(&mut self) { if self.0 { std::fs::read_to_string(\"a\").unwrap(); } } }
pub struct Plain(pub u8);
";
    check(
        dependency,
        "
async fn pause() {}
pub async fn handler() {
    let journal = dep::Journal(1); //~ fs likely
    let perhaps = dep::Perhaps(true); //~ fs possible
    let plain = dep::Plain(1);
    pause().await;
    std::thread::spawn(move || { let _inside = dep::Journal(2); });
    let given_away = Some(dep::Journal(3));
    std::thread::spawn(move || drop(given_away));
    let _ = (journal.0, perhaps.0, plain.0);
}
",
    );
}
