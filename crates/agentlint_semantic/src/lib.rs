//! Crate graph, modules, names, types and resolved calls of a whole program.

pub mod input;

/// The model of a whole program.
pub struct Program;
