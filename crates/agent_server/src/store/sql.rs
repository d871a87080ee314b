//! The statements that the log is kept with, once for each database.
//!
//! Lists travel as one JSON parameter, so that a statement's text does not depend on how many there are.

use serde::Serialize;

use crate::event::Frame;

/// What differs between the databases.
#[derive(Debug)]
pub(super) struct Dialect {
    /// How a transaction that writes begins: SQLite takes the write lock at once, since an upgrade can fail.
    pub(super) begin: &'static str,
    pub(super) generation: &'static str,
    pub(super) create: &'static str,
    pub(super) still_owned: &'static str,
    pub(super) finish: &'static str,
    pub(super) renew: &'static str,
    pub(super) run: &'static str,
    /// Entries of a run from after one on, in order; at most as many as asked for, and none only where there are none.
    pub(super) events_after: &'static str,
    pub(super) last_seq: &'static str,
    pub(super) expired_owners: &'static str,
    pub(super) claim: &'static str,
    pub(super) entries: Entries,
    pub(super) notify: Option<&'static str>,
}

/// How entries are written.
#[derive(Debug)]
pub(super) enum Entries {
    ByKey(ByKey),
    ByPlace(ByPlace),
}

/// The statements where each entry has a key.
#[derive(Debug)]
pub(super) struct ByKey {
    pub(super) append: &'static str,
    /// The same, but nothing where the generation is another one: a group of entries in one statement.
    pub(super) append_alone: &'static str,
}

/// The statements where entries have places (`places.rs`), in a database that takes several at once.
#[derive(Debug)]
pub(super) struct ByPlace {
    pub(super) last: &'static str,
    /// Entries, and the last place before them.
    pub(super) append: &'static str,
    /// The same, with the owner and its generation: nothing where the generation is another one, or another process took a place.
    pub(super) append_alone: &'static str,
    /// Rows of the key.
    pub(super) file: &'static str,
    /// All of a group in one call, under the same condition; `written` says whether it held. After the parameters of `append_alone`:
    /// rows of the key, the last place after the entries, the new runs with their first entries, the length of a lease, the ends.
    pub(super) together: &'static str,
    /// Rows of the key for what the drivers of running runs have not filed: of those in a list, or of all without one.
    pub(super) file_rest: &'static str,
    /// The number of a run's last entry, filed or not. It reads what came since the last one that is filed.
    pub(super) last_seq: &'static str,
}

pub(super) const REGISTER: &str = "INSERT INTO owners (owner, generation) VALUES ($1, 0)";
pub(super) const BUMP: &str = "UPDATE owners SET generation = generation + 1 WHERE owner = $1";
pub(super) const FIND_BY_KEY: &str = "SELECT number, id, request_hash FROM runs WHERE tenant = $1 AND idempotency_key = $2";
pub(super) const RELEASE: &str = "UPDATE runs SET lease_expires = 0 WHERE number = $1 AND fence = $2";
pub(super) const CANCEL: &str =
    "UPDATE runs SET cancel = 1 WHERE tenant = $1 AND id = $2 AND status = 'running' RETURNING number";
pub(super) const STEPS: &str = "SELECT seq, kind, data FROM events WHERE run = $1 AND kind <> 'token' ORDER BY seq";
pub(super) const THREAD: &str = "SELECT r.id, e.seq, e.kind, e.data FROM \
     (SELECT number, id FROM runs WHERE tenant = $1 AND thread = $2 ORDER BY number DESC LIMIT $3) r \
     JOIN events e ON e.run = r.number \
     WHERE e.kind <> 'token' AND e.kind IN ('input', 'message', 'tool_result') ORDER BY r.number, e.seq";

