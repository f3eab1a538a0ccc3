"""Whom a plan weighs where more are within reach than could make it better."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
import redis.asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    allocations,
    considered,
    matching,
    plan_views,
    planning,
    states,
    store,
    tables,
    whereabouts,
)
from realtime import presence
from tests import factories as f


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weigh four, so that a test needs no thousands."""
    monkeypatch.setattr(considered, "MOST", 4)
    monkeypatch.setattr(considered, "LEAST", 2)
    monkeypatch.setattr(considered, "HELD_MOST", 1)
    monkeypatch.setattr(considered, "MOST_PER_ASKED", 0)
    monkeypatch.setattr(considered, "LEAST_PER_ASKED", 0)


async def _row(
    conn: AsyncConnection, org: UUID, metres: list[float], *, now: datetime
) -> list[UUID]:
    return [
        await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, m), now=now)
        for m in metres
    ]


async def _off_duty(conn: AsyncConnection, org: UUID, metres: float, *, now: datetime) -> UUID:
    place = f.north_of(f.HARBOUR, metres)
    return await f.make_responder(conn, org, position=place, duty=states.Duty.OFF_DUTY, now=now)


async def _carry(conn: AsyncConnection, person: UUID) -> None:
    mine = tables.responder.c.id == person
    await conn.execute(
        sa.update(tables.responder).where(mine).values(skills=[considered.CARRIES_AED])
    )


async def _plan(
    conn: AsyncConnection, incident: store.Incident, bus: redis.asyncio.Redis, *, now: datetime
) -> planning.Plan:
    live = await planning.live_positions(
        conn, incident.id, bus, policy=f.POLICY, network=f.NETWORK, now=now
    )
    return await planning.make(
        conn, incident.id, policy=f.POLICY, network=f.NETWORK, live=live, now=now
    )


def _weighed(plan: planning.Plan) -> set[UUID]:
    return {item.person.id for item in (*plan.chosen, *plan.excluded)}


async def test_JNT_12_the_nearest_are_weighed_everybody_has_one_reason_and_it_replays(
    conn: AsyncConnection, now: datetime
) -> None:
    org, elsewhere = await f.make_org(conn), await f.make_org(conn)
    held = [await _off_duty(conn, org, metres, now=now) for metres in (5, 6)]
    first = await _row(conn, org, [20, 40, 60], now=now)
    twins = sorted(await _row(conn, org, [80, 80], now=now))
    far = await _row(conn, org, [100, 120, 140, 160, 180, 200, 220, 240], now=now)
    carrier, asked = await _row(conn, org, [260, 280], now=now)
    await _row(conn, elsewhere, [1, 230], now=now)
    await _carry(conn, carrier)
    incident = await f.make_incident(conn, org, now=now)
    # Who was asked before is shown in full, however far away.
    sent = await f.send(conn, f.Scene(org, "", asked, (), (), incident), named=[asked], now=now)
    assert len(sent.alerts) == 1

    plan = await f.make_plan(conn, incident.id, now=now)
    assert _weighed(plan) == {held[0], *first, twins[0], carrier, asked}
    many = matching.Reason.MANY_NEARER
    assert plan.aside == {held[1]: "off_duty", twins[1]: many, **dict.fromkeys(far, many)}
    told = plan_views.plan_out(plan)
    reasons = {item["responder"]: item["reason"] for item in told["excluded"]}
    everybody = {*held, *first, *twins, *far, carrier, asked}
    assert {*reasons, *(c["responder"] for c in told["chosen"])} == {str(p) for p in everybody}
    assert {"responder": str(far[0]), "reason": "many_nearer"} in told["excluded"]

    inputs = plan_views.inputs_out(plan)
    again = allocations.replay(inputs)
    assert allocations.write(allocations.read(inputs["values"])) == inputs["values"]
    assert {str(person): reason.value for person, reason in again.excluded.items()} == reasons
    assert {choice.id for choice in again.chosen} == {item.person.id for item in plan.chosen}
    _, kept = plan_views.kept_out(plan, {})
    assert {item["responder"]: item["reason"] for item in kept} == reasons


async def test_JNT_12_where_people_are_now_decides_who_is_nearest(
    conn: AsyncConnection, redis: redis.asyncio.Redis, now: datetime
) -> None:
    org = await f.make_org(conn)
    people = await _row(conn, org, [50.0 * n for n in range(1, 16)], now=now)
    incident = await f.make_incident(conn, org, now=now)
    assert _weighed(await _plan(conn, incident, redis, now=now)) == set(people[:4])
    # The nearest has gone a little way off, and the last one stands beside the patient.
    moved = {people[0]: 395.0, people[-1]: 10.0}
    told = [
        presence.Place(str(who), f.HARBOUR.lon, f.north_of(f.HARBOUR, metres).lat, 5.0, now)
        for who, metres in moved.items()
    ]
    assert await presence.put_many(redis, told, topics={}, now=now)
    plan = await _plan(conn, incident, redis, now=now)
    assert _weighed(plan) == {people[-1], *people[1:4]}
    assert set(plan.aside) == {people[0], *people[4:-1]}


async def test_JNT_12_the_look_widens_where_too_few_of_the_nearest_can_come(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    near = await _row(conn, org, [10, 20, 30, 40, 50], now=now)
    far = await _row(conn, org, [60, 70], now=now)
    await conn.execute(
        sa.delete(tables.certificate).where(tables.certificate.c.responder_id.in_(near))
    )
    incident = await f.make_incident(conn, org, now=now)
    plan = await f.make_plan(conn, incident.id, now=now)
    assert {item.person.id for item in plan.chosen} <= set(far)
    assert plan.chosen
    assert _weighed(plan) == {*near, *far}
    assert plan.aside == {}


async def test_JNT_12_it_never_binds_for_named_people_or_where_all_are_wanted(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    people = await _row(conn, org, [10.0 * n for n in range(1, 10)], now=now)
    incident = await f.make_incident(conn, org, now=now)
    named = await f.make_plan(conn, incident.id, named=people, now=now)
    assert {item.person.id for item in named.chosen} == set(people)
    whole = await planning.make(
        conn, incident.id, policy=f.POLICY, network=f.NETWORK, is_whole=True,
        live=whereabouts.Around({}), now=now,
    )  # fmt: skip
    assert _weighed(whole) == set(people)
    assert (named.aside, whole.aside) == ({}, {})


@pytest.mark.parametrize("policy", matching.SHIPPED.values(), ids=lambda policy: policy.name)
def test_JNT_12_no_policy_asks_as_many_in_a_wave_as_are_weighed(
    policy: matching.Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert considered.most_of(policy) >= 4 * policy.wave_size
    widest = replace(policy, wave_size=500, live_most=500, alerts_cap=500)
    assert considered.most_of(widest) == 2_000
