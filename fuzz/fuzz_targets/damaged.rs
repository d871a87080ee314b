//! Any text, begun from real files: parsing and the whole model end, without a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| agentlint_fuzz::analyse(text));
