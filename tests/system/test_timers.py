"""Timers with real runner processes: fired once though one is killed, and in spite of outages."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from live_processes import runner
from sqlalchemy.exc import OperationalError
from waiting import until_answer

from dispatch import alerts, db, matching, states, tables
from dispatch import runner as dispatch_runner
from tests import factories as f
from web.commands import cluster, process, schema

pytestmark = pytest.mark.system

#: A loaded machine starts a runner, numba and all, within this.
PATIENCE_S = 60


@pytest.fixture
async def house(database: str) -> AsyncIterator[db.Database]:
    """Give the database that the runners work on."""
    engine = db.make_engine(database)
    yield db.Database(engine, None)
    await engine.dispose()


async def _count(house: db.Database, condition: sa.ColumnElement[bool]) -> int:
    async with house.transaction() as conn:
        counted = await conn.scalar(
            sa.select(sa.func.count()).select_from(tables.line).where(condition)
        )
    return int(counted or 0)


TIMED_OUT = tables.line.c.kind == "alert_timed_out"


async def _ask(house: db.Database, *, incidents: int, after_s: float, spread_s: float) -> None:
    """Ask two people for each incident; the alerts run out one after the other."""
    for number in range(incidents):
        now = datetime.now(UTC)
        wait_s = after_s + spread_s * number / incidents
        policy = matching.Policy(alert_expires_s=wait_s, wave_wait_s=3_600, delivery_wait_s=3_600)
        async with house.transaction() as conn:
            scene = await f.make_scene(conn, people=2, kind=states.Kind.TRAUMA, now=now)
            await f.send(conn, scene, policy=policy, now=now)


async def test_TMR_7_each_timer_fires_once_though_a_runner_is_killed(
    house: db.Database, database: str, redis_url: str, open_folder: Path
) -> None:
    many = 30
    with ExitStack() as stack:
        doomed = stack.enter_context(runner(database, redis_url, open_folder))
        stack.enter_context(runner(database, redis_url, open_folder))
        await _ask(house, incidents=many, after_s=1, spread_s=4)

        async def some_fired() -> bool:
            return await _count(house, TIMED_OUT) >= 3

        await until_answer(some_fired, within_s=PATIENCE_S)
        doomed.kill()

        async def all_fired() -> bool:
            return await _count(house, TIMED_OUT) >= many

        await until_answer(all_fired, within_s=PATIENCE_S)

        async def all_told() -> bool:
            return await _count(house, tables.line.c.kind == "no_one_left") >= many

        # Each silence armed a look for the next wave, which found nobody.
        await until_answer(all_told, within_s=PATIENCE_S)
    async with house.transaction() as conn:
        line = tables.line.c
        times = await conn.execute(
            sa.select(line.incident_id, line.kind, sa.func.count())
            .where(line.kind.in_(["alert_timed_out", "no_one_left", "timer_failed"]))
            .group_by(line.incident_id, line.kind)
        )
        assert {count for _, _, count in times} == {1}
        ends = await conn.execute(sa.select(tables.alert.c.status).distinct())
        assert set(ends.scalars()) == {states.Alert.TIMED_OUT.value}


async def test_TMR_10_a_runner_that_hangs_in_the_middle_loses_its_locks(
    house: db.Database, database: str, redis_url: str, open_folder: Path
) -> None:
    hung = db.make_engine(database, idle_ms=dispatch_runner.HANGS_AFTER_MS)
    await _ask(house, incidents=1, after_s=0.1, spread_s=0)
    try:
        async with hung.connect() as conn:
            await conn.execute(sa.select(tables.incident.c.id).with_for_update())
            await conn.execute(sa.select(tables.timer.c.id).with_for_update())

            async def fired() -> bool:
                return await _count(house, TIMED_OUT) == 1

            with runner(database, redis_url, open_folder):
                await until_answer(fired, within_s=PATIENCE_S)
            await conn.invalidate()
    finally:
        await hung.dispose()


@pytest.fixture
def servers_of_its_own(open_folder: Path) -> tuple[cluster.Postgres, cluster.Redis]:
    """Say how to run servers that only this test stops and starts."""
    owner = process.server_owner()
    open_folder.chmod(0o711)
    postgres = cluster.Postgres(open_folder / "pg", open_folder / "run", owner, cluster.FORGETFUL)
    postgres.initialise()
    return postgres, cluster.Redis(open_folder / "run", owner)


@contextmanager
def _running(server: cluster.Postgres | cluster.Redis) -> Iterator[subprocess.Popen[bytes]]:
    program = server.program()
    child = program.spawn()
    try:
        cluster.wait_ready(server, child)
        yield child
    finally:
        program.stop(child)


async def test_TMR_8_a_runner_outlives_the_loss_of_postgres_and_redis(
    servers_of_its_own: tuple[cluster.Postgres, cluster.Redis], open_folder: Path
) -> None:
    postgres, redis = servers_of_its_own
    url = postgres.url()
    with ExitStack() as stack:
        with _running(postgres):
            postgres.ensure_database()
            schema.upgrade(url)
            with _running(redis) as bus:
                child = stack.enter_context(runner(url, redis.url, open_folder))
                house = db.Database(db.make_engine(url), None)
                await _ask(house, incidents=1, after_s=0.1, spread_s=0)
                await until_answer(lambda: _has_fired(house, 1), within_s=PATIENCE_S)
                bus.kill()
            # Redis is gone: timers are found by looking.
            await _ask(house, incidents=1, after_s=0.1, spread_s=0)
            await until_answer(lambda: _has_fired(house, 2), within_s=PATIENCE_S)
            due = datetime.now(UTC) + timedelta(seconds=1.5)
            await _ask(house, incidents=1, after_s=1.5, spread_s=0)
            losses = _losses(open_folder)

        # PostgreSQL is gone while a timer falls due.
        async def is_overdue() -> bool:
            return datetime.now(UTC) > due and _losses(open_folder) > losses

        await until_answer(is_overdue, within_s=PATIENCE_S)
        assert child.poll() is None
        with _running(postgres) as server:
            await until_answer(lambda: _has_fired(house, 3), within_s=PATIENCE_S)
            # It takes no new connection for a while: the runner waits, and goes on.
            await _ask(house, incidents=1, after_s=1, spread_s=0)
            server.send_signal(signal.SIGSTOP)
            await asyncio.sleep(3)
            server.send_signal(signal.SIGCONT)
            await until_answer(lambda: _has_fired(house, 4), within_s=PATIENCE_S)
            assert child.poll() is None
            await house.engine.dispose()


def _losses(folder: Path) -> int:
    """Count how often the runner began to look in vain."""
    return (folder / "runner.log").read_text().count("timers_not_readable")


async def _has_fired(house: db.Database, many: int) -> bool:
    try:
        return await _count(house, TIMED_OUT) >= many
    except OperationalError:
        return False


async def test_TMR_9_a_wave_that_was_due_while_every_runner_was_down_goes_at_once(
    house: db.Database, database: str, redis_url: str, open_folder: Path
) -> None:
    now = datetime.now(UTC)
    policy = matching.Policy(wave_size=1, wave_wait_s=0.1, alert_expires_s=600)
    async with house.transaction() as conn:
        scene = await f.make_scene(conn, people=2, kind=states.Kind.TRAUMA, now=now)
        first = await f.send(conn, scene, policy=policy, now=now - timedelta(seconds=60))
    assert len(first.alerts) == 1
    with runner(database, redis_url, open_folder):

        async def second_went() -> bool:
            async with house.transaction() as conn:
                asked = await conn.scalar(sa.select(sa.func.count()).select_from(tables.alert))
            return asked == 2

        await until_answer(second_went, within_s=PATIENCE_S)
    async with house.transaction() as conn:
        sent = await f.store.list_alerts(conn)
        assert [alert.wave for alert in sent] == [1, 2]
        by = sent[1].responder_id
        await alerts.accept(conn, sent[1].id, policy=policy, by=by, now=datetime.now(UTC))
