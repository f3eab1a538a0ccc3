"""Browsers that take web push, their weekly silent check, and accounts in work messengers."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, store, tables

#: Each device is asked this often whether a message still gets there.
PROBE_EVERY = timedelta(days=7)
#: An answer that has not come by then never will.
ANSWER_WITHIN = timedelta(hours=24)
#: A device is asked again so long after the push service could not be reached.
AGAIN_AFTER = timedelta(hours=1)
#: More browsers than this nobody carries; the oldest makes room.
DEVICES_MOST = 8


@dataclass(frozen=True, slots=True)
class Device:
    """One subscription, as the browser gave it."""

    id: UUID
    person_id: UUID
    endpoint: str
    p256dh: str
    auth: str


async def add(
    conn: AsyncConnection, person_id: UUID, *, endpoint: str, p256dh: str, auth: str, now: datetime
) -> UUID:
    """Keep a subscription; the same endpoint again is renewed, also for another person."""
    values = {
        "person_id": person_id, "p256dh": p256dh, "auth": auth, "gone_at": None,
        "probe_due_at": now + PROBE_EVERY, "probed_at": None, "probe_answered_at": None,
        "flagged_at": None,
    }  # fmt: skip
    device = tables.push_subscription
    kept: UUID | None = await conn.scalar(
        pg.insert(device)
        .values(id=store.new_id(), endpoint=endpoint, created_at=now, **values)
        .on_conflict_do_update(index_elements=["endpoint"], set_=values)
        .returning(device.c.id)
    )
    # Whoever subscribes anew needs no word about what is gone.
    await conn.execute(
        sa.delete(device).where(device.c.person_id == person_id, device.c.gone_at.is_not(None))
    )
    newest = (
        sa.select(device.c.id)
        .where(device.c.person_id == person_id)
        .order_by(device.c.id.desc())
        .limit(DEVICES_MOST)
    )
    await conn.execute(
        sa.delete(device).where(
            device.c.person_id == person_id, device.c.id.not_in(newest), device.c.id != kept
        )
    )
    if kept is None:
        raise errors.NotFound
    return kept


async def remove(conn: AsyncConnection, person_id: UUID, endpoint: str) -> None:
    """Forget a person's subscription; one that is not there is forgotten already."""
    device = tables.push_subscription
    await conn.execute(
        sa.delete(device).where(device.c.person_id == person_id, device.c.endpoint == endpoint)
    )


async def list_live(
    conn: AsyncConnection, person_ids: Collection[UUID]
) -> dict[UUID, list[Device]]:
    """Return the devices of people that are not known to be gone."""
    device = tables.push_subscription.c
    rows = await conn.execute(
        sa.select(device.id, device.person_id, device.endpoint, device.p256dh, device.auth)
        .where(device.person_id.in_(person_ids), device.gone_at.is_(None))
        .order_by(device.id)
    )
    found: dict[UUID, list[Device]] = {}
    for row in rows:
        found.setdefault(row.person_id, []).append(Device(*row))
    return found


async def mark_gone(conn: AsyncConnection, ids: Collection[UUID], *, now: datetime) -> None:
    """Note that a push service knows some devices no more."""
    device = tables.push_subscription
    if ids:
        await conn.execute(
            sa.update(device)
            .where(device.c.id.in_(ids), device.c.gone_at.is_(None))
            .values(gone_at=now)
        )


# ---- the weekly check


