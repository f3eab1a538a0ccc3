"""The after-action review equals what the bare timeline says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, assignments, events, incidents, review, states, store, tables
from tests import factories as f

A = states.Assignment


async def _played(conn: AsyncConnection, now: datetime) -> store.Incident:
    """Play an incident: one goes all the way, one declines, the others let their time run out."""
    scene = await f.make_scene(conn, now=now)
    sent_at = now + timedelta(seconds=21)
    first, second, *_ = (await f.send(conn, scene, now=sent_at)).alerts
    at = sent_at + timedelta(seconds=12.5)
    await alerts.decline(conn, second.id, policy=f.POLICY, by=second.responder_id, now=at)
    at += timedelta(seconds=8)
    taken = await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=at)
    for step in (A.EN_ROUTE, A.ON_SCENE, A.WITH_PATIENT, A.HANDED_OVER, A.CLEARED):
        at += timedelta(seconds=61.25)
        await assignments.step(conn, taken.id, step, policy=f.POLICY, by=first.responder_id, now=at)
    await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=at)
    return await incidents.close(
        conn, scene.incident.id, states.Disposition.COMPLETED, by=scene.operator,
        now=at + timedelta(seconds=30),
    )  # fmt: skip


#: The interval, the kind of line it begins with, and the kind it ends with.
INTERVALS = [
    ("call_to_alert_s", "opened", ["wave_sent"]),
    ("alert_to_answer_s", "wave_sent", ["alert_accepted", "alert_declined"]),
    ("alert_to_accept_s", "wave_sent", ["alert_accepted"]),
    ("call_to_accept_s", "opened", ["alert_accepted"]),
    ("call_to_en_route_s", "opened", ["en_route"]),
    ("call_to_aed_collected_s", "opened", ["aed_collected"]),
    ("call_to_on_scene_s", "opened", ["on_scene"]),
    ("call_to_with_patient_s", "opened", ["with_patient"]),
    ("call_to_handed_over_s", "opened", ["handed_over"]),
    ("call_to_close_s", "opened", ["closed"]),
]


@pytest.mark.parametrize(("interval", "begin", "ends"), INTERVALS)
async def test_REV_1_intervals_equal_those_of_the_timeline(
    conn: AsyncConnection, now: datetime, interval: str, begin: str, ends: list[str]
) -> None:
    incident = await _played(conn, now)
    body = await review.after_action(conn, incident.id)
    lines = await store.list_lines(conn, incident.id)
    began = next(line.at for line in lines if line.kind == begin)
    ended = [line.at for line in lines if line.kind in ends]
    expected = None if not ended else round((min(ended) - began).total_seconds(), 3)
    assert body["intervals"][interval] == expected


async def test_REV_3_each_decision_is_told_with_its_numbers_alone(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=3, kind=states.Kind.TRAUMA, now=now)
    await f.send(conn, scene, named=scene.responders[:1], now=now)
    later = now + timedelta(seconds=5)
    await f.send(conn, scene, now=later)
    body = await review.after_action(conn, scene.incident.id)
    records = await store.list_allocations(conn, scene.incident.id)
    assert body["decisions"] == [
        {"id": str(row["id"]), "made_at": events.time(row["made_at"]), "policy": row["policy"],
         "chosen": chosen, "excluded": excluded}
        for row, (chosen, excluded) in zip(reversed(records), [(1, 0), (2, 1)], strict=True)
    ]  # fmt: skip


async def test_REV_2_everybody_asked_is_counted_once_and_the_silent_are_named(
    conn: AsyncConnection, now: datetime
) -> None:
    incident = await _played(conn, now)
    body = await review.after_action(conn, incident.id)
    counts = body["counts"]
    ended = ("accepted", "declined", "timed_out", "stood_down")
    assert sum(counts[name] for name in ended) == counts["alerted"] == len(body["responders"])
    assert len(body["silent"]) == counts["alerted"] - 2
    lines = await store.list_lines(conn, incident.id)
    answered = [
        person["id"]
        for line in lines
        if line.kind in {"alert_accepted", "alert_declined"}
        for person in line.args["responders"]  # type: ignore[attr-defined]  # JSON of a line
    ]
    asked = {item["responder"] for item in body["responders"]}
    assert {item["responder"] for item in body["silent"]} == asked - set(answered)


async def test_REV_2_who_was_told_to_stop_before_the_time_was_over_is_not_silent(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=4, now=now)
    await conn.execute(sa.update(tables.incident).values(exercise=True))
    covered, wanted, silent, stopped = scene.responders
    await f.send(conn, scene, named=[covered], now=now)
    await alerts.cover(conn, scene.incident.id, now=now)
    await f.send(conn, scene, named=[wanted, silent], now=now)
    # A real alarm takes one of them out of the exercise.
    real = await f.make_incident(conn, scene.org_id, now=now)
    plan = await f.make_plan(conn, real.id, named=[wanted], now=now)
    await alerts.send_wave(conn, plan, by=scene.operator, now=now)
    late = now + timedelta(seconds=f.POLICY.alert_expires_s)
    await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=late)
    await f.send(conn, scene, named=[stopped], now=late)
    await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=late)
    body = await review.after_action(conn, scene.incident.id)
    assert [item["responder"] for item in body["silent"]] == [str(silent)]
    assert body["counts"]["stood_down"] == 3
