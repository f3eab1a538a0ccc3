"""The course of an alarm with real timers and an injected clock, by the policies of all styles."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from dispatch import (
    alerts,
    allocations,
    assignments,
    db,
    errors,
    firing,
    incidents,
    matching,
    rerouting,
    states,
    store,
    tables,
    timers,
    whereabouts,
)
from geo import aed_reports, aeds
from tests import factories as f

LANES = list(timers.Lane)
OURS = matching.SHIPPED["expected-survival"]
THREE = matching.SHIPPED["three-and-replace"]
SEVEN = matching.SHIPPED["seven-and-replace"]
#: Enough for our own chooser to send people of a small scene far away from a late ambulance.
EAGER = replace(OURS, price=0.0, collapse_s=60)


@pytest.fixture
async def means(database: str, now: datetime) -> AsyncIterator[firing.Means]:
    """Give the means of a runner whose clock the test moves with `dataclasses.replace`."""
    engine = db.make_engine(database, pool_size=6)
    yield firing.Means(db.Database(engine, None), EAGER, lambda: f.NETWORK, lambda: now)
    await engine.dispose()


def _at(means: firing.Means, at: datetime) -> firing.Means:
    return replace(means, clock=lambda: at)


async def _fire_due(means: firing.Means) -> list[str]:
    """Fire what is due at the clock's time until nothing is, as a runner would."""
    fired: list[str] = []
    while True:
        async with means.database.transaction() as conn:
            due = await timers.list_due(conn, LANES, limit=50, now=means.clock())
        done = [timer.kind.value for timer in due if await firing.fire(means, timer)]
        if not done:
            return fired
        fired += done


async def _scene(means: firing.Means, policy: matching.Policy, *, people: int) -> f.Scene:
    now = means.clock()
    async with means.database.transaction() as conn:
        scene = await f.make_scene(conn, people=people, now=now)
        await f.send(conn, scene, policy=policy, now=now)
    return scene


async def _asked(means: firing.Means, scene: f.Scene) -> list[store.Alert]:
    async with means.database.transaction() as conn:
        return await store.list_alerts(conn, tables.alert.c.incident_id == scene.incident.id)


async def _going(means: firing.Means, scene: f.Scene) -> list[store.Assignment]:
    async with means.database.transaction() as conn:
        return await store.list_assignments(
            conn, tables.assignment.c.incident_id == scene.incident.id
        )


async def _lines(means: firing.Means, scene: f.Scene) -> list[store.Line]:
    async with means.database.transaction() as conn:
        return await store.list_lines(conn, scene.incident.id)


async def _accept(means: firing.Means, alert: store.Alert) -> store.Assignment:
    async with means.database.transaction() as conn:
        return await alerts.accept(
            conn, alert.id, policy=means.policy, by=alert.responder_id, now=means.clock()
        )


async def _decline(means: firing.Means, alert: store.Alert) -> None:
    async with means.database.transaction() as conn:
        await alerts.decline(
            conn, alert.id, policy=means.policy, by=alert.responder_id, now=means.clock()
        )


# ---- waves


async def test_ESC_2_a_no_is_answered_by_a_new_plan_at_once(
    means: firing.Means, now: datetime
) -> None:
    policy = replace(EAGER, wave_size=2, live_most=2)
    scene = await _scene(means, policy, people=5)
    first, second = await _asked(means, scene)
    soon = _at(means, now + timedelta(seconds=6))
    await _decline(soon, first)
    assert await _fire_due(soon) == ["wave"]
    third = (await _asked(means, scene))[2]
    assert (third.wave, third.notified_at) == (2, now + timedelta(seconds=6))
    # Nobody more may be live, so the next look is at the policy's time after the operator asked.
    assert await _fire_due(_at(means, now + timedelta(seconds=44))) == ["delivery_check"] * 2
    assert second.is_live


async def test_ESC_2_nobody_worth_the_price_is_no_error_and_looked_for_again(
    means: firing.Means, now: datetime
) -> None:
    policy = replace(EAGER, price=0.9, arrest=matching.Target(9, 1, 1), stop_total=9)
    scene = await _scene(means, replace(policy, price=0.0, wave_size=2), people=5)
    # The incident keeps the policy of its first decision.
    assert policy.digest() != OURS.digest()
    first, _ = await _asked(means, scene)
    await _accept(means, first)
    fired = [
        await _fire_due(_at(means, now + timedelta(seconds=seconds))) for seconds in (0, 45, 75)
    ]
    assert all("wave" in kinds for kinds in fired)
    assert "no_one_left" not in [line.kind for line in await _lines(means, scene)]


