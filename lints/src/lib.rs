//! The lints, a file and a page each, and the catalog of what blocks.

mod blocking;
mod builtin_catalog;
mod deploy;
mod held_guard;

use agentlint_linter::Lint;

pub use builtin_catalog::builtin_catalog;

macro_rules! lints {
    ($($module:ident::$lint:ident,)*) => {
        $(mod $module;)*

        /// Every lint.
        pub static ALL: &[&dyn Lint] = &[$(&$module::$lint,)*];
    };
}

lints! {
    blocking_channel::BlockingChannel,
    blocking_cpu::BlockingCpu,
    blocking_db::BlockingDb,
    blocking_fs::BlockingFs,
    blocking_http::BlockingHttp,
    blocking_join::BlockingJoin,
    blocking_lock::BlockingLock,
    blocking_net::BlockingNet,
    blocking_process::BlockingProcess,
    blocking_sleep::BlockingSleep,
    blocking_stdin::BlockingStdin,
    client_per_request::ClientPerRequest,
    client_without_timeout::ClientWithoutTimeout,
    container_runs_as_root::ContainerRunsAsRoot,
    dev_server_in_container::DevServerInContainer,
    global_client::GlobalClient,
    lock_across_await::LockAcrossAwait,
    nested_block_on::NestedBlockOn,
    refcell_across_await::RefcellAcrossAwait,
    shell_form_entrypoint::ShellFormEntrypoint,
    span_guard_across_await::SpanGuardAcrossAwait,
}
