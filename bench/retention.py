"""What it costs to forget a day of the live log: rows deleted, or a partition dropped.

    .venv/bin/python bench/retention.py --rows 1000000

Starts a PostgreSQL of its own. The same four days of events lie in the product's table, which is
partitioned by day, and in one that is not; of each the oldest day goes. Beside it the two
statements that everybody waits for: reading after a mark, and appending. Processor time is the
server's own, of the session.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from private_system import servers

DAYS = 4
TOPICS = 20_000

# As it would be without partitions, and as it was.
_WHOLE = """
    CREATE TABLE event_whole (LIKE event);
    ALTER TABLE event_whole DROP COLUMN slot;
    ALTER TABLE event_whole ADD PRIMARY KEY (topic, epoch, seq);
    CREATE INDEX ON event_whole (at);
"""
# Each topic moves now and then through all the days, in turns with the others.
_FILL = """
    INSERT INTO event (topic, epoch, seq, kind, at, body, slot)
    SELECT 'person:' || n %% %(topics)s, 'e', n / %(topics)s + 1, 'wave_sent',
           timestamptz '2026-11-01' + n * (interval '1 day' * %(days)s / %(rows)s),
           jsonb_build_object('alert', n, 'text', repeat('x', 450)), n * %(days)s / %(rows)s
    FROM generate_series(0, %(rows)s - 1) AS n
"""
_TRIM = """
    DELETE FROM event_whole AS event USING (
        SELECT topic, epoch, max(seq) AS seq FROM event_whole WHERE at < %s GROUP BY topic, epoch
    ) AS old
    WHERE event.topic = old.topic AND event.epoch = old.epoch AND event.seq <= old.seq
"""
_READ = """
    SELECT seq, kind, at, body::text FROM {} WHERE topic = %s AND epoch = 'e' AND seq > %s
    ORDER BY seq LIMIT 500
"""
_APPEND = """
    INSERT INTO {} (topic, epoch, seq, kind, at, body)
    VALUES (%s, 'e', %s, 'wave_sent', '2026-11-04 23:59:59+00', %s)
"""


class Meter:
    """Measures one session: processor time, time, write-ahead log."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.conn = conn
        self._stat = Path(f"/proc/{conn.info.backend_pid}/stat")

    def of(self, work: Callable[[], object]) -> dict[str, float]:
        """Do some work and say what it cost."""
        before = (self._cpu_s(), time.perf_counter(), self._wal())
        work()
        after = (self._cpu_s(), time.perf_counter(), self._wal())
        cpu_s, took_s, wal = (b - a for a, b in zip(before, after, strict=True))
        return {"cpu_s": round(cpu_s, 3), "s": round(took_s, 3), "wal_mb": round(wal / 1e6, 1)}

    def _cpu_s(self) -> float:
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _wal(self) -> int:
        row = self.conn.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        return int(row[0]) if row else 0


def main() -> None:
    """Fill both, measure, print lines of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=5_000)
    options = parser.parse_args()
    with servers() as system, psycopg.connect(system.database_url, autocommit=True) as conn:
        fill(conn, options.rows)
        meter = Meter(conn)
        for table in ("event", "event_whole") * 2:
            say(table, "read", options.asked, meter.of(lambda t=table: read(conn, t, options)))
            say(table, "append", options.asked, meter.of(lambda t=table: append(conn, t, options)))
        day = options.rows // DAYS
        say("event_whole", "forget", day, meter.of(lambda: conn.execute(_TRIM, ["2026-11-02"])))
        say("event_whole", "vacuum", day, meter.of(lambda: conn.execute("VACUUM event_whole")))
        say("event", "forget", day, meter.of(lambda: conn.execute("TRUNCATE event_0")))


def fill(conn: psycopg.Connection, rows: int) -> None:
    """Write the same days into both tables."""
    conn.execute(_FILL, {"rows": rows, "topics": TOPICS, "days": DAYS})
    conn.execute(_WHOLE)
    conn.execute("INSERT INTO event_whole SELECT topic, epoch, seq, kind, at, body FROM event")
    for statement in ("VACUUM ANALYZE event", "VACUUM ANALYZE event_whole", "CHECKPOINT"):
        conn.execute(statement)


def read(conn: psycopg.Connection, table: str, options: argparse.Namespace) -> None:
    """Read what came after marks near the end, as each look does."""
    last = options.rows // TOPICS
    for number in range(options.asked):
        topic = f"person:{number * 7919 % TOPICS}"
        conn.execute(_READ.format(table), [topic, last - 3], prepare=True).fetchall()


def append(conn: psycopg.Connection, table: str, options: argparse.Namespace) -> None:
    """Append events, a thousand in a transaction so that no disk is measured."""
    body, turn = json.dumps({"text": "x" * 450}), time.monotonic_ns()
    for start in range(0, options.asked, 1_000):
        with conn.transaction():
            for number in range(start, start + 1_000):
                conn.execute(_APPEND.format(table), [f"new:{turn}:{number}", 1, body], prepare=True)


def say(table: str, what: str, many: int, cost: dict[str, float]) -> None:
    """Print one line."""
    each = {"cpu_us_each": round(1e6 * cost["cpu_s"] / many, 1)}
    print(json.dumps({"table": table, "what": what, "rows": many, **cost, **each}), flush=True)


if __name__ == "__main__":
    main()
