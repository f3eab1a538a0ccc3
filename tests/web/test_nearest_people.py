"""The nearest responders: live, declared or last known, in order of time and doubt."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import factories
import pytest
import redis.asyncio
from callers import Enrol, Member, alerted, key, opened
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from dispatch import db, nearby, responders
from geo.position import Position, coarse
from realtime import presence
from web.api import nearest

HERE = factories.HARBOUR
ASK = {"lon": HERE.lon, "lat": HERE.lat}


async def _ask(member: Member, **ask: object) -> Any:
    answer = await member.http.get("/api/v1/nearest/responders", params={**ASK, **ask})
    assert answer.status_code == 200, answer.text
    return nearest.PeopleNearShape.model_validate(answer.json())


async def _add(
    store: db.Database,
    org_id: UUID,
    metres: float | None,
    *,
    age_s: float = 1,
    places: tuple[responders.Spot, ...] = (),
) -> str:
    now = datetime.now(UTC)
    place = None if metres is None else factories.north_of(HERE, metres)
    async with store.transaction() as conn:
        made = await factories.make_responder(
            conn, org_id, position=place, seen_at=now - timedelta(seconds=age_s), places=places,
            now=now,
        )  # fmt: skip
    return str(made)


async def _live(
    client: redis.asyncio.Redis, person: str, metres: float, accuracy_m: float | None = 5
) -> None:
    now, place = datetime.now(UTC), factories.north_of(HERE, metres)
    said = presence.Place(person, place.lon, place.lat, accuracy_m, now)
    assert await presence.put(client, said, topics=(), now=now)


async def test_POS_13_each_says_where_its_position_comes_from(
    enrol: Enrol, store: db.Database, redis: redis.asyncio.Redis
) -> None:
    operator = await enrol()
    org_id = operator.org.id
    last = await _add(store, org_id, 300, age_s=200)
    moved = await _add(store, org_id, 700, age_s=15)
    await _live(redis, moved, 100)
    home = await _add(
        store, org_id, None, places=(responders.Spot("home", factories.north_of(HERE, 500)),)
    )
    shut = responders.Spot("work", factories.north_of(HERE, 10), hours="2020 Jan 01 10:00-11:00")
    await _add(store, org_id, None, places=(shut,))
    found = await _ask(operator)
    assert found.live_positions
    told = {
        feature.id: (feature.properties["position_source"], feature.properties["accuracy_m"])
        for feature in found.features
    }
    assert told == {moved: ("live", 5), last: ("last_known", None), home: ("place", 100)}
    ages = [feature.properties["position_age_s"] for feature in found.features]
    assert ages[0] < 60
    assert 190 < ages[1] < 260
    assert ages[2] is None


async def test_POS_14_order_is_by_time_and_doubt_costs(
    enrol: Enrol, store: db.Database, redis: redis.asyncio.Redis
) -> None:
    operator = await enrol()
    sure, vague, stale, twin = [
        await _add(store, operator.org.id, metres, age_s=age_s)
        for metres, age_s in ((200, 1), (150, 1), (120, 900), (200, 1))
    ]
    await _live(redis, sure, 200)
    await _live(redis, twin, 200)
    await _live(redis, vague, 150, accuracy_m=400)
    found = await _ask(operator)
    assert [feature.id for feature in found.features] == [*sorted([sure, twin]), stale, vague]
    costs = [
        feature.properties["travel_s"] + feature.properties["allowance_s"]
        for feature in found.features
    ]
    assert costs == sorted(costs)
    assert found.features[0].properties["allowance_s"] == 0


async def test_POS_15_without_redis_the_stored_positions_are_used_and_marked(
    enrol: Enrol, store: db.Database
) -> None:
    operator = await enrol()
    person = await _add(store, operator.org.id, 100)
    nowhere = redis.asyncio.Redis(
        unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0)
    )
    operator.http._transport.app.state.redis = nowhere  # type: ignore[attr-defined]  # ASGI
    found = await _ask(operator)
    assert not found.live_positions
    assert [feature.id for feature in found.features] == [person]
    assert found.features[0].properties["position_source"] == "last_known"


async def test_POS_16_exact_places_are_for_who_runs_the_mission(
    enrol: Enrol, volunteer: Enrol
) -> None:
    operator, auditor, foreign = await enrol(), await enrol("auditor"), await enrol(org="blue")
    responder = await volunteer(metres=70)
    there = factories.north_of(HERE, 70)
    cell = coarse(there)
    before = (await _ask(operator)).features[0]
    assert before.properties["is_coarse"]
    assert before.geometry.coordinates == pytest.approx([cell.lon, cell.lat])
    sent = await alerted(operator, await opened(operator))
    await responder.http.post(f"/api/v1/alerts/{sent['alerts'][0]['id']}/accept", headers=key())
    going = (await _ask(operator)).features[0]
    assert not going.properties["is_coarse"]
    assert going.geometry.coordinates == pytest.approx([there.lon, there.lat], abs=1e-6)
    assert going.properties["usable_reason"] == "busy"
    assert (await _ask(auditor)).features[0].properties["is_coarse"]
    assert (await _ask(foreign)).features == []


@pytest.mark.parametrize("lon", [179.9995, -179.9995])
async def test_POS_17_people_across_the_antimeridian_are_near(
    enrol: Enrol, store: db.Database, redis: redis.asyncio.Redis, lon: float
) -> None:
    operator = await enrol()
    person = await _add(store, operator.org.id, None)
    now = datetime.now(UTC)
    said = presence.Place(person, -lon, 10.0, 5.0, now)
    await presence.put(redis, said, topics=(), now=now)
    async with store.transaction() as conn:
        fix = factories.store.Fix(Position(-lon, 10.0), now)
        await responders.report_position(conn, UUID(person), fix, is_stated=True, now=now)
    found = await _ask(operator, lon=lon, lat=10)
    assert [feature.id for feature in found.features] == [person]
    assert found.features[0].properties["distance_m"] == pytest.approx(110 * 1.35, abs=5)


async def test_POS_17_rings_grow_until_the_answer_is_whole(
    enrol: Enrol, store: db.Database, redis: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest few are all vague or unskilled; the wanted ones stand behind them."""
    monkeypatch.setattr(nearby, "RING_LEAST", 2)
    monkeypatch.setattr(nearby, "RING_PER_WANTED", 1)
    operator = await enrol()
    people = [await _add(store, operator.org.id, 40 + 10 * n) for n in range(12)]
    for n, person in enumerate(people):
        await _live(redis, person, 40 + 10 * n, accuracy_m=900 if n < 6 else 5)
    found = await _ask(operator, limit=3)
    assert [feature.id for feature in found.features] == people[6:9]
    assert (await _ask(operator, skill="juggling")).features == []
    everybody = await _ask(operator, limit=50)
    assert len(everybody.features) == 12