macro_rules! dialect {
    (begin: $begin:literal, now: $now:literal, list: $list:literal, number: $number:literal, share: $share:literal,
     skip: $skip:literal, last: $last:literal, events_after: $events_after:literal, entries: $entries:expr, notify: $notify:expr) => {
        Dialect {
            begin: $begin,
            generation: concat!("SELECT generation FROM owners WHERE owner = $1", $share),
            create: concat!(
                "INSERT INTO runs (id, tenant, thread, status, created, owner, lease_expires, fence, cancel, ",
                "idempotency_key, request_hash) VALUES ($1, $2, $3, 'running', ",
                $now,
                ", $4, ",
                $now,
                " + $5, 1, 0, $6, $7) ON CONFLICT DO NOTHING RETURNING number"
            ),
            still_owned: concat!(
                "SELECT r.number, r.fence FROM ",
                $list,
                " JOIN runs r ON r.number = (j.value->>0)",
                $number,
                " WHERE r.fence = (j.value->>1)",
                $number,
                " AND r.status = 'running'"
            ),
            finish: concat!("UPDATE runs SET status = $1, finished = ", $now, " WHERE number = $2 AND fence = $3"),
            renew: concat!(
                "UPDATE runs SET lease_expires = ",
                $now,
                " + $2 WHERE owner = $3 AND status = 'running' ",
                "AND number IN (SELECT (j.value->>0)",
                $number,
                " FROM ",
                $list,
                ") RETURNING number, fence, cancel"
            ),
            run: concat!(
                "SELECT number, thread, status, created, finished, cancel, ",
                $last,
                " AS last_seq FROM runs WHERE tenant = $1 AND id = $2"
            ),
            events_after: $events_after,
            last_seq: concat!("SELECT ", $last, " AS last_seq FROM runs WHERE number = $1"),
            expired_owners: concat!(
                "SELECT DISTINCT owner FROM runs WHERE status = 'running' AND lease_expires < ",
                $now,
                " ORDER BY owner"
            ),
            claim: concat!(
                "UPDATE runs SET owner = $2, fence = fence + 1, lease_expires = ",
                $now,
                " + $3 WHERE number IN ",
                "(SELECT number FROM runs WHERE status = 'running' AND lease_expires < ",
                $now,
                " AND owner IN (SELECT j.value->>0 FROM ",
                $list,
                ") ORDER BY lease_expires LIMIT $4",
                $skip,
                ") ",
                "RETURNING number, id, tenant, thread, fence, cancel, ",
                $now,
                " - created AS age"
            ),
            entries: $entries,
            notify: $notify,
        }
    };
}

/// Holds until entries are written, which is why they come last.
macro_rules! is_mine {
    () => {
        "(SELECT generation FROM owners WHERE owner = $2) = $3 AND coalesce((SELECT max(place) FROM events), 0) <= $4"
    };
}

macro_rules! append {
    () => {
        "INSERT INTO events (place, run, seq, kind, data) \
            SELECT $4 + 1 + j.key, j.value->>0, j.value->>1, j.value->>2, j.value->>3 FROM json_each($1) j"
    };
}

/// Of two rows that begin with the same entry, the longer one has what the other has.
macro_rules! file {
    ($rows:expr) => {
        concat!(
            "INSERT INTO places (run, seq, entries) ",
            $rows,
            " ON CONFLICT (run, seq) DO UPDATE SET entries = excluded.entries ",
            "WHERE json_array_length(excluded.entries) > json_array_length(places.entries)"
        )
    };
}

