//! Bodies that parse, made of what the bytes choose: inference ends, without a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentlint_fuzz::analyse(&agentlint_fuzz::program(bytes)));
