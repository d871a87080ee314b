//! Holds on to the runs that this replica drives, some at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AnyConnection, Row as _};

use super::lease::Lease;
use super::sql::json;
use super::{Dialect, millis};

/// Renews leases of an owner and tells their drivers what that has shown.
pub(super) async fn renew(
    connection: &mut AnyConnection,
    dialect: &Dialect,
    (owner, lease): (&str, Duration),
    held: &[Arc<Lease>],
) -> Result<(), sqlx::Error> {
    if held.is_empty() {
        return Ok(());
    }
    let list = json(&held.iter().map(|lease| [lease.run.number]).collect::<Vec<_>>())?;
    // The runs that are still this replica's, with their fences and whether they are to end.
    let mut renewed: BTreeMap<i64, (i64, bool)> = BTreeMap::new();
    for row in sqlx::query(dialect.renew).bind(list).bind(millis(lease)).bind(owner).fetch_all(connection).await? {
        renewed.insert(row.try_get("number")?, (row.try_get("fence")?, row.try_get::<i64, _>("cancel")? != 0));
    }
    for lease in held {
        match renewed.get(&lease.run.number) {
            Some(&(fence, cancel)) if fence == lease.fence => {
                if cancel {
                    lease.feed.cancel.cancel();
                }
            }
            _ => lease.lose(),
        }
    }
    Ok(())
}