async def take_due(conn: AsyncConnection, *, limit: int, now: datetime) -> list[Device]:
    """Take devices whose check is due; whoever takes one has an hour before it is due again."""
    device = tables.push_subscription
    due = (
        sa.select(device.c.id)
        .where(device.c.probe_due_at <= now, device.c.gone_at.is_(None))
        .order_by(device.c.probe_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = await conn.execute(
        sa.update(device)
        .where(device.c.id.in_(due.scalar_subquery()))
        .values(probe_due_at=now + AGAIN_AFTER)
        .returning(*device.c["id", "person_id", "endpoint", "p256dh", "auth"])
    )
    return [Device(*row) for row in rows]


def new_code() -> str:
    """Make what a device answers a check with."""
    return secrets.token_urlsafe(16)


async def note_asked(conn: AsyncConnection, device_id: UUID, code: str, *, now: datetime) -> None:
    """Note that a device was asked; the next time is in a week."""
    device = tables.push_subscription
    values = {"probed_at": now, "probe_answered_at": None, "probe_hash": _hash(code)}
    await conn.execute(
        sa.update(device)
        .where(device.c.id == device_id)
        .values(**values, probe_due_at=now + PROBE_EVERY)
    )


async def note_heard(conn: AsyncConnection, code: str, *, now: datetime) -> bool:
    """Note that a device answered its check; False when no device was asked with this code."""
    device = tables.push_subscription
    found = await conn.scalar(
        sa.update(device)
        .where(device.c.probe_hash == _hash(code))
        .values(probe_answered_at=now, flagged_at=None)
        .returning(device.c.id)
    )
    return found is not None


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


@dataclass(frozen=True, slots=True)
class Silent:
    """Somebody whom web push does not reach any more."""

    person_id: UUID
    org_id: UUID


# A device is dead when its service says so, or when it was asked a day ago and has not answered;
# a person is told once all devices are dead.
_SILENT = sa.text("""
with dead as (
    select id, person_id, flagged_at,
        gone_at is not null or (probed_at <= :before and probe_answered_at is null) as is_dead
    from push_subscription),
silent as (
    select person_id from dead group by person_id
    having bool_and(is_dead) and bool_or(flagged_at is null)),
told as (
    update push_subscription set flagged_at = :now
    from silent where push_subscription.person_id = silent.person_id)
select person.id, person.org_id from person join silent on silent.person_id = person.id
order by person.id
""")


async def take_silent(conn: AsyncConnection, *, now: datetime) -> list[Silent]:
    """Return the people who cannot be reached by web push any more, each once."""
    rows = await conn.execute(_SILENT, {"now": now, "before": now - ANSWER_WITHIN})
    return [Silent(row.id, row.org_id) for row in rows]


async def standing(conn: AsyncConnection, person_id: UUID) -> events.Body:
    """Say whether a person's devices take messages: none, ok or dead, and how many there are."""
    device = tables.push_subscription.c
    rows = await conn.execute(
        sa.select(device.gone_at, device.flagged_at).where(device.person_id == person_id)
    )
    devices = rows.all()
    dead = [row for row in devices if row.gone_at is not None or row.flagged_at is not None]
    if not devices:
        return {"state": "none", "devices": 0}
    state = "dead" if len(dead) == len(devices) else "ok"
    return {"state": state, "devices": len(devices) - len(dead)}


# ---- accounts in work messengers


async def set_contacts(
    conn: AsyncConnection, person_id: UUID, accounts: Mapping[str, str | None]
) -> None:
    """Set a person's accounts by channel; None takes one away."""
    contact = tables.contact
    for channel, account in accounts.items():
        if account is None:
            await conn.execute(
                sa.delete(contact).where(
                    contact.c.person_id == person_id, contact.c.channel == channel
                )
            )
            continue
        values: dict[str, Any] = {"account": account}
        await conn.execute(
            pg.insert(contact)
            .values(person_id=person_id, channel=channel, **values)
            .on_conflict_do_update(index_elements=["person_id", "channel"], set_=values)
        )


async def contacts_of(conn: AsyncConnection, person_ids: Sequence[UUID]) -> dict[UUID, events.Body]:
    """Return people's accounts by channel."""
    contact = tables.contact.c
    rows = await conn.execute(sa.select(tables.contact).where(contact.person_id.in_(person_ids)))
    found: dict[UUID, events.Body] = {}
    for row in rows:
        found.setdefault(row.person_id, {})[row.channel] = row.account
    return found