async def test_WAV_10_a_silence_of_thirty_seconds_is_replaced_at_that_second(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, THREE, people=5)
    assert len(await _asked(means, scene)) == 3
    await _fire_due(_at(means, now + timedelta(seconds=29.9)))
    assert len(await _asked(means, scene)) == 3
    over = now + timedelta(seconds=30)
    await _fire_due(_at(means, over))
    asked = await _asked(means, scene)
    assert [a.status.value for a in asked] == ["timed_out"] * 3 + ["notified"] * 2
    assert {a.notified_at for a in asked[3:]} == {over}


async def test_ESC_3_a_refusal_is_replaced_one_for_one_up_to_the_cap(
    means: firing.Means, now: datetime
) -> None:
    policy = replace(THREE, alerts_cap=5)
    scene = await _scene(means, policy, people=8)
    for number in range(3):
        live = [a for a in await _asked(means, scene) if a.is_live]
        await _decline(means, live[0])
        await _fire_due(means)
        live = [a for a in await _asked(means, scene) if a.is_live]
        assert len(live) == (3, 3, 2)[number]
    assert len(await _asked(means, scene)) == 5
    [told] = [line for line in await _lines(means, scene) if line.kind == "no_one_left"]
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
    await _fire_due(means)
    assert {a.responder_id for a in await _asked(means, scene)} == set(far[:2])
    await _fire_due(_at(means, now + timedelta(seconds=31)))
    assert {a.responder_id for a in await _asked(means, scene)} == set(far[:3])
    await _fire_due(_at(means, now + timedelta(seconds=100)))
    async with means.database.transaction() as conn:
        records = await store.list_allocations(conn, incident.id)
    steps = [record["inputs"]["values"]["under"]["circle_m"] for record in reversed(records)]
    assert steps == [200.0, 400.0, 700.0]
    kinds = [line.kind for line in await _lines(means, scene)]
    assert kinds.count("wave_sent") == 2


async def test_ESC_14_when_its_time_is_over_the_operator_is_told_and_may_begin_anew(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, THREE, people=3)
    for seconds in range(0, 260, 10):
        await _fire_due(_at(means, now + timedelta(seconds=seconds)))
    told = [line.args for line in await _lines(means, scene) if line.kind == "no_one_left"]
    assert told  # nobody is left long before, and that is said once
    late = now + timedelta(seconds=260)
    async with means.database.transaction() as conn:
        fresh = await f.make_responder(conn, scene.org_id, now=late)
    await _fire_due(_at(means, late))
    assert len(await _asked(means, scene)) == 3
    async with means.database.transaction() as conn:
        sent = await f.send(conn, scene, policy=THREE, now=late)
    assert [a.responder_id for a in sent.alerts] == [fresh]


@pytest.mark.parametrize(
    ("eta_s", "fires"), [(400, True), (455, False), (None, True)], ids=["sooner", "same", "there"]
)
async def test_WAV_11_an_ambulance_that_matters_lets_the_plan_be_made_anew(
    means: firing.Means, now: datetime, eta_s: float | None, *, fires: bool
) -> None:
    scene = await _scene(means, EAGER, people=2)
    async with means.database.transaction() as conn:
        await incidents.set_ambulance(
            conn, scene.incident.id, states.Ambulance.DISPATCHED, eta_s=500, by=None, now=now
        )
    await _fire_due(means)
    soon = now + timedelta(seconds=20)
    state = states.Ambulance.DISPATCHED if eta_s else states.Ambulance.ON_SCENE
    async with means.database.transaction() as conn:
        await incidents.set_ambulance(
            conn, scene.incident.id, state, eta_s=eta_s, by=None, now=soon
        )
    assert ("wave" in await _fire_due(_at(means, soon))) is fires


async def test_WAV_11_who_is_suddenly_elsewhere_arrives_at_another_time(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, EAGER, people=4)
    alert = next(a for a in await _asked(means, scene) if a.role is states.Role.DIRECT)
    before = await _accept(means, alert)
    await _fire_due(means)
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
    assert "wave" in await _fire_due(_at(means, soon))


# ---- covered


async def _cover(means: firing.Means, scene: f.Scene) -> list[store.Alert]:
    """Let as many accept as are enough; return who was told that they are covered."""
    asked = await _asked(means, scene)
    fetcher = next(a for a in asked if a.role is states.Role.VIA_AED)
    direct = [a for a in asked if a.role is states.Role.DIRECT][:2]
    for alert in (fetcher, *direct):
        await _accept(means, alert)
    await _fire_due(means)
    return [a for a in await _asked(means, scene) if a.stand_down_reason == alerts.COVERED]


