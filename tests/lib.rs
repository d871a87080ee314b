//! The integration tests' package; the tests are in `it`.
