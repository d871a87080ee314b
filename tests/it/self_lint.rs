//! The project passes its own lints, those that are off by default too.

use crate::support::{root, run};

#[test]
fn this_workspace_is_clean() {
    let ran = run(&root(), &["--all-targets", "-W", "pedantic"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
}