async def test_WAV_1_who_has_not_answered_is_told_that_enough_are_coming(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, SEVEN_WITH_AEDS, people=7)
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
    [line] = [line for line in await _lines(means, scene) if line.kind == "covered"]
    assert len(line.args["responders"]) == 4  # type: ignore[arg-type]  # JSON
    with pytest.raises(errors.AlertOver) as refused:
        await _accept(means, told[0])
    assert refused.value.state is not None
    assert refused.value.state["reason"] == "covered"


SEVEN_WITH_AEDS = replace(SEVEN, aeds_most=2)


async def test_WAV_1_when_one_of_them_gives_up_others_are_asked(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, SEVEN_WITH_AEDS, people=9)
    await _cover(means, scene)
    [one, *_] = await _going(means, scene)
    async with means.database.transaction() as conn:
        await assignments.step(
            conn, one.id, states.Assignment.UNABLE, policy=means.policy, by=one.responder_id,
            now=now,
        )  # fmt: skip
    await _fire_due(means)
    assert sum(a.is_live for a in await _asked(means, scene)) == 2


async def test_WAV_4_the_next_after_enough_meets_the_ambulance(
    means: firing.Means, now: datetime
) -> None:
    scene = await _scene(means, SEVEN_WITH_AEDS, people=7)
    async with means.database.transaction() as conn:
        # Nobody arrives before it, so nobody is covered.
        await incidents.set_ambulance(
            conn, scene.incident.id, states.Ambulance.DISPATCHED, eta_s=60, by=None, now=now
        )
    assert await _cover(means, scene) == []
    live = [a for a in await _asked(means, scene) if a.is_live]
    guide = await _accept(means, live[0])
    assert (guide.role, guide.aed) == (states.Role.GUIDE, None)
    assert [step.value for step in states.steps_of(guide.role)] == [
        "en_route", "on_scene", "cleared",
    ]  # fmt: skip
    assert (await _accept(means, live[1])).role is not states.Role.GUIDE
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
    scene = await _scene(means, replace(THREE, arrest=one_place), people=2)
    asked = await _asked(means, scene)
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
        await _accept(means, alert)
    except errors.AlertOver as over:
        return f"{over.code} {(over.state or {})['reason']}"
    return "going"


# ---- another AED


async def _fetchers(
    means: firing.Means, *, exercise: bool = False
) -> tuple[f.Scene, list[store.Alert], aeds.Aed]:
    """Make a scene in which three people are on their way to one AED; another one hangs near."""
    now = means.clock()
    async with means.database.transaction() as conn:
        org_id = await f.make_org(conn)
        operator = await f.make_person(conn, org_id)
        crew = [
            await f.make_responder(conn, org_id, position=f.north_of(f.HARBOUR, away), now=now)
            for away in (150, 200, 250, 50)
        ]
        wrong, right = [
            await f.make_aed(conn, org_id, position=f.north_of(f.HARBOUR, away), now=now)
            for away in (100, 180)
        ]
        incident = await f.make_incident(conn, org_id, exercise=exercise, now=now)
        scene = f.Scene(org_id, "", operator, tuple(crew), (wrong, right), incident)
        sent = await f.send(conn, scene, policy=f.POLICY, named=crew, now=now)
        await conn.execute(
            sa.update(tables.alert)
            .where(tables.alert.c.responder_id.in_(crew[:3]))
            .values(role="via_aed", aed_id=wrong.id)
        )
    mine = {a.responder_id: a for a in sent.alerts}
    return scene, [mine[person] for person in crew], wrong


async def _report(
    means: firing.Means, aed: aeds.Aed, by: store.Alert, kind: str = "missing"
) -> None:
    async with means.database.transaction() as conn:
        await rerouting.report(
            conn, aed.id, aed_reports.ReportKind(kind), by=by.responder_id, now=means.clock()
        )


_TOLD_AGAIN = sa.text("""
select topic, kind from event
where kind in ('mission_changed', 'alert_changed') and body -> 'alert' ->> 'revision' = '2'
""")


