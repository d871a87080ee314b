//! The statements that the log is kept with, once for each database.
//!
//! Lists travel as one JSON parameter, so that a statement's text does not depend on how many there are.

/// What differs between the databases.
#[derive(Debug)]
pub(super) struct Dialect {
    /// How a transaction that writes begins: SQLite takes the write lock at once, since an upgrade can fail.
    pub(super) begin: &'static str,
    pub(super) generation: &'static str,
    pub(super) create: &'static str,
    pub(super) still_owned: &'static str,
    pub(super) append: &'static str,
    /// The same, but nothing where the generation is another one: a group of entries in one statement.
    pub(super) append_alone: &'static str,
    pub(super) finish: &'static str,
    pub(super) renew: &'static str,
    pub(super) expired_owners: &'static str,
    pub(super) claim: &'static str,
    /// New runs, entries and ends, and then the generation, in one call, where the database takes several statements at once. Nothing
    /// is written where the generation is another one.
    pub(super) together: Option<&'static str>,
    pub(super) notify: Option<&'static str>,
}

pub(super) const REGISTER: &str = "INSERT INTO owners (owner, generation) VALUES ($1, 0)";
pub(super) const BUMP: &str = "UPDATE owners SET generation = generation + 1 WHERE owner = $1";
pub(super) const FIND_BY_KEY: &str = "SELECT number, id, request_hash FROM runs WHERE tenant = $1 AND idempotency_key = $2";
pub(super) const RELEASE: &str = "UPDATE runs SET lease_expires = 0 WHERE number = $1 AND fence = $2";
pub(super) const CANCEL: &str =
    "UPDATE runs SET cancel = 1 WHERE tenant = $1 AND id = $2 AND status = 'running' RETURNING number";
pub(super) const RUN: &str = "SELECT number, thread, status, created, finished, cancel, \
     (SELECT max(seq) FROM events WHERE run = runs.number) AS last_seq FROM runs WHERE tenant = $1 AND id = $2";
pub(super) const EVENTS_AFTER: &str = "SELECT seq, kind, data FROM events WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3";
pub(super) const STEPS: &str = "SELECT seq, kind, data FROM events WHERE run = $1 AND kind <> 'token' ORDER BY seq";
pub(super) const LAST_SEQ: &str = "SELECT coalesce(max(seq), 0) AS seq FROM events WHERE run = $1";
pub(super) const THREAD: &str = "SELECT r.id, e.seq, e.kind, e.data FROM \
     (SELECT number, id FROM runs WHERE tenant = $1 AND thread = $2 ORDER BY number DESC LIMIT $3) r \
     JOIN events e ON e.run = r.number \
     WHERE e.kind <> 'token' AND e.kind IN ('input', 'message', 'tool_result') ORDER BY r.number, e.seq";

macro_rules! dialect {
    (begin: $begin:literal, now: $now:literal, list: $list:literal, number: $number:literal, share: $share:literal,
     skip: $skip:literal, me: $me:literal, mine: $mine:literal, together: $together:expr, notify: $notify:expr) => {
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
            append: concat!(
                "INSERT INTO events (run, seq, kind, data) SELECT (j.value->>0)",
                $number,
                ", (j.value->>1)",
                $number,
                ", j.value->>2, j.value->>3 FROM ",
                $list,
                " WHERE true ON CONFLICT DO NOTHING"
            ),
            append_alone: concat!(
                $me,
                "INSERT INTO events (run, seq, kind, data) SELECT (j.value->>0)",
                $number,
                ", (j.value->>1)",
                $number,
                ", j.value->>2, j.value->>3 FROM ",
                $list,
                $mine,
                " ON CONFLICT DO NOTHING"
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
            together: $together,
            notify: $notify,
        }
    };
}

/// Parameters: the entries, the owner and its generation, the new runs with their first entries, the length of a lease, the ends.
const TOGETHER: &str = "BEGIN IMMEDIATE; \
    INSERT INTO runs (id, tenant, thread, status, created, owner, lease_expires, fence, cancel) \
        SELECT j.value->>0, j.value->>1, j.value->>2, 'running', CAST(unixepoch('subsec') * 1000 AS INTEGER), $2, \
            CAST(unixepoch('subsec') * 1000 AS INTEGER) + $5, 1, 0 FROM json_each($4) j \
        WHERE (SELECT generation FROM owners WHERE owner = $2) = $3 ON CONFLICT DO NOTHING RETURNING id, number; \
    INSERT INTO events (run, seq, kind, data) SELECT j.value->>0, j.value->>1, j.value->>2, j.value->>3 FROM json_each($1) j \
        WHERE (SELECT generation FROM owners WHERE owner = $2) = $3 ON CONFLICT DO NOTHING; \
    INSERT INTO events (run, seq, kind, data) SELECT r.number, 1, 'input', j.value->>3 \
        FROM json_each($4) j JOIN runs r ON r.id = j.value->>0 \
        WHERE (SELECT generation FROM owners WHERE owner = $2) = $3 ON CONFLICT DO NOTHING; \
    UPDATE runs SET status = j.value->>2, finished = CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM json_each($6) j \
        WHERE number = j.value->>0 AND fence = j.value->>1 \
        AND (SELECT generation FROM owners WHERE owner = $2) = $3; \
    SELECT '' AS id, generation AS number FROM owners WHERE owner = $2; \
    COMMIT";

pub(super) static SQLITE: Dialect = dialect! {
    begin: "BEGIN IMMEDIATE",
    now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    list: "json_each($1) j",
    number: "",
    share: "",
    skip: "",
    me: "",
    mine: " WHERE (SELECT generation FROM owners WHERE owner = $2) = $3",
    together: Some(TOGETHER),
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
    me: "WITH me AS (SELECT generation FROM owners WHERE owner = $2 FOR SHARE) ",
    mine: " CROSS JOIN me WHERE me.generation = $3",
    together: None,
    notify: Some("SELECT pg_notify($1, $2)")
};
