//! `sql_query` reads, whatever it is given.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{TestServer, execute, postgres_database};

/// What the tool answers to a statement.
async fn query(server: &TestServer, sql: &str) -> (bool, String) {
    let message = format!("/tool sql_query {} /delay 0 /tokens 0", json!({ "sql": sql }));
    let frames = server.chat(&message).await.1.rest().await;
    let result: Value = frames.iter().find(|frame| frame.kind == "tool_result").unwrap().json();
    (result["is_error"].as_bool().unwrap(), result["output"].as_str().unwrap().to_owned())
}

async fn refused(server: &TestServer, sql: &str) {
    let (is_error, output) = query(server, sql).await;
    assert!(is_error, "{sql}: {output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_gives_rows_and_nothing_else() {
    let server = TestServer::with_flags(&["--sql-seconds", "0.5", "--sql-rows", "5"]).await;
    let (is_error, output) = query(&server, "SELECT 1 AS a, 2.5 AS b, 'x' AS c, NULL AS d, x'00ff' AS e;").await;
    assert_eq!((is_error, output.trim()), (false, r#"{"a":1,"b":2.5,"c":"x","d":null,"e":"2 bytes"}"#));
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.db").display().to_string();
    for sql in [
        "DELETE FROM orders",
        "UPDATE orders SET quantity = 0",
        "DROP TABLE orders",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "INSERT INTO orders DEFAULT VALUES RETURNING *",
        "WITH x AS (SELECT 1) DELETE FROM orders",
        "SELECT 1; DELETE FROM orders",
        "BEGIN IMMEDIATE",
        "VACUUM",
        "PRAGMA query_only = OFF",
        "PRAGMA table_info(orders)",
        "SELECT load_extension('x')",
        "EXPLAIN DELETE FROM orders",
        "not sql",
        "",
    ] {
        refused(&server, sql).await;
    }
    refused(&server, &format!("ATTACH '{other}' AS other")).await;
    refused(&server, &format!("VACUUM INTO '{other}'")).await;
    let (_, orders) = query(&server, "SELECT count(*) AS n FROM orders").await;
    assert_eq!(orders.trim(), r#"{"n":6}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_ends_what_would_not_end() {
    let server = TestServer::with_flags(&["--sql-seconds", "0.5", "--sql-rows", "5"]).await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT ";
    let begun = Instant::now();
    refused(&server, &format!("{endless} max(i) FROM n")).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    // Rows without end are cut, values without bound are refused.
    let (is_error, output) = query(&server, &format!("{endless} i FROM n")).await;
    assert!(!is_error && output.ends_with("more rows are not shown\n"), "{output}");
    assert_eq!(output.lines().count(), 6);
    refused(&server, "SELECT length(randomblob(500000000))").await;
    assert_eq!(query(&server, "SELECT printf('%.*c', 500000000, 'x') AS a").await, (false, "{\"a\":null}\n".to_owned()));
    // The connections are as good as new.
    for _ in 0..4 {
        assert_eq!(query(&server, "SELECT 1 AS a").await, (false, "{\"a\":1}\n".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_gives_rows_and_nothing_else() {
    let Some(owner) = postgres_database("postgres_gives_rows_and_nothing_else") else { return };
    let role = format!("reader_{}", owner.rsplit('_').next().unwrap());
    execute(&owner, "CREATE TABLE orders (product text, quantity int); INSERT INTO orders VALUES ('tea', 3), ('pot', 1)");
    execute(&owner, &format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON orders TO {role}; CREATE TABLE secrets (s text)"));
    let reader = owner.replace("postgres://postgres@", &format!("postgres://{role}@"));
    let server = TestServer::with_flags(&["--sql-url", &reader, "--sql-seconds", "0.5", "--sql-rows", "5"]).await;
    let (is_error, output) = query(&server, "SELECT product, quantity FROM orders ORDER BY quantity").await;
    assert_eq!(
        (is_error, output.as_str()),
        (false, "{\"product\":\"pot\",\"quantity\":1}\n{\"product\":\"tea\",\"quantity\":3}\n")
    );
    for sql in [
        "DELETE FROM orders",
        "SELECT * FROM secrets",
        "SELECT 1; SELECT 2",
        "SELECT 1) AS q; DROP TABLE orders; --",
        "COMMIT; DROP TABLE orders",
        "WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x",
        "SELECT set_config('transaction_read_only', 'off', false), pg_sleep(60)",
        "SELECT pg_sleep(60)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT * INTO copy FROM orders",
        "not sql",
    ] {
        refused(&server, sql).await;
    }
    let (_, cut) = query(&server, "SELECT i FROM generate_series(1, 100000) AS i").await;
    assert!(cut.ends_with("more rows are not shown\n"), "{cut}");
    let (_, orders) = query(&server, "SELECT count(*) AS n FROM orders").await;
    assert_eq!(orders.trim(), r#"{"n":2}"#);
}

#[tokio::test]
async fn a_superuser_is_refused_at_the_start() {
    let Some(owner) = postgres_database("a_superuser_is_refused_at_the_start") else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = crate::support::sqlite_url(folder.path());
    let config = agent_server::config::Config::from_flags(["--sql-url", &owner, "--database-url", &log]).unwrap();
    let problem = agent_server::AppState::build(&config).await.err().unwrap().to_string();
    assert!(problem.contains("superuser") && problem.contains("--sql-url"), "{problem}");
}