async def test_WAV_5_everybody_who_was_to_fetch_it_is_led_another_way(
    means: firing.Means, now: datetime
) -> None:
    scene, (first, second, third, direct), wrong = await _fetchers(means)
    for alert in (first, second):
        await _accept(means, alert)
    await _report(means, wrong, first)
    assert "reroute" in await _fire_due(means)
    asked = {a.id: a for a in await _asked(means, scene)}
    going = {a.alert_id: a for a in await _going(means, scene)}
    # The one AED that is left goes to whom it brings soonest: the one who stands next to it.
    right = scene.aeds[1].id
    roles = [(asked[a.id].role.value, getattr(asked[a.id].aed, "id", None)) for a in
             (first, second, third, direct)]  # fmt: skip
    assert roles.count(("via_aed", right)) == 1
    assert roles.count(("direct", None)) == 3
    for alert in (first, second):
        assert going[alert.id].role is asked[alert.id].role
        assert going[alert.id].aed == asked[alert.id].aed
    assert [asked[a.id].revision for a in (first, second, third, direct)] == [2, 2, 2, 1]
    async with means.database.transaction() as conn:
        told = await conn.execute(_TOLD_AGAIN)
        kinds: dict[str, str] = {row.topic: row.kind for row in told}
        device = await aeds.get(conn, wrong.id)
        [task] = (await conn.execute(sa.select(tables.task))).mappings()
        records = await store.list_allocations(conn, scene.incident.id)
    assert kinds == {
        f"person:{first.responder_id}": "mission_changed",
        f"person:{second.responder_id}": "mission_changed",
        f"person:{third.responder_id}": "alert_changed",
    }
    assert device.suspect_since == now
    assert (task["kind"], task["subject_id"]) == ("aed_problem", wrong.id)
    assert records[0]["inputs"]["values"]["call"] == "reroute"
    said = {"aed_reported", "aed_replaced"}
    lines = [line.kind for line in await _lines(means, scene) if line.kind in said]
    assert lines == ["aed_reported", "aed_replaced"]


async def test_WAV_5_the_record_of_another_way_replays(means: firing.Means) -> None:
    scene, (first, *_), wrong = await _fetchers(means)
    await _accept(means, first)
    await _report(means, wrong, first, "locked")
    await _fire_due(means)
    async with means.database.transaction() as conn:
        [record, *_] = await store.list_allocations(conn, scene.incident.id)
    again = allocations.replay(record["inputs"])
    kept = {item["responder"]: (item["role"], item["aed"]) for item in record["chosen"]}
    assert kept == {
        str(choice.id): (choice.role.value, None if choice.aed_id is None else str(choice.aed_id))
        for choice in again.chosen
    }


async def test_WAV_5_who_carries_a_dead_one_goes_on_without_it(means: firing.Means) -> None:
    scene, (first, second, *_), wrong = await _fetchers(means)
    mine = await _accept(means, first)
    await _accept(means, second)
    async with means.database.transaction() as conn:
        await assignments.step(
            conn, mine.id, states.Assignment.AED_COLLECTED, policy=means.policy,
            by=first.responder_id, now=means.clock(),
        )  # fmt: skip
    await _report(means, wrong, first, "broken")
    await _fire_due(means)
    [one, other] = await _going(means, scene)
    assert (one.role, one.status) == (states.Role.DIRECT, states.Assignment.AED_COLLECTED)
    assert getattr(other.aed, "id", None) != wrong.id


async def test_WAV_5_what_somebody_else_says_leads_nobody_another_way(means: firing.Means) -> None:
    scene, (first, *_, direct), wrong = await _fetchers(means)
    await _accept(means, first)
    await _accept(means, direct)
    await _report(means, wrong, direct)
    await _report(means, wrong, first, "other")
    assert "reroute" not in await _fire_due(means)
    assert [a.revision for a in await _asked(means, scene)] == [1] * 4


async def test_WAV_7_an_exercise_leaves_the_registry_alone(means: firing.Means) -> None:
    scene, (first, *_), wrong = await _fetchers(means, exercise=True)
    await _accept(means, first)
    await _report(means, wrong, first)
    assert "reroute" in await _fire_due(means)
    async with means.database.transaction() as conn:
        device = await aeds.get(conn, wrong.id)
        tasks = await conn.scalar(sa.select(sa.func.count()).select_from(tables.task))
        reports = await aed_reports.list_reports(conn, wrong.id)
        plan = await f.make_plan(conn, scene.incident.id, policy=f.POLICY, now=means.clock())
    assert (device.suspect_since, tasks, reports) == (None, 0, [])
    assert wrong.id not in {item.aed.id for item in plan.aeds}  # but this alarm knows of it


# ---- anything in any order


ROUNDS = 30 if os.environ.get("GOLDEN_TEST_LONG") else 7


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_WAV_12_whatever_happens_in_whatever_order(
    means: firing.Means, now: datetime, seed: int
) -> None:
    dice = random.Random(seed)
    shipped = list(matching.SHIPPED.values())
    policy = replace(shipped[seed % len(shipped)], alerts_cap=dice.choice([6, 12, 30]))
    scene = await _scene(means, policy, people=14)
    story = _Story(means, scene, policy, dice)
    for seconds in range(0, 300, 12):
        story.means = _at(means, now + timedelta(seconds=seconds))
        await story.happen()
        await _fire_due(story.means)
        await story.check()


