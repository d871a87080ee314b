//! Items, their types and generics, their attributes.

use super::print::{bounds, cfg, path, ty};
use super::{body_of, item, root_names, signatures, sound};
use crate::ast::{
    AttributeArguments, Fields, Function, GenericParamKind, Generics, ImportKind, Item, ItemKind, SourceFile, StaticOrigin,
    Visibility,
};
use crate::{Bodies, ParseOptions, parse, parse_body};

fn function<'file>(file: &'file SourceFile, name: &str) -> &'file Function {
    match &item(file, name).kind {
        ItemKind::Function(function) => function,
        kind => panic!("{name} is {kind:?}"),
    }
}

fn generics(generics: &Generics) -> String {
    let params = generics.params.iter().map(|param| match &param.kind {
        GenericParamKind::Type { bounds: of, default } => {
            format!("{}: {}{}", param.name, bounds(of), default.as_ref().map_or(String::new(), |it| format!(" = {}", ty(it))))
        }
        GenericParamKind::Const { ty: of } => format!("const {}: {}", param.name, ty(of)),
    });
    let predicates = generics.predicates.iter().map(|it| format!("where {}: {}", ty(&it.ty), bounds(&it.bounds)));
    params.chain(predicates).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check_type(written: &str, expected: &str) {
    let file = sound(&format!("type Subject = {written};"));
    let ItemKind::TypeAlias(alias) = &item(&file, "Subject").kind else { panic!("no alias") };
    assert_eq!(ty(alias.ty.as_ref().unwrap()), expected);
}

#[test]
fn types() {
    check_type(
        "a::B<'a, u8, 3, { N }, { 4 }, -1, Item = C, Other<u8> = D, E: F + 'a>",
        "a::B<u8, 3, N, 4, const, Item = C, Other<u8> = D, E: F>",
    );
    check_type("&'a mut *const [u8]", "&mut *[u8]");
    check_type("([u8; 4], [u8; N], (u8), (u8,), ())", "([u8; 4], [u8; ?], u8, (u8), ())");
    check_type("for<'a> unsafe extern \"C\" fn(x: &'a u8, ...) -> !", "fn(&u8) -> !");
    check_type("fn()", "fn() -> ()");
    check_type("Box<dyn for<'a> Fn(&'a u8, A) -> B + Send + 'static>", "Box<dyn Fn<sugar (&u8, A), Output = B> + Send>");
    check_type("impl FnOnce() + ?Sized + use<'a, T>", "impl FnOnce<sugar (), Output = ()> + ?Sized");
    check_type("<T as a::Iterator>::Item", "<T as 2>a::Iterator::Item");
    check_type("::std::vec::Vec<_>", "::std::vec::Vec<_>");
    check_type("m![u8]", "m!");
}

#[test]
fn deep_types_are_cut_off() {
    let text = format!("type T = {}u8{};", "A<".repeat(1_000), ">".repeat(1_000));
    let printed = super::on_large_stack(|| match &item(&super::full(&text), "T").kind {
        ItemKind::TypeAlias(alias) => ty(alias.ty.as_ref().unwrap()),
        _ => String::new(),
    });
    assert_eq!(printed, format!("{}?{}", "A<".repeat(128), ">".repeat(128)));
}

#[test]
fn functions() {
    let file = sound(
        "pub(crate) async unsafe fn f<'a, T: A + ?Sized, const N: usize>(x: T, y: [u8; N]) -> R where T: B, Vec<T>: C { g() }",
    );
    let f = function(&file, "f");
    assert_eq!(generics(&f.declaration.generics), "T: A + ?Sized, const N: usize, where T: B, where Vec<T>: C");
    assert_eq!(f.declaration.parameters.iter().map(|it| ty(&it.ty)).collect::<Vec<_>>(), ["T", "[u8; ?]"]);
    assert_eq!(ty(f.declaration.output.as_ref().unwrap()), "R");
    assert_eq!(
        (f.declaration.is_async, f.declaration.is_const, f.declaration.is_unsafe, f.declaration.has_body),
        (true, false, true, true)
    );
    assert_eq!(item(&file, "f").visibility, Visibility::Crate);
    assert_eq!(body_of(&file, "f"), "{g()}");
}

#[test]
fn self_parameters() {
    let text = "impl S { fn a(self) {} fn b(mut self) {} fn c(&'a mut self) {} fn d(self: &Arc<Self>) {} fn e() {} }";
    let file = sound(text);
    let describe = |name: &str| {
        let Some(it) = &function(&file, name).declaration.self_parameter else { return "none".to_owned() };
        let ty = it.ty.as_ref().map_or(String::new(), ty);
        format!("{} {} {ty} at {}", it.reference, it.mutable, it.span.of(text))
    };
    assert_eq!(describe("a"), "false false  at self");
    assert_eq!(describe("b"), "false true  at mut self");
    assert_eq!(describe("c"), "true true  at &'a mut self");
    assert_eq!(describe("d"), "false false &Arc<Self> at self: &Arc<Self>");
    assert_eq!(describe("e"), "none");
}

#[test]
fn structures() {
    let file = sound(
        "#[derive(Clone, serde::Serialize)] #[cfg_attr(x, derive(Debug), other)] pub struct A<T> { pub a: T, #[cfg(unix)] r#b: u8 }
         struct B(u8, pub(super) Vec<u8>); struct C; union D { x: u8 }
         #[derive(Default)] enum E<T = u8> { X, #[cfg(unix)] Y(T), Z { a: u8 } = 3 }",
    );
    let ItemKind::Struct(a) = &item(&file, "A").kind else { panic!("no struct") };
    assert_eq!(a.derives.iter().map(path).collect::<Vec<_>>(), ["Clone", "serde::Serialize", "Debug"]);
    let fields: Vec<_> =
        a.declaration.fields.list().iter().map(|it| format!("{}: {}{}", it.name, ty(&it.ty), cfg(&it.cfg))).collect();
    assert_eq!(fields, ["a: T", "b: u8 #unix"]);
    assert_eq!(a.declaration.fields.list()[0].visibility, Visibility::Public);
    let ItemKind::Struct(b) = &item(&file, "B").kind else { panic!("no struct") };
    assert!(matches!(&b.declaration.fields, Fields::Tuple(fields) if fields[1].name == "1" && ty(&fields[1].ty) == "Vec<u8>"));
    assert!(matches!(&b.declaration.fields.list()[1].visibility, Visibility::In(of) if path(of) == "super"));
    assert!(matches!(&item(&file, "C").kind, ItemKind::Struct(it) if matches!(it.declaration.fields, Fields::Unit)));
    assert!(matches!(&item(&file, "D").kind, ItemKind::Union(it) if it.declaration.fields.list().len() == 1));
    let ItemKind::Enum(e) = &item(&file, "E").kind else { panic!("no enum") };
    let variants: Vec<_> =
        e.variants.iter().map(|it| format!("{} {}{}", it.name, it.fields.list().len(), cfg(&it.cfg))).collect();
    assert_eq!(variants, ["X 0", "Y 1 #unix", "Z 1"]);
    assert_eq!((generics(&e.generics).as_str(), e.derives.len()), ("T:  = u8", 1));
}

#[test]
fn traits_and_impls() {
    let file = sound(
        "unsafe trait A<T>: B + 'static { type X: C = u8; const K: u8; fn a(&self); fn b(&self) {} m!{} }
         trait Alias = A + B;
         impl<T> A<u8> for Vec<T> where T: D { type X = T; const K: u8 = 1; default fn a(&self) {} m!(x); }
         impl !Send for S {} impl S { pub fn new() {} }",
    );
    let ItemKind::Trait(a) = &item(&file, "A").kind else { panic!("no trait") };
    assert_eq!((bounds(&a.header.supertraits).as_str(), a.items.len(), a.header.is_alias), ("B", 5, false));
    assert!(matches!(&item(&file, "Alias").kind, ItemKind::Trait(it) if it.header.is_alias && it.header.supertraits.len() == 2));
    let declared: Vec<_> = a.items.iter().map(|id| &file.items[*id]).collect();
    assert!(matches!(&declared[0].kind, ItemKind::TypeAlias(it) if bounds(&it.bounds) == "C" && it.ty.is_some()));
    assert!(matches!(&declared[1].kind, ItemKind::Const(it) if it.body.is_none()));
    assert!(matches!(&declared[2].kind, ItemKind::Function(it) if !it.declaration.has_body && it.body.is_none()));
    assert!(matches!(&declared[3].kind, ItemKind::Function(it) if it.declaration.has_body && it.body.is_some()));
    assert!(matches!(&declared[4].kind, ItemKind::MacroCall(_)));
    let impls = file.items.iter().filter_map(|it| match &it.kind {
        ItemKind::Impl(it) => {
            Some((it.header.trait_path.as_ref().map(path), it.is_negative, ty(&it.header.self_type), it.items.len()))
        }
        _ => None,
    });
    let impls = impls.collect::<Vec<_>>();
    assert_eq!(
        impls,
        [
            (Some("A<u8>".to_owned()), false, "Vec<T>".to_owned(), 4),
            (Some("Send".to_owned()), true, "S".to_owned(), 0),
            (None, false, "S".to_owned(), 1),
        ]
    );
}

#[test]
fn constants_and_statics() {
    let file =
        sound("const A: u8 = 1 + 2; const _: () = assert!(x); pub static mut B: &str = \"b\"; trait T { const C: u8 = 3; }");
    assert!(matches!(&item(&file, "_").kind, ItemKind::Const(it) if it.body.is_some()));
    let ItemKind::Const(a) = &item(&file, "A").kind else { panic!("no constant") };
    assert_eq!(super::print::body(&file.bodies[a.body.unwrap()]), "(Add 1 2)");
    assert!(matches!(&item(&file, "B").kind, ItemKind::Static(it) if it.mutable && it.origin == StaticOrigin::Item));
    assert!(matches!(&item(&file, "C").kind, ItemKind::Const(it) if it.body.is_some()));
}

#[test]
fn extern_items() {
    let file = sound(
        "extern crate alloc; extern crate core as c; extern crate x as _; unsafe extern \"C\" { pub fn f(x: u8); static S: u8; type T; }",
    );
    let alias = |name: &str| match &item(&file, name).kind {
        ItemKind::ExternCrate(it) => it.alias.map(|alias| alias.to_string()),
        kind => panic!("{kind:?}"),
    };
    assert_eq!((alias("alloc").as_deref(), alias("core").as_deref(), alias("x").as_deref()), (Some("alloc"), Some("c"), None));
    assert!(!function(&file, "f").declaration.has_body);
    let block = file.items.iter().find_map(|it| if let ItemKind::ExternBlock(items) = &it.kind { Some(items) } else { None });
    assert_eq!(block.unwrap().len(), 3);
}

#[test]
fn imports_are_flattened() {
    let text = "pub use ::std::{fs::{self, read as r, *}, io::Write as _, self as s}; use a; use self::b::r#c;";
    let file = sound(text);
    let mut imports = Vec::new();
    for item in file.items.iter() {
        let ItemKind::Use(leaves) = &item.kind else { panic!("no use") };
        imports.extend(leaves.iter().map(|leaf| {
            let path: Vec<_> = leaf.path.iter().map(|name| name.as_str()).collect();
            let kind = match leaf.kind {
                ImportKind::Named(name) => format!("as {name}"),
                ImportKind::SelfOf(name) => format!("self as {name}"),
                ImportKind::Anonymous => "as _".to_owned(),
                ImportKind::Glob => "*".to_owned(),
            };
            format!("{}{} {kind} at {}", if leaf.leading_colon { "::" } else { "" }, path.join("::"), leaf.span.of(text))
        }));
    }
    assert_eq!(
        imports,
        [
            "::std::fs self as fs at self",
            "::std::fs::read as r at read as r",
            "::std::fs * at *",
            "::std::io::Write as _ at Write as _",
            "::std self as s at self as s",
            "a as a at a",
            "self::b::c as c at r#c",
        ]
    );
}

#[test]
fn modules() {
    let file = sound("#[path = \"x.rs\"] pub mod a; mod b { #![cfg(unix)] mod c {} fn d() {} }");
    assert!(matches!(&item(&file, "a").kind, ItemKind::Module(it) if it.items.is_none()));
    assert_eq!(item(&file, "a").attributes[0].arguments, AttributeArguments::Value("x.rs".to_owned()));
    assert!(matches!(&item(&file, "b").kind, ItemKind::Module(it) if it.items.as_ref().unwrap().len() == 2));
    assert_eq!(cfg(&item(&file, "b").cfg), " #unix");
    assert_eq!(root_names(&file), ["a", "b"]);
}

#[test]
fn attributes() {
    let text = "/// doc\n#[doc = \"x\"]\n#[tokio::main(flavor = \"multi\")]\n#[test]\n#[cfg(test)]\n#[cfg_attr(agentlint, allow(x, reason = \"y\"))]\nfn f() {}";
    let file = sound(text);
    let f = item(&file, "f");
    let attributes: Vec<_> = f
        .attributes
        .iter()
        .map(|it| match &it.arguments {
            AttributeArguments::Tokens { text: inner, span } => {
                assert_eq!(span.of(text), inner);
                format!("{}({inner})", it.path)
            }
            arguments => format!("{} {arguments:?}", it.path),
        })
        .collect();
    assert_eq!(attributes, ["tokio::main(flavor = \"multi\")", "test None", "cfg_attr(agentlint, allow(x, reason = \"y\"))"]);
    assert_eq!(f.attributes[1].span.of(text), "#[test]");
    assert_eq!(f.span.of(text), "fn f() {}");
}

#[test]
fn predicates() {
    #[track_caller]
    fn check(attributes: &str, expected: &str) {
        assert_eq!(cfg(&item(&sound(&format!("{attributes} fn f() {{}}")), "f").cfg), expected);
    }
    check("#[inline]", "");
    check("#[cfg(all(unix, any(), not(feature = \"a\")))]", " #all(unix, any(), not(feature=a))");
    check("#[cfg(unix)] #[cfg(true)]", " #all(unix, true)");
    check("#[cfg_attr(windows, cfg(a), inline)]", " #any(not(windows), a)");
    check("#[cfg(version(\"1.2\"))]", " #version");
}

#[test]
fn the_file_has_attributes_of_its_own() {
    let file = sound("#![allow(x)]\n#![cfg(unix)]\n//! doc\nfn f() {}");
    assert_eq!(file.attributes.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["allow", "cfg"]);
    assert_eq!(cfg(&file.cfg), " #unix");
}

#[test]
fn macros_by_rules() {
    let text = "#[macro_export] macro_rules! a { ($x:expr) => { $x }; } pub macro b($x:ident) { $x } macro c { () => {} } d!(1);";
    let file = sound(text);
    let describe = |item: &Item| match &item.kind {
        ItemKind::MacroRules(it) => {
            assert_eq!(it.text_span.of(text), it.text.as_str());
            format!("{} {}: {}", item.name, it.exported, it.text.trim())
        }
        ItemKind::MacroCall(call) => format!("{} at {}: {}", item.name, item.span.of(text), call.text.as_str()),
        kind => panic!("{kind:?}"),
    };
    let described: Vec<_> = file.items.iter().map(describe).collect();
    assert_eq!(described, ["a true: ($x:expr) => { $x };", "b false: ($x:ident) { $x }", "c false: () => {}", " at d!(1);: 1",]);
}

#[test]
fn conditionally_const_items_of_std() {
    let file = sound("pub const trait A: [const] B { fn a(); } impl<T: [const] A, const N: usize> const A for T { fn a() {} }");
    assert!(matches!(&item(&file, "A").kind, ItemKind::Trait(it) if bounds(&it.header.supertraits) == "B"));
    let found = file
        .items
        .iter()
        .any(|it| matches!(&it.kind, ItemKind::Impl(it) if generics(&it.header.generics) == "T: A, const N: usize"));
    assert!(found);
    assert_eq!(root_names(&signatures("const trait A { fn a() { not rust } }")), ["A"]);
}

#[test]
fn spans_cover_items_without_their_attributes() {
    let text = "#[a] pub(in x::y) async fn f() {} pub struct S(u8); impl S {} #[b] use c;";
    let file = sound(text);
    let spans: Vec<_> = file.items.iter().map(|it| it.span.of(text)).collect();
    assert_eq!(spans, ["pub(in x::y) async fn f() {}", "pub struct S(u8);", "impl S {}", "use c;"]);
    let names: Vec<_> = file.items.iter().map(|it| it.name_span.of(text)).collect();
    assert_eq!(names, ["f", "S", "impl", "use"]);
}

#[test]
fn signatures_alone_have_no_bodies() {
    let text = "
        const A: [u8; 1 << 2] = [syntax error; 3]; static B: X<C = D> = { fn no() {} };
        fn f<const N: usize>(x: [u8; N]) -> impl Fn() -> u8 { not rust at all }
        impl<const N: usize> S<N> { const K: u8 = 2; pub const fn g(&self) where T: Fn(u8) -> u8 { let } }
        trait T { fn h(); fn i() { fn inner() {} } const L: u8; }
        mod m { extern \"C\" fn j() { ? } pub struct Q<const M: usize = 3>; fn k() -> S<{ 1 + 2 }> { ? } }
        cfg_if::cfg_if! { if #[cfg(unix)] { fn l() { ? } } }
        lazy_static! { static ref Z: u8 = 1; }";
    let file = signatures(text);
    assert_eq!(file.errors, []);
    assert!(file.bodies.is_empty());
    for name in ["f", "g", "i", "j", "k", "l"] {
        assert!(function(&file, name).declaration.has_body, "{name}");
    }
    assert!(!function(&file, "h").declaration.has_body);
    for name in ["A", "B", "K", "L", "Q", "Z"] {
        item(&file, name);
    }
    assert!(file.items.iter().all(|item| item.name != "no" && item.name != "inner"));
    assert_eq!(item(&file, "f").span.of(text), "fn f<const N: usize>(x: [u8; N]) -> impl Fn() -> u8 { not rust at all }");
}

#[test]
fn bodies_left_in_the_text_are_the_same_when_they_are_read() {
    let text = "
        //! Größe
        /// Documented.
        pub(crate) const fn plain<T>(x: (T, u8)) -> u8 { let (_, n) = x; /** odd */ let m = n as *const u8; f(|é| é + n) }
        fn declares() { use std::fs; fs::read(\"x\") }
        const A: u8 = 1 + two();
        static B: X = X { y: || { const Z: u8 = 1; Z } };
        impl S { default async fn g(mut self: Arc<Self>, #[cfg(x)] a: A) { self.h().await?; } const K: u8 = 2; }
        trait T { fn i(&self) { j(self) } fn k(); }
        mod m { pub fn l() { println!(\"{}\", 1) } fn empty() {} }
        extern \"C\" { fn n(); }";
    let whole = sound(text);
    let left = parse(text, &ParseOptions { bodies: Bodies::InText });
    assert_eq!(left.errors, []);
    let described = |file: &SourceFile| file.items.iter().map(|i| (i.name, i.span)).collect::<Vec<_>>();
    assert_eq!(described(&whole), described(&left));
    let body = |item: &Item| match &item.kind {
        ItemKind::Function(function) => function.body,
        ItemKind::Const(constant) => constant.body,
        ItemKind::Static(item) => item.body,
        _ => None,
    };
    let mut read = Vec::new();
    for (full, item) in whole.items.iter().zip(left.items.iter()) {
        let expected = body(full).map(|body| format!("{:?}", whole.bodies[body]));
        match body(item) {
            Some(body) => assert_eq!(expected, Some(format!("{:?}", left.bodies[body])), "{}", item.name),
            None => {
                let found = parse_body(text, item);
                read.extend(found.is_some().then(|| item.name.as_str()));
                assert_eq!(expected, found.map(|body| format!("{body:?}")), "{}", item.name);
            }
        }
    }
    assert_eq!(read, ["plain", "A", "g", "K", "i", "l", "empty"]);
    // Of another version of the text it is none, or another one, and never a panic.
    for item in left.items.iter() {
        (0..text.len()).filter_map(|at| text.get(at..)).for_each(|text| drop(parse_body(text, item)));
    }
}
