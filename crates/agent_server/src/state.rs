//! Everything that lives as long as the server: made in `main`, handed to handlers, closed after the drain.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota};
use reqwest::Client;
use tokio::fs;
use tokio_util::sync::CancellationToken;

use crate::access::{Access, BadKeys};
use crate::agent::{Agent, Budget, Runs};
use crate::api::Schemas;
use crate::blocking::Blocking;
use crate::client_ip::TrustedProxies;
use crate::config::{Config, ModelConfig, TimeConfig, ToolConfig};
use crate::metrics::Metrics;
use crate::model::{Guard, Model, OpenAi, Pause, Scripted};
use crate::schema::SchemaError;
use crate::store::{Store, StoreError};
use crate::tls;
use crate::tools::{self, HttpGet, Now, SqlQuery, Tool, Tools};

/// Cheap to clone.
#[derive(Clone)]
pub struct AppState(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) runs: Runs,
    pub(crate) access: Access,
    pub(crate) proxies: TrustedProxies,
    pub(crate) metrics: Metrics,
    pub(crate) schemas: Schemas,
    pub(crate) tenant_runs: Option<DefaultKeyedRateLimiter<Arc<str>>>,
    pub(crate) limit_body: usize,
    pub(crate) limit_connections: usize,
    pub(crate) times: TimeConfig,
    /// The server is to get no new work.
    pub(crate) not_ready: CancellationToken,
    /// Open streams are to end.
    pub(crate) farewell: CancellationToken,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("`--host {0}` can be reached from other machines: give `--api-keys-file` (`agent_server new-key TENANT` makes keys)")]
    OpenToAll(std::net::IpAddr),
    #[error("`--api-keys-file {file}`: {source}", file = file.display())]
    KeysFile { file: PathBuf, source: std::io::Error },
    #[error("`--api-keys-file {file}`: {source}", file = file.display())]
    Keys { file: PathBuf, source: BadKeys },
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("`--sql-url`: {0}")]
    Sql(#[from] tools::SqlError),
    #[error("the demo shop `{file}` cannot be made: {source}; `--sql-url` names another database for `sql_query`", file = file.display())]
    Shop { file: PathBuf, source: sqlx::Error },
    #[error(transparent)]
    HttpTool(#[from] tools::HttpError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl AppState {
    /// Opens the database and makes the clients.
    pub async fn build(config: &Config) -> Result<Self, Problem> {
        Self::build_with(config, Vec::new()).await
    }

    /// The same, with tools of one's own beside the built-in ones.
    pub async fn build_with(config: &Config, more_tools: Vec<Box<dyn Tool>>) -> Result<Self, Problem> {
        tls::choose_cryptography();
        let access = access(config).await?;
        let metrics = Metrics::new();
        let pause = Arc::new(Pause::default());
        let model = Guard::new(model(&config.model, &pause)?, pause, &config.model, metrics.clone());
        // Before the tools, whose demo shop lies beside it: what is wrong with its place is told of it.
        let store = Store::open(&config.database_url, config.times.lease, metrics.clone()).await?;
        let mut tools = built_in(config).await?;
        tools.extend(more_tools);
        let limits = &config.limits;
        let agent = Agent {
            store: store.clone(),
            model,
            tools: Tools::new(tools),
            budget: Budget { steps: limits.run_steps, tokens: limits.run_tokens },
            time: limits.run_time,
            metrics: metrics.clone(),
        };
        Ok(Self(Arc::new(Inner {
            store,
            runs: Runs::new(agent, config.times.lease, limits.limit_runs),
            access,
            proxies: TrustedProxies::new(config.forwarded_allow_ips.clone()),
            metrics,
            schemas: Schemas::new()?,
            tenant_runs: limits.tenant_runs_per_minute.map(|most| DefaultKeyedRateLimiter::keyed(Quota::per_minute(most))),
            limit_body: limits.limit_body,
            limit_connections: limits.limit_connections,
            times: config.times.clone(),
            not_ready: CancellationToken::new(),
            farewell: CancellationToken::new(),
        })))
    }

    /// The server's counters.
    pub fn metrics(&self) -> Metrics {
        self.0.metrics.clone()
    }
}

async fn access(config: &Config) -> Result<Access, Problem> {
    let Some(file) = &config.api_keys_file else {
        return if config.host.is_loopback() { Ok(Access::local()) } else { Err(Problem::OpenToAll(config.host)) };
    };
    let text = fs::read_to_string(file).await.map_err(|source| Problem::KeysFile { file: file.clone(), source })?;
    Access::keys(&text).map_err(|source| Problem::Keys { file: file.clone(), source })
}

fn model(config: &ModelConfig, pause: &Arc<Pause>) -> Result<Arc<dyn Model>, reqwest::Error> {
    let Some(base) = &config.model_url else { return Ok(Arc::new(Scripted)) };
    // No timeout of the whole: an answer may take long. One of silence, and the run's own, end what hangs.
    let client = Client::builder().connect_timeout(Duration::from_secs(10)).read_timeout(config.model_read_time).build()?;
    let (model, key, pause) = (config.model.clone(), config.api_key.clone(), Arc::clone(pause));
    Ok(Arc::new(OpenAi { client, url: OpenAi::endpoint(base), model, key, pause }))
}

async fn built_in(config: &Config) -> Result<Vec<Box<dyn Tool>>, Problem> {
    let ToolConfig { sql_url, sql_time, sql_rows, http_allow, http_allow_private, http_time } = &config.tools;
    let sql_url = match sql_url {
        Some(url) => url.clone(),
        None => {
            let file = shop_file(&config.database_url);
            tools::demo_shop(&file).await.map_err(|source| Problem::Shop { file: file.clone(), source })?;
            format!("sqlite:{}", file.display())
        }
    };
    let sql = SqlQuery::open(&sql_url, tools::SqlLimits { rows: *sql_rows, time: *sql_time }).await?;
    let policy = tools::HttpPolicy::new(http_allow.clone(), *http_allow_private);
    let http = HttpGet::new(policy, *http_time, Blocking::new())?;
    Ok(vec![Box::new(sql), Box::new(http), Box::new(Now::new()?)])
}

/// Beside the log where that is a file, else where files may come and go.
fn shop_file(database_url: &str) -> PathBuf {
    match database_url.strip_prefix("sqlite:") {
        Some(file) => {
            let file = file.split('?').next().unwrap_or(file);
            PathBuf::from(file.strip_prefix("//").unwrap_or(file)).with_file_name("agent_server_shop.db")
        }
        None => std::env::temp_dir().join("agent_server_shop.db"),
    }
}
