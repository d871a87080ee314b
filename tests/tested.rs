//! The tool, as the integration tests run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_agentlint::main()
}
