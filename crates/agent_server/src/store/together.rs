//! A group of new runs, entries and ends in one call to the database.
//!
//! Each statement of a transaction is a way to the database's thread and back, and on a busy core each way waits for its turn. Where
//! the database takes several statements at once, a group costs one.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, Row as _};

use super::command::{Append, Command, Created};
use super::lease::Lease;
use super::writer::{first_frame, json, list};
use super::{RunRef, Shared, millis};
use crate::event::Frame;

/// A group that can be written at once, in the order of its commands.
pub(super) struct Together<'a> {
    runs: Vec<NewRow<'a>>,
    entries: Vec<(i64, &'a Frame)>,
    ends: Vec<(i64, i64, &'static str)>,
}

/// A new run with its first entry.
struct NewRow<'a> {
    run: &'a super::NewRun,
    first: Frame,
}

impl<'a> Together<'a> {
    /// `None` where something in the group needs a look at the database first.
    pub(super) fn of(group: &'a [Command]) -> Option<Self> {
        let mut together = Self { runs: Vec::new(), entries: Vec::new(), ends: Vec::new() };
        for command in group {
            match command {
                Command::Create(run, _) if run.idempotency.is_none() => {
                    together.runs.push(NewRow { run, first: first_frame(run) });
                }
                Command::Append(append @ Append { lease, end, .. }) if !lease.is_lost() => {
                    together.entries.extend(append.entries());
                    together.ends.extend(end.map(|status| (lease.run.number, lease.fence, status.name())));
                }
                // Nothing of theirs is in the transaction.
                Command::Renew(_) | Command::BeginLogAnew | Command::Close => {}
                _ => return None,
            }
        }
        Some(together)
    }

    /// What became of the new runs; `None` where nothing was written, since leases of this replica were taken.
    pub(super) async fn write(
        self,
        shared: &Shared,
        connection: &mut AnyConnection,
        statements: &'static str,
        (owner, generation): (&str, i64),
    ) -> Result<Option<Vec<Created>>, sqlx::Error> {
        let rows = self.runs.iter().map(|row| (row.run.id.to_string(), &*row.run.tenant, &row.run.thread, &*row.first.data));
        let runs = json(&rows.collect::<Vec<_>>())?;
        let query = sqlx::query(statements).bind(list(&self.entries)?).bind(owner).bind(generation).bind(runs);
        let query = query.bind(millis(shared.lease)).bind(json(&self.ends)?);
        let rows = query.fetch_all(connection).await?;
        let mut numbers: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows {
            numbers.insert(row.try_get("id")?, row.try_get("number")?);
        }
        // The last row's number is the generation that was found.
        if numbers.remove("") != Some(generation) {
            return Ok(None);
        }
        shared.metrics.committed(u64::try_from(self.entries.len() + numbers.len()).unwrap_or(0));
        let created = self.runs.iter().map(|row| match numbers.get(&row.run.id.to_string()) {
            Some(&number) => Created::New(Lease::new(RunRef { id: row.run.id, number }, 1, shared.hub.feed(number))),
            None => Created::ThreadBusy,
        });
        Ok(Some(created.collect()))
    }
}
