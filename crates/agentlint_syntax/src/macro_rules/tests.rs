//! Small macros, one for each thing that a rule can say.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::{Budget, MacroRules};

fn expand(rules: &str, input: &str) -> Result<String, String> {
    let rules = MacroRules::parse(rules.parse().unwrap())?;
    rules.expand(input.parse().unwrap(), "krate", &unbounded()).map(|tokens| tokens.to_string())
}

fn unbounded() -> Budget {
    Budget::new(usize::MAX)
}

#[track_caller]
fn check(rules: &str, input: &str, expected: &str) {
    let expected: proc_macro2::TokenStream = expected.parse().unwrap();
    // How tokens are spaced when printed depends on where they come from, and says nothing.
    let plain = |text: String| text.split_whitespace().collect::<String>();
    assert_eq!(plain(expand(rules, input).unwrap()), plain(expected.to_string()));
}

#[test]
fn tokens_match_literally() {
    check("(a => b + 1) => { ok }", "a => b + 1", "ok");
    assert!(expand("(a => b) => { ok }", "a = > b").is_err());
    assert!(expand("(a : b) => { ok }", "a :: b").is_err());
}

#[test]
fn no_rule_matches() {
    assert_eq!(expand("(a) => {} ; (b) => {}", "c").unwrap_err(), "no rule of the macro matches");
    assert!(expand("", "").is_err());
}

#[test]
fn rules_are_tried_in_order() {
    check("() => { none }; ($x:ident) => { one $x }; ($($x:tt)*) => { many };", "a", "one a");
    check("() => { none }; ($x:ident) => { one $x }; ($($x:tt)*) => { many };", "a b", "many");
}

#[test]
fn ident_fragment() {
    check("($x:ident $y:ident) => { $y $x }", "fn r#type", "r#type fn");
    assert!(expand("($x:ident) => {}", "_").is_err());
    assert!(expand("($x:ident) => {}", "1").is_err());
}

#[test]
fn path_fragment() {
    check("($p:path, $r:tt) => { use $p as $r; }", "a::b::C<u8>, d", "use a::b::C<u8> as d;");
}

#[test]
fn type_fragment_keeps_precedence() {
    check("($t:ty) => { $t::MAX }", "u8", "u8::MAX");
    check("($t:ty) => { $t::new() }", "Vec<Vec<u8>>", "<Vec<Vec<u8>>>::new()");
    let rules = MacroRules::parse("($t:ty) => { &$t }".parse().unwrap()).unwrap();
    let output = rules.expand("dyn A + B".parse().unwrap(), "crate", &unbounded()).unwrap();
    let ty: syn::Type = syn::parse2(output).unwrap();
    assert!(matches!(ty, syn::Type::Reference(_)));
}

#[test]
fn expression_fragment_keeps_precedence() {
    let rules = MacroRules::parse("($a:expr, $b:expr) => { $a * $b }".parse().unwrap()).unwrap();
    let output = rules.expand("1 + 2, f(x) as u8".parse().unwrap(), "crate", &unbounded()).unwrap();
    let syn::Expr::Binary(binary) = syn::parse2(output).unwrap() else { panic!("not a product") };
    assert!(matches!(binary.op, syn::BinOp::Mul(_)));
    assert!(matches!(*binary.left, syn::Expr::Group(_)));
}

#[test]
fn expression_2021_fragment() {
    check("($e:expr_2021;) => { [$e] }", "a.b(|x| x + 1)?;", "[a.b(|x| x + 1)?]");
}

#[test]
fn statement_fragment() {
    check("($($s:stmt;)*) => { $($s;)* }", "let x: u8 = 1; f(x); fn g() {};", "let x: u8 = 1; f(x); fn g() {};");
    check("($s:stmt) => { $s; }", "let Some(x) = y else { return }", "let Some(x) = y else { return };");
    check("({ $($s:stmt)* }) => { $($s)* }", "{ f(x); }", "f(x);");
    assert!(expand("($s:stmt) => {}", "+").is_err());
}

#[test]
fn block_fragment() {
    check("($b:block else $c:block) => { if a $b else $c }", "{ 1 } else { 2 }", "if a { 1 } else { 2 }");
}

