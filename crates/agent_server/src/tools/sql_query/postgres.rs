//! PostgreSQL: a role that may only read, a read-only transaction, one statement, limits within the server.

use std::str::FromStr as _;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::{Limits, OpenError, Rows};

const CONNECTIONS: u32 = 2;

#[derive(Debug)]
pub(super) struct Postgres(PgPool);

impl Postgres {
    pub(super) async fn open(url: &str, limits: Limits) -> Result<Self, OpenError> {
        let milliseconds = limits.time.as_millis().to_string();
        let options = PgConnectOptions::from_str(url)?.disable_statement_logging().options([
            ("default_transaction_read_only", "on"),
            ("statement_timeout", milliseconds.as_str()),
            ("lock_timeout", "1000"),
            ("idle_in_transaction_session_timeout", "10000"),
            ("work_mem", "16MB"),
        ]);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
        let query = sqlx::query("SELECT rolname::text AS name, rolsuper FROM pg_roles WHERE rolname = current_user");
        let role = query.fetch_one(&pool).await?;
        if role.try_get("rolsuper")? {
            return Err(OpenError::Superuser(role.try_get("name")?));
        }
        Ok(Self(pool))
    }

    pub(super) async fn query(&self, sql: &str, limits: Limits) -> Result<Rows, sqlx::Error> {
        let mut transaction = self.0.begin_with("BEGIN READ ONLY").await?;
        // As a prepared statement, which holds one command and no more; of the rows, the server makes no more than asked.
        let most = u64::from(limits.rows) + 1;
        let wrapped = format!("SELECT row_to_json(q)::text AS row FROM (\n{sql}\n) AS q LIMIT {most}");
        let mut result = Rows::new(limits);
        {
            let mut rows = sqlx::query(AssertSqlSafe(wrapped)).persistent(false).fetch(&mut *transaction);
            while let Some(row) = rows.try_next().await? {
                if !result.push(row.try_get("row")?) {
                    break;
                }
            }
        }
        transaction.rollback().await?;
        Ok(result)
    }
}
