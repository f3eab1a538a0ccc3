"""Waves by the policies of all styles: who is asked next, when asking stops, who is covered."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from dispatch import (
    alerts,
    assignments,
    errors,
    firing,
    incidents,
    matching,
    states,
    store,
    tables,
    whereabouts,
)
from tests import alarms
from tests import factories as f

# ---- waves


async def test_ESC_2_a_no_is_answered_by_a_new_plan_at_once(
    means: firing.Means, now: datetime
) -> None:
    policy = replace(alarms.EAGER, wave_size=2, live_most=2)
    scene = await alarms.scene(means, policy, people=5)
    first, second = await alarms.asked(means, scene)
    soon = alarms.at(means, now + timedelta(seconds=6))
    await alarms.decline(soon, first)
    assert await alarms.fire_due(soon) == ["wave"]
    third = (await alarms.asked(means, scene))[2]
    assert (third.wave, third.notified_at) == (2, now + timedelta(seconds=6))
    # Nobody more may be live, so the next look is at the policy's time after the operator asked.
    assert (
        await alarms.fire_due(alarms.at(means, now + timedelta(seconds=44)))
        == ["delivery_check"] * 2
    )
    assert second.is_live


async def test_ESC_2_nobody_worth_the_price_is_no_error_and_looked_for_again(
    means: firing.Means, now: datetime
) -> None:
    policy = replace(alarms.EAGER, price=0.9, arrest=matching.Target(9, 1, 1), stop_total=9)
    scene = await alarms.scene(means, replace(policy, price=0.0, wave_size=2), people=5)
    # The incident keeps the policy of its first decision.
    assert policy.digest() != alarms.OURS.digest()
    first, _ = await alarms.asked(means, scene)
    await alarms.accept(means, first)
    fired = [
        await alarms.fire_due(alarms.at(means, now + timedelta(seconds=seconds)))
        for seconds in (0, 45, 75)
    ]
    assert all("wave" in kinds for kinds in fired)
    assert "no_one_left" not in [line.kind for line in await alarms.lines(means, scene)]


async def test_WAV_10_a_silence_of_thirty_seconds_is_replaced_at_that_second(
    means: firing.Means, now: datetime
) -> None:
    scene = await alarms.scene(means, alarms.THREE, people=5)
    assert len(await alarms.asked(means, scene)) == 3
    await alarms.fire_due(alarms.at(means, now + timedelta(seconds=29.9)))
    assert len(await alarms.asked(means, scene)) == 3
    over = now + timedelta(seconds=30)
    await alarms.fire_due(alarms.at(means, over))
    asked = await alarms.asked(means, scene)
    assert [a.status.value for a in asked] == ["timed_out"] * 3 + ["notified"] * 2
    assert {a.notified_at for a in asked[3:]} == {over}


async def test_ESC_3_a_refusal_is_replaced_one_for_one_up_to_the_cap(
    means: firing.Means, now: datetime
) -> None:
    policy = replace(alarms.THREE, alerts_cap=5)
    scene = await alarms.scene(means, policy, people=8)
    for number in range(3):
        live = [a for a in await alarms.asked(means, scene) if a.is_live]
        await alarms.decline(means, live[0])
        await alarms.fire_due(means)
        live = [a for a in await alarms.asked(means, scene) if a.is_live]
        assert len(live) == (3, 3, 2)[number]
    assert len(await alarms.asked(means, scene)) == 5
    [told] = [line for line in await alarms.lines(means, scene) if line.kind == "no_one_left"]
    assert told.args == {"cap": 5}


async def test_ESC_4_an_empty_circle_grows_and_each_step_is_on_record(
    means: firing.Means, now: datetime
) -> None:
    policy = replace(matching.SHIPPED["radius-400"], steps_m=(200.0, 400.0, 700.0), reach_s=1_800.0)
    async with means.database.transaction() as conn:
        org_id = await f.make_org(conn)
        operator = await f.make_person(conn, org_id)
        far = [
            await f.make_responder(conn, org_id, position=f.north_of(f.HARBOUR, away), now=now)
            for away in (300, 350, 600, 900)
        ]
        incident = await f.make_incident(conn, org_id, now=now)
        scene = f.Scene(org_id, "", operator, tuple(far), (), incident)
        await f.send(conn, scene, policy=policy, now=now)
    await alarms.fire_due(means)
    assert {a.responder_id for a in await alarms.asked(means, scene)} == set(far[:2])
    await alarms.fire_due(alarms.at(means, now + timedelta(seconds=31)))
    assert {a.responder_id for a in await alarms.asked(means, scene)} == set(far[:3])
    await alarms.fire_due(alarms.at(means, now + timedelta(seconds=100)))
    async with means.database.transaction() as conn:
        records = await store.list_allocations(conn, incident.id)
    steps = [record["inputs"]["values"]["under"]["circle_m"] for record in reversed(records)]
    assert steps == [200.0, 400.0, 700.0]
    kinds = [line.kind for line in await alarms.lines(means, scene)]
    assert kinds.count("wave_sent") == 2


async def test_ESC_14_when_its_time_is_over_the_operator_is_told_and_may_begin_anew(
    means: firing.Means, now: datetime
) -> None:
    scene = await alarms.scene(means, alarms.THREE, people=3)
    for seconds in range(0, 260, 10):
        await alarms.fire_due(alarms.at(means, now + timedelta(seconds=seconds)))
    told = [line.args for line in await alarms.lines(means, scene) if line.kind == "no_one_left"]
    assert told  # nobody is left long before, and that is said once
    late = now + timedelta(seconds=260)
    async with means.database.transaction() as conn:
        fresh = await f.make_responder(conn, scene.org_id, now=late)
    await alarms.fire_due(alarms.at(means, late))
    assert len(await alarms.asked(means, scene)) == 3
    async with means.database.transaction() as conn:
        sent = await f.send(conn, scene, policy=alarms.THREE, now=late)
    assert [a.responder_id for a in sent.alerts] == [fresh]


@pytest.mark.parametrize(
    ("eta_s", "fires"), [(400, True), (455, False), (None, True)], ids=["sooner", "same", "there"]
)
async def test_WAV_11_an_ambulance_that_matters_lets_the_plan_be_made_anew(
    means: firing.Means, now: datetime, eta_s: float | None, *, fires: bool
) -> None:
    scene = await alarms.scene(means, alarms.EAGER, people=2)
    async with means.database.transaction() as conn:
        await incidents.set_ambulance(
            conn, scene.incident.id, states.Ambulance.DISPATCHED, eta_s=500, by=None, now=now
        )
    await alarms.fire_due(means)
    soon = now + timedelta(seconds=20)
    state = states.Ambulance.DISPATCHED if eta_s else states.Ambulance.ON_SCENE
    async with means.database.transaction() as conn:
        await incidents.set_ambulance(
            conn, scene.incident.id, state, eta_s=eta_s, by=None, now=soon
        )
    assert ("wave" in await alarms.fire_due(alarms.at(means, soon))) is fires


async def test_WAV_11_who_is_suddenly_elsewhere_arrives_at_another_time(
    means: firing.Means, now: datetime
) -> None:
    scene = await alarms.scene(means, alarms.EAGER, people=4)
    alert = next(a for a in await alarms.asked(means, scene) if a.role is states.Role.DIRECT)
    before = await alarms.accept(means, alert)
    await alarms.fire_due(means)
    soon = now + timedelta(seconds=20)
    far = store.Fix(f.north_of(f.HARBOUR, 500), soon)
    async with means.database.transaction() as conn:
        near = store.Fix(f.north_of(f.HARBOUR, 60), now)
        assert await whereabouts.store_many(conn, {alert.responder_id: near}, now=now) in (
            [],
            [before.id],
        )
        jumped = await whereabouts.store_many(conn, {alert.responder_id: far}, now=soon)
    assert jumped == [before.id]
    async with means.database.transaction() as conn:
        after = await assignments.note_jump(conn, before.id, now=soon)
    assert after.eta_at == pytest.approx(
        soon + timedelta(seconds=500 * 1.35 * 3.6 / 5.1), abs=timedelta(seconds=2)
    )
    assert "wave" in await alarms.fire_due(alarms.at(means, soon))


# ---- covered


async def _cover(means: firing.Means, scene: f.Scene) -> list[store.Alert]:
    """Let as many accept as are enough; return who was told that they are covered."""
    asked = await alarms.asked(means, scene)
    fetcher = next(a for a in asked if a.role is states.Role.VIA_AED)
    direct = [a for a in asked if a.role is states.Role.DIRECT][:2]
    for alert in (fetcher, *direct):
        await alarms.accept(means, alert)
    await alarms.fire_due(means)
    return [a for a in await alarms.asked(means, scene) if a.stand_down_reason == alerts.COVERED]


async def test_WAV_1_who_has_not_answered_is_told_that_enough_are_coming(
    means: firing.Means, now: datetime
) -> None:
    scene = await alarms.scene(means, SEVEN_WITH_AEDS, people=7)
    told = await _cover(means, scene)
    assert len(told) == 4
    assert {a.status for a in told} == {states.Alert.STOOD_DOWN}
    async with means.database.transaction() as conn:
        delivery = tables.delivery.c
        rows = await conn.execute(
            sa.select(delivery.channel).where(
                delivery.purpose == "stand_down", delivery.alert_id.in_([a.id for a in told])
            )
        )
        left = await conn.execute(
            sa.select(tables.timer.c.kind).where(
                tables.timer.c.incident_id == scene.incident.id, tables.timer.c.kind == "wave"
            )
        )
    assert list(rows.scalars()) == ["live"] * 4
    assert list(left.scalars()) == []
    [line] = [line for line in await alarms.lines(means, scene) if line.kind == "covered"]
    assert len(line.args["responders"]) == 4  # type: ignore[arg-type]  # JSON
    with pytest.raises(errors.AlertOver) as refused:
        await alarms.accept(means, told[0])
    assert refused.value.state is not None
    assert refused.value.state["reason"] == "covered"


SEVEN_WITH_AEDS = replace(alarms.SEVEN, aeds_most=2)


async def test_WAV_1_when_one_of_them_gives_up_others_are_asked(
    means: firing.Means, now: datetime
) -> None:
    scene = await alarms.scene(means, SEVEN_WITH_AEDS, people=9)
    await _cover(means, scene)
    [one, *_] = await alarms.going(means, scene)
    async with means.database.transaction() as conn:
        await assignments.step(
            conn, one.id, states.Assignment.UNABLE, policy=means.policy, by=one.responder_id,
            now=now,
        )  # fmt: skip
    await alarms.fire_due(means)
    assert sum(a.is_live for a in await alarms.asked(means, scene)) == 2


async def test_WAV_4_the_next_after_enough_meets_the_ambulance(
    means: firing.Means, now: datetime
) -> None:
    scene = await alarms.scene(means, SEVEN_WITH_AEDS, people=7)
    async with means.database.transaction() as conn:
        # Nobody arrives before it, so nobody is covered.
        await incidents.set_ambulance(
            conn, scene.incident.id, states.Ambulance.DISPATCHED, eta_s=60, by=None, now=now
        )
    assert await _cover(means, scene) == []
    live = [a for a in await alarms.asked(means, scene) if a.is_live]
    guide = await alarms.accept(means, live[0])
    assert (guide.role, guide.aed) == (states.Role.GUIDE, None)
    assert [step.value for step in states.steps_of(guide.role)] == [
        "en_route", "on_scene", "cleared",
    ]  # fmt: skip
    assert (await alarms.accept(means, live[1])).role is not states.Role.GUIDE
    async with means.database.transaction() as conn:
        await assignments.step(
            conn, guide.id, states.Assignment.ON_SCENE, policy=means.policy,
            by=guide.responder_id, now=now,
        )  # fmt: skip
        incident = await store.get_incident(conn, scene.incident.id)
    assert (incident.status, incident.first_on_scene_at) == (states.Incident.RESPONDING, None)


REPETITIONS = 1_000 if os.environ.get("GOLDEN_TEST_LONG") else 100


async def test_WAV_3_of_two_who_claim_the_last_place_one_gets_it(
    means: firing.Means, now: datetime
) -> None:
    one_place = matching.Target(total=1, direct=1, via_aed=0)
    scene = await alarms.scene(means, replace(alarms.THREE, arrest=one_place), people=2)
    asked = await alarms.asked(means, scene)
    assert len(asked) == 2
    winners: Counter[str] = Counter()
    for _ in range(REPETITIONS):
        came = await asyncio.gather(*(_claim(means, alert) for alert in asked))
        assert sorted(came) == ["alert_over covered", "going"]
        winners[str(came.index("going"))] += 1
        async with means.database.transaction() as conn:
            await conn.execute(sa.delete(tables.assignment))
            await conn.execute(sa.update(tables.alert).values(status="notified", answered_at=None))
    assert winners.total() == REPETITIONS


async def _claim(means: firing.Means, alert: store.Alert) -> str:
    try:
        await alarms.accept(means, alert)
    except errors.AlertOver as over:
        return f"{over.code} {(over.state or {})['reason']}"
    return "going"
