"""The system notices its own failure first: each broken link is on the console and in /readyz."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from callers import Enrol, alerted, client_of, opened
from fastapi import FastAPI
from live_wire import serving, wire
from prometheus_client import CollectorRegistry, generate_latest
from waiting import until

from dispatch import channel_health, db, refusals, signs, tables
from dispatch.ladder import Channel
from dispatch.settings import Settings
from dispatch.timers import Lane
from realtime import canary, clocks, watch
from realtime import tables as realtime_tables
from realtime.watch import Kind
from web import app as web_app
from web import dependencies, watch_metrics
from web.self_watch import SelfWatch

Look = Callable[[], Awaitable[list[str]]]

#: An alert lives so many seconds.
EXPIRES_S = 60


@pytest.fixture
def itself(app: FastAPI) -> SelfWatch:
    """The watch of an app that has run for a while; tests make it look."""
    found: SelfWatch = app.state.watch
    found.grace_s = 0.0
    return found


@pytest.fixture
async def beating(store: db.Database) -> signs.Beating:
    """A runner's sign of life, without the runner."""
    one = signs.Beating(store, dependencies.timepiece, tuple(Lane), refusals.Refusals())
    await one.beat()
    return one


@pytest.fixture
def kinds(itself: SelfWatch, stranger: httpx.AsyncClient) -> Look:
    """Look once and give what /readyz says is broken."""

    async def look() -> list[str]:
        await itself.sing()
        itself.judge()
        answer = await stranger.get("/readyz")
        assert answer.status_code == 200
        return [
            " ".join(filter(None, (one["kind"], one.get("subject")))) for one in _troubles(answer)
        ]

    return look


