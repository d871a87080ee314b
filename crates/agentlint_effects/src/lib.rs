//! What blocks, and through what: the catalog and the summaries over the call graph.

/// The effects of a whole program.
pub struct Effects;
