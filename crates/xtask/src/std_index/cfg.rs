//! Which `#[cfg]` predicates hold for the std that we describe: x86-64 Linux with glibc, default features, unwinding.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Whether the predicate holds; unknown names do not.
pub(super) fn holds(predicate: &TokenStream) -> bool {
    let trees: Vec<TokenTree> = predicate.clone().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name)] => flag(&name.to_string()),
        [TokenTree::Ident(name), TokenTree::Group(arguments)] => {
            let mut arguments = split_commas(arguments.stream()).into_iter();
            match name.to_string().as_str() {
                "all" => arguments.all(|argument| holds(&argument)),
                "any" => arguments.any(|argument| holds(&argument)),
                "not" => arguments.next().is_some_and(|argument| !holds(&argument)),
                // `cfg_attr(version(..))`, `accessible(..)`: nothing in std's item tree depends on them.
                _ => false,
            }
        }
        [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(value)] => {
            key_value(&name.to_string(), value.to_string().trim_matches('"'))
        }
        _ => false,
    }
}

fn flag(name: &str) -> bool {
    matches!(
        name,
        "true"
            | "unix"
            | "panic_unwind"
            | "target_thread_local"
            | "target_has_atomic"
            | "target_has_atomic_load_store"
            | "target_has_reliable_f16"
            | "target_has_reliable_f16_math"
            | "target_has_reliable_f128"
            | "target_has_reliable_f128_math"
    )
}

fn key_value(name: &str, value: &str) -> bool {
    match name {
        "target_arch" => value == "x86_64",
        "target_os" => value == "linux",
        "target_family" => value == "unix",
        "target_env" => value == "gnu",
        "target_vendor" => value == "unknown",
        "target_endian" => value == "little",
        "target_pointer_width" => value == "64",
        "target_has_atomic"
        | "target_has_atomic_load_store"
        | "target_has_atomic_equal_alignment"
        | "target_has_atomic_primitive_alignment" => matches!(value, "8" | "16" | "32" | "64" | "ptr"),
        "target_feature" => matches!(value, "sse" | "sse2" | "fxsr"),
        "panic" => value == "unwind",
        "feature" => {
            matches!(value, "panic-unwind" | "panic_unwind" | "backtrace" | "std_detect_file_io" | "std_detect_dlsym_getauxval")
        }
        _ => false,
    }
}

pub(super) fn split_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    trees
        .split(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ','))
        .filter(|part| !part.is_empty())
        .map(|part| part.iter().cloned().collect())
        .collect()
}

/// The branch of a `cfg_select! { predicate => { … } … }` that holds.
pub(super) fn select(input: TokenStream) -> Option<TokenStream> {
    let mut trees = input.into_iter().peekable();
    loop {
        let mut predicate = Vec::new();
        loop {
            match trees.next()? {
                TokenTree::Punct(punct) if punct.as_char() == '=' && !predicate_is_open(&predicate, trees.peek()) => {
                    trees.next()?;
                    break;
                }
                tree => predicate.push(tree),
            }
        }
        let holds =
            matches!(predicate.as_slice(), [TokenTree::Ident(name)] if name == "_") || holds(&predicate.into_iter().collect());
        let mut branch = Vec::new();
        match trees.next()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => branch.extend(group.stream()),
            first => {
                branch.push(first);
                branch.extend(std::iter::from_fn(|| {
                    trees.next_if(|tree| !matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ','))
                }));
            }
        }
        trees.next_if(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ','));
        if holds {
            return Some(branch.into_iter().collect());
        }
    }
}

/// Whether this `=` is the one of `target_os = "linux"` and not of the arrow.
fn predicate_is_open(predicate: &[TokenTree], next: Option<&TokenTree>) -> bool {
    !predicate.is_empty() && matches!(next, Some(TokenTree::Literal(_)))
}

/// The branch of a `cfg_if! { if #[cfg(…)] { … } else { … } }` that holds.
pub(super) fn select_if(input: TokenStream) -> Option<TokenStream> {
    let mut condition = true;
    for tree in input {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                let predicate = group.stream().into_iter().find_map(|tree| match tree {
                    TokenTree::Group(arguments) => Some(arguments.stream()),
                    _ => None,
                })?;
                condition = holds(&predicate);
            }
            TokenTree::Group(group) if condition => return Some(group.stream()),
            TokenTree::Group(_) => condition = true,
            _ => {}
        }
    }
    None
}
