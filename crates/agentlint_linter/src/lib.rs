//! Lints, levels and suppressions; knows no concrete lint.
