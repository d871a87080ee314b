//! What the READMEs show is what the tool prints.

use std::fs;

use crate::support::{command, fetch, root};

/// The code blocks of a page, each in pieces between its lines of `…`.
fn shown(page: &str) -> Vec<String> {
    let blocks = page.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| Some(block.split_once('\n')?.1)).filter(|block| block.contains('⚠'));
    let without_commands = |block: &str| block.lines().filter(|line| !line.starts_with("$ ")).collect::<Vec<_>>().join("\n");
    let pieces = blocks.map(without_commands).flat_map(|block| {
        let pieces = block.split("\n…\n").flat_map(|part| part.split("\n\n")).map(|piece| piece.trim_matches('\n').to_owned());
        pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>()
    });
    pieces.collect()
}

#[test]
fn findings_look_as_the_readmes_show_them() {
    let project = root().join("fixtures/projects/bad_agent_server");
    fetch(&project);
    for (folder, path) in [(root(), "fixtures/projects/bad_agent_server"), (project, ".")] {
        let ran = command(&folder).args([path, "--exit-zero"]).env("LC_ALL", "C.UTF-8").output().unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        let page = fs::read_to_string(folder.join("README.md")).unwrap();
        let pieces = shown(&page);
        assert!(!pieces.is_empty(), "{} shows no finding", folder.display());
        for piece in pieces {
            assert!(printed.contains(&piece), "{} shows what is not printed:\n{piece}\n\nprinted:\n{printed}", folder.display());
        }
    }
}
