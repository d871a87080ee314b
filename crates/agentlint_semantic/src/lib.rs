//! Crate graph, modules, names, types and resolved calls of a whole program.
//!
//! Everything is worked out on demand and kept; nothing here does I/O, and nothing can fail: what is not understood is unknown.

mod ahead;
mod bodies;
mod body_macros;
mod collect;
pub mod def;
mod definitions;
mod derive;
mod expand;
mod impls;
pub mod infer;
pub mod input;
mod known;
mod lower;
mod macro_imports;
mod module_data;
pub mod names;
mod not_understood;
mod program;
mod signature;
mod std_index;
mod stored;
#[cfg(test)]
mod tests;
mod type_macros;
pub mod types;

/// Names the code that makes the model: of another one, what was found may be something else.
pub const FORM: &str = env!("AGENTLINT_MODEL_FORM");

pub use ahead::{LikelyCall, LikelyCalls};
pub use program::Program;
pub use signature::{Generics, Signature};
pub use std_index::unpack as unpack_std;
