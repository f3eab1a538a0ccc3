"""What an engine knows of several database servers: who takes writes now, and in which timeline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from dispatch import pipeline
from realtime import lineage

#: A dead peer is noticed seven seconds after it fell silent, whether or not something is on its
#: way to it; libpq by itself waits for hours. Without effect on sockets of this machine.
KEEPALIVE = {
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5_000,
}

#: A server that has not answered a statement for so long is asked whether it lives and leads.
ASK_AFTER_S = 6.0


def options(database_url: str) -> dict[str, Any]:
    """Give what a connection to these servers needs besides their addresses."""
    if "," in str(sa.make_url(database_url).query.get("host", "")):
        return {**KEEPALIVE, "async_creator_fn": Session.reach}
    return {**KEEPALIVE, "connect_timeout": 3}


def watch(engine: AsyncEngine) -> None:
    """Settle the log's epoch in each new session, and find the present primary at once."""
    known = _Known()
    sa.event.listen(engine.sync_engine, "do_connect", known.put_first)
    sa.event.listen(engine.sync_engine, "connect", known.take)


class _Known:
    """The server that answered last, which is tried first: each dead one before it costs two s."""

    def __init__(self) -> None:
        self._host = ""
        self._port = ""
        self._timeline = 0
        self._is_one_of_many = False

    def put_first(
        self, _dialect: object, _record: object, _args: object, given: dict[str, Any]
    ) -> None:
        """Name the known server first in the parameters of a connection."""
        hosts = str(given.get("host") or "").split(",")
        ports = str(given.get("port") or "").split(",")
        pairs = list(zip(hosts, ports, strict=False))
        self._is_one_of_many = len(hosts) > 1
        if len(hosts) == len(ports) > 1 and (self._host, self._port) in pairs:
            pairs.sort(key=lambda pair: pair != (self._host, self._port))
            given["host"] = ",".join(host for host, _ in pairs)
            given["port"] = ",".join(port for _, port in pairs)

    def take(self, adapted: Any, record: sa.pool.ConnectionPoolEntry) -> None:
        """Settle the epoch; refuse a server that another one has taken over from.

        A primary that was cut off, and came back without being told, still takes writes.
        """
        driver = record.driver_connection
        if driver is None:
            return
        with ExitStack() as undo:
            # The pool keeps nothing of it. Whoever was cancelled cannot wait for a farewell.
            undo.callback(driver.pgconn.finish)
            timeline = _settle(adapted)
            if timeline is not None:
                self._note(driver.info, timeline)
            undo.pop_all()

    def _note(self, info: psycopg.ConnectionInfo, timeline: int) -> None:
        if timeline < self._timeline and self._is_one_of_many:
            raise psycopg.OperationalError("this server was taken over from: another leads now")
        self._timeline = timeline
        self._host, self._port = info.host, str(info.port)


def _settle(adapted: Any) -> int | None:
    adapted.autocommit = True  # one statement, one turn
    cursor = adapted.cursor()
    try:
        cursor.execute(lineage.SETTLE, lineage.values())
        row = cursor.fetchone()
    except psycopg.errors.UndefinedTable:  # nothing is migrated yet
        row = None
    cursor.close()
    adapted.autocommit = False
    return None if row is None else row[0]


class Session(pipeline.Connection):
    """A connection to one of several servers, which it leaves when that one hangs or leads no more.

    A server whose processes are stopped, or that waits for ever for a replica which has taken over
    from it, keeps its sockets alive: no time-out of TCP notices.
    """

    servers: Mapping[str, Any]
    #: Statements that were answered; whoever asks after one that was is no longer needed.
    _answered = 0
    _asking: asyncio.Task[None] | None = None

    @classmethod
    async def reach(cls, **given: Any) -> Session:
        """Connect to the first that takes writes."""
        session = await cls.connect(**given)
        session.servers = {name: given[name] for name in given if name != "context"}
        return session

    async def wait(self, gen: Any, *args: Any, **more: Any) -> Any:
        """Wait for an answer; after a while, ask after whoever owes it."""
        later = asyncio.get_running_loop().call_later(ASK_AFTER_S, self._begin_to_ask)
        try:
            return await super().wait(gen, *args, **more)
        finally:
            later.cancel()
            self._answered += 1

    def _begin_to_ask(self) -> None:
        asking = self._ask_often(self._answered)
        self._asking = asyncio.create_task(asking, name="ask after the database")

    async def _ask_often(self, answered: int) -> None:
        """Ask until the answer has come, or nothing more is to be hoped for.

        Not cancelled when it comes: a connection that is given up half-way keeps its socket.
        """
        while self._answered == answered and not self.closed:
            if await self._is_left():
                if self._answered == answered:
                    self.cut()
                return
            await asyncio.sleep(ASK_AFTER_S)

    async def _is_left(self) -> bool:
        own = (self.info.host, str(self.info.port))
        hosts, ports = (str(self.servers[name]).split(",") for name in ("host", "port"))
        pairs = list(zip(hosts, ports, strict=True))
        told = await asyncio.gather(*(_timeline(self.servers, *pair) for pair in pairs))
        timelines = dict(zip(pairs, told, strict=True))
        return not timelines[own] or max(told) > timelines[own]


async def _timeline(servers: Mapping[str, Any], host: str, port: str) -> int:
    """Ask a server, by a new session, for its timeline; 0 of one that is silent or only follows."""
    one = {**servers, "host": host, "port": port, "target_session_attrs": "read-write"}
    with suppress(psycopg.Error):
        async with await psycopg.AsyncConnection.connect(**one) as conn:
            row = await (await conn.execute(lineage.TIMELINE)).fetchone()
            return row[0] or 0 if row else 0
    return 0
