"""Apps that report where somebody is without our page being open: Traccar Client and OwnTracks.

Each has a secret of its own that may write positions of one person and nothing else. The database
holds its SHA-256; it is short enough to be typed into a phone, and random enough (99 bits) not to
be guessed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts, errors, store, tables

#: Apps of one person at a time; phones are lost and bought, so old ones are revoked.
MOST = 10
#: That an app is alive is written so often.
SEEN_EVERY = timedelta(minutes=1)

#: No letters that look like others.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 5, 4


class Kind(StrEnum):
    """Which app it is."""

    TRACCAR = "traccar"
    OWNTRACKS = "owntracks"


@dataclass(frozen=True, slots=True)
class Tracker:
    """An app as it is listed; the secret is not to be had any more."""

    id: UUID
    kind: Kind
    created_at: datetime
    seen_at: datetime | None


async def add(
    conn: AsyncConnection, responder_id: UUID, *, kind: Kind, now: datetime
) -> tuple[Tracker, str]:
    """Let one more app report where a responder is; return it with its secret.

    Raises NotFound, and Conflict when there are too many.
    """
    if responder_id not in await store.lock_responders(conn, [responder_id]):
        raise errors.NotFound
    if len(await list_of(conn, responder_id)) >= MOST:
        raise errors.Conflict(f"at most {MOST} apps; revoke one", state={"most": MOST})
    groups = ["".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)]
    made = Tracker(store.new_id(), kind, now, None)
    await conn.execute(
        sa.insert(tables.tracker).values(
            id=made.id, responder_id=responder_id, kind=kind.value,
            secret_hash=_hash("-".join(groups)), created_at=now,
        )
    )  # fmt: skip
    return made, "-".join(groups)


def _hash(secret: str) -> bytes:
    """Hash what was typed; case, dashes and spaces do not matter."""
    return accounts.secret_hash(secret.replace("-", "").replace(" ", "").lower())


async def list_of(conn: AsyncConnection, responder_id: UUID) -> list[Tracker]:
    """List the apps that may report where a responder is, the oldest first."""
    tracker = tables.tracker.c
    rows = await conn.execute(
        sa.select(tracker.id, tracker.kind, tracker.created_at, tracker.seen_at)
        .where(tracker.responder_id == responder_id, tracker.revoked_at.is_(None))
        .order_by(tracker.id)
    )
    return [Tracker(row.id, Kind(row.kind), row.created_at, row.seen_at) for row in rows]


async def revoke(
    conn: AsyncConnection, responder_id: UUID, tracker_id: UUID, *, now: datetime
) -> None:
    """Take an app's right away, at once; doing it twice changes nothing. Raises NotFound."""
    tracker = tables.tracker
    changed = await conn.execute(
        sa.update(tracker)
        .where(tracker.c.id == tracker_id, tracker.c.responder_id == responder_id)
        .values(revoked_at=sa.func.coalesce(tracker.c.revoked_at, now))
    )
    if not changed.rowcount:
        raise errors.NotFound


async def find(conn: AsyncConnection, secret: str, *, kind: Kind, now: datetime) -> UUID | None:
    """Say whose position an app may write; None when its secret is unknown or revoked."""
    tracker, person = tables.tracker, tables.person
    row = (
        await conn.execute(
            sa.select(tracker.c.id, tracker.c.responder_id, tracker.c.seen_at)
            .join_from(tracker, person, person.c.id == tracker.c.responder_id)
            .where(
                tracker.c.secret_hash == _hash(secret), tracker.c.kind == kind.value,
                tracker.c.revoked_at.is_(None), person.c.disabled_at.is_(None),
            )
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    if row.seen_at is None or row.seen_at < now - SEEN_EVERY:
        await conn.execute(sa.update(tracker).where(tracker.c.id == row.id).values(seen_at=now))
    found: UUID = row.responder_id
    return found
