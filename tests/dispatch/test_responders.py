"""Duty, places, positions, teams."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import alerts, certificates, errors, orgs, profile, responders, states, store
from dispatch.whereabouts import Outcome
from tests import factories as f


async def _report(
    conn: AsyncConnection, person: object, metres: float, at: datetime, now: datetime
) -> Outcome:
    fix = store.Fix(f.north_of(f.HARBOUR, metres), at)
    return await responders.report_position(conn, person, fix, now=now)


async def test_RSP_8_positions_are_stored_seldom(conn: AsyncConnection, now: datetime) -> None:
    org = await f.make_org(conn)
    person = await f.make_responder(conn, org, seen_at=now, now=now)
    outcomes = [
        await _report(conn, person, metres, now + timedelta(seconds=s), now + timedelta(seconds=s))
        for s, metres in [(5, 10), (10, 99), (11, 101), (12, 110), (26, 112), (20, 500)]
    ]
    assert outcomes == [
        Outcome.KEPT, Outcome.KEPT, Outcome.STORED, Outcome.KEPT, Outcome.STORED, Outcome.OLD,
    ]  # fmt: skip


async def test_RSP_9_a_jump_is_refused_unless_the_person_states_it(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    person = await f.make_responder(conn, org, seen_at=now, now=now)
    soon = now + timedelta(seconds=10)
    assert await _report(conn, person, 460, soon, soon) is Outcome.IMPLAUSIBLE
    assert await _report(conn, person, 440, soon, soon) is Outcome.STORED
    fix = store.Fix(f.north_of(f.HARBOUR, 50_000), soon)
    stated = await responders.report_position(conn, person, fix, is_stated=True, now=soon)
    assert stated is Outcome.STORED


async def test_RSP_10_in_an_exercise_the_gate_allows_the_drills_speed(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    person = await f.make_responder(conn, org, seen_at=now, now=now)
    drill = await f.make_incident(conn, org, exercise=True, drill_speed=20, now=now)
    plan = await f.make_plan(conn, drill.id, now=now)
    [alert] = (await alerts.send_wave(conn, plan, by=None, now=now)).alerts
    soon = now + timedelta(seconds=10)
    assert await _report(conn, person, 8_000, soon, soon) is Outcome.IMPLAUSIBLE
    await alerts.accept(conn, alert.id, policy=f.POLICY, by=person, now=now)
    assert await _report(conn, person, 8_000, soon, soon) is Outcome.STORED


@pytest.mark.parametrize("off", [timedelta(days=365), timedelta(days=-365), timedelta(hours=1)])
async def test_RSP_11_a_phone_with_a_wrong_clock_is_still_found(
    conn: AsyncConnection, now: datetime, off: timedelta
) -> None:
    org = await f.make_org(conn)
    person = await f.make_responder(conn, org, seen_at=now - timedelta(hours=1), now=now)
    assert await _report(conn, person, 500, now + off, now) is Outcome.STORED
    assert (await store.last_fixes(conn, [person]))[person].at == now


async def test_RSP_12_the_own_page_says_what_keeps_one_from_being_asked(
    conn: AsyncConnection, now: datetime
) -> None:
    org_id = await f.make_org(conn)
    org = await orgs.get_org(conn, org_id)
    ready = await f.make_responder(conn, org_id, now=now)
    role = [states.OrgRole.RESPONDER]
    page = await profile.me(conn, ready, org, role, policy=f.POLICY, live={}, now=now)
    assert page["blocked"] == []
    lights = {light["code"]: light["ok"] for light in page["readiness"]}
    assert (lights["duty"], lights["certificate"], lights["position"]) == (True, True, True)
    lacking = await f.make_responder(
        conn, org_id, position=None, duty=states.Duty.OFF_DUTY, expires_on=date(2020, 1, 1),
        now=now,
    )  # fmt: skip
    page = await profile.me(conn, lacking, org, role, policy=f.POLICY, live={}, now=now)
    assert page["blocked"] == ["off_duty", "certificate_expired", "no_position"]
    operator = await f.make_person(conn, org_id)
    page = await profile.me(conn, operator, org, [], policy=f.POLICY, live={}, now=now)
    assert (page["duty"], page["blocked"], page["readiness"]) == (None, [], [])


async def test_RSP_13_places_are_replaced_as_a_whole(conn: AsyncConnection, now: datetime) -> None:
    org = await f.make_org(conn)
    home = responders.Spot("home", f.HARBOUR, "Home")
    person = await f.make_responder(conn, org, places=[home], now=now)
    work = responders.Spot("work", f.north_of(f.HARBOUR, 10), "Work", "Mo-Fr 08:00-17:00")
    places = await responders.set_places(conn, person, [work])
    assert [(p.kind, p.label, p.hours) for p in places] == [("work", "Work", "Mo-Fr 08:00-17:00")]


async def test_RSP_14_a_responder_changes_by_version(conn: AsyncConnection, now: datetime) -> None:
    org = await f.make_org(conn)
    person = await f.make_responder(conn, org, now=now)
    version = (await store.get_responder(conn, person)).version
    proof = certificates.Proof("nurse", date(2031, 1, 1), number="7")
    after = await responders.change(
        conn, person, {"skills": ["als"], "proofs": [proof]}, version=version
    )
    assert (after.skills, after.version) == (("als",), version + 1)
    assert [c.kind for c in await store.list_certificates(conn, [person])] == ["nurse"]
    with pytest.raises(errors.StaleVersion):
        await responders.change(conn, person, {"skills": []}, version=version)


async def test_RSP_15_a_team_has_its_leader_as_a_member(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    one, two, three = [await f.make_responder(conn, org, now=now) for _ in range(3)]
    team = await responders.add_team(conn, org, code="t", name="T", leader_id=one, members=[two])
    assert team.members == (one, two)
    with pytest.raises(errors.NameTaken):
        await responders.add_team(conn, org, code="t", name="Other")
    changed = await responders.change_team(
        conn, team.id, name="T2", members=[three], version=team.version
    )
    assert (changed.name, changed.members) == ("T2", (one, three))
    with pytest.raises(errors.StaleVersion):
        await responders.change_team(conn, team.id, name="T3", version=team.version)
    with pytest.raises(errors.NotFound):
        await responders.add_team(conn, org, code="u", name="U", members=[store.new_id()])
