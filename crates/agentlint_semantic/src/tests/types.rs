//! Types: the receivers of method calls.

use super::calls;

#[test]
fn fields_references_and_smart_pointers() {
    let text = "
        use std::{rc::Rc, sync::{Arc, Mutex}};
        struct Store { lines: Vec<String> }
        impl Store { fn len(&self) -> usize { self.lines.len() } }
        struct App { store: Arc<Mutex<Store>>, boxed: Box<Rc<Store>> }
        fn f(app: &App) {
            app.store.lock().unwrap().len();
            app.boxed.len();
            app.store.lock().unwrap().lines.push(String::new());
        }";
    assert_eq!(
        calls(text),
        [
            "std::Vec::len",
            "std::Mutex::lock",
            "std::Result::unwrap",
            "case::Store::len",
            "case::Store::len",
            "std::Mutex::lock",
            "std::Result::unwrap",
            "std::Vec::push",
            "std::String::new"
        ]
    );
}

#[test]
fn iterator_chains_with_closures() {
    let text = "
        struct Item { name: String }
        fn f(items: &[Item]) -> Vec<usize> {
            items.iter().filter(|i| i.name.is_empty()).map(|i| i.name.len()).collect()
        }";
    assert_eq!(
        calls(text),
        [
            "std::[T]::iter",
            "std::Iterator::filter",
            "std::String::is_empty",
            "std::Iterator::map",
            "std::String::len",
            "std::Iterator::collect"
        ]
    );
}

