//! The durable log of runs: what is sent was stored before, and any replica can read it.

mod checkpoint;
mod command;
mod connector;
mod feed;
mod journal;
mod lease;
mod listener;
mod places;
mod reader;
mod renewal;
mod sql;
mod together;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use self::command::{Cancel, Command};
use self::connector::Connector;
use self::feed::Hub;
use self::lease::Leases;
use self::sql::{Dialect, Entries};
use self::writer::Writer;
use crate::event::{Event, Frame, Kind, RunId, Status};
use crate::metrics::Metrics;

pub(crate) use self::command::{Created, NewRun};
pub(crate) use self::feed::Feed;
pub(crate) use self::journal::{Journal, LeaseLost};
pub(crate) use self::lease::{Lease, RunRef, SLICES};
pub(crate) use self::reader::Reader;

/// Writes that may wait for the writer; producers of more wait themselves.
const QUEUE: usize = 1024;
/// Runs of a thread whose messages are read.
const THREAD_RUNS: i64 = 50;

#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// This process, among the replicas.
    owner: String,
    dialect: &'static Dialect,
    /// For reading, and for taking over runs.
    pool: AnyPool,
    commands: mpsc::Sender<Command>,
    hub: Hub,
    leases: Leases,
    lease: Duration,
    background: TaskTracker,
    metrics: Metrics,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the database `{url}` cannot be used: {source}; give `--database-url` as `sqlite:FILE` or `postgres://USER@HOST/NAME`"
    )]
    Open { url: String, source: sqlx::Error },
    #[error("the database's tables cannot be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the log cannot be read: {0}")]
    Read(#[from] sqlx::Error),
    #[error("a run's log is damaged at entry {seq}")]
    Damaged { seq: i64 },
    #[error("the log takes no more writes")]
    Closed,
}

/// A run that this replica may drive now.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) lease: Arc<Lease>,
    pub(crate) tenant: String,
    pub(crate) thread: String,
    /// Since the run was created, by the database's clock.
    pub(crate) age: Duration,
}

/// A run's state, as its tenant may see it.
#[derive(Debug)]
pub(crate) struct RunRow {
    pub(crate) number: i64,
    pub(crate) thread: String,
    pub(crate) status: Status,
    pub(crate) created: i64,
    pub(crate) finished: Option<i64>,
    pub(crate) cancel_requested: bool,
    pub(crate) last_seq: i64,
}

impl Store {
    /// Connects, brings the tables up to date and starts the writer.
    pub(crate) async fn open(url: &str, lease: Duration, metrics: Metrics) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { url: without_password(url), source };
        let connector = Connector::new(url, lease).map_err(failed)?;
        let mut connection = connector.connect().await.map_err(failed)?;
        if connector.is_sqlite() {
            sqlx::migrate!("./migrations/sqlite").run(&mut connection).await?;
            // What a process left that did not end by itself.
            file_rest(connector.dialect, &mut connection, None).await.map_err(failed)?;
        } else {
            sqlx::migrate!("./migrations/postgres").run(&mut connection).await?;
        }
        let owner = Uuid::now_v7().to_string();
        sqlx::query(sql::REGISTER).bind(&owner).execute(&mut connection).await?;
        let readers = std::thread::available_parallelism().map_or(4, usize::from).clamp(2, 8);
        let pool = connector.pool(u32::try_from(readers).unwrap_or(4)).await.map_err(failed)?;