class _Story:
    """An alarm in which the dice decide who does what."""

    def __init__(
        self, means: firing.Means, scene: f.Scene, policy: matching.Policy, dice: random.Random
    ) -> None:
        self.means = means
        self._scene, self._policy, self._dice = scene, policy, dice
        self._stood_down_at: datetime | None = None

    async def happen(self) -> None:
        """Let one or two things happen."""
        for act in self._dice.choices(
            [self._answer, self._step, self._found_missing, self._ambulance, self._stop],
            weights=[10, 4, 3, 2, 0.6],
            k=self._dice.choice([1, 2, 3]),
        ):
            try:
                await act()
            except errors.Conflict:
                continue  # too late, or out of order: refused is refused

    async def _answer(self) -> None:
        asked = await _asked(self.means, self._scene)
        if not asked:
            return
        # Also of whom nothing is asked any more.
        alert = self._dice.choice(asked)
        await self._dice.choice([_accept, _accept, _decline])(self.means, alert)

    async def _step(self) -> None:
        going = await _going(self.means, self._scene)
        if not going:
            return
        one = self._dice.choice(going)
        to = self._dice.choice(
            [states.Assignment.EN_ROUTE, states.Assignment.ON_SCENE, states.Assignment.UNABLE]
        )
        async with self.means.database.transaction() as conn:
            await assignments.step(
                conn, one.id, to, policy=self.means.policy, by=one.responder_id,
                now=self.means.clock(),
            )  # fmt: skip

    async def _found_missing(self) -> None:
        going = await _going(self.means, self._scene)
        for person, aed in [(one.responder_id, one.aed) for one in going if one.aed][:1]:
            async with self.means.database.transaction() as conn:
                await rerouting.report(
                    conn, aed.id, aed_reports.ReportKind.MISSING, by=person,
                    now=self.means.clock(),
                )  # fmt: skip

    async def _ambulance(self) -> None:
        async with self.means.database.transaction() as conn:
            await incidents.set_ambulance(
                conn, self._scene.incident.id, states.Ambulance.DISPATCHED,
                eta_s=self._dice.choice([60, 300, 900]), by=None, now=self.means.clock(),
            )  # fmt: skip

    async def _stop(self) -> None:
        async with self.means.database.transaction() as conn:
            await incidents.stand_down(
                conn, self._scene.incident.id, by=None, now=self.means.clock()
            )
        self._stood_down_at = self.means.clock()

    async def check(self) -> None:
        """Compare with what must hold at any time."""
        asked = await _asked(self.means, self._scene)
        going = {one.alert_id: one for one in await _going(self.means, self._scene)}
        assert len(asked) <= self._policy.alerts_cap
        assert max(Counter(a.responder_id for a in asked).values(), default=0) <= 1
        assert sum(a.is_live for a in asked) <= self._policy.live_most
        assert {a.id for a in asked if a.status is states.Alert.ACCEPTED} == going.keys()
        if self._stood_down_at is not None:
            assert not any(a.is_live for a in asked)
            assert all(a.notified_at <= self._stood_down_at for a in asked)
        if self._policy.is_limited:
            helping = [one for one in going.values() if one.status not in states.ASSIGNMENT_OVER]
            assert len(helping) <= self._policy.arrest.total
        _check_ends(await _lines(self.means, self._scene), asked)


_ENDS = {
    "alert_accepted": states.Alert.ACCEPTED,
    "alert_declined": states.Alert.DECLINED,
    "alert_timed_out": states.Alert.TIMED_OUT,
    "covered": states.Alert.STOOD_DOWN,
    "stood_down": states.Alert.STOOD_DOWN,
}


def _check_ends(lines: Sequence[store.Line], asked: Sequence[store.Alert]) -> None:
    """Each alert that is over ended once by the timeline, and as the timeline says."""
    ends: dict[str, list[str]] = {str(a.id): [] for a in asked}
    for line in lines:
        for person in line.args.get("responders", ()) if line.kind in _ENDS else ():  # type: ignore[attr-defined]  # JSON
            ends[person["alert"]].append(line.kind)
    for alert in asked:
        came = [kind for kind in ends[str(alert.id)] if kind != "stood_down"]
        came = came or ends[str(alert.id)]  # whoever had accepted may be stood down too
        assert len(came) == (0 if alert.is_live else 1), (alert.status, ends[str(alert.id)])
        assert all(_ENDS[kind] is alert.status for kind in came)
