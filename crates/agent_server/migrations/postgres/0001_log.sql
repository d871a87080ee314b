-- The same tables as for SQLite. Times are milliseconds since 1970 by the database's own clock.

CREATE TABLE runs (
    -- What the log calls the run: small, so that entries are.
    number          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What clients call it: not to be guessed.
    id              TEXT NOT NULL UNIQUE,
    tenant          TEXT NOT NULL,
    thread          TEXT NOT NULL,
    -- `running`, `completed`, `failed` or `cancelled`.
    status          TEXT NOT NULL,
    created         BIGINT NOT NULL,
    finished        BIGINT,
    -- The replica that drives the run, and until when nobody else may.
    owner           TEXT NOT NULL,
    lease_expires   BIGINT NOT NULL,
    -- Grows with each owner: what a former one still writes is refused.
    fence           BIGINT NOT NULL,
    cancel          BIGINT NOT NULL,
    idempotency_key TEXT,
    -- SHA-256 of the request that came with the key.
    request_hash    TEXT
);

-- A thread answers one message at a time.
CREATE UNIQUE INDEX runs_active ON runs (tenant, thread) WHERE status = 'running';
CREATE UNIQUE INDEX runs_idempotency ON runs (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX runs_thread ON runs (tenant, thread, number);
CREATE INDEX runs_lease ON runs (lease_expires) WHERE status = 'running';

-- A replica writes after one look at its row here: as long as its generation is the same, nobody took a run from it.
CREATE TABLE owners (
    owner      TEXT PRIMARY KEY,
    generation BIGINT NOT NULL
);

-- The log: everything that a run did and every client saw, in order.
CREATE TABLE events (
    run  BIGINT NOT NULL,
    seq  BIGINT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (run, seq)
);

-- Recovery and a thread's messages skip the tokens, which are most of the log.
CREATE INDEX events_steps ON events (run, seq) WHERE kind <> 'token';
