"""The faults, each as one coroutine: it does harm for some seconds, writes down when, and heals."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import redis.asyncio

from tests.chaos import clients, links, outside
from tests.chaos.field import Field
from tests.chaos.proxies import DOWN, UP, Proxy
from tests.chaos.system import App, Child

Nemesis = Callable[[Field], Awaitable[None]]


async def kill_one(field: Field, ways: Sequence[str] = ("apps", "runners")) -> None:
    """N1: SIGKILL of an app or a runner, again and again."""
    loop = asyncio.get_running_loop()
    apps = [app.child for app in field.system.apps] if "apps" in ways else []
    victims = [*apps, *(field.system.runners if "runners" in ways else ())]
    until = loop.time() + field.seconds
    while loop.time() < until:
        child = field.random.choice(victims)
        with field.history.window("N1", **_scope(field, child)):
            child.kill()
            await field.restart(child, field.random.uniform(0, 1.5))
        await asyncio.sleep(field.random.uniform(0.3, 1.5))


def _scope(field: Field, child: Child) -> dict[str, Any]:
    apps = [app.number for app in field.system.apps if app.child is child]
    return {"apps": apps, "what": child.name}


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a write at which a process may die: `seen` reaches a proxy, or is through it."""

    link: str
    direction: str
    seen: bytes
    is_passed: bool = False
    #: What the transaction must have written: other commits are of reads.
    wrote: bytes = b"TAINT-"


POINTS: dict[str, Point] = {
    "before COMMIT is sent": Point("postgres", UP, b"COMMIT"),
    "after COMMIT was sent": Point("postgres", UP, b"COMMIT", is_passed=True),
    "before the reply to COMMIT": Point("postgres", DOWN, b"COMMIT\0"),
    "after the reply to COMMIT": Point("postgres", DOWN, b"COMMIT\0", is_passed=True),
    "before the HTTP reply": Point("edge", DOWN, b"HTTP/1.1 201"),
    "after the HTTP reply": Point("edge", DOWN, b"HTTP/1.1 201", is_passed=True),
}
#: Aimed at one kind of write: a decision whom to alert.
AFTER_A_DECISION = "after the reply to COMMIT of a decision"
_AIMED = {
    AFTER_A_DECISION: Point("postgres", DOWN, b"COMMIT\0", is_passed=True, wrote=b"alert_sent")
}


async def kill_at_points(field: Field, points: Sequence[str] = tuple(POINTS)) -> None:
    """N2: SIGKILL exactly between two stages of a write."""
    for point in points:
        app = field.app()
        with field.history.window("N2", apps=[app.number], what=point):
            await _kill_at(field, app, point)
            await field.restart(app.child, 0.2)
        await asyncio.sleep(0.5)


async def _kill_at(field: Field, app: App, point: str) -> None:
    aim = POINTS.get(point) or _AIMED[point]
    hit = asyncio.Event()
    #: Connections whose transaction has written what counts.
    writing: set[object] = set()

    def spy(connection: object, way: str, data: bytes, was_passed: bool) -> bool:
        if hit.is_set():
            return True
        if way == UP and aim.wrote in data:
            writing.add(connection)
        if (way, was_passed) != (aim.direction, aim.is_passed) or aim.seen not in data:
            return True
        if aim.link == "postgres" and connection not in writing:
            return True
        hit.set()
        app.child.kill()
        return False

    proxy = app.edge if aim.link == "edge" else app.to_postgres
    proxy.spy = spy
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(8):
                await hit.wait()
    finally:
        proxy.spy = None
    field.history.note("nemesis", "net", "point", point, hit=hit.is_set())
    app.child.kill()


async def hang_one(field: Field) -> None:
    """N3: SIGSTOP of an app and of a runner, and SIGCONT later."""
    for child in (field.app().child, field.random.choice(field.system.runners)):
        with field.history.window("N3", **_scope(field, child)):
            child.hang()
            await asyncio.sleep(field.seconds)
            child.wake()


async def kill_all(field: Field) -> None:
    """N4: SIGKILL of all app processes at once."""
    with field.history.window("N4", all=True):
        for app in field.system.apps:
            app.child.kill()
        await asyncio.gather(*(field.restart(app.child, 0.2) for app in field.system.apps))


