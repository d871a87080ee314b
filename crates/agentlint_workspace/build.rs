//! Tells the crate which platform it is built for.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=AGENTLINT_TARGET={}", std::env::var("TARGET").expect("cargo sets TARGET"));
}
