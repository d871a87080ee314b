//! The lints, a file and a page each, and the catalog of what blocks.

mod blocking;
mod builtin_catalog;
mod deploy;
mod held_guard;
mod service;

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
    body_limit_disabled::BodyLimitDisabled,
    client_per_request::ClientPerRequest,
    client_without_timeout::ClientWithoutTimeout,
    connect_info_missing::ConnectInfoMissing,
    container_runs_as_root::ContainerRunsAsRoot,
    cors_permissive::CorsPermissive,
    current_thread_server::CurrentThreadServer,
    detached_task::DetachedTask,
    dev_server_in_container::DevServerInContainer,
    forwarded_header_trusted::ForwardedHeaderTrusted,
    global_client::GlobalClient,
    hyper_timer_missing::HyperTimerMissing,
    lock_across_await::LockAcrossAwait,
    log_guard_dropped::LogGuardDropped,
    nested_block_on::NestedBlockOn,
    no_graceful_shutdown::NoGracefulShutdown,
    permit_dropped::PermitDropped,
    print_logging::PrintLogging,
    process_exit_in_handler::ProcessExitInHandler,
    process_not_killed_on_drop::ProcessNotKilledOnDrop,
    refcell_across_await::RefcellAcrossAwait,
    serve_without_timeouts::ServeWithoutTimeouts,
    shell_form_entrypoint::ShellFormEntrypoint,
    sigterm_ignored::SigtermIgnored,
    span_guard_across_await::SpanGuardAcrossAwait,
    sse_buffered_by_proxy::SseBufferedByProxy,
    sse_compressed::SseCompressed,
    sse_hand_framed::SseHandFramed,
    sse_lag_ignored::SseLagIgnored,
    sse_without_keep_alive::SseWithoutKeepAlive,
    stream_cut_by_timeout::StreamCutByTimeout,
    timeout_on_spawn_blocking::TimeoutOnSpawnBlocking,
    unbounded_channel::UnboundedChannel,
    unbounded_drain::UnboundedDrain,
}
