//! The one writer of the log: whatever waits is committed together, then shown to readers.
//!
//! No timer collects a group: while one commit is under way, the next group gathers by itself, so that a lone event
//! waits for nothing and a crowd shares one commit.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Connection as _, Row as _, Transaction};
use tokio::sync::{mpsc, watch};
use tokio::task::yield_now;
use tokio::time::sleep;

use super::command::{Cancel, Command, Created, NewRun};
use super::connector::Connector;
use super::lease::{Lease, RunRef};
use super::places::{Places, Plan};
use super::sql::{ByKey, Entries, json, list};
use super::together::Together;
use super::{Dialect, Shared, listener, millis, renewal, run_ref, sql};
use crate::event::Frame;

/// The most commands of one transaction.
const GROUP: usize = 512;
/// Between two attempts to write to a database that does not answer.
const RETRY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Writer {
    shared: std::sync::Weak<Shared>,
    dialect: &'static Dialect,
    connector: Connector,
    /// Its own: a pool tries a connection each time that it lends one and takes it back, and each try is a way to the database's
    /// thread and back, as a group is. None after a failure. It is not `Sync`: what waits takes `&mut self`.
    connection: Option<AnyConnection>,
    places: Places,
    /// Told after each group.
    written: watch::Sender<()>,
    owner: String,
    lease: Duration,
    /// That of this replica when its leases were last looked at.
    generation: i64,
}

/// What is to be told once a group is committed.
#[derive(Debug, Default)]
struct Outcome {
    created: Vec<Created>,
    cancelled: Vec<Option<i64>>,
    /// Nothing was written at all.
    failed: bool,
    /// Of this replica, where it has changed.
    generation: Option<i64>,
}

impl Writer {
    pub(super) fn new(shared: &Arc<Shared>, connector: Connector, connection: AnyConnection, written: watch::Sender<()>) -> Self {
        let (dialect, owner, lease) = (shared.dialect, shared.owner.clone(), shared.lease);
        let (shared, connection) = (Arc::downgrade(shared), Some(connection));
        let places = Places::default();
        Self { shared, dialect, connector, connection, places, written, owner, lease, generation: 0 }
    }

