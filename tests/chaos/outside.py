"""Faults of what the system leans on: the push service, the disk, the clocks of its machines."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg

from tests.chaos.devices import Phone
from tests.chaos.field import Field
from tests.chaos.pushes import Mood, Subscription

# ---- N18

_ADD = """
insert into push_subscription (id, person_id, endpoint, p256dh, auth, created_at, probe_due_at)
values (gen_random_uuid(), %s, %s, %s, %s, now(), now() + interval '7 days')
"""


async def lying_push(field: Field, ways: Sequence[str] = ()) -> None:
    """N18: a third of the phones can be reached by push only, and the service is bad in turn.

    Nobody is subscribed at other times: then every alert has to come by the socket.
    """
    chosen = [Mood(way) for way in ways] or list(Mood)
    phones = list(field.phones)
    field.random.shuffle(phones)
    away = phones[: len(phones) // 3]
    for phone in away:
        await _subscribe(field, phone)
        phone.client.go_offline()
    try:
        for mood in chosen:
            field.system.push.mood = mood
            with field.history.window("N18", clients=len(away), what=mood.value):
                await asyncio.sleep(field.seconds)
            if mood in {Mood.GONE, Mood.UNKNOWN}:  # their apps subscribe anew at the next start
                for phone in away:
                    await _subscribe(field, phone)
    finally:
        field.system.push.mood = Mood.WELL
        for phone in away:
            phone.client.go_online()
        await field.system.sql("delete from push_subscription")


async def _subscribe(field: Field, phone: Phone) -> None:
    made: Subscription = field.system.push.subscribe(phone.pushed)
    await field.system.sql("delete from push_subscription where person_id = %s", phone.who.id)
    await field.system.sql(_ADD, phone.who.id, made.endpoint, made.p256dh, made.auth)


# ---- N11


_WRITE_A_MEGABYTE = "select pg_logical_emit_message(true, 'chaos', repeat('x', 1000000))"


async def fill_disk(field: Field) -> None:
    """N11: no room is left for the database; when there is room again its supervisor starts it."""
    disk = field.system.disk
    if disk is None:
        print("N11 left out: a small disk needs root, who may mount a tmpfs", file=sys.stderr)
        return
    server = field.system.postgres
    with field.history.window("N11", postgres=True):
        server.is_wanted = False  # it panics, which is what it should do
        filler = disk / "filler"
        _fill(filler)
        with suppress(psycopg.Error):
            for _ in range(200):  # it has some room of its own, in log that is to be used again
                await field.system.sql(_WRITE_A_MEGABYTE)
        await asyncio.sleep(field.seconds)
        is_up = server.pid is not None
        filler.unlink()
        if is_up:
            server.is_wanted = True
            await field.system.postgres_ready()
        else:
            await field.system.start_postgres()
        field.history.note("nemesis", "net", "disk", None, went_down=not is_up)


def _fill(path: Any) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        free = os.statvfs(path)
        with suppress(OSError):
            os.posix_fallocate(handle, 0, free.f_bavail * free.f_frsize)
    finally:
        os.close(handle)


# ---- N10

_JUMPS = ("+7200", "-7200", "-86400", "+0 x1.01")


async def wrong_machine_clocks(field: Field, who: str) -> None:
    """N10: the clock of an app, of all apps, of PostgreSQL jumps by hours, or runs fast."""
    clocks = field.system.clocks
    if clocks is None:
        print(f"N10 left out for {who}: libfaketime is not installed", file=sys.stderr)
        return
    if who == "postgres" and not field.system.shape.has_database_clock:
        print("N10 left out for postgres: it needs a run of its own, --only N10", file=sys.stderr)
        return
    names = {
        "app": [field.app().child.name],
        "apps": [app.child.name for app in field.system.apps],
        "postgres": ["postgres"],
    }[who]
    for jump in _JUMPS:
        # Time is agreed on, so this excuses nothing.
        with field.history.window("N10", clients=0, what=f"{who} {jump}"):
            for name in names:
                clocks.set(name, jump)
            await asyncio.sleep(field.seconds / 2)
            for name in names:
                clocks.set(name, "+0")
        await asyncio.sleep(1.5)