const BY_PLACE: ByPlace = ByPlace {
    last: "SELECT coalesce(max(place), 0) AS place FROM events",
    append: append!(),
    append_alone: concat!(append!(), " WHERE ", is_mine!()),
    file: file!("SELECT j.value->>0, j.value->>1, j.value->>2 FROM json_each($1) j WHERE true"),
    together: concat!(
        "BEGIN IMMEDIATE; SELECT 'written' AS id, ",
        is_mine!(),
        " AS number; ",
        "INSERT INTO runs (id, tenant, thread, status, created, owner, lease_expires, fence, cancel) ",
        "SELECT j.value->>0, j.value->>1, j.value->>2, 'running', CAST(unixepoch('subsec') * 1000 AS INTEGER), $2, ",
        "CAST(unixepoch('subsec') * 1000 AS INTEGER) + $8, 1, 0 FROM json_each($7) j WHERE ",
        is_mine!(),
        " ON CONFLICT DO NOTHING RETURNING id, number; ",
        "UPDATE runs SET status = j.value->>2, finished = CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM json_each($9) j ",
        "WHERE number = j.value->>0 AND fence = j.value->>1 AND ",
        is_mine!(),
        "; ",
        file!(concat!("SELECT j.value->>0, j.value->>1, j.value->>2 FROM json_each($5) j WHERE ", is_mine!())),
        "; ",
        append!(),
        " WHERE ",
        is_mine!(),
        "; INSERT INTO events (place, run, seq, kind, data) SELECT $6 + 1 + j.key, r.number, 1, 'input', j.value->>3 ",
        "FROM json_each($7) j JOIN runs r ON r.id = j.value->>0; ",
        "INSERT INTO places (run, seq, entries) SELECT r.number, 1, json_array($6 + 1 + j.key) ",
        "FROM json_each($7) j JOIN runs r ON r.id = j.value->>0; ",
        "COMMIT"
    ),
    file_rest: concat!(
        "WITH filed AS MATERIALIZED (",
        "SELECT r.number AS run, p.seq + json_array_length(p.entries) AS next, p.entries->>'$[#-1]' AS place FROM runs r ",
        "JOIN places p ON p.run = r.number AND p.seq = (SELECT max(seq) FROM places WHERE run = r.number) ",
        "WHERE r.status = 'running' AND ($1 IS NULL OR r.number IN (SELECT value FROM json_each($1)))) ",
        file!(
            "SELECT run, min(seq), json_group_array(place ORDER BY seq) FROM (\
                SELECT e.run, e.seq, min(e.place) AS place FROM events e CROSS JOIN filed ON filed.run = e.run AND e.seq >= filed.next \
                WHERE e.place > (SELECT min(place) FROM filed) GROUP BY e.run, e.seq) \
            WHERE true GROUP BY run"
        )
    ),
    last_seq: concat!(
        "SELECT max(coalesce((SELECT max(seq) FROM events WHERE run = $1 AND place > ",
        "(SELECT entries->>'$[#-1]' FROM places WHERE run = $1 ORDER BY seq DESC LIMIT 1)), 0), ",
        "coalesce((SELECT seq + json_array_length(entries) - 1 FROM places WHERE run = $1 ORDER BY seq DESC LIMIT 1), 0)) AS seq"
    ),
};

pub(super) static SQLITE: Dialect = dialect! {
    begin: "BEGIN IMMEDIATE",
    now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    list: "json_each($1) j",
    number: "",
    share: "",
    skip: "",
    last: "(SELECT seq + json_array_length(entries) - 1 FROM places WHERE run = runs.number ORDER BY seq DESC LIMIT 1)",
    // A few rows of the key at a time, from the one that has the entry: they have places for a dozen entries each.
    events_after: "SELECT e.seq, e.kind, e.data FROM (SELECT entries FROM places WHERE run = $1 AND seq >= \
        coalesce((SELECT max(seq) FROM places WHERE run = $1 AND seq <= $2 + 1), 0) ORDER BY seq LIMIT 9) p, \
        json_each(p.entries) j JOIN events e ON e.place = j.value WHERE e.seq > $2 ORDER BY e.seq LIMIT $3",
    entries: Entries::ByPlace(BY_PLACE),
    notify: None
};

pub(super) static POSTGRES: Dialect = dialect! {
    begin: "BEGIN",
    now: "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    list: "json_array_elements(CAST($1 AS json)) j(value)",
    number: "::bigint",
    // Nobody can take a run between this look and the commit: who takes one changes the row first.
    share: " FOR SHARE",
    skip: " FOR UPDATE SKIP LOCKED",
    last: "(SELECT max(seq) FROM events WHERE run = runs.number)",
    events_after: "SELECT seq, kind, data FROM events WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    entries: Entries::ByKey(ByKey {
        append: "INSERT INTO events (run, seq, kind, data) SELECT (j.value->>0)::bigint, (j.value->>1)::bigint, j.value->>2, j.value->>3 \
            FROM json_array_elements(CAST($1 AS json)) j(value) ON CONFLICT DO NOTHING",
        append_alone: "WITH me AS (SELECT generation FROM owners WHERE owner = $2 FOR SHARE) \
            INSERT INTO events (run, seq, kind, data) SELECT (j.value->>0)::bigint, (j.value->>1)::bigint, j.value->>2, j.value->>3 \
            FROM json_array_elements(CAST($1 AS json)) j(value) CROSS JOIN me WHERE me.generation = $3 ON CONFLICT DO NOTHING",
    }),
    notify: Some("SELECT pg_notify($1, $2)")
};

pub(super) fn json(list: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(list).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Entries as the statements take them.
pub(super) fn list(entries: &[(i64, &Frame)]) -> Result<String, sqlx::Error> {
    json(&entries.iter().map(|(run, frame)| (run, frame.seq, frame.kind.name(), &*frame.data)).collect::<Vec<_>>())
}