def _troubles(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()["troubles"]
    return found


async def test_WAT_1_a_canary_goes_all_the_way_and_leaves_little(
    itself: SelfWatch, store: db.Database, beating: signs.Beating
) -> None:
    for _ in range(canary.KEEP + 4):
        await itself.sing()
    assert itself.missed == 0
    assert itself.took_s > 0
    event = realtime_tables.event
    async with store.snapshot() as conn:
        kept = sa.select(sa.func.count()).where(event.c.kind == canary.KIND)
        assert await conn.scalar(kept) == canary.KEEP
    async with store.transaction() as conn:
        await canary.forget(conn, before=dependencies.clock() + timedelta(seconds=1))
        assert await conn.scalar(kept) == 0
    await itself.sing()  # it begins anew
    await itself.sing()
    assert itself._unheard == 0


async def test_WAT_1_nobody_hears_a_canary(app: FastAPI, itself: SelfWatch, enrol: Enrol) -> None:
    operator = await enrol("admin")
    async with serving(app) as host, wire(host, operator) as socket:
        await socket.say(type="hello", topics={itself._canary.topic: None, "org:red": None})
        assert (await socket.next("error"))["code"] == "not_allowed"


async def test_WAT_3_a_dead_fan_out_is_on_the_console(
    app: FastAPI, itself: SelfWatch, enrol: Enrol
) -> None:
    operator = await enrol()
    async with serving(app) as host, wire(host, operator) as socket:
        await socket.hello("org:red")
        assert "troubles" not in await socket.next("heartbeat")
        _task("log tailer").cancel()
        async with asyncio.timeout(25):
            while "fan_out" not in _told(await socket.next("heartbeat")):
                pass
        restarted = asyncio.create_task(app.state.live.tailer._follow())
        async with asyncio.timeout(25):
            while "fan_out" in _told(await socket.next("heartbeat")):
                pass
        restarted.cancel()


def _task(name: str) -> asyncio.Task[Any]:
    [found] = [task for task in asyncio.all_tasks() if task.get_name() == name]
    return found


def _told(frame: dict[str, Any]) -> list[str]:
    return [trouble["kind"] for trouble in frame.get("troubles", [])]


async def test_WAT_3_a_canary_that_is_not_heard_twice_is_a_dead_fan_out(
    app: FastAPI, itself: SelfWatch, kinds: Look, beating: signs.Beating,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await itself.sing()
    monkeypatch.setattr(app.state.live.hub, "publish", lambda _events: None)
    monkeypatch.setattr("web.self_watch.HEARD_WITHIN_S", 0.3)
    assert await kinds() == []
    assert await kinds() == ["fan_out"]
    monkeypatch.undo()
    await until(lambda: itself._canary._heard == itself._canary._sung)


async def test_WAT_3_a_dead_worker_is_found(
    kinds: Look, beating: signs.Beating, store: db.Database
) -> None:
    assert await kinds() == []
    beats = realtime_tables.process_beat
    old = timedelta(seconds=watch.DEAD_AFTER_S + 1)
    async with store.transaction() as conn:  # it was killed
        await conn.execute(
            sa.update(beats)
            .where(beats.c.process == beating.process)
            .values(at=beats.c.at - old, database_at=beats.c.database_at - old)
        )
    assert await kinds() == ["worker"]
    await beating.beat()
    assert await kinds() == []
    await beating.end()
    planning = signs.Beating(store, dependencies.timepiece, [Lane.PLANNING], refusals.Refusals())
    await planning.beat()
    assert await kinds() == ["worker dispatch"]


async def test_WAT_3_what_waits_too_long_is_found(
    kinds: Look, beating: signs.Beating, store: db.Database,
    enrol: Enrol, volunteer: Enrol,
) -> None:  # fmt: skip
    operator, member = await enrol(), await volunteer()
    async with store.transaction() as conn:
        await channel_health.announce(conn, {Channel.SMS: True}, now=dependencies.clock())
        await conn.execute(
            sa.update(tables.person)
            .where(tables.person.c.id == member.id)
            .values(phone="13812345678", is_invented=False)
        )
    incident = await opened(operator)
    await alerted(operator, incident, responders=[str(member.id)])
    assert await kinds() == []
    delivery, timer = tables.delivery, tables.timer
    async with store.transaction() as conn:
        late = dependencies.clock() - timedelta(seconds=watch.LAG_MOST_S + 1)
        waiting = delivery.c.due_at.is_not(None)
        await conn.execute(sa.update(delivery).where(waiting).values(due_at=late))
        await conn.execute(sa.update(timer).where(timer.c.lane == "dispatch").values(due_at=late))
    assert await kinds() == ["timers dispatch", "outbox"]
    async with store.transaction() as conn:
        await conn.execute(sa.update(delivery).values(status="expired"))
        await conn.execute(sa.delete(timer))
    assert await kinds() == []


async def test_WAT_5_a_gateway_that_refuses_is_found(kinds: Look, beating: signs.Beating) -> None:
    for why in ("http_403", "http_403"):
        beating._answers.note(Channel.WEB_PUSH, why, now=dependencies.clock())
    await beating.beat()
    assert await kinds() == ["channel web_push"]
    for _ in range(3):
        beating._answers.note(Channel.WEB_PUSH, None, now=dependencies.clock())
    await beating.beat()
    assert await kinds() == []


async def test_WAT_3_without_a_database_readiness_says_what_is_broken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = settings.model_copy(
        update={"database_url": "postgresql://golden@/golden?host=/nonexistent"}
    )
    made = web_app.create_app(away)
    async with made.router.lifespan_context(made), client_of(made) as stranger:
        itself: SelfWatch = made.state.watch
        await until(lambda: [one.fault.kind for one in itself.troubles] == [Kind.DATABASE])
        answer = await stranger.get("/readyz")
        assert answer.status_code == 503
        assert [one["kind"] for one in answer.json()["state"]["troubles"]] == ["database"]


async def test_WAT_6_metrics_tell_of_the_watch_and_of_nobody(
    itself: SelfWatch, beating: signs.Beating
) -> None:
    beating._answers.note(Channel.SMS, "timeout", now=dependencies.clock())
    await beating.beat()
    await itself.sing()
    registry = CollectorRegistry()
    registry.register(watch_metrics.WatchMetrics(itself))
    told = generate_latest(registry).decode()
    for line in (
        'golden_gateway_answers{channel="sms",end="refused"} 1.0',
        'golden_processes_alive{role="runner"} 1.0',
        "golden_outbox_lag_seconds 0.0",
        'golden_timers_lag_seconds{lane="dispatch"} 0.0',
        "golden_canaries_missed_total 0.0",
    ):
        assert line in told
    assert itself._process not in told


def _watch_off(seconds: float) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.fixture(params=[7_200, -7_200], ids=["two hours ahead", "two hours behind"])
def wrong(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Put the clock of this machine wrong, for the app that is made next."""
    off_s: float = request.param
    piece = clocks.Clock(_watch_off(off_s), time.monotonic)
    monkeypatch.setattr(dependencies, "timepiece", piece)
    return off_s


async def test_WAT_8_an_alert_lives_as_long_as_it_should_where_the_clock_is_wrong(
    wrong: float, kinds: Look, beating: signs.Beating, enrol: Enrol, volunteer: Enrol
) -> None:  # fmt: skip
    operator, member = await enrol(password="Rettung! 4711"), await volunteer()
    incident = await opened(operator)
    before = datetime.now(UTC)
    sent = await alerted(operator, incident, responders=[str(member.id)])
    after = datetime.now(UTC)
    expires = datetime.fromisoformat(sent["alerts"][0]["expires_at"])
    slack = timedelta(seconds=2)
    lives = timedelta(seconds=EXPIRES_S)
    assert before + lives - slack < expires < after + lives + slack
    # Nobody was signed out, and the trouble is told.
    assert (await operator.http.get("/api/v1/session")).status_code == 200
    assert await kinds() == ["clock"]
    [trouble] = _troubles(await operator.http.get("/readyz"))
    assert abs(trouble["seconds"] - wrong) <= 2