#[test]
fn item_fragment() {
    check("($($i:item)*) => { $($i)* }", "#[x] pub fn f() {} struct S;", "#[x] pub fn f() {} struct S;");
    check(
        "(@ $i:item) => { $i }",
        "@ impl<T: [const] A> const B for T { fn f() {} }",
        "impl<T: [const] A> const B for T { fn f() {} }",
    );
}

#[test]
fn pattern_fragments() {
    check("($p:pat => $e:expr) => { match x { $p => $e } }", "A | B(_) => 1", "match x { A | B(_) => 1 }");
    check("($($p:pat_param)|+) => { $($p),+ }", "A | B(1..=2)", "A, B(1..=2)");
    check("($e:expr, $p:pat $(if $g:expr)? $(,)?) => { $p $(; $g)? }", "x, Some(y) if y > 0,", "Some(y); y > 0");
}

#[test]
fn literal_fragment() {
    check("($a:literal $b:literal $c:literal) => { $a, $b, $c }", "-1 \"s\" true", "-1, \"s\", true");
    assert!(expand("($a:literal) => {}", "x").is_err());
}

#[test]
fn lifetime_fragment() {
    check("($l:lifetime $t:tt) => { &$l $t }", "'a 'static", "&'a 'static");
    check("('a) => { ok }", "'a", "ok");
}

#[test]
fn meta_fragment() {
    check("($(#[$m:meta])* $n:ident) => { $(#[$m])* struct $n; }", "#[a(b)] #[c = \"d\"] N", "#[a(b)] #[c = \"d\"] struct N;");
}

#[test]
fn visibility_fragment_can_be_empty() {
    check("($v:vis $n:ident) => { $v fn $n() {} }", "pub(crate) f", "pub(crate) fn f() {}");
    check("($v:vis $n:ident) => { $v fn $n() {} }", "f", "fn f() {}");
    check("($v:vis) => { $v x }", "", "x");
}

#[test]
fn token_tree_fragment() {
    check("($a:tt $b:tt $c:tt) => { $c $b $a }", "=> (x, y) ::", ":: (x, y) =>");
}

#[test]
fn vec_like() {
    let rules = "() => { N }; ($e:expr; $n:expr) => { R($e, $n) }; ($($x:expr),+ $(,)?) => { [$($x),+] };";
    check(rules, "", "N");
    check(rules, "0; 3", "R(0, 3)");
    check(rules, "1, f(2),", "[1, f(2)]");
    assert!(expand(rules, "1,,").is_err());
}

#[test]
fn hashmap_like() {
    check(
        "($($k:expr => $v:expr),* $(,)?) => {{ let mut m = M::new(); $(m.insert($k, $v);)* m }}",
        "1 => a, 2 => b,",
        "{ let mut m = M::new(); m.insert(1, a); m.insert(2, b); m }",
    );
}

#[test]
fn nested_repetitions() {
    check(
        "($($n:ident: [$($x:expr),*]);* $(;)?) => { $( $n { $( $n = $x; )* } )* }",
        "a: [1, 2]; b: []; c: [3];",
        "a { a = 1; a = 2; } b { } c { c = 3; }",
    );
}

#[test]
fn separators_and_counts() {
    check("($($x:ident)=>+) => { $($x)||* }", "a => b => c", "a || b || c");
    check("($($x:ident)? end) => { $($x)? }", "end end", "end");
    assert!(expand("($($x:ident),+) => {}", "").is_err());
    check("($($x:ident),*) => { $($x $y)* }", "a", "a $y");
    assert!(expand("($($x:ident),* ; $($y:ident),*) => { $($x $y)* }", "a, b; c").is_err());
}

#[test]
fn muncher_with_internal_rules() {
    let rules = "(@inner [$($done:tt)*]) => { done $($done)* }; \
        (@inner [$($done:tt)*] $head:tt $($rest:tt)*) => { m!(@inner [$($done)* $head] $($rest)*) }; \
        ($($all:tt)*) => { m!(@inner [] $($all)*) };";
    check(rules, "a + 'b", "m!(@inner [] a + 'b)");
    check(rules, "@inner [x] => y", "m!(@inner [x =>] y)");
    check(rules, "@inner [x y]", "done x y");
}