    /// Writes until told to stop, or until nobody is left who could write.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut group = Vec::with_capacity(GROUP);
        while queue.recv_many(&mut group, GROUP).await > 0 {
            let Some(shared) = self.shared.upgrade() else { break };
            let stops = group.iter().any(|command| matches!(command, Command::Close));
            self.write(&shared, std::mem::take(&mut group)).await;
            self.written.send_replace(());
            if stops {
                break;
            }
            group.reserve(GROUP);
            // Whoever has something to say by now says it before the next group is taken, so that a busy server commits less often.
            yield_now().await;
        }
        if let Some(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection that writes was not closed");
        }
    }

    /// Tries until the database takes the group; a lease's length without success means that the runs are lost.
    async fn write(&mut self, shared: &Shared, group: Vec<Command>) {
        let renewed: Vec<i64> =
            group.iter().filter_map(|command| if let Command::Renew(slice) = command { Some(*slice) } else { None }).collect();
        let begins_anew = group.iter().any(|command| matches!(command, Command::BeginLogAnew));
        let mut waited = Duration::ZERO;
        let outcome = loop {
            match self.write_once(shared, &group).await {
                Ok(outcome) => break outcome,
                Err(error) if waited < self.lease => {
                    tracing::warn!(%error, "the log was not written; trying again");
                    sleep(RETRY).await;
                    waited += RETRY;
                }
                Err(error) => {
                    tracing::error!(%error, "the log cannot be written; its runs are given up");
                    break Outcome { failed: true, ..Outcome::default() };
                }
            }
        };
        for created in &outcome.created {
            if let Created::New(lease) = created {
                shared.leases.insert(lease);
            }
        }
        self.generation = outcome.generation.unwrap_or(self.generation);
        let written = tell(group, outcome.created, outcome.cancelled, outcome.failed);
        if let (Some(notify), false) = (self.dialect.notify, written.is_empty()) {
            // After the commit, and outside of it: NOTIFY takes a lock on the whole database.
            let payload = listener::payload(written.into_iter());
            if let Some(connection) = &mut self.connection
                && let Err(error) = sqlx::query(notify).bind(listener::EVENTS).bind(payload).execute(connection).await
            {
                tracing::debug!(%error, "other replicas were not told of new entries; they poll");
                self.connection = None;
            }
        }
        self.file().await;
        for slice in renewed {
            self.renew(shared, slice).await;
        }
        if begins_anew {
            self.begin_log_anew().await;
        }
    }

    /// Where entries have places; after those who wait for the group were told.
    async fn file(&mut self) {
        let (Entries::ByPlace(statements), false) = (&self.dialect.entries, self.places.due().is_empty()) else { return };
        let Some(connection) = &mut self.connection else { return };
        let filed = match json(&self.places.due()) {
            Ok(rows) => sqlx::query(statements.file).bind(rows).execute(connection).await,
            Err(error) => Err(error),
        };
        match filed {
            Ok(_) => self.places.filed(),
            Err(error) => {
                tracing::warn!(%error, "entries were not filed; they are with the next group");
                self.connection = None;
            }
        }
    }

    /// Nobody may write meanwhile. Where another connection did this, SQLite would let the writer sleep for longer than it takes.
    async fn begin_log_anew(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(RESTART)").execute(connection).await {
            tracing::warn!(%error, "the write-ahead log does not begin anew");
        }
    }

    async fn write_once(&mut self, shared: &Shared, group: &[Command]) -> Result<Outcome, sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connector.connect().await?,
        };
        // One that failed may be in the middle of a transaction: it is not used again, which ends that.
        let outcome = self.write_with(&mut connection, shared, group).await?;
        self.connection = Some(connection);
        Ok(outcome)
    }

    async fn write_with(
        &mut self,
        connection: &mut AnyConnection,
        shared: &Shared,
        group: &[Command],
    ) -> Result<Outcome, sqlx::Error> {
        if group.iter().all(Command::is_apart) {
            return Ok(Outcome::default());
        }
        match &self.dialect.entries {
            Entries::ByKey(statements) => {
                if self.append_alone(connection, shared, statements, group).await? {
                    return Ok(Outcome::default());
                }
            }
            Entries::ByPlace(statements) => {
                let me = (&*self.owner, self.generation);
                if let Some(together) = Together::of(group)
                    && let Some(created) = together.write(shared, connection, statements, me, &mut self.places).await?
                {
                    return Ok(Outcome { created, ..Outcome::default() });
                }
            }
        }
        self.commit(connection, shared, group).await
    }

    /// Writes a group of nothing but entries by one statement, which most groups are; whether that was done.
    async fn append_alone(
        &mut self,
        connection: &mut AnyConnection,
        shared: &Shared,
        statements: &ByKey,
        group: &[Command],
    ) -> Result<bool, sqlx::Error> {
        let mut entries = Vec::with_capacity(group.len());
        for command in group {
            match command {
                Command::Append(append) if append.end.is_none() && !append.lease.is_lost() => entries.extend(append.entries()),
                command if command.is_apart() => {}
                _ => return Ok(false),
            }
        }
        let query = sqlx::query(statements.append_alone).bind(list(&entries)?).bind(&self.owner).bind(self.generation);
        let written = query.execute(connection).await?.rows_affected();
        // Nothing where a lease was taken; less where an earlier attempt was written, although its answer was lost.
        let is_written = usize::try_from(written).is_ok_and(|written| written == entries.len());
        if is_written {
            shared.metrics.committed(written);
        }
        Ok(is_written)
    }

    async fn commit(
        &mut self,
        connection: &mut AnyConnection,
        shared: &Shared,
        group: &[Command],
    ) -> Result<Outcome, sqlx::Error> {
        let mut transaction = connection.begin_with(self.dialect.begin).await?;
        let mut outcome = Outcome { generation: self.look_around(shared, &mut transaction).await?, ..Outcome::default() };
        let mut entries: Vec<(i64, &Frame)> = Vec::new();
        let mut first_frames = Vec::new();
        for command in group {
            match command {
                Command::Create(run, _) => {
                    let created = self.create(shared, &mut transaction, run).await?;
                    if let Created::New(lease) = &created {
                        first_frames.push((lease.run.number, run.first_frame()));
                    }
                    outcome.created.push(created);
                }
                Command::Append(append) if append.lease.is_lost() => {}
                Command::Append(append) => entries.extend(append.entries()),
                Command::Release(lease) => {
                    let query = sqlx::query(sql::RELEASE).bind(lease.run.number).bind(lease.fence);
                    query.execute(&mut *transaction).await?;
                }
                Command::Cancel(Cancel { tenant, run, .. }) => {
                    let query = sqlx::query(sql::CANCEL).bind(&**tenant).bind(run.to_string());
                    let row = query.fetch_optional(&mut *transaction).await?;
                    outcome.cancelled.push(row.map(|row| row.try_get("number")).transpose()?);
                }
                Command::Renew(_) | Command::BeginLogAnew | Command::Close => {}
            }
        }
        entries.extend(first_frames.iter().map(|(run, frame)| (*run, frame)));
        let plan = self.append(&mut transaction, &entries).await?;
        let ends = group.iter().filter_map(|command| match command {
            Command::Append(append) if !append.lease.is_lost() => Some((&append.lease, append.end?)),
            _ => None,
        });
        for (lease, status) in ends {
            let query = sqlx::query(self.dialect.finish).bind(status.name()).bind(lease.run.number).bind(lease.fence);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        if let Some(plan) = plan {
            self.places.written(plan);
            self.places.filed();
        }
        if !entries.is_empty() {
            shared.metrics.committed(u64::try_from(entries.len()).unwrap_or(0));
        }
        Ok(outcome)
    }

    /// Finds out which leases others have taken since the last group, and gives the generation where any were. They cannot
    /// take more before this transaction ends.
    async fn look_around(&mut self, shared: &Shared, transaction: &mut Transaction<'_, Any>) -> Result<Option<i64>, sqlx::Error> {
        let query = sqlx::query(self.dialect.generation).bind(&self.owner);
        let generation: i64 = query.fetch_one(&mut **transaction).await?.try_get("generation")?;
        if generation == self.generation {
            return Ok(None);
        }
        let held = shared.leases.held();
        let list = json(&held.iter().map(|lease| (lease.run.number, lease.fence)).collect::<Vec<_>>())?;
        let rows = sqlx::query(self.dialect.still_owned).bind(list).fetch_all(&mut **transaction).await?;
        let pair = |row: &AnyRow| Ok((row.try_get("number")?, row.try_get("fence")?));
        let owned: HashSet<(i64, i64)> = rows.iter().map(pair).collect::<Result<_, sqlx::Error>>()?;
        held.iter().filter(|lease| !owned.contains(&(lease.run.number, lease.fence))).for_each(|lease| lease.lose());
        Ok(Some(generation))
    }

    async fn create(
        &mut self,
        shared: &Shared,
        transaction: &mut Transaction<'_, Any>,
        run: &NewRun,
    ) -> Result<Created, sqlx::Error> {
        let (key, hash) = run.idempotency.as_ref().map(|(key, hash)| (key.as_str(), hash.as_str())).unzip();
        let query = sqlx::query(self.dialect.create).bind(run.id.to_string()).bind(&*run.tenant).bind(&run.thread);
        let query = query.bind(&self.owner).bind(millis(self.lease)).bind(key).bind(hash);
        if let Some(row) = query.fetch_optional(&mut **transaction).await? {
            let run = RunRef { id: run.id, number: row.try_get("number")? };
            return Ok(Created::New(Lease::new(run, 1, shared.hub.feed(run.number))));
        }
        let Some(key) = key else { return Ok(Created::ThreadBusy) };
        let query = sqlx::query(sql::FIND_BY_KEY).bind(&*run.tenant).bind(key);
        let Some(row) = query.fetch_optional(&mut **transaction).await? else { return Ok(Created::ThreadBusy) };
        if row.try_get::<Option<String>, _>("request_hash")?.as_deref() != hash {
            return Ok(Created::KeyReused);
        }
        run_ref(&row).map(Created::Before)
    }

    /// Gives what has become of places, where entries have them, once this is committed.
    async fn append(
        &mut self,
        transaction: &mut Transaction<'_, Any>,
        entries: &[(i64, &Frame)],
    ) -> Result<Option<Plan>, sqlx::Error> {
        match &self.dialect.entries {
            Entries::ByKey(statements) => {
                if !entries.is_empty() {
                    sqlx::query(statements.append).bind(list(entries)?).execute(&mut **transaction).await?;
                }
                Ok(None)
            }
            Entries::ByPlace(statements) => {
                // Another process may have written as well.
                self.places.last = sqlx::query(statements.last).fetch_one(&mut **transaction).await?.try_get("place")?;
                let plan = self.places.plan(entries.iter().copied());
                let query = sqlx::query(statements.append).bind(list(entries)?).bind(&self.owner).bind(self.generation);
                query.bind(self.places.last).execute(&mut **transaction).await?;
                sqlx::query(statements.file).bind(json(&plan.filed)?).execute(&mut **transaction).await?;
                Ok(Some(plan))
            }
        }
    }

    /// By itself, after those who wait for the group were told.
    async fn renew(&mut self, shared: &Shared, slice: i64) {
        let held = shared.leases.slice(slice);
        if let Err(error) = self.renew_held(&held).await {
            tracing::warn!(%error, "leases were not renewed; trying again soon");
            self.connection = None;
        }
    }

    async fn renew_held(&mut self, held: &[Arc<Lease>]) -> Result<(), sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            // Runs that wait for a tool or a model write nothing that would open it.
            None => self.connection.insert(self.connector.connect().await?),
        };
        renewal::renew(connection, self.dialect, (&self.owner, self.lease), held).await
    }
}

