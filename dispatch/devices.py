"""AEDs in our words: to everybody, to their organisation, and the events that tell of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, tables, telling
from geo import aed_photos, aed_reminders, aeds, trust, usability
from realtime import log

#: A list that changes more devices than this is one event, not one of each device.
TOLD_SINGLY = 20


def public_out(aed: aeds.Aed, at: datetime) -> events.Body:
    """Show a device to anybody, as usable at a time."""
    return {**public_facts(aed, at), **usable_out(aeds.usable(aed, at))}


def public_facts(aed: aeds.Aed, at: datetime) -> events.Body:
    """Show a device to anybody, without whether it is usable."""
    plain = (
        "name", "address", "floor", "entrance", "location_note", "indoor", "phone", "hours",
        "hours_note", "closed_note", "has_child_pads", "carrier", "is_invented",
    )  # fmt: skip
    return {
        "id": str(aed.id),
        "position": aed.position.geojson(),
        "access": aed.access.value,
        "cabinet": aed.cabinet.value,
        "status": aed.status.value,
        **{name: getattr(aed, name) for name in plain},
        "closed_from": events.time(aed.closed_from),
        "closed_until": events.time(aed.closed_until),
        "verified_at": events.time(aed.verified_at),
        "trust": trust.of(aed, at).value,
    }


def usable_out(judged: usability.Usability) -> events.Body:
    """Show whether a device can be taken, why, and until when that holds."""
    return {
        "usable": judged.state.value,
        "usable_reason": judged.reason.value,
        "usable_until": events.time(judged.until),
    }


def own_out(aed: aeds.Aed, org: str, at: datetime) -> events.Body:
    """Show a device to the organisation that owns it, named by its code."""
    plain = (
        "source_crs", "raw_lon", "raw_lat", "accuracy_m", "position_method", "time_zone", "brand",
        "model", "serial", "acquired", "donor", "check_every_days", "source", "source_ref",
        "version",
    )  # fmt: skip
    days = ("pads_expire_on", "child_pads_expire_on", "battery_expires_on", "installed_on")
    times = (
        "moved_at", "suspect_since", "taken_at", "check_due_at", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **public_out(aed, at),
        "org": org,
        **{name: getattr(aed, name) for name in plain},
        **{name: None if (day := getattr(aed, name)) is None else day.isoformat() for name in days},
        **{name: events.time(getattr(aed, name)) for name in times},
    }


def photo_out(photo: aed_photos.Photo) -> events.Body:
    """Show a photo, without its bytes."""
    return {
        "id": str(photo.id),
        "kind": photo.kind.value,
        "width": photo.width,
        "height": photo.height,
    }


async def codes_of(conn: AsyncConnection, org_ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the codes of organisations by their ids."""
    org = tables.org.c
    rows = await conn.execute(sa.select(org.id, org.code).where(org.id.in_(org_ids)))
    return {row.id: row.code for row in rows}


async def names_of(
    conn: AsyncConnection, person_ids: Collection[UUID | None]
) -> dict[UUID, events.Body]:
    """Name people by their ids."""
    person = tables.person.c
    known = [person_id for person_id in person_ids if person_id is not None]
    rows = await conn.execute(sa.select(person.id, person.name).where(person.id.in_(known)))
    return {row.id: {"id": str(row.id), "name": row.name} for row in rows}


async def changes_of(
    conn: AsyncConnection, aed_ids: Collection[UUID], *, now: datetime
) -> list[log.Item]:
    """Make the events that tell organisations what their devices are now.

    Append them once and last, with whatever else the transaction tells. A device of no
    organisation tells nobody.
    """
    found = [aed for aed_id in aed_ids if (aed := await aeds.find(conn, aed_id)) is not None]
    codes = await codes_of(conn, {aed.org_id for aed in found})
    return [
        log.Item(
            telling.org_topic(codes[aed.org_id]),
            events.Kind.AED_CHANGED,
            {"aed": _changed(aed, codes[aed.org_id], now)},
        )
        for aed in found
        if aed.org_id in codes
    ]


def _changed(aed: aeds.Aed, code: str, now: datetime) -> events.Body:
    if aed.status is usability.Status.WITHDRAWN:
        return {"id": str(aed.id), "withdrawn": True}
    return own_out(aed, code, now)


async def tell(conn: AsyncConnection, aed_id: UUID, *, now: datetime) -> None:
    """Tell a device's organisation what it is now. Call it last: it locks the topic's clock."""
    await log.append_many(conn, await changes_of(conn, [aed_id], now=now), at=now)


async def tell_list(
    conn: AsyncConnection,
    org_id: UUID,
    aed_ids: Sequence[UUID],
    *,
    source: str,
    added: int,
    now: datetime,
) -> None:
    """Tell an organisation what a list made of its devices; of many only how many there are.

    What was read before the event's `at` is old. Call it last: it locks the topic's clock.
    """
    if len(aed_ids) <= TOLD_SINGLY:
        await log.append_many(conn, await changes_of(conn, aed_ids, now=now), at=now)
        return
    codes = await codes_of(conn, [org_id])
    counts = {"added": added, "changed": len(aed_ids) - added}
    body: events.Body = {"imported": {"source": source, **counts, "at": events.time(now)}}
    for code in codes.values():
        await log.append(conn, telling.org_topic(code), events.Kind.AEDS_IMPORTED, body, at=now)


async def remind(conn: AsyncConnection, *, now: datetime) -> int:
    """Tell organisations which checks are due and return how many; each stage once.

    Call it last: it locks the topics' clocks.
    """
    reminders = await aed_reminders.take_new(conn, now=now)
    codes = await codes_of(conn, {reminder.org_id for reminder in reminders})
    await log.append_many(conn, list(_reminding(reminders, codes)), at=now)
    return len(reminders)


def _reminding(
    reminders: Iterable[aed_reminders.Reminder], codes: dict[UUID, str]
) -> Iterable[log.Item]:
    for reminder in reminders:
        if reminder.org_id in codes:
            said = {
                "aed": {"id": str(reminder.aed_id), "name": reminder.name},
                "stage": reminder.stage.value,
                "due_at": events.time(reminder.due_at),
            }
            topic = telling.org_topic(codes[reminder.org_id])
            yield log.Item(topic, events.Kind.AED_CHECK_DUE, {"check_due": said})
