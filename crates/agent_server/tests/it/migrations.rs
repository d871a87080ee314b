//! A database that an earlier version made is brought up to date and keeps what it holds.

use std::fs;
use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::{AnyPool, Executor as _};

use crate::support::{Frames, TestServer, sqlite_url};

const RUN: &str = "0190a7c0-0000-7000-8000-000000000001";

const TOKENS: i64 = 60;

/// A log as the first version kept it: one run with its entries in no order.
async fn first_version(url: &str, folder: &Path) {
    let first = folder.join("migrations");
    fs::create_dir(&first).unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    fs::copy(migrations.join("0001_log.sql"), first.join("0001_log.sql")).unwrap();
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect(&format!("{url}?mode=rwc")).await.unwrap();
    Migrator::new(first).await.unwrap().run(&pool).await.unwrap();
    let run = format!(
        "INSERT INTO runs (id, tenant, thread, status, created, owner, lease_expires, fence, cancel) \
         VALUES ('{RUN}', 'local', 'old', 'completed', 0, 'nobody', 0, 1, 0)"
    );
    pool.execute(sqlx::AssertSqlSafe(run)).await.unwrap();
    let entries = "INSERT INTO events (run, seq, kind, data) VALUES \
         (1, 63, 'done', '{\"type\":\"done\",\"status\":\"completed\",\"steps\":1,\"tokens\":60}'), \
         (1, 1, 'input', '{\"type\":\"input\",\"message\":\"hello\"}'), \
         (1, 62, 'message', '{\"type\":\"message\",\"text\":\"Hi.\",\"tool_calls\":[],\"tokens\":60}')";
    pool.execute(entries).await.unwrap();
    for number in (1..=TOKENS).rev() {
        let token = "INSERT INTO events (run, seq, kind, data) VALUES (1, $1, 'token', '{\"type\":\"token\",\"text\":\"a\"}')";
        sqlx::query(token).bind(1 + number).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_the_first_version_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    first_version(&url, folder.path()).await;
    let server = TestServer::with_flags(&["--database-url", &url]).await;
    let log = Frames::new(server.events(RUN, 0).await).rest().await;
    let kinds = std::iter::once("input").chain((0..TOKENS).map(|_| "token")).chain(["message", "done"]);
    assert_eq!(
        log.iter().map(|frame| (frame.seq, frame.kind.as_str())).collect::<Vec<_>>(),
        (1..).zip(kinds).collect::<Vec<_>>()
    );
    for after in [1, 15, 16, 17, 31, 47, 61] {
        let rest = Frames::new(server.events(RUN, after).await).rest().await;
        assert!(log.ends_with(&rest) && rest.len() as i64 == TOKENS + 3 - after, "after {after}: {rest:?}");
    }
    let messages = server.get("/v1/threads/old/messages").send().await.unwrap().text().await.unwrap();
    assert!(messages.contains("Hi."), "{messages}");
    server.end().await;
}
