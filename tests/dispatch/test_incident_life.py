"""Calls about one emergency, what sources say, disasters, attachments."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    attachments,
    disasters,
    duplicates,
    errors,
    incident_values,
    incidents,
    states,
    store,
)
from dispatch.incident_values import Field, Source
from tests import factories as f

HERE = f.HARBOUR


async def _lines(conn: AsyncConnection, incident: store.Incident) -> list[str]:
    return [line.kind for line in await store.list_lines(conn, incident.id)]


@pytest.mark.parametrize(
    ("metres", "minutes", "exercise", "is_suggested"),
    [(199, 9, False, True), (201, 0, False, False), (0, 11, False, False), (0, 0, True, False)],
)
async def test_INC_13_a_call_near_in_place_and_time_is_suggested(
    conn: AsyncConnection, now: datetime, metres: float, minutes: float, *,
    exercise: bool, is_suggested: bool,
) -> None:  # fmt: skip
    org = await f.make_org(conn)
    first = await f.make_incident(conn, org, position=HERE, now=now)
    second = await f.make_incident(
        conn, org, position=f.north_of(HERE, metres), exercise=exercise,
        now=now + timedelta(minutes=minutes),
    )  # fmt: skip
    found = [incident.id for incident in await duplicates.suggest(conn, second.id)]
    assert found == ([first.id] if is_suggested else [])


async def test_INC_14_merging_and_taking_apart_leaves_both_timelines_whole(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    kept = scene.incident
    other = await f.make_incident(
        conn, kept.org_id, position=f.north_of(kept.position, 50), now=now
    )
    by = scene.operator
    await incidents.note(conn, other.id, "second caller", by=by, now=now)
    before = await store.list_lines(conn, kept.id), await store.list_lines(conn, other.id)

    merged = await duplicates.merge(conn, other.id, kept.id, by=by, now=now)
    assert (merged.status, merged.disposition) == (
        states.Incident.CLOSED, states.Disposition.DUPLICATE,
    )  # fmt: skip
    again = await duplicates.merge(conn, other.id, kept.id, by=by, now=now)
    assert again.version == merged.version
    said = await incident_values.list_values(conn, kept.id)
    assert [(v.field, v.said, v.told_by_id, v.chosen_at is not None) for v in said] == [
        ("position", kept.position, None, True),
        ("position", other.position, other.id, False),
    ]

    opened = await duplicates.unmerge(conn, other.id, by=by, now=now)
    assert (opened.status, opened.merged_into) == (states.Incident.RECEIVED, None)
    after = await store.list_lines(conn, kept.id), await store.list_lines(conn, other.id)
    for old, new in zip(before, after, strict=True):
        assert new[: len(old)] == old
        assert {line.kind for line in new[len(old) :]} >= {"merged", "unmerged"}
    said = await incident_values.list_values(conn, kept.id)
    assert all(v.withdrawn_at is not None for v in said if v.told_by_id == other.id)


async def test_INC_15_a_call_that_people_go_for_is_not_merged_away(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    alert, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    kept = await f.make_incident(conn, scene.incident.org_id, position=HERE, now=now)
    with pytest.raises(errors.StillGoing):
        await duplicates.merge(conn, scene.incident.id, kept.id, by=scene.operator, now=now)
    with pytest.raises(errors.Conflict):
        await duplicates.merge(conn, kept.id, kept.id, by=scene.operator, now=now)


async def test_INC_16_three_sources_stand_side_by_side_and_one_is_believed_on_record(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    place = f.north_of(HERE, 80)
    for source, said in (
        (Source.CALLER, f.north_of(HERE, 10)), (Source.DEVICE, place),
        (Source.RESPONDER, f.north_of(HERE, 30)),
    ):  # fmt: skip
        await incident_values.add(
            conn, scene.incident.id, Field.POSITION, said, source, by=scene.operator, now=now
        )
    told = await incident_values.list_values(conn, scene.incident.id)
    # What the incident carried so far, and the three.
    assert [v.source for v in told] == ["caller", "caller", "device", "responder"]
    assert [v.chosen_at is not None for v in told] == [True, False, False, False]
    assert (await store.get_incident(conn, scene.incident.id)).position == scene.incident.position

    wanted = next(v for v in told if v.source == "device")
    chosen = await incident_values.choose(
        conn, scene.incident.id, wanted.id, by=scene.operator, now=now
    )
    assert (chosen.chosen_at, chosen.chosen_by) == (now, scene.operator)
    assert (await store.get_incident(conn, scene.incident.id)).position == place
    told = await incident_values.list_values(conn, scene.incident.id)
    assert [v.chosen_at is not None for v in told] == [False, False, True, False]

    # Corrected by hand since, the same one can be believed again.
    present = await store.get_incident(conn, scene.incident.id)
    await incidents.edit(
        conn, present.id, {"position": HERE}, version=present.version, by=scene.operator, now=now
    )
    await incident_values.choose(conn, present.id, wanted.id, by=scene.operator, now=now)
    assert (await store.get_incident(conn, present.id)).position == place
    kinds = await _lines(conn, scene.incident)
    assert kinds.count("value_told") == 3
    assert kinds.count("value_chosen") == 2


async def test_INC_16_a_phone_number_is_not_written_into_the_timeline(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    value = await incident_values.add(
        conn, scene.incident.id, Field.CALLER_PHONE, "+86 139 0000 0000", Source.CALLER,
        by=scene.operator, now=now,
    )  # fmt: skip
    await incident_values.choose(conn, scene.incident.id, value.id, by=scene.operator, now=now)
    lines = await store.list_lines(conn, scene.incident.id)
    assert all("139" not in repr(line.args) for line in lines)


async def test_INC_17_a_disaster_sums_its_incidents(conn: AsyncConnection, now: datetime) -> None:
    scene = await f.make_scene(conn, now=now)
    by, org = scene.operator, scene.incident.org_id
    disaster = await disasters.open_(
        conn, org, name="Typhoon", kind="flood", note=None, exercise=False, command=[], by=by,
        now=now,
    )  # fmt: skip
    alert, *_ = (await f.send(conn, scene, now=now)).alerts
    await alerts.accept(conn, alert.id, policy=f.POLICY, by=alert.responder_id, now=now)
    asked = (await store.get_incident(conn, scene.incident.id)).alerted
    parts = [scene.incident] + [await f.make_incident(conn, org, now=now) for _ in range(49)]
    for part in parts:
        await disasters.place(conn, part.id, disaster.id, by=by, now=now)
    for part in parts[1:4]:
        value = await incident_values.add(
            conn, part.id, Field.PATIENTS, 2, Source.RESPONDER, by=by, now=now
        )
        await incident_values.choose(conn, part.id, value.id, by=by, now=now)
    totals = await disasters.totals(conn, disaster.id)
    assert totals["incidents"] == sum(totals["by_status"].values()) == 50
    assert (totals["patients"], totals["alerted"], totals["going"]) == (6, asked, 1)
    await disasters.place(conn, parts[1].id, None, by=by, now=now)
    assert (await disasters.totals(conn, disaster.id))["patients"] == 4


async def test_INC_18_an_exercise_and_a_real_disaster_do_not_mix(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    disaster = await disasters.open_(
        conn, scene.incident.org_id, name="Drill", kind="fire", note=None,
        exercise=not scene.incident.exercise, command=[], by=scene.operator, now=now,
    )  # fmt: skip
    with pytest.raises(errors.Malformed):
        await disasters.place(conn, scene.incident.id, disaster.id, by=scene.operator, now=now)
    await disasters.close(conn, disaster.id, now=now)
    with pytest.raises(errors.StaleVersion):
        await disasters.edit(conn, disaster.id, {"name": "x"}, version=1, now=now)


async def test_INC_19_an_attachment_is_kept_twice_as_sent_and_as_shown(
    conn: AsyncConnection, now: datetime
) -> None:
    scene = await f.make_scene(conn, now=now)
    shown, sent = attachments.Content("image/jpeg", b"a"), attachments.Content("image/png", b"bb")
    kept = await attachments.add(
        conn, scene.incident.id, name="x.png", shown=shown, original=sent, by=scene.operator,
        now=now,
    )  # fmt: skip
    for original, expected in ((False, shown), (True, sent)):
        found = await attachments.content(conn, scene.incident.id, kept.id, original=original)
        assert found == expected
    assert "attached" in await _lines(conn, scene.incident)
