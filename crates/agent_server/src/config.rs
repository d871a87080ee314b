//! What an operator can set, by flag or by environment variable; names follow uvicorn's where it has the knob.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

/// A streaming agent server: a model, tools and a durable log behind one URL.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub config: Config,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an API key for a tenant: shows the key, and prints its line for `--api-keys-file`: `new-key ann >> keys`
    NewKey { tenant: String },
    /// Ask a running server's `/readyz`; exits 0 when it is ready (for a container's health check)
    Healthcheck {
        #[arg(long, default_value = "http://127.0.0.1:8000/readyz", env = "AGENT_HEALTHCHECK_URL")]
        url: Url,
    },
}

#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Address to listen on; other than loopback asks for `--api-keys-file`
    #[arg(long, env = "AGENT_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,
    #[arg(long, env = "AGENT_PORT", default_value_t = 8000)]
    pub port: u16,
    /// Where Prometheus reads; a port of its own, so that the public one never shows metrics
    #[arg(long, env = "AGENT_METRICS_ADDRESS", default_value = "127.0.0.1:9000")]
    pub metrics_address: SocketAddr,
    /// Worker threads of the runtime [default: one per CPU]
    #[arg(long, env = "AGENT_WORKERS")]
    pub workers: Option<usize>,
    /// `sqlite:FILE` or `postgres://…`; several replicas need PostgreSQL
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite:agent_server.db", hide_env_values = true)]
    pub database_url: String,
    /// Lines of `tenant:sha256-of-key`, as `agent_server new-key` prints them
    #[arg(long, env = "AGENT_API_KEYS_FILE")]
    pub api_keys_file: Option<PathBuf>,
    /// Networks of the proxies whose `Forwarded` and `X-Forwarded-For` are believed
    #[arg(long, env = "AGENT_FORWARDED_ALLOW_IPS", value_delimiter = ',')]
    pub forwarded_allow_ips: Vec<IpNet>,
    #[arg(long, env = "AGENT_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// Where traces go, by OTLP over HTTP
    #[cfg(feature = "otel")]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<Url>,
    #[command(flatten)]
    pub model: ModelConfig,
    #[command(flatten)]
    pub tools: ToolConfig,
    #[command(flatten)]
    pub limits: LimitConfig,
    #[command(flatten)]
    pub times: TimeConfig,
}

#[derive(Clone, Debug, Args)]
pub struct ModelConfig {
    /// Base of an OpenAI-compatible API, such as `https://api.openai.com/v1` [default: the built-in scripted model]
    #[arg(long, env = "AGENT_MODEL_URL")]
    pub model_url: Option<Url>,
    #[arg(long, env = "AGENT_MODEL", default_value = "gpt-4o-mini")]
    pub model: String,
    /// Better given by the environment: a command line shows in process lists
    #[arg(long, env = "AGENT_API_KEY", hide_env_values = true)]
    pub api_key: Option<SecretString>,
    /// Model calls that stream at the same time, from this replica
    #[arg(long, env = "AGENT_MODEL_CONCURRENCY", default_value_t = 4096)]
    pub model_concurrency: usize,
    /// Model calls that may wait for their turn; more are refused
    #[arg(long, env = "AGENT_MODEL_QUEUE", default_value_t = 1024)]
    pub model_queue: usize,
    /// How long a model call waits for its turn
    #[arg(long = "model-queue-seconds", env = "AGENT_MODEL_QUEUE_SECONDS", value_parser = seconds, default_value = "30")]
    pub model_queue_time: Duration,
    /// Model calls a minute, from this replica [default: no limit]
    #[arg(long, env = "AGENT_MODEL_REQUESTS_PER_MINUTE")]
    pub model_requests_per_minute: Option<std::num::NonZeroU32>,
    /// Longest silence of a model's stream
    #[arg(long = "model-read-seconds", env = "AGENT_MODEL_READ_SECONDS", value_parser = seconds, default_value = "60")]
    pub model_read_time: Duration,
}