#[test]
fn dollar_crate_and_double_dollar() {
    check("($x:expr) => { $crate::f($x) }", "1", "krate::f(1)");
    check("() => { macro_rules! n { ($$x:expr) => { $$x }; } }", "", "macro_rules! n { ($x:expr) => { $x }; }");
    check("($a:ident) => { macro_rules! n { ($x:expr) => { $x + $a }; } }", "y", "macro_rules! n { ($x:expr) => { $x + y }; }");
}

#[test]
fn metavariable_expressions() {
    check("($($x:ident),*) => { ${count($x)} $( ${index()} ${ignore($x)} )* }", "a, b", "2 0 1");
    check("($x:ident) => { ${concat(get_, $x, \"_mut\")} }", "a", "get_a_mut");
}

#[test]
fn declarative_macro_2() {
    check("($x:expr $(,)?) { pin($x) }", "f(),", "pin(f())");
    check("() => { none }, ($x:expr) => { one $x },", "1", "one 1");
}

#[test]
fn undelimited_groups_go_through_calls() {
    let outer = MacroRules::parse("($e:expr, $t:ty) => { $e, $t }".parse().unwrap()).unwrap();
    let inner = MacroRules::parse("($e:expr, $t:ty) => { expr }; ($($t:tt)*) => { tokens }".parse().unwrap()).unwrap();
    let once = outer.expand("1 + 2, Vec<u8>".parse().unwrap(), "crate", &unbounded()).unwrap();
    assert_eq!(inner.expand(once, "crate", &unbounded()).unwrap().to_string(), "expr");
}

#[test]
fn output_is_bounded() {
    let rules = "($($x:tt)*) => { $($x)* $($x)* $($x)* $($x)* }";
    assert!(expand(rules, &"a ".repeat(50_000)).is_ok(), "those of real crates are this large");
    assert_eq!(expand(rules, &"a ".repeat(300_000)).unwrap_err(), "the macro's expansion is too large");
}

#[test]
fn calls_share_a_budget() {
    let rules = MacroRules::parse("($($x:tt)*) => { $($x)* $($x)* }".parse().unwrap()).unwrap();
    let budget = Budget::new(1_000);
    let expand = |input: &str| rules.expand(input.parse().unwrap(), "crate", &budget);
    assert!(expand(&"a ".repeat(50)).is_ok());
    let left = budget.left();
    assert!((500..900).contains(&left), "{left}");
    // What fails costs too.
    assert!(expand(&"a ".repeat(400)).is_err());
    assert_eq!(budget.left(), 0);
    assert!(expand("a").is_err());
}

#[test]
fn malformed_rules() {
    for rules in ["($x) => {}", "($x:nothing) => {}", "(a) {} (b) {}", "($(a)) => {}", "(a)", "a"] {
        assert!(MacroRules::parse(rules.parse().unwrap()).is_err(), "{rules}");
    }
}

#[test]
fn spans_of_the_call_are_kept() {
    let rules = MacroRules::parse("\n\n($x:ident) => { f($x) }".parse().unwrap()).unwrap();
    let output: Vec<_> = rules.expand("\n\n\n\n\nname".parse().unwrap(), "crate", &unbounded()).unwrap().into_iter().collect();
    assert_eq!(output[0].span().start().line, proc_macro2::Span::call_site().start().line);
    let proc_macro2::TokenTree::Group(group) = &output[1] else { panic!("no group") };
    assert_eq!(group.stream().into_iter().next().unwrap().span().start().line, 6);
}

#[test]
fn a_dollar_at_the_end_stands_for_itself() {
    let define = "([$d:tt] $name:ident) => { macro_rules! $name { ($d($d x:tt)*) => { [$d ($d x)*] } } }; ($($t:tt)*) => { define!([$] $($t)*); }";
    assert_eq!(expand(define, "copy").unwrap(), "define ! ([$] copy) ;");
    let defined = expand(define, "[$] copy").unwrap();
    assert_eq!(defined, "macro_rules ! copy { ($ ($ x : tt) *) => { [$ ($ x) *] } }");
    assert_eq!(expand("($) => { $ }", "$").unwrap(), "$");
}
