"""What a phone may know: coarse before accepting, exact after, nothing when it is over."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, assignments, board, incidents, mission, states, store
from geo import position as positions
from geo.position import Position
from realtime import log
from tests import factories as f


async def _view(conn: AsyncConnection, person: object, now: datetime) -> dict[str, object]:
    view = await board.snapshot(conn, f"person:{person}", now=now)
    return {key: view[key] for key in ("alert", "mission", "stand_down")}


async def _told(conn: AsyncConnection, person: object) -> str:
    topic = f"person:{person}"
    mark = (await log.position_of(conn, [topic]))[topic]
    events = await log.read_after(conn, topic, mark.epoch, 0, limit=100)
    return json.dumps([event.value() for event in events])


def _exact(scene: f.Scene) -> str:
    return str(scene.incident.position.lat)


async def test_RSP_1_before_accepting_only_a_coarse_place(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    shown = mission.alert_out(await mission.get(conn, alert.id), now=now)
    assert shown["place"]["position"] != {
        "type": "Point",
        "coordinates": [f.HARBOUR.lon, f.HARBOUR.lat],
    }
    assert shown["place"]["distance_m"] % 50 == 0
    assert shown["expires_in_ms"] == 60_000
    assert shown["incident"]["number"] is None
    said = json.dumps(await _view(conn, alert.responder_id, now)) + await _told(
        conn, alert.responder_id
    )
    for secret in (_exact(scene), "Quai Albert", scene.incident.number):
        assert secret not in said
    coarse = Position(*shown["place"]["position"]["coordinates"])
    assert positions.distance_m(coarse, f.HARBOUR) < 450


async def test_RSP_2_after_accepting_the_exact_place_and_the_way_in(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[1]
    assert alert.role is states.Role.VIA_AED
    by = alert.responder_id
    await alerts.accept(conn, alert.id, policy=f.POLICY, by=by, now=now)
    shown = mission.mission_out(await mission.get(conn, alert.id))
    assert shown["incident"]["position"]["coordinates"] == [f.HARBOUR.lon, f.HARBOUR.lat]
    assert shown["incident"]["address"] == "Quai Albert Ier 1"
    assert shown["steps"] == [
        "en_route", "aed_collected", "on_scene", "with_patient", "handed_over", "cleared",
    ]  # fmt: skip
    assert shown["next_step"] == "en_route"
    assert alert.aed is not None
    assert shown["aed"]["id"] == str(alert.aed.id)
    assert shown["call_phone"] == "+377 93 00 00 00"


async def test_RSP_3_after_the_stand_down_nothing_not_even_in_the_log(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    going, asked, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, going.id, policy=f.POLICY, by=going.responder_id, now=now)
    assert _exact(scene) in await _told(conn, going.responder_id)
    await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=now)
    for alert in (going, asked):
        told = await _told(conn, alert.responder_id)
        view = await _view(conn, alert.responder_id, now)
        for secret in (_exact(scene), "Quai Albert", "AED", '"coordinates"'):
            assert secret not in told
            assert secret not in json.dumps(view)
        # The alert itself is still named, so that a phone that was away knows that it missed it.
        assert str(alert.id) in told
        assert view["mission"] is None
        assert view["stand_down"] is not None


async def test_RSP_4_a_timed_out_or_declined_alert_shows_no_place(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    no, silent, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.decline(conn, no.id, policy=f.POLICY, by=no.responder_id, now=now)
    late = now + timedelta(seconds=60)
    await alerts.time_out(conn, scene.incident.id, policy=f.POLICY, now=late)
    for alert in (no, silent):
        assert '"coordinates"' not in await _told(conn, alert.responder_id)
        shown = mission.alert_out(await mission.get(conn, alert.id), now=late)
        assert (shown["place"], shown["aed"], shown["expires_in_ms"]) == (None, None, 0)


async def test_RSP_5_after_clearing_only_what_it_was(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    by = alert.responder_id
    work = await alerts.accept(conn, alert.id, policy=f.POLICY, by=by, now=now)
    for step in (states.Assignment.ON_SCENE, states.Assignment.CLEARED):
        await assignments.step(conn, work.id, step, policy=f.POLICY, by=by, now=now)
    shown = mission.mission_out(await mission.get(conn, alert.id))
    assert shown["incident"].keys() == {"id", "kind", "exercise"}
    assert shown["next_step"] is None
    assert _exact(scene) not in await _told(conn, by)


async def test_RSP_6_the_stand_down_stays_until_it_is_read(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    alert = (await f.send(conn, scene, now=now)).alerts[0]
    by = alert.responder_id
    await incidents.stand_down(conn, scene.incident.id, reason="enough", by=scene.operator, now=now)
    await incidents.close(
        conn, scene.incident.id, states.Disposition.COMPLETED, by=scene.operator, now=now
    )
    shown = (await _view(conn, by, now))["stand_down"]
    assert shown == {
        "alert": str(alert.id),
        "incident": {
            "id": str(scene.incident.id), "kind": "cardiac_arrest", "exercise": False,
        },
        "at": "2026-11-22T08:30:00.000Z",
        "reason": "enough",
    }  # fmt: skip
    await alerts.seen(conn, alert.id, by=by, now=now)
    assert (await _view(conn, by, now))["stand_down"] is None
    assert (await store.get_alert(conn, alert.id)).stand_down_seen_at == now


async def test_RSP_7_an_older_stand_down_does_not_come_back(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=1, now=now)
    first = (await f.send(conn, scene, now=now)).alerts[0]
    by = first.responder_id
    await incidents.stand_down(conn, scene.incident.id, by=scene.operator, now=now)
    other = await f.make_incident(conn, scene.org_id, by=scene.operator, now=now)
    plan = await f.make_plan(conn, other.id, now=now)
    second = (await alerts.send_wave(conn, plan, by=scene.operator, now=now)).alerts[0]
    await incidents.stand_down(conn, other.id, by=scene.operator, now=now)
    await alerts.seen(conn, second.id, by=by, now=now)
    assert (await _view(conn, by, now))["stand_down"] is None
