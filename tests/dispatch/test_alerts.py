"""Asking, receipts, answers, silence: what each may do, and what repeating does."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    care,
    errors,
    events,
    incidents,
    responders,
    states,
    store,
    tables,
    timers,
)
from realtime import log
from tests import factories as f


async def _timers(conn: AsyncConnection, incident: store.Incident) -> dict[str, datetime]:
    row = tables.timer.c
    found = await conn.execute(
        sa.select(row.kind, row.due_at).where(row.incident_id == incident.id)
    )
    return {row.kind: row.due_at for row in found}


async def _kinds_of_lines(conn: AsyncConnection, scene: f.Scene) -> list[str]:
    return [line.kind for line in await store.list_lines(conn, scene.incident.id)]


async def test_ALR_9_a_wave_asks_keeps_the_record_and_arms_its_timers(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    sent = await f.send(conn, scene, now=now)
    assert sent.wave.number == 1
    assert {a.responder_id for a in sent.alerts} == set(scene.responders)
    assert {a.status for a in sent.alerts} == {states.Alert.NOTIFIED}
    assert {a.delivery for a in sent.alerts} == {"queued"}
    assert sum(a.role is states.Role.VIA_AED for a in sent.alerts) == 2
    assert await _timers(conn, scene.incident) == {
        timers.Kind.WAVE: now + timedelta(seconds=30),
        timers.Kind.ALERT_EXPIRY: now + timedelta(seconds=60),
        timers.Kind.DELIVERY_CHECK: now + timedelta(seconds=8),
    }
    [record] = await store.list_allocations(conn, scene.incident.id)
    assert record["id"] == sent.allocation_id
    assert record["policy"] == "first-policy v1"
    assert {item["responder"] for item in record["chosen"]} == {str(p) for p in scene.responders}
    assert "coordinates" not in str(record["chosen"])
    incident = await store.get_incident(conn, scene.incident.id)
    assert incident.status is states.Incident.ALERTING
    assert incident.first_alert_at == now


async def test_ALR_10_a_plan_made_before_the_incident_changed_is_refused(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    plan = await f.make_plan(conn, scene.incident.id, now=now)
    await f.send(conn, scene, now=now)
    with pytest.raises(errors.PlanOutdated):
        await alerts.send_wave(conn, plan, by=scene.operator, now=now)


async def test_ALR_11_nobody_is_asked_by_two_incidents_at_once(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=2, now=now)
    other = await f.make_incident(conn, scene.org_id, now=now)
    stale = await f.make_plan(conn, other.id, now=now)
    await f.send(conn, scene, now=now)
    fresh = await f.make_plan(conn, other.id, now=now)
    assert {item.reason for item in fresh.excluded} == {"busy"}
    # A plan from before the first wave loses those people when it is sent.
    sent = await alerts.send_wave(conn, stale, by=scene.operator, now=now)
    assert sent.alerts == ()
    [record] = await store.list_allocations(conn, other.id)
    assert {item["reason"] for item in record["excluded"]} == {"busy"}


async def test_ALR_12_who_went_off_duty_after_the_plan_is_not_asked(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=2, now=now)
    plan = await f.make_plan(conn, scene.incident.id, now=now)
    gone, stays = scene.responders
    await responders.set_duty(conn, gone, states.Duty.OFF_DUTY, now=now)
    sent = await alerts.send_wave(conn, plan, by=scene.operator, now=now)
    assert [a.responder_id for a in sent.alerts] == [stays]


async def test_POL_23_who_was_lost_since_the_plan_is_on_record_with_the_reason(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=3, kind=states.Kind.TRAUMA, now=now)
    plan = await f.make_plan(conn, scene.incident.id, now=now)
    busy, off, rests = scene.responders
    other = await f.make_incident(conn, scene.org_id, kind=states.Kind.TRAUMA, now=now)
    asked = await f.make_plan(conn, other.id, named=[busy], now=now)
    await alerts.send_wave(conn, asked, by=scene.operator, now=now)
    await responders.set_duty(conn, off, states.Duty.OFF_DUTY, now=now)
    await care.rest(conn, rests, until=now + timedelta(hours=1), now=now)
    await alerts.send_wave(conn, plan, by=scene.operator, now=now)
    [record] = await store.list_allocations(conn, scene.incident.id)
    found = {item["responder"]: item["reason"] for item in record["excluded"]}
    assert found == {str(busy): "busy", str(off): "off_duty", str(rests): "resting"}


async def test_POL_21_an_aed_that_opens_on_the_way_is_shown_until_it_shuts_again(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    for metres in (50, 600):
        await f.make_responder(conn, org, position=f.north_of(f.HARBOUR, metres), now=now)
    # It is 09:30 in Monaco; the second person needs about five minutes to the AED.
    place = f.north_of(f.HARBOUR, 300)
    await f.make_aed(conn, org, position=place, hours="Mo-Su 09:33-18:00", now=now)
    incident = await f.make_incident(conn, org, now=now)
    plan = await f.make_plan(conn, incident.id, now=now)
    sent = await alerts.send_wave(conn, plan, by=None, now=now)
    [fetches] = [alert.aed for alert in sent.alerts if alert.aed is not None]
    assert fetches.usable_until == now + timedelta(hours=8, minutes=30)


async def test_ALR_13_with_nobody_in_reach_the_wave_is_on_record_and_somebody_looks_again(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=0, now=now)
    sent = await f.send(conn, scene, now=now)
    assert sent.alerts == ()
    assert (await _timers(conn, scene.incident)).keys() == {timers.Kind.WAVE}
    assert "no_one_left" in await _kinds_of_lines(conn, scene)
    incident = await store.get_incident(conn, scene.incident.id)
    assert incident.status is states.Incident.RECEIVED
    assert incident.first_alert_at is None


async def test_ALR_14_named_people_who_cannot_be_asked_are_refused_with_reasons(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=1, now=now)
    [person] = scene.responders
    await responders.set_duty(conn, person, states.Duty.OFF_DUTY, now=now)
    with pytest.raises(errors.NobodyToAlert) as refused:
        await f.send(conn, scene, named=[person], now=now)
    assert refused.value.state == {"excluded": {str(person): "off_duty"}}


async def test_ALR_15_a_far_or_unplaced_person_can_be_named(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=0, now=now)
    far = await f.make_responder(
        conn, scene.org_id, position=f.north_of(f.HARBOUR, 40_000), now=now
    )
    nowhere = await f.make_responder(conn, scene.org_id, position=None, now=now)
    sent = await f.send(conn, scene, named=[far, nowhere], now=now)
    assert {a.responder_id: a.travel_s for a in sent.alerts} == {far: None, nowhere: None}


async def test_ALR_16_receipts_count_once_and_only_from_the_person_asked(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    first, second, *_ = (await f.send(conn, scene, now=now)).alerts
    later = now + timedelta(seconds=1)
    for at in (later, later + timedelta(seconds=5)):
        taken = await alerts.acknowledge(
            conn, first.id, alerts.Level.RECEIVED, by=first.responder_id, now=at
        )
    assert (taken.status, taken.delivered_at) == (states.Alert.DELIVERED, later)
    assert taken.delivery == "delivered"
    assert (await _kinds_of_lines(conn, scene)).count("alert_delivered") == 1
    with pytest.raises(errors.NotFound):
        await alerts.acknowledge(
            conn, first.id, alerts.Level.SHOWN, by=second.responder_id, now=later
        )


async def test_ALR_16_receipts_of_many_count_as_each_would_and_are_told_as_one_event(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    first, second, third, *_ = (await f.send(conn, scene, now=now)).alerts
    of = {alert.id: alert.incident_id for alert in (first, second, third)}
    assert await alerts.incidents_of(conn, [*of, uuid4()]) == of
    received, shown = alerts.Level.RECEIVED, alerts.Level.SHOWN
    mine = {
        alerts.Receipt(first.id, first.responder_id, received),
        alerts.Receipt(first.id, first.responder_id, shown),
        alerts.Receipt(second.id, second.responder_id, received),
    }
    foreign = alerts.Receipt(third.id, first.responder_id, shown)
    before = (await log.position_of(conn, [f"incident:{scene.incident.id}"])).popitem()[1]
    for _ in range(2):
        taken = await alerts.acknowledge_all(
            conn, scene.incident.id, {*mine, foreign}, now=now + timedelta(seconds=1)
        )
        assert taken == mine
    after = (await log.position_of(conn, [f"incident:{scene.incident.id}"])).popitem()[1]
    assert after.seq == before.seq + 1
    known = {alert.id: alert for alert in await store.list_alerts(conn, tables.alert.c.id.in_(of))}
    assert [known[a.id].status for a in (first, second, third)] == [
        states.Alert.DELIVERED, states.Alert.DELIVERED, states.Alert.NOTIFIED,
    ]  # fmt: skip
    assert [known[a.id].shown_at is not None for a in (first, second, third)] == [
        True, False, False,
    ]  # fmt: skip
    assert (await _kinds_of_lines(conn, scene)).count("alert_delivered") == 2


async def test_ALR_17_accepting_makes_one_assignment_however_often(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    taps = [
        await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
        for _ in range(3)
    ]
    assert len({tap.id for tap in taps}) == 1
    assert taps[0].eta_at == now + timedelta(seconds=alert.travel_s or 0)
    assert (await _kinds_of_lines(conn, scene)).count("alert_accepted") == 1
    incident = await store.get_incident(conn, scene.incident.id)
    assert (incident.status, incident.accepted, incident.first_accept_at) == (
        states.Incident.RESPONDING, 1, now,
    )  # fmt: skip


LATE = timedelta(seconds=60)


@pytest.mark.parametrize("answer", [alerts.accept, alerts.decline])
async def test_ALR_18_an_answer_after_the_end_is_refused_and_says_how_it_ended(
    conn: AsyncConnection, now: datetime, answer: object
) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    by = alert.responder_id
    assert callable(answer)
    # The server's clock decides, also before the timer has fired.
    with pytest.raises(errors.AlertOver) as refused:
        await answer(conn, alert.id, policy=f.POLICY, by=by, now=now + LATE)
    assert refused.value.state is not None
    assert refused.value.state["status"] == "timed_out"
    await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=now + LATE)
    with pytest.raises(errors.AlertOver):
        await answer(conn, alert.id, policy=f.POLICY, by=by, now=now + LATE)


async def test_ALR_18_an_answer_after_a_stand_down_says_so(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=now)
    with pytest.raises(errors.AlertOver) as refused:
        await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    assert refused.value.state is not None
    assert refused.value.state["status"] == "stood_down"


async def test_ALR_19_declining_twice_is_once(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    for _ in range(2):
        gone = await alerts.decline(
            conn, alert.id, reason="ill", policy=f.POLICY, by=alert.responder_id, now=now
        )
    assert (gone.status, gone.decline_reason) == (states.Alert.DECLINED, "ill")
    assert (await _kinds_of_lines(conn, scene)).count("alert_declined") == 1
    with pytest.raises(errors.AlertOver):
        await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)


async def test_ALR_20_time_out_ends_only_what_has_run_out(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    sent = (await f.send(conn, scene, now=now)).alerts
    early = now + timedelta(seconds=59)
    assert await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=early) == []
    first = sent[0]
    await alerts.accept(conn, first.id, policy=f.POLICY, by=first.responder_id, now=early)
    ended = await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=now + LATE)
    assert {a.id for a in ended} == {a.id for a in sent[1:]}
    assert {a.status for a in ended} == {states.Alert.TIMED_OUT}
    assert await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=now + LATE) == []


async def test_ESC_10_the_wave_timer_follows_the_answers(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=3, now=now)
    sent = (await f.send(conn, scene, now=now)).alerts
    look_at = now + timedelta(seconds=30)
    assert (await _timers(conn, scene.incident))["wave"] == look_at
    soon = now + timedelta(seconds=3)
    for alert in sent:
        await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=soon)
    assert "wave" not in await _timers(conn, scene.incident)


async def test_ESC_11_when_all_have_said_no_the_next_wave_is_due_now(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=2, now=now)
    soon = now + timedelta(seconds=3)
    for alert in (await f.send(conn, scene, now=now)).alerts:
        await alerts.decline(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=soon)
    assert (await _timers(conn, scene.incident))["wave"] == soon


async def test_ALR_21_seeing_moves_forward_only(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    by = alert.responder_id
    seen = await alerts.seen(conn, alert.id, at=now, by=by, now=now)
    assert seen.status is states.Alert.SEEN
    assert seen.delivered_at == now
    late = await alerts.acknowledge(conn, alert.id, alerts.Level.RECEIVED, by=by, now=now)
    assert late.status is states.Alert.SEEN
    await alerts.decline(conn, alert.id, policy=f.POLICY, by=by, now=now)
    assert (await alerts.seen(conn, alert.id, by=by, now=now)).status is states.Alert.DECLINED
    kinds = await _kinds_of_lines(conn, scene)
    assert kinds.count(events.LineKind.ALERT_SEEN) == 1
