"""The same endpoint in FastAPI, as a careful author writes it: what the benchmark compares with.

TWIN_DATABASE names the SQLite file; without it nothing is kept. It does less than the server it stands against: no leases,
no heartbeats, no limits, no metrics but one, no access log.
"""

import asyncio
import itertools
import json
import os
import queue
import re
import sqlite3
import threading
import uuid
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field

DATABASE = os.environ.get("TWIN_DATABASE")
# The most entries of one transaction.
GROUP = 512
# What the log calls runs.
NUMBERS = itertools.count(1)
SCHEMA = """
CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, thread TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE events (run BIGINT NOT NULL, seq BIGINT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (run, seq));
CREATE INDEX events_steps ON events (run, seq) WHERE kind <> 'token';
"""
# One statement for a group: `executemany` would give up the interpreter's lock, and wait for it, once for each row.
APPEND = """
INSERT INTO events (run, seq, kind, data) SELECT j.value->>0, j.value->>1, j.value->>2, j.value->>3 FROM json_each(?) j
"""
CREATE = "INSERT INTO runs (number, id, thread, status) SELECT j.value->>0, j.value->>1, j.value->>2, 'running' FROM json_each(?) j"
FINISH = "UPDATE runs SET status = 'completed' WHERE number IN (SELECT value FROM json_each(?))"


class Writer:
    """One thread that writes; whatever waits is committed together."""

    def __init__(self, path, loop):
        self.loop = loop
        self.queue = queue.SimpleQueue()
        self.written = 0
        self.thread = threading.Thread(target=self.run, args=(path,), daemon=True)
        self.thread.start()

    def append(self, run, seq, kind, data, begins=None):
        """`begins` is a new run's name and thread."""
        written = self.loop.create_future()
        self.queue.put((run, seq, kind, data, begins, written))
        return written

    def run(self, path):
        database = sqlite3.connect(path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(SCHEMA)
        while (first := self.queue.get()) is not None:
            group = [first]
            try:
                while len(group) < GROUP and group[-1] is not None:
                    group.append(self.queue.get_nowait())
            except queue.Empty:
                pass
            ends = group[-1] is None
            if ends:
                group.pop()
            database.execute("BEGIN IMMEDIATE")
            if created := [(entry[0], *entry[4]) for entry in group if entry[4] is not None]:
                database.execute(CREATE, (json.dumps(created),))
            database.execute(APPEND, (json.dumps([entry[:4] for entry in group]),))
            if finished := [entry[0] for entry in group if entry[2] == "done"]:
                database.execute(FINISH, (json.dumps(finished),))
            database.execute("COMMIT")
            self.written += len(group)
            # One call for the group, since each wakes the loop.
            self.loop.call_soon_threadsafe(self.tell, [entry[5] for entry in group])
            if ends:
                return

    @staticmethod
    def tell(group):
        for written in group:
            if not written.done():
                written.set_result(None)

    def close(self):
        self.queue.put(None)
        self.thread.join()


@asynccontextmanager
async def lifespan(app):
    app.state.writer = Writer(DATABASE, asyncio.get_running_loop()) if DATABASE else None
    yield
    if app.state.writer:
        app.state.writer.close()


app = FastAPI(lifespan=lifespan)


class ChatRequest(BaseModel):
    message: str = Field(min_length=1, max_length=32768)
    thread: str | None = Field(default=None, pattern="^[A-Za-z0-9_-]{1,64}$")


def number(name, message, default):
    found = re.search(rf"/{name} (\d+)", message)
    return int(found[1]) if found else default


async def scripted(message):
    """The model: so many tokens, with a pause before each but the first."""
    delay = number("delay", message, 30) / 1000
    loop = asyncio.get_running_loop()
    due = loop.time()
    for index in range(number("tokens", message, 0)):
        # Without a writer to wait for, a pause of nothing still lets the others have their turn, as a model's socket would.
        if index and (delay or not DATABASE):
            # By a clock of its own, as a model's tokens come.
            due += delay
            await asyncio.sleep(max(0, due - loop.time()))
        yield f"token {index + 1} "


async def entries(message):
    """The run's log: kinds with their payloads."""
    yield "input", {"type": "input", "message": message}
    texts = []
    async for text in scripted(message):
        texts.append(text)
        yield "token", {"type": "token", "text": text}
    yield "message", {"type": "message", "text": "".join(texts), "tool_calls": [], "tokens": len(texts)}
    yield "done", {"type": "done", "status": "completed", "steps": 1, "tokens": len(texts)}


async def stream(writer, run, name, thread, message):
    yield b": open\n\n"
    seq = 0
    async for kind, payload in entries(message):
        seq += 1
        data = json.dumps(payload, separators=(",", ":"))
        if writer:
            await writer.append(run, seq, kind, data, (name, thread) if seq == 1 else None)
        yield f"id: {seq}\nevent: {kind}\ndata: {data}\n\n".encode()
    yield b"data: [DONE]\n\n"


@app.post("/chat")
async def chat(request: ChatRequest):
    name = str(uuid.uuid4())
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "Location": f"/v1/runs/{name}/events"}
    body = stream(app.state.writer, next(NUMBERS), name, request.thread or str(uuid.uuid4()), request.message)
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


@app.get("/metrics")
async def metrics():
    return PlainTextResponse(f"agent_events_total {app.state.writer.written if app.state.writer else 0}\n")