async def test_POS_13_a_live_position_out_of_reach_replaces_the_stored_one(
    enrol: Enrol, store: db.Database, redis: redis.asyncio.Redis
) -> None:
    operator = await enrol()
    gone, here = [await _add(store, operator.org.id, metres) for metres in (50, 100)]
    await _live(redis, gone, 4_000)
    found = await _ask(operator, limit=1, within_s=300)
    assert [feature.id for feature in found.features] == [here]


@pytest.mark.parametrize("within_s", [500, 900])
async def test_POS_14_the_order_is_the_same_whatever_the_rings(
    enrol: Enrol,
    store: db.Database,
    redis: redis.asyncio.Redis,
    monkeypatch: pytest.MonkeyPatch,
    within_s: int,
) -> None:
    """Some are live, some have moved, some are long unheard of or known by a place only."""
    operator, dice = await enrol(), random.Random(within_s)
    for n in range(40):
        metres = dice.uniform(20, 1_000)
        home = responders.Spot("home", factories.north_of(HERE, dice.uniform(20, 1_000)))
        person = await _add(
            store, operator.org.id, None if n % 5 == 0 else metres,
            age_s=dice.uniform(1, 2_500), places=(home,) if n % 3 == 0 else (),
        )  # fmt: skip
        if n % 2:
            await _live(redis, person, metres + dice.uniform(-90, 90), dice.choice([5, 200]))
    asks = [{"limit": limit, "within_s": within_s} for limit in (1, 4, 9)]
    whole = [_told(await _ask(operator, **ask)) for ask in asks]
    monkeypatch.setattr(nearby, "RING_LEAST", 2)
    monkeypatch.setattr(nearby, "RING_PER_WANTED", 1)
    monkeypatch.setattr(nearby, "RING_M", 60.0)
    monkeypatch.setattr(nearby, "SPARE", 0)
    assert [_told(await _ask(operator, **ask)) for ask in asks] == whole
    assert len(whole[-1]) > 4


def _told(found: nearest.PeopleNearShape) -> list[tuple[str, object]]:
    return [(feature.id, feature.properties["position_source"]) for feature in found.features]
