-- As a key of `(run, seq)`, each token of a commit, which is of another run, changed a page of the key by itself, and a page is
-- written whole. Now a row of `places` says where a dozen entries of a run lie. What is not there yet is the end of a run's log: at most
-- fifteen entries, among the latest of all, which the process that drives the run knows, and whoever takes it over looks for.

CREATE TABLE log (
    -- In order of arrival.
    place INTEGER PRIMARY KEY,
    run   BIGINT NOT NULL,
    seq   BIGINT NOT NULL,
    kind  TEXT NOT NULL,
    data  TEXT NOT NULL
);
INSERT INTO log (run, seq, kind, data) SELECT run, seq, kind, data FROM events ORDER BY rowid;

CREATE TABLE places (
    run     BIGINT NOT NULL,
    -- Of the first entry.
    seq     BIGINT NOT NULL,
    -- Its place and those of the entries that follow it, without a gap, as a JSON array.
    entries TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
INSERT INTO places (run, seq, entries) SELECT run, min(seq), json_group_array(place ORDER BY seq) FROM log GROUP BY run, seq / 16;

DROP TABLE events;
ALTER TABLE log RENAME TO events;

-- Recovery and a thread's messages skip the tokens, which are most of the log.
CREATE INDEX events_steps ON events (run, seq) WHERE kind <> 'token';
