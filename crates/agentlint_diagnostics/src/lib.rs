//! What a finding is: plain data that every other crate speaks and no format knows.

mod diagnostic;
mod lint;

pub use diagnostic::{Applicability, Diagnostic, Edit, FileId, Fix, Hop, Label, Location};
pub use lint::{Confidence, Group, Level, LintMeta, Reported, RolePolicy};