#[derive(Clone, Debug, Args)]
pub struct ToolConfig {
    /// The database that `sql_query` reads: `sqlite:FILE` or `postgres://…` with a role that may only SELECT
    /// [default: a small demo shop beside the log]
    #[arg(long, env = "AGENT_SQL_URL", hide_env_values = true)]
    pub sql_url: Option<String>,
    #[arg(long = "sql-seconds", env = "AGENT_SQL_SECONDS", value_parser = seconds, default_value = "5")]
    pub sql_time: Duration,
    #[arg(long, env = "AGENT_SQL_ROWS", default_value_t = 100)]
    pub sql_rows: u32,
    /// Hosts that `http_get` may ask; without any, it may ask none
    #[arg(long, env = "AGENT_HTTP_ALLOW", value_delimiter = ',')]
    pub http_allow: Vec<String>,
    /// Let `http_get` reach loopback and private networks: only where every allowed host is yours
    #[arg(long, env = "AGENT_HTTP_ALLOW_PRIVATE")]
    pub http_allow_private: bool,
    #[arg(long = "http-seconds", env = "AGENT_HTTP_SECONDS", value_parser = seconds, default_value = "10")]
    pub http_time: Duration,
}

#[derive(Clone, Debug, Args)]
pub struct LimitConfig {
    /// Connections at the same time; more wait in the kernel's backlog
    #[arg(long, env = "AGENT_LIMIT_CONNECTIONS", default_value_t = 10_000)]
    pub limit_connections: usize,
    /// Runs that this replica drives at the same time; more are refused with 503
    #[arg(long, env = "AGENT_LIMIT_RUNS", default_value_t = 4096)]
    pub limit_runs: usize,
    /// Runs that a tenant may start in a minute; more are refused with 429 [default: no limit]
    #[arg(long, env = "AGENT_TENANT_RUNS_PER_MINUTE")]
    pub tenant_runs_per_minute: Option<std::num::NonZeroU32>,
    /// Largest request body, in bytes
    #[arg(long, env = "AGENT_LIMIT_BODY", default_value_t = 64 * 1024)]
    pub limit_body: usize,
    /// Model calls a run may make
    #[arg(long, env = "AGENT_RUN_STEPS", default_value_t = 16)]
    pub run_steps: u32,
    /// Tokens a run may produce
    #[arg(long, env = "AGENT_RUN_TOKENS", default_value_t = 32_768)]
    pub run_tokens: u64,
    /// Seconds a run may take
    #[arg(long = "run-seconds", env = "AGENT_RUN_SECONDS", value_parser = seconds, default_value = "600")]
    pub run_time: Duration,
}

#[derive(Clone, Debug, Args)]
pub struct TimeConfig {
    /// Longest pause between two requests of a connection; longer than the proxy's, or it meets a closed one
    #[arg(long, env = "AGENT_TIMEOUT_KEEP_ALIVE", value_parser = seconds, default_value = "75")]
    pub timeout_keep_alive: Duration,
    /// From a connection to its first byte
    #[arg(long, env = "AGENT_TIMEOUT_FIRST_BYTE", value_parser = seconds, default_value = "10")]
    pub timeout_first_byte: Duration,
    /// From the first byte of a request to the end of its headers
    #[arg(long, env = "AGENT_TIMEOUT_HEADERS", value_parser = seconds, default_value = "10")]
    pub timeout_headers: Duration,
    /// Longest pause within a request's body
    #[arg(long, env = "AGENT_TIMEOUT_BODY", value_parser = seconds, default_value = "10")]
    pub timeout_body: Duration,
    /// How long a client may take nothing of what is written for it
    #[arg(long, env = "AGENT_TIMEOUT_WRITE", value_parser = seconds, default_value = "30")]
    pub timeout_write: Duration,
    /// Between two heartbeats on a silent stream
    #[arg(long, env = "AGENT_HEARTBEAT", value_parser = seconds, default_value = "15")]
    pub heartbeat: Duration,
    /// After a signal: how long the server still serves while balancers learn that it is not ready
    #[arg(long, env = "AGENT_LAME_DUCK", value_parser = seconds, default_value = "2")]
    pub lame_duck: Duration,
    /// After a signal: the bound on everything, the lame-duck time included; below the orchestrator's own
    #[arg(long, env = "AGENT_TIMEOUT_GRACEFUL_SHUTDOWN", value_parser = seconds, default_value = "30")]
    pub timeout_graceful_shutdown: Duration,
    /// How long a replica holds a run without word of it; then another takes it over
    #[arg(long, env = "AGENT_LEASE", value_parser = seconds, default_value = "5")]
    pub lease: Duration,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    Json,
    Text,
}

impl Config {
    /// The settings of a command line without flags, the environment aside.
    pub fn from_flags<'a>(flags: impl IntoIterator<Item = &'a str>) -> Result<Self, clap::Error> {
        CommandLine::try_parse_from(["agent_server"].into_iter().chain(flags)).map(|line| line.config)
    }
}

/// Seconds, with a fraction where wanted: `0.5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("`{text}` is not a length of time"))
}