        let (commands, queue) = mpsc::channel(QUEUE);
        let store = Self(Arc::new(Shared {
            owner,
            dialect: connector.dialect,
            pool,
            commands,
            hub: Hub::default(),
            leases: Leases::default(),
            lease,
            background: TaskTracker::new(),
            metrics,
        }));
        let (writes, written) = watch::channel(());
        store.0.background.spawn(Writer::new(&store.0, connector.clone(), connection, writes).run(queue));
        if connector.is_sqlite() {
            store.0.background.spawn(checkpoint::keep_small(written, store.0.commands.downgrade(), connector));
        } else {
            store.0.background.spawn(listener::listen(url.to_owned(), Arc::downgrade(&store.0)));
        }
        Ok(store)
    }

    /// Starts a run, or finds the one that the same key started.
    pub(crate) async fn create(&self, run: NewRun) -> Result<Created, StoreError> {
        let (reply, created) = oneshot::channel();
        self.0.commands.send(Command::Create(run, reply)).await.map_err(|_| StoreError::Closed)?;
        created.await.map_err(|_| StoreError::Closed)
    }

    /// Where a run's driver writes.
    pub(crate) fn journal(&self, lease: Arc<Lease>, last_seq: i64) -> Journal {
        Journal::new(self.0.commands.clone(), lease, last_seq)
    }

    /// Takes over runs whose owner was not heard of for the length of a lease.
    pub(crate) async fn claim(&self, most: usize) -> Result<Vec<Claimed>, StoreError> {
        let pool = &self.0.pool;
        if sqlx::query(self.0.dialect.expired_owners).fetch_optional(pool).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut transaction = pool.begin_with(self.0.dialect.begin).await?;
        let rows = sqlx::query(self.0.dialect.expired_owners).fetch_all(&mut *transaction).await?;
        let owners: Vec<[String; 1]> =
            rows.iter().map(|row| row.try_get("owner").map(|owner| [owner])).collect::<Result<_, _>>()?;
        // First, and in one order: whoever of them is in the middle of a write ends it before, and looks again after.
        for [owner] in &owners {
            sqlx::query(sql::BUMP).bind(owner).execute(&mut *transaction).await?;
        }
        let query = sqlx::query(self.0.dialect.claim).bind(sql::json(&owners)?).bind(&self.0.owner).bind(millis(self.0.lease));
        let rows = query.bind(i64::try_from(most).unwrap_or(i64::MAX)).fetch_all(&mut *transaction).await?;
        let runs: Vec<i64> = rows.iter().map(|row| row.try_get("number")).collect::<Result<_, _>>()?;
        file_rest(self.0.dialect, &mut transaction, Some(&runs)).await?;
        transaction.commit().await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let run = run_ref(&row)?;
            let feed = self.0.hub.feed(run.number);
            if row.try_get::<i64, _>("cancel")? != 0 {
                feed.cancel.cancel();
            }
            let lease = Lease::new(run, row.try_get("fence")?, feed);
            self.0.leases.insert(&lease);
            let age = Duration::from_millis(u64::try_from(row.try_get::<i64, _>("age")?).unwrap_or(0));
            claimed.push(Claimed { lease, tenant: row.try_get("tenant")?, thread: row.try_get("thread")?, age });
        }
        Ok(claimed)
    }

    /// Holds on to a part of what this replica drives; called for each of [`SLICES`] a few times within the length of a lease.
    pub(crate) async fn renew(&self, slice: u32) -> Result<(), StoreError> {
        self.0.commands.send(Command::Renew(slice.into())).await.map_err(|_| StoreError::Closed)
    }

    /// Gives back a run that has not ended: another replica may take it at once.
    pub(crate) async fn release(&self, lease: Arc<Lease>) {
        // Where the writer is gone, the lease runs out by itself.
        let _ = self.0.commands.send(Command::Release(lease)).await;
    }

    /// Asks for a run to end, wherever it is driven; whether there is such a run that has not ended.
    pub(crate) async fn cancel(&self, tenant: Arc<str>, run: RunId) -> Result<bool, StoreError> {
        let asked = if self.0.dialect.notify.is_some() {
            // By itself: in a group of the writer's it would hold a run of another replica, and so could wait for it in a circle.
            let query = sqlx::query(sql::CANCEL).bind(&*tenant).bind(run.to_string());
            query.fetch_optional(&self.0.pool).await?.map(|row| row.try_get("number")).transpose()?
        } else {
            let (asked, answer) = oneshot::channel();
            let cancel = Command::Cancel(Cancel { tenant, run, asked });
            self.0.commands.send(cancel).await.map_err(|_| StoreError::Closed)?;
            answer.await.map_err(|_| StoreError::Closed)?
        };
        let Some(run): Option<i64> = asked else { return Ok(false) };
        match (self.0.leases.get(run), self.0.dialect.notify) {
            (Some(lease), _) => lease.feed.cancel.cancel(),
            (None, Some(notify)) => {
                sqlx::query(notify).bind(listener::CANCEL).bind(run.to_string()).execute(&self.0.pool).await?;
            }
            // The owner sees it when it renews its lease.
            (None, None) => {}
        }
        Ok(true)
    }

    pub(crate) async fn run(&self, tenant: &str, run: RunId) -> Result<Option<RunRow>, StoreError> {
        let query = sqlx::query(self.0.dialect.run).bind(tenant).bind(run.to_string());
        let Some(row) = query.fetch_optional(&self.0.pool).await? else { return Ok(None) };
        let (number, status): (i64, String) = (row.try_get("number")?, row.try_get("status")?);
        let status = Status::from_name(&status).ok_or(StoreError::Damaged { seq: 0 })?;
        let filed = row.try_get::<Option<i64>, _>("last_seq")?.unwrap_or(0);
        let unfiled = if status == Status::Running { self.last_seq(number).await? } else { 0 };
        Ok(Some(RunRow {
            number,
            thread: row.try_get("thread")?,
            status,
            created: row.try_get("created")?,
            finished: row.try_get("finished")?,
            cancel_requested: row.try_get::<i64, _>("cancel")? != 0,
            last_seq: filed.max(unfiled),
        }))
    }

    /// The number of a running run's last entry, where that may not be filed.
    async fn last_seq(&self, run: i64) -> Result<i64, sqlx::Error> {
        let Entries::ByPlace(statements) = &self.0.dialect.entries else { return Ok(0) };
        if let Some(last) = self.0.hub.existing(run).and_then(|feed| feed.last()) {
            return Ok(last);
        }
        sqlx::query(statements.last_seq).bind(run).fetch_one(&self.0.pool).await?.try_get("seq")
    }

    /// Reads a run's log from after an entry on, as it grows.
    pub(crate) fn reader(&self, run: i64, after: i64) -> Reader {
        Reader::new(self.clone(), run, after)
    }

    /// The log without its tokens, and the number of its last entry, for who goes on with a run.
    pub(crate) async fn steps(&self, run: i64) -> Result<(Vec<(i64, Event)>, i64), StoreError> {
        let rows = sqlx::query(sql::STEPS).bind(run).fetch_all(&self.0.pool).await?;
        let events = rows.iter().map(|row| event(&frame(row)?)).collect::<Result<_, _>>()?;
        let last = sqlx::query(self.0.dialect.last_seq).bind(run).fetch_one(&self.0.pool).await?;
        Ok((events, last.try_get::<Option<i64>, _>("last_seq")?.unwrap_or(0)))
    }

    /// What was said in a thread, the latest runs of it, oldest first.
    pub(crate) async fn thread(&self, tenant: &str, thread: &str) -> Result<Vec<(RunId, i64, Event)>, StoreError> {
        let query = sqlx::query(sql::THREAD).bind(tenant).bind(thread).bind(THREAD_RUNS);
        let rows = query.fetch_all(&self.0.pool).await?;
        let entry = |row: &AnyRow| {
            let run = run_id(row)?;
            let (seq, event) = event(&frame(row)?)?;
            Ok((run, seq, event))
        };
        rows.iter().map(entry).collect()
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.0.pool).await?;
        Ok(())
    }

    /// Writes what still waits and closes the connections.
    pub(crate) async fn close(&self) {
        let _ = self.0.commands.send(Command::Close).await;
        self.0.background.close();
        self.0.background.wait().await;
        self.0.pool.close().await;
    }

    async fn events_after(&self, run: i64, after: i64, most: i64) -> Result<Vec<Frame>, StoreError> {
        let query = sqlx::query(self.0.dialect.events_after).bind(run).bind(after).bind(most);
        query.fetch_all(&self.0.pool).await?.iter().map(frame).collect()
    }
}

