//! What the tool says of its own work: metas without a lint behind them, reported by whoever notices.

use agentlint_diagnostics::{Group, Level, LintMeta};

pub static SYNTAX_ERROR: LintMeta = LintMeta {
    id: "syntax_error",
    summary: "a file, or a part of it, that is not valid Rust",
    group: Group::Run,
    level: Level::Warn,
    page: include_str!("../pages/syntax_error.md"),
};

pub static UNREADABLE_FILE: LintMeta = LintMeta {
    id: "unreadable_file",
    summary: "a file or folder that could not be read",
    group: Group::Run,
    level: Level::Warn,
    page: include_str!("../pages/unreadable_file.md"),
};

pub static INTERNAL_ERROR: LintMeta = LintMeta {
    id: "internal_error",
    summary: "a fault of agentlint itself",
    group: Group::Run,
    level: Level::Warn,
    page: include_str!("../pages/internal_error.md"),
};

pub static UNUSED_SUPPRESSION: LintMeta = LintMeta {
    id: "unused_suppression",
    summary: "a suppression that does not suppress anything",
    group: Group::Run,
    level: Level::Warn,
    page: include_str!("../pages/unused_suppression.md"),
};

pub static SUPPRESSION_WITHOUT_REASON: LintMeta = LintMeta {
    id: "suppression_without_reason",
    summary: "a suppression that does not say why",
    group: Group::Run,
    level: Level::Warn,
    page: include_str!("../pages/suppression_without_reason.md"),
};

/// All of them.
pub static ALL: [&LintMeta; 5] =
    [&SYNTAX_ERROR, &UNREADABLE_FILE, &INTERNAL_ERROR, &UNUSED_SUPPRESSION, &SUPPRESSION_WITHOUT_REASON];
