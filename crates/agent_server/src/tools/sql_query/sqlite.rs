//! SQLite: a file opened for reading, an authorizer, a deadline within the engine.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use serde_json::{Map, Number, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, Row as _, TypeInfo as _, ValueRef as _,
};

use super::confine::confine;
use super::{Limits, Rows};

/// How many of SQLite's instructions pass between two looks at the clock: some tens of microseconds.
const CLOCK: i32 = 1_000;
/// The model shares the machine with the streams.
const CONNECTIONS: u32 = 2;

#[derive(Debug)]
pub(super) struct Sqlite(SqlitePool);

impl Sqlite {
    pub(super) async fn open(url: &str) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::from_str(url)?.read_only(true).create_if_missing(false);
        let options = options.pragma("query_only", "ON").pragma("trusted_schema", "OFF").disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).after_connect(|connection, _| {
            Box::pin(async move {
                confine(&mut connection.lock_handle().await?);
                Ok(())
            })
        });
        // The pool's own test of an idle connection is a statement too, and allowed.
        pool.connect_with(options).await.map(Self)
    }

    pub(super) async fn query(&self, sql: &str, limits: Limits) -> Result<Rows, sqlx::Error> {
        let mut connection = self.0.acquire().await?;
        let deadline = Instant::now() + limits.time;
        connection.lock_handle().await?.set_progress_handler(CLOCK, move || Instant::now() < deadline);
        let mut result = Rows::new(limits);
        // The text is the model's: what it may do is settled by the connection, not by looking at it.
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        let mut rows = query.fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            if !result.push(&json(&row)?) {
                break;
            }
        }
        Ok(result)
    }
}

fn json(row: &SqliteRow) -> Result<String, sqlx::Error> {
    let mut object = Map::new();
    for column in row.columns() {
        let index = column.ordinal();
        let raw = row.try_get_raw(index)?;
        let value = match raw.type_info().name() {
            _ if raw.is_null() => Value::Null,
            "INTEGER" => row.try_get::<i64, _>(index).map(Value::from)?,
            "REAL" => Number::from_f64(row.try_get(index)?).map_or(Value::Null, Value::Number),
            "BLOB" => Value::String(format!("{} bytes", row.try_get::<&[u8], _>(index)?.len())),
            _ => Value::String(String::from_utf8_lossy(row.try_get_unchecked::<&[u8], _>(index)?).into_owned()),
        };
        object.insert(column.name().to_owned(), value);
    }
    Ok(Value::Object(object).to_string())
}

/// Makes a small shop to ask about, where there is none yet.
pub(crate) async fn demo_shop(file: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).disable_statement_logging();
    let mut connection = options.connect().await?;
    connection
        .execute(
            "CREATE TABLE IF NOT EXISTS orders \
                 (id INTEGER PRIMARY KEY, day TEXT NOT NULL, customer TEXT NOT NULL, product TEXT NOT NULL, quantity INTEGER NOT NULL); \
             INSERT OR IGNORE INTO orders VALUES \
                 (1, '2026-11-02', 'Ada', 'green tea', 3), (2, '2026-11-02', 'Grace', 'black tea', 1), \
                 (3, '2026-11-03', 'Alan', 'green tea', 2), (4, '2026-11-05', 'Ada', 'teapot', 1), \
                 (5, '2026-11-06', 'Edsger', 'black tea', 4), (6, '2026-11-07', 'Barbara', 'green tea', 5);",
        )
        .await?;
    connection.close().await
}
