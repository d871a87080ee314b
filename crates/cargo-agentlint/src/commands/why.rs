//! `cargo agentlint why FILE:LINE`: what is known of the calls on a line, and why they are findings or not.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;

use crate::arguments::{TargetArguments, WhyArguments};
use crate::engine::{CheckRequest, Engine, WhyRequest};
use crate::output::Failure;
use crate::{Environment, Exit};

pub(crate) fn why(
    arguments: &WhyArguments,
    environment: &Environment,
    engine: &dyn Engine,
    stdout: &mut dyn Write,
) -> Result<Exit, Failure> {
    let (file, line) = place(&arguments.place)?;
    let target = TargetArguments {
        paths: vec![file.clone()],
        all_targets: arguments.all_targets,
        exclude: Vec::new(),
        config: arguments.config.clone(),
    };
    super::check::refuse_missing_paths(&target, environment)?;
    let check = CheckRequest::of(&target, environment);
    engine.why(&WhyRequest { file: environment.current_folder.join(file), line, check }, stdout)?;
    Ok(Exit::Clean)
}

/// `FILE:LINE`, or `FILE:LINE:COLUMN` as findings have it; a drive's colon belongs to the file.
fn place(text: &str) -> anyhow::Result<(PathBuf, u32)> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let parts: Vec<&str> = text.rsplitn(3, ':').collect();
    let found = match parts.as_slice() {
        [column, line, file] if number(column).is_some() && number(line).is_some() => Some((file.to_string(), number(line))),
        [line, front @ ..] if !front.is_empty() => {
            let file: Vec<&str> = front.iter().rev().copied().collect();
            Some((file.join(":"), number(line)))
        }
        _ => None,
    };
    match found {
        Some((file, Some(line))) if !file.is_empty() => Ok((PathBuf::from(file), line)),
        _ => bail!("`{text}` is no place: write FILE:LINE, as in `src/main.rs:12`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_files_and_lines() {
        let read = |text: &str| place(text).map(|(file, line)| (file.to_string_lossy().into_owned(), line)).ok();
        assert_eq!(read("src/main.rs:12"), Some(("src/main.rs".to_owned(), 12)));
        assert_eq!(read("src/main.rs:12:5"), Some(("src/main.rs".to_owned(), 12)));
        assert_eq!(read(r"C:\src\main.rs:12"), Some((r"C:\src\main.rs".to_owned(), 12)));
        assert_eq!(read(r"C:\src\main.rs:12:5"), Some((r"C:\src\main.rs".to_owned(), 12)));
        for wrong in ["src/main.rs", "src/main.rs:", "src/main.rs:0", ":12", "12", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