/// What the driver of a run knew where to find is found in the database by all.
async fn file_rest(dialect: &Dialect, connection: &mut AnyConnection, runs: Option<&[i64]>) -> Result<(), sqlx::Error> {
    let Entries::ByPlace(statements) = &dialect.entries else { return Ok(()) };
    let runs = runs.map(|runs| sql::json(&runs)).transpose()?;
    sqlx::query(statements.file_rest).bind(runs).execute(connection).await.map(|_| ())
}

fn run_id(row: &AnyRow) -> Result<RunId, sqlx::Error> {
    let text: String = row.try_get("id")?;
    Uuid::parse_str(&text).map(RunId).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn run_ref(row: &AnyRow) -> Result<RunRef, sqlx::Error> {
    Ok(RunRef { id: run_id(row)?, number: row.try_get("number")? })
}

fn frame(row: &AnyRow) -> Result<Frame, StoreError> {
    let seq = row.try_get("seq")?;
    let kind: String = row.try_get("kind")?;
    let data: String = row.try_get("data")?;
    let kind = Kind::from_name(&kind).ok_or(StoreError::Damaged { seq })?;
    Ok(Frame { seq, kind, data: data.into() })
}

fn event(frame: &Frame) -> Result<(i64, Event), StoreError> {
    let event = serde_json::from_str(&frame.data).map_err(|_| StoreError::Damaged { seq: frame.seq })?;
    Ok((frame.seq, event))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A database's address as it may be shown.
fn without_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // Fails only for addresses that cannot have one.
            let _ = parsed.set_password(Some("…"));
            parsed.into()
        }
        _ => url.to_owned(),
    }
}