#[test]
fn the_question_mark_and_combinators() {
    let text = "
        fn read(path: &str) -> std::io::Result<String> { std::fs::read_to_string(path) }
        fn f() -> std::io::Result<usize> {
            let n = read(\"a\").map(|text| text.trim().len()).unwrap_or_default();
            Ok(n + read(\"b\")?.len())
        }";
    assert_eq!(
        calls(text),
        [
            "std::fs::read_to_string",
            "case::read",
            "std::Result::map",
            "std::str::trim",
            "std::str::len",
            "std::Result::unwrap_or_default",
            "case::read",
            "std::String::len"
        ]
    );
}

#[test]
fn traits_bounds_and_concrete_impls() {
    let text = "
        trait Load { fn load(&self) -> u8; fn twice(&self) -> u8 { self.load() } }
        struct Disk;
        impl Load for Disk { fn load(&self) -> u8 { 1 } }
        fn generic<T: Load>(x: T) { x.load(); }
        fn dynamic(x: &dyn Load) { x.load(); }
        fn concrete(x: Disk) { x.load(); x.twice(); generic(x); }";
    assert_eq!(
        calls(text),
        ["case::Load::load", "case::Load::load", "case::Load::load", "case::Disk::load", "case::Load::twice", "case::generic"]
    );
}

#[test]
fn async_functions_blocks_and_awaits() {
    let text = "
        async fn number() -> Option<String> { None }
        async fn f() {
            number().await.unwrap().len();
            let block = async { vec![1u8] };
            block.await.first();
        }";
    assert_eq!(calls(text), ["case::number", "std::Option::unwrap", "std::String::len", "std::[T]::first"]);
}

#[test]
fn patterns_look_through_references() {
    let text = "
        enum Value { Text(String), Pair { left: Vec<u8>, right: Option<String> } }
        fn f(value: &Value) {
            match value {
                Value::Text(text) => { text.len(); }
                Value::Pair { left, right: Some(right) } => { left.len(); right.as_str(); }
                _ => {}
            }
        }";
    assert_eq!(calls(text), ["std::String::len", "std::Vec::len", "std::String::as_str"]);
}

#[test]
fn what_is_unknown_is_unresolved_and_never_wrong() {
    let text = "
        trait Paint { fn new(&self) -> u8; fn make() -> Self; } impl<T> Paint for T {}
        fn f(x: missing::Type) { x.len(); missing::call(); <missing::Type>::new(); missing::Type::make(); }";
    assert_eq!(calls(text), ["?len", "?call", "?new", "?make"]);
}

#[test]
fn cyclic_sources_end() {
    let text = "
        type A = B; type B = A;
        trait T: U {} trait U: T {}
        struct S<X: T>(X);
        impl<X: T> S<X> { fn f(&self, a: A) { a.len(); } }
        trait Second { type Y; }
        trait First: Iterator<Item = (<Self as Second>::Y, <Self as Second>::Y)>
            + Second<Y = (<Self as Iterator>::Item, <Self as Iterator>::Item)> {}
        fn g(mut x: impl First) { x.next(); }";
    // The last body takes more steps than any may.
    assert_eq!(calls(text), ["?len", "?next"]);
}

#[test]
fn an_async_function_that_an_attribute_runs() {
    let text = "
        #[tokio::main]
        async fn run() -> Result<u8, String> { Ok(1) }
        async fn awaited() -> Result<u8, String> { Ok(1) }
        fn main() { run().is_ok(); awaited().is_ok(); }";
    assert_eq!(calls(text), ["case::run", "std::Result::is_ok", "case::awaited", "?is_ok"]);
}

#[test]
fn types_that_double_end() {
    let doubled: String = (1..40).map(|i| format!("let x{i} = pair(x{});", i - 1)).collect();
    let text = format!(
        "fn pair<T: Clone>(t: T) -> (T, T) {{ (t.clone(), t) }}
        fn f() {{ let x0 = None; {doubled} let s = String::new(); s.len(); let _ = (x39, Some(1u8)); }}"
    );
    let calls = calls(&text);
    assert_eq!(calls.last().map(String::as_str), Some("std::String::len"));
}

#[test]
fn impls_that_demand_each_other_end() {
    let tuples = |n: usize| {
        let names: Vec<String> = (0..n).map(|i| format!("A{i}")).collect();
        let demands: Vec<String> = names.iter().map(|a| format!("Standard: Draw<{a}>")).collect();
        let list = names.join(", ");
        format!(
            "impl<{list}> Draw<({list},)> for Standard where {} {{ fn draw(&self) -> ({list},) {{ loop {{}} }} }}\n",
            demands.join(", ")
        )
    };
    let impls: String = (1..12).map(tuples).collect();
    let text = format!(
        "struct Standard; trait Draw<T> {{ fn draw(&self) -> T; }}
        impl Draw<u8> for Standard {{ fn draw(&self) -> u8 {{ 1 }} }}
        {impls}
        fn any<T>() -> T where Standard: Draw<T> {{ Standard.draw() }}
        fn f(mut list: Vec<u8>) {{ list.push(any()); list.len(); let x = any(); list.push(x); }}"
    );
    let calls = calls(&text);
    assert_eq!(calls[calls.len() - 5..], ["std::Vec::push", "case::any", "std::Vec::len", "case::any", "std::Vec::push"]);
}

#[test]
fn combinators_that_wrap_each_other_end() {
    let steps: String = (0..6).map(|i| format!("let p{} = p{i}.then(|x| any(x).or(token()));", i + 1)).collect();
    let text = format!(
        "trait Parse: Sized {{
            type Input; type Output;
            fn or<P: Parse<Input = Self::Input, Output = Self::Output>>(self, p: P) -> Or<Self, P> {{ Or(self, p) }}
            fn then<P: Parse<Input = Self::Input>, F: FnMut(Self::Output) -> P>(self, f: F) -> Then<Self, F> {{ Then(self, f) }}
        }}
        struct Or<A, B>(A, B); struct Then<A, F>(A, F); struct Token<I>(I);
        impl<A: Parse, B: Parse<Input = A::Input, Output = A::Output>> Parse for Or<A, B> {{ type Input = A::Input; type Output = A::Output; }}
        impl<A: Parse, P: Parse<Input = A::Input>, F: FnMut(A::Output) -> P> Parse for Then<A, F> {{ type Input = A::Input; type Output = P::Output; }}
        impl<I> Parse for Token<I> {{ type Input = I; type Output = u8; }}
        fn token<I>() -> Token<I> {{ loop {{}} }}
        fn any<I>(_: u8) -> Token<I> {{ loop {{}} }}
        fn f() {{ let p0 = token(); {steps} String::new().len(); }}"
    );
    assert_eq!(calls(&text).last().map(String::as_str), Some("std::String::len"));
}

#[test]
fn functions_meet_the_impl_for_their_number_of_parameters() {
    let text = "
        trait Handler<T> { type Output; fn handle(self) -> Self::Output; }
        impl<F: Fn() -> R, R> Handler<()> for F { type Output = R; fn handle(self) -> R { self() } }
        impl<F: Fn(A) -> R, R, A> Handler<(A,)> for F { type Output = Option<R>; fn handle(self) -> Option<R> { None } }
        fn serve<T, H: Handler<T>>(handler: H) -> H::Output { handler.handle() }
        fn none() -> String { String::new() }
        fn one(_: u8) -> String { none() }
        fn f() {
            serve(none).len();
            serve(one).is_some();
            serve(|_: u8| 1).is_some();
        }";
    let calls = calls(text);
    let methods: Vec<_> = calls.iter().filter(|call| call.starts_with("std::")).map(String::as_str).collect();
    assert_eq!(methods, ["std::String::new", "std::String::len", "std::Option::is_some", "std::Option::is_some"]);
}

#[test]
fn callables_of_every_kind_meet_their_bounds() {
    let text = "
        trait Read { type Item; }
        struct Lines;
        impl Read for Lines { type Item = String; }
        fn apply<A, R>(_: A, f: impl Fn(A) -> R) -> R { loop {} }
        fn wait<R>(f: impl AsyncFn(u8) -> R) -> Option<R> { None }
        fn item(_: <Lines as Read>::Item) -> Vec<u8> { Vec::new() }
        fn borrowed(_: &str) -> Vec<u8> { Vec::new() }
        fn f(pointer: fn(u8) -> String, boxed: Box<dyn Fn(u8) -> String>, names: Vec<String>) {
            apply(1, pointer).len();
            apply(1, boxed).len();
            apply(String::new(), item).push(1);
            names.iter().map(|name| name.as_str()).map(borrowed).next();
            names.iter().map(String::len).max();
            wait(async |n| n.to_string()).is_some();
        }";
    let mut calls = calls(text);
    calls.retain(|call| !call.starts_with("case::") && call != "std::Vec::new" && call != "std::String::new");
    assert_eq!(
        calls,
        [
            "std::String::len",
            "std::String::len",
            "std::Vec::push",
            "std::[T]::iter",
            "std::Iterator::map",
            "std::String::as_str",
            "std::Iterator::map",
            "std::Iterator::next",
            "std::[T]::iter",
            "std::Iterator::map",
            "std::Iterator::max",
            "std::ToString::to_string",
            "std::Option::is_some",
        ]
    );
}

#[test]
fn calls_of_async_functions_that_are_given() {
    let text = "
        async fn by_value(resolve: impl AsyncFn(String) -> Result<Vec<u8>, String>, names: Vec<&str>) {
            names.into_iter().map(async |name| match resolve(name.to_owned()).await {
                Ok(found) => found.len(),
                Err(error) => error.len(),
            });
        }
        async fn once<F: AsyncFnOnce(u8) -> String>(f: F) { f(1).await.len(); }
        async fn by_reference<F>(f: &F) where F: AsyncFn(u8) -> String { f(1).await.len(); }
        fn repeated() { let count = 25; let zeros = vec![0; count]; count.div_ceil(zeros.len()); }";
    let mut calls = calls(text);
    calls.retain(|call| call.ends_with("::len") || call.contains("div_ceil") || call.starts_with('?'));
    assert_eq!(
        calls,
        ["std::Vec::len", "std::String::len", "std::String::len", "std::String::len", "std::usize::div_ceil", "std::Vec::len"]
    );
}

#[test]
fn bounds_of_traits_say_what_their_associated_types_are() {
    let text = "
        trait Plain: Iterator<Item = String> {}
        fn f(mut x: impl Plain) { x.next().unwrap().trim(); }
        trait Sink<I> { type Error; }
        trait Both<S, I>: Iterator<Item = Result<I, <Self as Sink<S>>::Error>> + Sink<S, Error = <Self as Both<S, I>>::Failed> {
            type Failed;
        }
        fn g<C: Both<u8, String>>(mut x: C) { x.next().unwrap().map(|text| text.trim().len()); }
        fn h(x: &mut dyn Plain) { x.next().unwrap().trim(); }";
    let unwrapped = ["std::Iterator::next", "std::Option::unwrap"];
    let expected = [&unwrapped[..], &["std::str::trim"]].concat();
    let mapped = [&unwrapped[..], &["std::Result::map", "std::str::trim", "std::str::len"]].concat();
    assert_eq!(calls(text), [expected.clone(), mapped, expected].concat());
}

#[test]
fn what_is_boxed_borrowed_or_shared_learns_from_the_dyn_that_is_wanted() {
    let text = "
        use std::future::Future;
        use std::pin::Pin;
        use std::sync::Arc;
        type Hook = Box<dyn Fn(&str) -> String + Send>;
        struct Hooks { first: Hook, others: Vec<Hook>, last: Option<Arc<dyn Fn(&Hooks) -> Vec<u8>>> }
        fn set(hook: Hook) { hook(\"\").len(); }
        fn each(with: &mut dyn FnMut(&String)) {}
        fn slice(texts: Arc<[Hook]>, ready: Pin<Box<dyn Future<Output = Option<Hook>>>>) {}
        fn f() -> Result<Hooks, Hook> {
            set(Box::new(|text| text.trim().into()));
            each(&mut |text| { text.is_empty(); });
            slice(Arc::new([Box::new(|text| text.to_owned())]), Box::pin(async { Some(Box::new(|text| text.to_lowercase())) }));
            let mut hooks = Hooks { first: Box::new(|text| text.repeat(2)), others: Vec::new(), last: None };
            hooks.others.push(Box::new(|text| text.replace('a', \"b\")));
            hooks.last = Some(Arc::new(|hooks| { hooks.others.len(); Vec::new() }));
            if hooks.others.is_empty() { Err(Box::new(|text| text.to_uppercase())) } else { Ok(hooks) }
        }";
    let made = ["new", "pin", "push"];
    let mut found = calls(text);
    found.retain(|call| !made.iter().any(|method| call.ends_with(&format!("::{method}"))));
    assert_eq!(
        found,
        [
            "value hook",
            "std::String::len",
            "case::set",
            "std::str::trim",
            "std::Into::into",
            "case::each",
            "std::String::is_empty",
            "case::slice",
            "std::ToOwned::to_owned",
            "std::str::to_lowercase",
            "std::str::repeat",
            "std::str::replace",
            "std::Vec::len",
            "std::Vec::is_empty",
            "std::str::to_uppercase",
        ]
    );
}

#[test]
fn a_type_left_out_of_a_dyn_is_the_values() {
    let text = "
        use std::future::Future;
        use std::pin::Pin;
        async fn f() {
            let boxed: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async { String::new() });
            boxed.await.trim();
            let mut ready = std::future::ready(String::new());
            let borrowed: &mut (dyn Future<Output = _> + Unpin) = &mut ready;
            borrowed.await.trim();
        }";
    let found = calls(text);
    assert_eq!(found.iter().filter(|call| *call == "std::str::trim").count(), 2, "{found:?}");
}

#[test]
fn what_a_cfg_takes_away_is_not_checked() {
    let text = "
        struct S { #[cfg(nowhere)] a: Vec<u8>, b: String }
        fn f() -> String {
            let s = S { #[cfg(nowhere)] a: missing(), b: String::new() };
            let t = {
                #[cfg(nowhere)]
                { missing() }
                #[cfg(not(nowhere))]
                s.b
            };
            t.trim();
            let u = {
                match cfg!(any(nowhere, unix)) { _ => String::new() }
                #[cfg(nowhere)]
                missing()
            };
            u.trim();
            u
        }";
    assert_eq!(calls(text), ["std::String::new", "std::str::trim", "std::String::new", "std::str::trim"]);
}