async def trouble_redis(field: Field, ways: Sequence[str] = ()) -> None:
    """N5: Redis killed, emptied, hung, cut off, out of memory, suddenly with a password."""
    chosen = ways or ("kill", "flush", "hang", "cut", "full", "password")
    for way in chosen:
        with field.history.window("N5", redis=True, what=way):
            await _redis_ways[way](field)
        await asyncio.sleep(1)


async def _redis_kill(field: Field) -> None:
    field.system.redis.kill()
    await field.system.redis.gone()
    await asyncio.sleep(field.random.choice([0.3, min(3.0, field.seconds), field.seconds]))
    await field.system.redis.start()


async def _redis_say(field: Field, *commands: tuple[str, ...], password: str | None = None) -> None:
    url = field.system.redis_server.url
    async with redis.asyncio.Redis.from_url(url, socket_timeout=2, password=password) as client:
        for command in commands:
            with suppress(redis.RedisError):
                await client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py


async def _redis_flush(field: Field) -> None:
    for _ in range(5):
        await _redis_say(field, ("FLUSHALL",))
        await asyncio.sleep(field.seconds / 10)


async def _redis_hang(field: Field) -> None:
    field.system.redis.hang()
    await asyncio.sleep(field.seconds)
    field.system.redis.wake()


async def _redis_cut(field: Field) -> None:
    for _ in range(5):
        await _redis_say(field, ("CLIENT", "KILL", "TYPE", "pubsub"))
        await asyncio.sleep(field.seconds / 10)


async def _redis_full(field: Field) -> None:
    await _redis_say(field, ("CONFIG", "SET", "maxmemory", "1mb"))
    await asyncio.sleep(field.seconds / 2)
    await _redis_say(field, ("CONFIG", "SET", "maxmemory", "256mb"))


async def _redis_password(field: Field) -> None:
    await _redis_say(
        field, ("CONFIG", "SET", "requirepass", "chaos"), ("CLIENT", "KILL", "TYPE", "normal"),
        ("CLIENT", "KILL", "TYPE", "pubsub"),
    )  # fmt: skip
    await asyncio.sleep(field.seconds / 2)
    await _redis_say(field, ("CONFIG", "SET", "requirepass", ""), password="chaos")


_redis_ways: dict[str, Nemesis] = {
    "kill": _redis_kill, "flush": _redis_flush, "hang": _redis_hang, "cut": _redis_cut,
    "full": _redis_full, "password": _redis_password,
}  # fmt: skip


async def trouble_postgres(field: Field, ways: Sequence[str] = ()) -> None:
    """N6: PostgreSQL stopped at once, killed, a backend killed, all sessions ended, hung."""
    chosen = ways or ("immediate", "postmaster", "backend", "terminate", "hang")
    for way in chosen:
        with field.history.window("N6", postgres=True, what=way):
            await _postgres_ways[way](field)
        await asyncio.sleep(2)


async def _postgres_immediate(field: Field) -> None:
    field.system.postgres.kill(signal.SIGQUIT)
    await field.system.postgres.gone()
    await asyncio.sleep(field.random.choice([0.0, field.seconds / 3, field.seconds]))
    await field.system.start_postgres()


async def _postgres_postmaster(field: Field) -> None:
    field.system.postgres.kill()
    await field.system.postgres.gone()
    await field.system.start_postgres()


async def _postgres_backend(field: Field) -> None:
    # A backend that is killed makes the postmaster end all others and recover.
    rows = await field.system.sql(
        "select pid from pg_stat_activity where backend_type = 'client backend' "
        "and pid <> pg_backend_pid() order by random() limit 1"
    )
    for row in rows:
        with suppress(ProcessLookupError):
            os.kill(int(row["pid"]), signal.SIGKILL)
    await asyncio.sleep(1)
    await field.system.postgres_ready()


async def _postgres_terminate(field: Field) -> None:
    for _ in range(3):
        with suppress(psycopg.Error):
            await field.system.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where backend_type = 'client backend' and pid <> pg_backend_pid()"
            )
        await asyncio.sleep(field.seconds / 5)


async def _postgres_hang(field: Field) -> None:
    field.system.postgres.hang()
    await asyncio.sleep(field.seconds)
    field.system.postgres.wake()
    await field.system.postgres_ready()


_postgres_ways: dict[str, Nemesis] = {
    "immediate": _postgres_immediate, "postmaster": _postgres_postmaster,
    "backend": _postgres_backend, "terminate": _postgres_terminate, "hang": _postgres_hang,
}  # fmt: skip


