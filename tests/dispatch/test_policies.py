"""Which policy holds for an incident, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    allocations,
    errors,
    incidents,
    policies,
    states,
    store,
    tables,
)
from tests import factories as f

OURS = policies.DEFAULT


EVERYWHERE = policies.Bounds()


ROUND_THE_HARBOUR = {
    "type": "Polygon",
    "coordinates": [[[7.0, 43.0], [8.0, 43.0], [8.0, 44.0], [7.0, 44.0], [7.0, 43.0]]],
}


async def _published(
    conn: AsyncConnection,
    org_id: UUID,
    name: str,
    *,
    bounds: policies.Bounds = EVERYWHERE,
    starts: datetime | None = None,
    until: datetime | None = None,
    now: datetime,
    **fields: Any,
) -> policies.Version:
    version = await policies.draft(conn, org_id, name, fields, bounds=bounds, by=None, now=now)
    await conn.execute(
        sa.insert(tables.simulation_report).values(
            id=store.new_id(), digests=[version.digest], seed=7, incidents=1, body={}, made_at=now
        )
    )
    return await policies.publish(
        conn, version.id, effective_from=starts, effective_until=until, by=None, now=now
    )


async def _name(conn: AsyncConnection, incident: store.Incident, now: datetime) -> str:
    return (await policies.effective(conn, incident, base=OURS, now=now)).name


async def test_POL_5_the_most_specific_policy_of_the_nearest_organisation_holds(
    conn: AsyncConnection, now: datetime
) -> None:
    province = await f.make_org(conn, code="org880001")
    county = await f.make_org(conn, code="org880002", parent="org880001")
    incident = await f.make_incident(conn, county, now=now)
    assert await _name(conn, incident, now) == OURS.name
    await _published(conn, province, "of-the-province", now=now)
    assert await _name(conn, incident, now) == "of-the-province"
    old = await _published(conn, county, "of-the-county", now=now)
    assert await _name(conn, incident, now) == "of-the-county"
    kind = policies.Bounds(kinds=[states.Kind.CARDIAC_ARREST])
    await _published(conn, county, "for-arrests", bounds=kind, now=now)
    area = policies.Bounds(area=ROUND_THE_HARBOUR)
    await _published(conn, county, "at-the-harbour", bounds=area, now=now)
    elsewhere = policies.Bounds(kinds=[states.Kind.FIRE], severities=[4])
    await _published(conn, county, "for-small-fires", bounds=elsewhere, now=now)
    assert await _name(conn, incident, now) == "at-the-harbour"
    fire = await f.make_incident(conn, county, kind=states.Kind.FIRE, now=now)
    assert await _name(conn, fire, now) == "at-the-harbour"
    await policies.retire(conn, old.id, by=None, now=now)
    assert (await policies.get(conn, old.id)).status is policies.Status.RETIRED


async def test_POL_5_what_was_replaced_does_not_come_back_when_its_successor_ends(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)
    hour = timedelta(hours=1)
    await _published(conn, org, "of-the-county", now=now)
    second = await _published(conn, org, "of-the-county", starts=now + hour, now=now)
    assert (await policies.effective(conn, incident, base=OURS, now=now)).version == 1
    assert (await policies.effective(conn, incident, base=OURS, now=now + hour)).version == 2
    await policies.retire(conn, second.id, by=None, now=now + 2 * hour)
    assert await _name(conn, incident, now + 3 * hour) == OURS.name
    # One that was called off before it began has replaced nothing.
    third = await _published(conn, org, "for-a-day", now=now)
    fourth = await _published(conn, org, "for-a-day", starts=now + 9 * hour, now=now)
    await policies.retire(conn, fourth.id, by=None, now=now + hour)
    held = await policies.effective(conn, incident, base=OURS, now=now + 10 * hour)
    assert (held.name, held.version) == ("for-a-day", third.version)


async def test_POL_22_a_corrected_kind_or_severity_chooses_the_policy_anew(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, kind=states.Kind.FIRE, now=now)
    arrests = policies.Bounds(kinds=[states.Kind.CARDIAC_ARREST])
    await _published(conn, scene.org_id, "for-arrests", bounds=arrests, now=now)
    small = policies.Bounds(severities=[4])
    await _published(conn, scene.org_id, "for-small-ones", bounds=small, now=now)
    await f.send(conn, scene, policy=OURS, now=now)
    assert await _name(conn, scene.incident, now) == OURS.name
    incident = await store.get_incident(conn, scene.incident.id)
    for changed, name in (
        ({"note": "two floors"}, OURS.name),
        ({"severity": 3}, OURS.name),
        ({"severity": 4}, "for-small-ones"),
        ({"kind": states.Kind.CARDIAC_ARREST, "severity": 1}, "for-arrests"),
    ):
        incident = await incidents.edit(
            conn, incident.id, incidents.Correction(**changed), version=incident.version, by=None,
            now=now,
        )  # fmt: skip
        assert await _name(conn, incident, now) == name
    lines = await store.list_lines(conn, incident.id)
    said = [line.args for line in lines if line.kind == "policy_changed"]
    assert said == [
        {"policy": "for-small-ones v1", "before": "expected-survival v1"},
        {"policy": "for-arrests v1", "before": "for-small-ones v1"},
    ]


async def test_POL_5_a_policy_holds_from_its_first_to_its_last_moment(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)
    hour = timedelta(hours=1)
    await _published(conn, org, "later", starts=now + hour, until=now + 2 * hour, now=now)
    names = [await _name(conn, incident, now + n * hour) for n in (0, 1, 2)]
    assert names == [OURS.name, "later", OURS.name]


async def test_POL_5_a_policy_that_this_release_cannot_read_leaves_nobody_unasked(
    conn: AsyncConnection, now: datetime
) -> None:
    org = await f.make_org(conn)
    incident = await f.make_incident(conn, org, now=now)
    version = await _published(conn, org, "of-tomorrow", now=now)
    row = tables.policy_version
    await conn.execute(
        sa.update(row)
        .where(row.c.id == version.id)
        .values(document={**version.document, "of_tomorrow": 1})
    )
    assert await policies.effective(conn, incident, base=OURS, now=now) == OURS


async def test_POL_3_a_report_of_another_organisation_proves_nothing(
    conn: AsyncConnection, now: datetime
) -> None:
    org, other = await f.make_org(conn), await f.make_org(conn)
    version = await policies.draft(conn, org, "ours", {}, by=None, now=now)
    report = {
        "id": store.new_id(), "org_id": other, "digests": [version.digest], "seed": 7,
        "incidents": 1, "body": {}, "made_at": now,
    }  # fmt: skip
    await conn.execute(sa.insert(tables.simulation_report).values(**report))
    with pytest.raises(errors.SimulationMissing):
        await policies.publish(conn, version.id, by=None, now=now)
    row = tables.simulation_report
    await conn.execute(sa.update(row).where(row.c.id == report["id"]).values(org_id=org))
    assert (await policies.publish(conn, version.id, by=None, now=now)).report_id == report["id"]


async def test_POL_9_an_old_decision_replays_after_the_policy_changed_and_the_incident_keeps_it(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, people=6, now=now)
    sent = await f.send(conn, scene, policy=OURS, now=now)
    [record] = await store.list_allocations(conn, scene.incident.id)
    await _published(conn, scene.org_id, "other", chooser="nearest", wave_size=1, now=now)
    assert await _name(conn, scene.incident, now) == OURS.name
    fresh = await f.make_incident(conn, scene.org_id, now=now)
    assert await _name(conn, fresh, now) == "other"
    again = allocations.replay(record["inputs"])
    assert {(str(c.id), c.role.value, c.marginal) for c in again.chosen} == {
        (item["responder"], item["role"], item["marginal"]) for item in record["chosen"]
    }
    assert {choice.id for choice in again.chosen} == {a.responder_id for a in sent.alerts}
    assert {str(person): reason.value for person, reason in again.excluded.items()} == {
        item["responder"]: item["reason"] for item in record["excluded"]
    }
    assert record["inputs"]["values"]["policy"] == OURS.document()
    assert record["inputs"]["policy_digest"] == OURS.digest()
    assert {item["sentence"]["en"][:4] for item in record["chosen"]} <= {"Goes", "Fetc"}


async def test_POL_5_who_does_not_move_is_asked_about_after_the_time_of_that_policy(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    await _published(conn, scene.org_id, "patient", no_movement_after_s=900.0, now=now)
    patient = await policies.effective(conn, scene.incident, base=OURS, now=now)
    sent = await f.send(conn, scene, policy=patient, now=now)
    alert = sent.alerts[0]
    await alerts.accept(conn, alert.id, policy=OURS, by=alert.responder_id, now=now)
    due = await conn.scalar(
        sa.select(tables.timer.c.due_at).where(tables.timer.c.kind == "no_movement")
    )
    assert due == now + timedelta(seconds=900)
