//! `sql_query`: reads a database, in layers of which each alone would hold.

mod confine;
mod postgres;
mod sqlite;

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use self::postgres::Postgres;
use self::sqlite::Sqlite;
pub(crate) use self::sqlite::demo_shop;
use super::Tool;
use crate::schema::{Schema, SchemaError};

/// The most bytes of rows that a query may give.
const LONGEST_RESULT: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct SqlQuery {
    schema: Schema<Arguments>,
    database: Database,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) rows: u32,
    pub(crate) time: Duration,
}

#[derive(Debug)]
enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// One SELECT statement.
    #[schema(min_length = 1, max_length = 4000)]
    sql: String,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the database of `sql_query` cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error("`--sql-url` names the role `{0}`, a superuser: make a role that may only SELECT what the model may see")]
    Superuser(String),
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

impl SqlQuery {
    /// Connects to `sqlite:FILE` or `postgres://…`, for reading only.
    pub(crate) async fn open(url: &str, limits: Limits) -> Result<Self, OpenError> {
        let database = if url.starts_with("sqlite:") {
            Database::Sqlite(Sqlite::open(url).await?)
        } else {
            Database::Postgres(Postgres::open(url, limits).await?)
        };
        Ok(Self { schema: Schema::new()?, database, limits })
    }
}

impl Tool for SqlQuery {
    fn name(&self) -> &'static str {
        "sql_query"
    }

    fn description(&self) -> &'static str {
        match self.database {
            Database::Sqlite(_) => "Runs one SELECT against an SQLite database; tables are listed in sqlite_schema.",
            Database::Postgres(_) => {
                "Runs one SELECT against a PostgreSQL database; tables are listed in information_schema.tables."
            }
        }
    }

    fn schema(&self) -> Value {
        self.schema.json.clone()
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn deadline(&self) -> Duration {
        // The database ends the query itself; this is for one that does not answer.
        self.limits.time + Duration::from_secs(1)
    }

    fn call<'tool>(&'tool self, arguments: Value) -> BoxFuture<'tool, Result<String, String>> {
        async {
            let Arguments { sql } = self.schema.read(arguments).map_err(|invalid| invalid.0)?;
            let sql = sql.trim().trim_end_matches(';');
            let rows = match &self.database {
                Database::Sqlite(database) => database.query(sql, self.limits).await,
                Database::Postgres(database) => database.query(sql, self.limits).await,
            };
            rows.map(|rows| rows.text).map_err(|error| match error.as_database_error() {
                Some(error) => error.message().to_owned(),
                None => error.to_string(),
            })
        }
        .boxed()
    }
}

/// Rows as JSON, one to a line, up to the limits.
#[derive(Debug)]
struct Rows {
    text: String,
    left: u32,
}

impl Rows {
    fn new(limits: Limits) -> Self {
        Self { text: String::new(), left: limits.rows }
    }

    /// Whether there is room for more.
    fn push(&mut self, row: &str) -> bool {
        if self.left == 0 || self.text.len() + row.len() > LONGEST_RESULT {
            self.text.push_str("… more rows are not shown\n");
            return false;
        }
        self.left -= 1;
        self.text.push_str(row);
        self.text.push('\n');
        true
    }
}
