//! `cargo agentlint inspect`: what the model understood, for people and for comparing.

use std::io::Write;

use crate::arguments::InspectArguments;
use crate::engine::{CheckRequest, Engine, InspectRequest};
use crate::output::{Failure, write_to};
use crate::{Environment, Exit};

pub(crate) fn inspect(
    arguments: &InspectArguments,
    environment: &Environment,
    engine: &dyn Engine,
    stdout: &mut dyn Write,
) -> Result<Exit, Failure> {
    let check = CheckRequest::of(&arguments.target, environment);
    let request = InspectRequest { what: arguments.what, format: arguments.format, check };
    write_to(arguments.output.as_deref(), stdout, |out| Ok(engine.inspect(&request, out)?))?;
    Ok(Exit::Clean)
}
