-- Entries lie in the order in which they came, and the key beside them. As `WITHOUT ROWID`, each entry went to its run's end, in the
-- middle of the tree: with hundreds of runs at once, the balancing of full pages wrote more than two pages for each entry.

CREATE TABLE log (
    run  BIGINT NOT NULL,
    seq  BIGINT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (run, seq)
);
INSERT INTO log (run, seq, kind, data) SELECT run, seq, kind, data FROM events ORDER BY run, seq;
DROP TABLE events;
ALTER TABLE log RENAME TO events;

-- Recovery and a thread's messages skip the tokens, which are most of the log.
CREATE INDEX events_steps ON events (run, seq) WHERE kind <> 'token';
