"""Proofs of training: handed in, reviewed, expired by themselves.

Only a verified certificate that has not expired counts (`eligibility`); one that is pending or
revoked never does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, events, store, tables


class Review(StrEnum):
    """What somebody who looked at a certificate decided."""

    VERIFIED = "verified"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Proof:
    """A certificate as it is handed in."""

    kind: str
    expires_on: date
    number: str | None = None
    issuer: str | None = None
    issued_on: date | None = None
    status: str = "verified"


async def add(conn: AsyncConnection, responder_id: UUID, proofs: Sequence[Proof]) -> None:
    """Enter certificates beside those that the responder holds."""
    rows = [
        {
            "id": store.new_id(),
            "responder_id": responder_id,
            "kind": proof.kind,
            "number": proof.number,
            "issuer": proof.issuer,
            "issued_on": proof.issued_on,
            "expires_on": proof.expires_on,
            "status": proof.status,
        }
        for proof in proofs
    ]
    if rows:
        await conn.execute(sa.insert(tables.certificate), rows)


async def replace(conn: AsyncConnection, responder_id: UUID, proofs: Sequence[Proof]) -> None:
    """Put these certificates in the place of all that the responder holds."""
    held = tables.certificate
    await conn.execute(sa.delete(held).where(held.c.responder_id == responder_id))
    await add(conn, responder_id, proofs)


async def review(
    conn: AsyncConnection,
    responder_id: UUID,
    certificate_id: UUID,
    verdict: Review,
    *,
    by: UUID,
    now: datetime,
) -> None:
    """Accept or revoke a certificate; repeating the same changes nothing. Raises NotFound."""
    held = tables.certificate
    is_this = (held.c.id == certificate_id) & (held.c.responder_id == responder_id)
    found = await conn.scalar(sa.select(held.c.status).where(is_this).with_for_update())
    if found is None:
        raise errors.NotFound
    if found != verdict:
        values = {"status": verdict.value, "reviewed_by": by, "reviewed_at": now}
        await conn.execute(sa.update(held).where(is_this).values(**values))


def show(held: store.Certificate) -> events.Body:
    """Show a certificate."""
    return {
        "id": str(held.id),
        "kind": held.kind,
        "number": held.number,
        "issuer": held.issuer,
        "issued_on": None if held.issued_on is None else held.issued_on.isoformat(),
        "expires_on": held.expires_on.isoformat(),
        "status": held.status,
        "reviewed_at": events.time(held.reviewed_at),
    }
