//! How connections to the database are opened.

use std::io;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::time::timeout;

use super::Dialect;
use super::sql::{POSTGRES, SQLITE};

/// What was committed survives the process's death at any moment; `synchronous = FULL` would survive the machine's too.
/// The write-ahead log is copied back by a task of its own, not in the middle of a commit. Each entry of a group is of another run,
/// and so changes a page of the key of its own: small pages mean that a commit writes a quarter. They are those of new files alone.
/// The kernel keeps the file's pages, so that the usual two megabytes for each connection would mostly keep them twice.
const SQLITE_SETTINGS: &str = "PRAGMA page_size = 1024; PRAGMA cache_size = -500; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 0;";
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct Connector {
    options: AnyConnectOptions,
    settings: String,
    pub(super) dialect: &'static Dialect,
}

impl Connector {
    pub(super) fn new(url: &str, lease: Duration) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let is_sqlite = url.starts_with("sqlite:");
        let writable = if is_sqlite && !url.contains('?') { format!("{url}?mode=rwc") } else { url.to_owned() };
        let options = AnyConnectOptions::from_str(&writable)?.disable_statement_logging();
        let settings = if is_sqlite { SQLITE_SETTINGS.to_owned() } else { postgres_settings(lease) };
        Ok(Self { options, settings, dialect: if is_sqlite { &SQLITE } else { &POSTGRES } })
    }

    pub(super) fn is_sqlite(&self) -> bool {
        std::ptr::eq(self.dialect, &raw const SQLITE)
    }

    pub(super) async fn connect(&self) -> Result<AnyConnection, sqlx::Error> {
        let connected = async {
            let mut connection = AnyConnection::connect_with(&self.options).await?;
            connection.execute(AssertSqlSafe(self.settings.clone())).await?;
            Ok(connection)
        };
        timeout(PATIENCE, connected).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    pub(super) async fn pool(&self, connections: u32) -> Result<AnyPool, sqlx::Error> {
        let settings = self.settings.clone();
        let pool = AnyPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
        let pool = pool.after_connect(move |connection, _| {
            let settings = AssertSqlSafe(settings.clone());
            Box::pin(async move { connection.execute(settings).await.map(|_| ()) })
        });
        pool.connect_with(self.options.clone()).await
    }
}

/// A replica that stops in the middle of a transaction holds locks; the server ends it when its leases have ended.
fn postgres_settings(lease: Duration) -> String {
    format!("SET idle_in_transaction_session_timeout = {}", lease.as_millis())
}