async def restart_order(field: Field) -> None:
    """N22: apps are started, and one is killed, while PostgreSQL is down."""
    system = field.system
    with field.history.window("N22", all=True):
        for child in system.programs:
            child.kill()
        system.postgres.kill(signal.SIGINT)
        await asyncio.gather(*(child.gone() for child in (*system.programs, system.postgres)))
        await system.begin()
        with suppress(TimeoutError):  # /livez, without a database
            async with asyncio.timeout(20):
                await asyncio.gather(*(system.app_ready(app) for app in system.apps))
        await asyncio.sleep(field.seconds)
        victim = system.apps[0].child
        victim.kill()
        await victim.gone()
        await victim.start()
        await system.start_postgres()
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                await asyncio.gather(*(system.app_ready(a, path="/readyz") for a in system.apps))


async def deploy(field: Field) -> None:
    """N17: a rolling restart: each process is asked to end, ends, and is started again."""
    for child in field.system.programs:
        with field.history.window("N17", **_scope(field, child)):
            child.kill(signal.SIGTERM)
            await field.restart(child, 0.1)


async def starve(field: Field) -> None:
    """N16: four loops that leave little of the processor."""
    with field.history.window("N16", all=True):
        busy = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
            for _ in range(4)
        ]
        try:
            await asyncio.sleep(field.seconds)
        finally:
            for loop in busy:
                loop.kill()
                await loop.wait()


async def storm(field: Field) -> None:
    """N13: every socket is reset at once, three times; all come back together."""
    for _ in range(3):
        with field.history.window("N13", all=True):
            for app in field.system.apps:
                app.edge.reset_peers()
            await asyncio.sleep(1)
        await asyncio.sleep(field.seconds / 3)


async def hang_runners(field: Field) -> None:
    """N3 aimed at the runners: each in turn sleeps with due timers in its hand, and wakes again."""
    until = asyncio.get_running_loop().time() + field.seconds
    while asyncio.get_running_loop().time() < until:
        for child, link in zip(field.system.runners, field.system.runner_links, strict=True):
            with field.history.window("N3", apps=[], what=child.name):
                await _hang_with_timers(child, link)
            await asyncio.sleep(0.2)


async def _hang_with_timers(child: Child, link: Proxy) -> None:
    """Stop a runner before it can read which timers are due, until another has fired them."""
    held = asyncio.Event()

    def spy(_connection: object, way: str, data: bytes, was_passed: bool) -> bool:
        if way == DOWN and not was_passed and b"no_movement" in data and child.pid is not None:
            os.kill(child.pid, signal.SIGSTOP)
            child.is_hung = True
            held.set()
        return True

    link.spy = spy
    with suppress(TimeoutError):
        async with asyncio.timeout(3):
            await held.wait()
    link.spy = None
    child.hang()
    await asyncio.sleep(2.0)
    child.wake()


async def wrong_clocks(field: Field, ways: Sequence[str] = ()) -> None:
    """N10: clocks jump: of the devices, of one app, of all apps, of PostgreSQL."""
    for way in ways or ("devices", "app", "apps", "postgres"):
        if way == "devices":
            await clients.wrong_clocks(field)
        else:
            await outside.wrong_machine_clocks(field, way)


ALL: Mapping[str, Any] = {
    "N1": kill_one,
    "N2": kill_at_points,
    "N3": hang_one,
    "N4": kill_all,
    "N5": trouble_redis,
    "N6": trouble_postgres,
    "N7": links.exhaust,
    "N8": links.partition,
    "N9": links.trouble_clients,
    "N12": clients.slow_consumers,
    "N13": storm,
    "N14": clients.duplicates,
    "N15": clients.malformed,
    "N16": starve,
    "N17": deploy,
    "N20": clients.stall,
    "N21": links.deafen,
    "N22": restart_order,
    "N3R": hang_runners,
    "N10": wrong_clocks,
    "N11": outside.fill_disk,
    "N18": outside.lying_push,
    "away": clients.be_away,
    "trim": clients.trim_log,
    "revoke": clients.revoke,
}


async def let_loose(field: Field, step: Any) -> None:
    """Carry out one step of a schedule."""
    nemesis = ALL[step.nemesis]
    aimed = replace(field, seconds=step.seconds)
    if step.ways:
        await nemesis(aimed, step.ways)
    else:
        await nemesis(aimed)