/// Shows a group's entries to readers and answers those who wait; gives the runs that have news.
fn tell(group: Vec<Command>, created: Vec<Created>, cancelled: Vec<Option<i64>>, failed: bool) -> HashSet<i64> {
    let (mut created, mut cancelled) = (created.into_iter(), cancelled.into_iter());
    let mut written = HashSet::new();
    for command in group {
        match command {
            Command::Create(run, reply) => {
                let created = created.next().unwrap_or(Created::Failed);
                if let Created::New(lease) = &created {
                    lease.feed.publish([run.first_frame()]);
                }
                // Where nobody waits any more, the lease runs out and the next claim drives the run.
                let _ = reply.send(created);
            }
            Command::Append(append) => {
                if failed {
                    append.lease.lose();
                }
                if append.lease.is_lost() {
                    continue;
                }
                written.insert(append.lease.run.number);
                append.lease.feed.publish(append.frames);
                if let Some(committed) = append.committed {
                    // Where nobody waits any more, the entry is in the log all the same.
                    let _ = committed.send(());
                }
            }
            Command::Cancel(Cancel { asked, .. }) => {
                if let Some(run) = cancelled.next() {
                    // Where nobody waits any more, the run ends all the same.
                    let _ = asked.send(run);
                }
            }
            Command::Renew(_) | Command::Release(_) | Command::BeginLogAnew | Command::Close => {}
        }
    }
    written
}
