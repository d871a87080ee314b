//! The few definitions of the standard library that the language itself refers to.

use agentlint_syntax::name;

use crate::def::{DefId, DefKind};
use crate::names::{Namespace, Resolution};
use crate::program::Program;

macro_rules! known {
    ($($field:ident: $path:literal,)*) => {
        /// Definitions by their role; `None` where the index lacks one.
        #[derive(Debug, Default)]
        pub struct Known { $(pub $field: Option<DefId>,)*
            pub future_output: Option<DefId>,
            pub into_future_output: Option<DefId>,
            pub iterator_item: Option<DefId>,
            pub into_iter_item: Option<DefId>,
            pub into_iter: Option<DefId>,
            pub deref_target: Option<DefId>,
            pub fn_once_output: Option<DefId>,
            pub async_call_once_future: Option<DefId>,
            pub index_output: Option<DefId>,
            /// Traits that hold of nearly everything and never help inference.
            pub markers: Vec<DefId>,
        }

        impl Known {
            fn find(program: &Program<'_>) -> Known {
                Known { $($field: program.std_path($path),)* ..Known::default() }
            }
        }
    };
}

known! {
    option: "core::option::Option",
    result: "core::result::Result",
    vec: "alloc::vec::Vec",
    string: "alloc::string::String",
    boxed: "alloc::boxed::Box",
    rc: "alloc::rc::Rc",
    arc: "alloc::sync::Arc",
    pin: "core::pin::Pin",
    poll: "core::task::Poll",
    context: "core::task::Context",
    lazy_lock: "std::sync::LazyLock",
    local_key: "std::thread::LocalKey",
    future: "core::future::Future",
    into_future: "core::future::IntoFuture",
    iterator: "core::iter::Iterator",
    into_iterator: "core::iter::IntoIterator",
    deref: "core::ops::Deref",
    deref_mut: "core::ops::DerefMut",
    fn_once: "core::ops::FnOnce",
    fn_mut: "core::ops::FnMut",
    function: "core::ops::Fn",
    async_fn_once: "core::ops::AsyncFnOnce",
    async_fn_mut: "core::ops::AsyncFnMut",
    async_fn: "core::ops::AsyncFn",
    index: "core::ops::Index",
    from: "core::convert::From",
    try_trait: "core::ops::Try",
    clone: "core::clone::Clone",
    copy: "core::marker::Copy",
    sized: "core::marker::Sized",
    send: "core::marker::Send",
    sync: "core::marker::Sync",
    unpin: "core::marker::Unpin",
    destruct: "core::marker::Destruct",
    meta_sized: "core::marker::MetaSized",
    pointee_sized: "core::marker::PointeeSized",
    freeze: "core::marker::Freeze",
    tuple: "core::marker::Tuple",
    unwind_safe: "core::panic::UnwindSafe",
    ref_unwind_safe: "core::panic::RefUnwindSafe",
    drop: "core::ops::Drop",
    default: "core::default::Default",
    debug: "core::fmt::Debug",
    display: "core::fmt::Display",
    arguments: "core::fmt::Arguments",
    hash: "core::hash::Hash",
    partial_eq: "core::cmp::PartialEq",
    eq: "core::cmp::Eq",
    partial_ord: "core::cmp::PartialOrd",
    ord: "core::cmp::Ord",
    range: "core::ops::Range",
    range_from: "core::ops::RangeFrom",
    range_to: "core::ops::RangeTo",
    range_full: "core::ops::RangeFull",
    range_inclusive: "core::ops::RangeInclusive",
    range_to_inclusive: "core::ops::RangeToInclusive",
    any: "core::any::Any",
    c_str: "core::ffi::CStr",
}

impl Program<'_> {
    pub fn known(&self) -> &Known {
        if let Some(known) = self.known.get() {
            return known;
        }
        let mut known = Known::find(self);
        let assoc = |of: Option<DefId>, wanted: &str| self.member(of?, name(wanted), |k| k == DefKind::AssocType);
        known.future_output = assoc(known.future, "Output");
        known.into_future_output = assoc(known.into_future, "Output");
        known.iterator_item = assoc(known.iterator, "Item");
        known.into_iter_item = assoc(known.into_iterator, "Item");
        known.into_iter = assoc(known.into_iterator, "IntoIter");
        known.deref_target = assoc(known.deref, "Target");
        known.fn_once_output = assoc(known.fn_once, "Output");
        known.async_call_once_future = assoc(known.async_fn_once, "CallOnceFuture");
        known.index_output = assoc(known.index, "Output");
        let markers = [
            known.sized,
            known.send,
            known.sync,
            known.unpin,
            known.destruct,
            known.meta_sized,
            known.pointee_sized,
            known.freeze,
            known.tuple,
            known.unwind_safe,
            known.ref_unwind_safe,
        ];
        known.markers = markers.into_iter().flatten().collect();
        self.known.get_or_init(|| known)
    }

    /// The definition at a path that starts with `core`, `alloc` or `std`.
    pub fn std_path(&self, path: &str) -> Option<DefId> {
        let segments: Vec<_> = path.split("::").map(name).collect();
        let which = ["core", "alloc", "std"].iter().position(|crate_name| segments[0] == name(crate_name))?;
        let mut at = self.root(self.std_crate(which));
        for (i, segment) in segments.iter().enumerate().skip(1) {
            let is_last = i + 1 == segments.len();
            let found = self.lookup(at, *segment, Namespace::Type);
            at = found.or_else(|| is_last.then(|| self.lookup(at, *segment, Namespace::Value)).flatten())?;
        }
        Some(at)
    }

    /// The definition at a path of `krate`, its extern prelude included: `reqwest::blocking::get`.
    pub fn path_from(&self, module: DefId, path: &[agentlint_syntax::Name], namespace: Namespace) -> Option<DefId> {
        let found = self.resolve_path(module, path, false, namespace)?;
        match found.to {
            Resolution::Def(def) if found.used == path.len() => Some(def),
            _ => None,
        }
    }
}
