//! Marks, page reader and harness for the lints' cases.
