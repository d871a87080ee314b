//! A group of new runs, entries and ends in one call to the database.
//!
//! Each statement of a transaction is a way to the database's thread and back, and on a busy core each way waits for its turn. Where
//! the database takes several statements at once, a group costs one.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, Row as _};

use super::command::{Append, Command, Created};
use super::lease::Lease;
use super::places::Places;
use super::sql::{ByPlace, json, list};
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
                    together.runs.push(NewRow { run, first: run.first_frame() });
                }
                Command::Append(append @ Append { lease, end, .. }) if !lease.is_lost() => {
                    together.entries.extend(append.entries());
                    together.ends.extend(end.map(|status| (lease.run.number, lease.fence, status.name())));
                }
                command if command.is_apart() => {}
                _ => return None,
            }
        }
        Some(together)
    }

    /// What became of the new runs; `None` where nothing was written, since leases of this replica or places were taken.
    pub(super) async fn write(
        self,
        shared: &Shared,
        connection: &mut AnyConnection,
        statements: &ByPlace,
        (owner, generation): (&str, i64),
        places: &mut Places,
    ) -> Result<Option<Vec<Created>>, sqlx::Error> {
        let mut plan = places.plan(self.entries.iter().copied());
        let parameters = |statement| -> Result<_, sqlx::Error> {
            Ok(sqlx::query(statement).bind(list(&self.entries)?).bind(owner).bind(generation).bind(places.last))
        };
        let is_light = places.due().is_empty() && plan.is_within_tails();
        if self.runs.is_empty() && self.ends.is_empty() && is_light {
            // Most groups are nothing but entries. They are shown before they are filed.
            let written = parameters(statements.append_alone)?.execute(connection).await?.rows_affected();
            if usize::try_from(written) != Ok(self.entries.len()) {
                return Ok(None);
            }
            shared.metrics.committed(written);
            places.written(plan);
            return Ok(Some(Vec::new()));
        }
        let rows = self.runs.iter().map(|row| (row.run.id.to_string(), &*row.run.tenant, &row.run.thread, &*row.first.data));
        let query = parameters(statements.together)?.bind(json(&plan.filed)?).bind(plan.last);
        let query = query.bind(json(&rows.collect::<Vec<_>>())?).bind(millis(shared.lease)).bind(json(&self.ends)?);
        let mut numbers: BTreeMap<String, i64> = BTreeMap::new();
        for row in query.fetch_all(connection).await? {
            numbers.insert(row.try_get("id")?, row.try_get("number")?);
        }
        if numbers.remove("written") != Some(1) {
            return Ok(None);
        }
        // The first entries of new runs are filed at once.
        plan.last = plan.last.saturating_add_unsigned(self.runs.len() as u64);
        places.written(plan);
        places.filed();
        shared.metrics.committed(u64::try_from(self.entries.len() + numbers.len()).unwrap_or(0));
        let created = self.runs.iter().map(|row| match numbers.get(&row.run.id.to_string()) {
            Some(&number) => Created::New(Lease::new(RunRef { id: row.run.id, number }, 1, shared.hub.feed(number))),
            None => Created::ThreadBusy,
        });
        Ok(Some(created.collect()))
    }
}
