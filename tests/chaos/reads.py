"""The final reads: what the database holds, what every screen shows, what the processes use."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.chaos.devices import Console, Phone, _Screen
from tests.chaos.system import System, cpu_and_memory

_INCIDENTS = """
select id::text, org_id::text, number, kind, severity, status, address, note, version,
       closed_at::text, ST_X(position::geometry)::float8 as lon from incident order by id
"""
_ALERTS = """
select id::text, incident_id::text, responder_id::text, status, revision,
       notified_at, expires_at, delivered_at, shown_at, answered_at, stood_down_at
from alert order by id
"""
_ASSIGNMENTS = "select id::text, alert_id::text, incident_id::text, status from assignment"
_LINES = """
select incident_id::text, kind,
       case when args ? 'assignment' then array[args ->> 'assignment']
            else array(select jsonb_path_query(args, '$.responders[*].alert') #>> '{}') end
       as subjects
from line
"""
_WAVES = "select id::text, incident_id::text, number from wave"
_ALLOCATIONS = "select incident_id::text, wave_id::text from allocation"
_SESSIONS = """
select count(*) as connections,
       count(*) filter (where state like 'idle in transaction%%'
                          and state_change < now() - interval '2 s') as idle_in_transaction,
       (select count(*) from pg_locks where locktype = 'advisory') as advisory_locks,
       (select count(*) from pg_locks where not granted) as waiting
from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
"""

#: What no log may say, whatever is broken around it.
BAD = re.compile(
    r"Task exception was never retrieved|garbage collector is trying to clean up|was never awaited"
    r"|non-checked-in connection|RuntimeError: Unexpected ASGI message|AssertionError|KeyError"
    r"|AttributeError|TypeError"
)


async def resources(system: System) -> dict[str, Any]:
    """Measure the processes and the sessions of the database."""
    rows = await system.sql(_SESSIONS)
    return {"processes": cpu_and_memory(system.programs), **rows[0]}


async def calm(system: System, *, within_s: float) -> list[str]:
    """Wait until no alert is open and no session is in the middle of something."""
    until = time.monotonic() + within_s
    while True:
        rows = await system.sql(
            "select count(*) as open from alert "
            "where status in ('pending','notified','delivered','seen')"
        )
        if rows[0]["open"] == 0:
            return []
        if time.monotonic() > until:
            return [f"{rows[0]['open']} alerts have not ended after {within_s:.0f} s"]
        await asyncio.sleep(0.3)


async def final(system: System, screens: Sequence[_Screen]) -> dict[str, Any]:
    """Read everything that the checker wants to know."""
    ahead_s = time.time() - time.monotonic()
    return {
        "wall_ahead_s": ahead_s,
        "read_at": time.monotonic(),
        "incidents": _plain(await system.sql(_INCIDENTS)),
        "alerts": _plain(await system.sql(_ALERTS)),
        "assignments": await system.sql(_ASSIGNMENTS),
        "lines": await system.sql(_LINES),
        "waves": await system.sql(_WAVES),
        "allocations": await system.sql(_ALLOCATIONS),
        "screens": await _screens(system, screens),
        "bad_lines": {
            name: [line for line in text.splitlines() if BAD.search(line)]
            for name, text in system.logs().items()
            if BAD.search(text)
        },
    }


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = orjson.loads(orjson.dumps(rows))
    return plain


async def _screens(system: System, screens: Sequence[_Screen]) -> dict[str, Any]:
    """Compare each connected screen with what a new client is told, by each process in turn."""
    alive = [one for one in screens if one.client.is_connected and not one.is_over]
    found = {}
    for number, screen in enumerate(alive):
        app = system.apps[number % len(system.apps)]
        said = await _snapshot(app.port, screen.topic, screen._token)
        if said is not None:
            found[screen.name] = {"shown": _plain_one(screen.memory.view), "server": said}
    return found


def _plain_one(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


async def _snapshot(port: int, topic: str, token: str) -> Any:
    hello = {"type": "hello", "token": token, "topics": {topic: None}, "app": "chaos"}
    with suppress(OSError, WebSocketException):  # TimeoutError is an OSError
        async with (
            asyncio.timeout(10),
            connect(
                f"ws://127.0.0.1:{port}/api/v1/live", compression=None, proxy=None, max_size=None,
                close_timeout=0.2,
            ) as socket,
        ):  # fmt: skip
            await socket.send(orjson.dumps(hello).decode())
            while True:
                frame = orjson.loads(await socket.recv())
                if frame["type"] == "snapshot":
                    return frame["body"]
    return None


__all__ = ["Console", "Phone", "calm", "final", "resources"]
