"""Every action tells all that it changes: snapshot + events == snapshot, with golden examples."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    assignments,
    deliveries,
    devices,
    disasters,
    events,
    incidents,
    rerouting,
    responders,
    states,
    store,
)
from geo import aeds
from geo.aed_reports import ReportKind
from geo.position import Position
from tests import factories as f
from tests.dispatch.verify import GOLDEN, verify_action
from web import live_frames


def _topics(scene: f.Scene, *people: int) -> list[str]:
    return [
        f"org:{scene.org_code}",
        f"incident:{scene.incident.id}",
        *(f"person:{scene.responders[number]}" for number in people),
    ]


async def test_BRD_1_opening_is_told(conn: AsyncConnection, now: datetime) -> None:
    org_id = await f.make_org(conn, code="org900001")
    async with verify_action(conn, ["org:org900001"], golden="incident_opened", now=now):
        await f.make_incident(conn, org_id, now=now)


async def test_BRD_1_a_wave_is_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    plan = await f.make_plan(conn, scene.incident.id, now=now)
    async with verify_action(conn, _topics(scene, 0, 1), golden="wave_sent", now=now):
        await alerts.send_wave(conn, plan, by=scene.operator, now=now)


async def test_BRD_1_receipts_are_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    me = alert.responder_id
    async with verify_action(conn, _topics(scene, 0), golden="alert_delivered", now=now):
        await alerts.acknowledge(conn, alert.id, alerts.Level.RECEIVED, by=me, now=now)
    async with verify_action(conn, _topics(scene, 0), now=now):
        await alerts.acknowledge(conn, alert.id, alerts.Level.SHOWN, by=me, now=now)
    async with verify_action(conn, _topics(scene, 0), golden="alert_seen", now=now):
        await alerts.seen(conn, alert.id, by=me, now=now)


async def test_BRD_1_a_silent_phone_is_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    sent = await f.send(conn, scene, now=now)
    async with verify_action(conn, _topics(scene, 0), golden="alerts_unacknowledged", now=now):
        await deliveries.give_up_waiting(conn, scene.incident.id, sent.wave.id, now=now)


async def test_BRD_1_answers_are_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    first, second, *_ = (await f.send(conn, scene, now=now)).alerts
    async with verify_action(conn, _topics(scene, 0, 1, 2), golden="alert_accepted", now=now):
        await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=now)
    async with verify_action(conn, _topics(scene, 0, 1, 2), golden="alert_declined", now=now):
        await alerts.decline(
            conn, second.id, reason="ill", policy=f.POLICY, by=second.responder_id, now=now
        )
    late = now + timedelta(seconds=61)
    async with verify_action(conn, _topics(scene, 0, 1, 2), golden="alerts_timed_out", now=late):
        await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=late)


@pytest.mark.parametrize("kind", [states.Kind.CARDIAC_ARREST, states.Kind.TRAUMA])
async def test_BRD_1_every_step_is_told(
    conn: AsyncConnection, now: datetime, kind: states.Kind
) -> None:
    scene = await f.make_scene(conn, kind=kind, now=now)
    asked = (await f.send(conn, scene, now=now)).alerts
    alert = next((a for a in asked if a.role is states.Role.VIA_AED), asked[0])
    me = scene.responders.index(alert.responder_id)
    by = alert.responder_id
    assignment = await alerts.accept(conn, alert.id, policy=f.POLICY, by=by, now=now)
    shown = set()
    if kind is states.Kind.CARDIAC_ARREST:
        shown = {states.Assignment.AED_COLLECTED, states.Assignment.CLEARED}
    for step in states.steps_of(alert.role):
        golden = f"assignment_moved.{step.value}" if step in shown else None
        async with verify_action(conn, _topics(scene, me, 0), golden=golden, now=now):
            await assignments.step(
                conn, assignment.id, step, at=now, policy=f.POLICY, by=by, now=now
            )


async def test_BRD_1_giving_up_is_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    by = alert.responder_id
    assignment = await alerts.accept(conn, alert.id, policy=f.POLICY, by=by, now=now)
    topics = _topics(scene, 0, 1)
    async with verify_action(conn, topics, golden="assignment_moved.unable", now=now):
        await assignments.step(
            conn,
            assignment.id,
            states.Assignment.UNABLE,
            reason="fell",
            policy=f.POLICY,
            by=by,
            now=now,
        )


async def test_BRD_1_corrections_are_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    first, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=now)
    version = await _version(conn, scene)
    change = incidents.Correction(floor="3", position=Position(7.42, 43.73), severity=2)
    async with verify_action(conn, _topics(scene, 0, 1), golden="incident_edited", now=now):
        await incidents.edit(
            conn, scene.incident.id, change, version=version, by=scene.operator, now=now
        )


async def _version(conn: AsyncConnection, scene: f.Scene) -> int:
    return (await f.store.get_incident(conn, scene.incident.id)).version


async def test_BRD_1_the_ambulance_is_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    first, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=now)
    async with verify_action(conn, _topics(scene, 0, 1), golden="ambulance_changed", now=now):
        await incidents.set_ambulance(
            conn, scene.incident.id, states.Ambulance.DISPATCHED, eta_s=420,
            by=scene.operator, now=now,
        )  # fmt: skip


async def test_BRD_1_lines_are_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    async with verify_action(conn, _topics(scene), golden="line_added", now=now):
        line = await incidents.note(
            conn, scene.incident.id, "门禁密码 1234", by=scene.operator, now=now
        )
    async with verify_action(conn, _topics(scene), golden="line_struck", now=now):
        await incidents.strike(conn, scene.incident.id, line.id, by=scene.operator, now=now)


async def test_BRD_1_a_stand_down_is_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    first, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=now)
    async with verify_action(conn, _topics(scene, 0, 1), golden="incident_stood_down", now=now):
        await incidents.stand_down(
            conn, scene.incident.id, reason="误报", by=scene.operator, now=now
        )
    async with verify_action(conn, _topics(scene, 0, 1), golden="stand_down_seen", now=now):
        await alerts.seen(conn, first.id, by=first.responder_id, now=now)


async def test_BRD_1_closing_and_reopening_are_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    first, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=now)
    async with verify_action(conn, _topics(scene, 0, 1), golden="incident_closed", now=now):
        await incidents.close(
            conn, scene.incident.id, states.Disposition.COMPLETED, by=scene.operator, now=now
        )
    async with verify_action(conn, _topics(scene, 0, 1), golden="incident_reopened", now=now):
        await incidents.reopen(conn, scene.incident.id, by=scene.operator, now=now)


async def test_BRD_1_duty_is_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, people=1, now=now)
    async with verify_action(conn, _topics(scene, 0), golden="duty_changed", now=now):
        await responders.set_duty(
            conn, scene.responders[0], states.Duty.OFF_DUTY,
            until=now + timedelta(hours=2), now=now,
        )  # fmt: skip


async def test_BRD_2_a_teams_leader_sees_the_answers(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, kind=states.Kind.FLOOD, now=now)
    team = await responders.add_team(
        conn, scene.org_id, code="boats", name="Boats", leader_id=scene.responders[0],
        members=scene.responders[1:3],
    )  # fmt: skip
    topics = [f"team:{team.id}", *_topics(scene, 0, 1)]
    plan = await f.make_plan(conn, scene.incident.id, team_id=team.id, now=now)
    async with verify_action(conn, topics, golden="team_asked", now=now):
        sent = await alerts.send_wave(conn, plan, by=scene.operator, now=now)
    assert len(sent.alerts) == 3
    async with verify_action(conn, topics, golden="team_answer", now=now):
        alert = sent.alerts[1]
        await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    async with verify_action(conn, topics, golden="team_closed", now=now):
        await incidents.close(
            conn, scene.incident.id, states.Disposition.CANCELLED, by=scene.operator, now=now
        )
    async with verify_action(conn, topics, now=now):
        await incidents.reopen(conn, scene.incident.id, by=scene.operator, now=now)


async def test_WAV_1_who_is_covered_is_told(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    await f.send(conn, scene, now=now)
    async with verify_action(conn, _topics(scene, 0, 1), golden="alerts_covered", now=now):
        assert len(await alerts.cover(conn, scene.incident.id, now=now)) == 4


async def test_WAV_5_a_missing_aed_and_the_other_way_are_told(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    asked = (await f.send(conn, scene, now=now)).alerts
    alert = next(a for a in asked if a.aed is not None)
    me, by = scene.responders.index(alert.responder_id), alert.responder_id
    work = await alerts.accept(conn, alert.id, policy=f.POLICY, by=by, now=now)
    assert alert.aed is not None
    async with verify_action(conn, _topics(scene, me, 0), golden="aed_reported", now=now):
        await rerouting.report(conn, alert.aed.id, ReportKind.MISSING, by=by, now=now)
    incident = await store.get_incident(conn, scene.incident.id)
    plan = await rerouting.plan(
        conn, incident, alert.aed.id, None, policy=f.POLICY, network=f.NETWORK, now=now
    )
    async with verify_action(conn, _topics(scene, me, 0), golden="aed_replaced", now=now):
        await rerouting.apply(conn, incident.id, plan, policy=f.POLICY, now=now)
    assert work.aed != (await store.get_assignment(conn, work.id)).aed


async def test_AED_18_a_device_is_told_whole(conn: AsyncConnection, now: datetime) -> None:
    org_id = await f.make_org(conn, code="org900002")
    aed = await f.make_aed(conn, org_id, now=now)
    async with verify_action(conn, ["org:org900002"], golden="aed_changed", now=now):
        await devices.tell(conn, aed.id, now=now)
        await aeds.withdraw(conn, aed.id, actor_id=None, now=now)
        await devices.tell(conn, aed.id, now=now)


async def test_IMP_13_a_long_list_is_told_as_one(conn: AsyncConnection, now: datetime) -> None:
    org_id = await f.make_org(conn, code="org900004")
    many = [(await f.make_aed(conn, org_id, now=now)).id for _ in range(devices.TOLD_SINGLY + 1)]
    async with verify_action(conn, ["org:org900004"], golden="aeds_imported", now=now):
        await devices.tell_list(conn, org_id, many, source="list", added=20, now=now)


async def test_INC_17_a_disaster_is_told_whole(conn: AsyncConnection, now: datetime) -> None:
    org_id = await f.make_org(conn, code="org900005")
    by = await f.make_person(conn, org_id)
    async with verify_action(conn, ["org:org900005"], golden="disaster_changed", now=now):
        disaster = await disasters.open_(
            conn, org_id, name="Typhoon", kind="flood", note=None, exercise=True,
            command=[{"post": "Command", "name": "Li", "phone": None}], by=by, now=now,
        )  # fmt: skip
        await disasters.close(conn, disaster.id, now=now)


async def test_AED_16_a_check_that_is_due_is_told(conn: AsyncConnection, now: datetime) -> None:
    org_id = await f.make_org(conn, code="org900003")
    aed = await f.make_aed(conn, org_id, now=now)
    await aeds.change(
        conn, aed.id, {"check_every_days": 30, "verified_at": now - timedelta(days=25)},
        version=1, actor_id=None, now=now,
    )  # fmt: skip
    async with verify_action(conn, ["org:org900003"], golden="aed_check_due", now=now):
        assert await devices.remind(conn, now=now) == 1
        assert await devices.remind(conn, now=now) == 0


#: Nobody can hear an incident's topic before there is the incident.
_BEFORE_ANYBODY = {(events.Kind.INCIDENT_OPENED, "incident")}


def test_BRD_3_every_event_kind_has_a_meaning_and_an_example_for_each_topic_that_hears_it() -> None:
    shown = {
        (event["kind"], path.name.partition(".")[0])
        for path in GOLDEN.glob("*.json")
        for event in f.read_json(path)["events"]
    }
    kinds = {*events.Kind, *events.PersonKind, events.TEAM_ANSWER}
    assert kinds == set(events.MEANINGS) == set(events.HEARD_BY)
    heard = {(kind, noun) for kind, nouns in events.HEARD_BY.items() for noun in nouns}
    assert heard - _BEFORE_ANYBODY == shown


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: str(path.stem))
def test_BRD_4_what_is_told_and_shown_is_as_asyncapi_describes_it(path: Path) -> None:
    noun, example = path.name.partition(".")[0], f.read_json(path)
    for event in example["events"]:
        live_frames.EVENT_BODIES[noun].model_validate_json(json.dumps(event["body"]))
    for snapshot in (example["before"], example["after"]):
        live_frames.SNAPSHOTS[noun].model_validate_json(json.dumps(snapshot))
