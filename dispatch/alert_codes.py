"""The codes of short links: each answers one alert, until that expires, and opens nothing else."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import tables
from dispatch.ladder import Channel

#: 128 bits, 22 letters: short enough for one SMS.
_BYTES = 16


@dataclass(frozen=True, slots=True)
class Code:
    """What a code opens, and the channel that carried it."""

    alert_id: UUID
    channel: Channel
    expires_at: datetime


async def add(conn: AsyncConnection, codes: Sequence[Code], *, now: datetime) -> list[str]:
    """Make a code for each and return them in the same order; kept are only hashes."""
    made = [secrets.token_urlsafe(_BYTES) for _ in codes]
    if codes:
        await conn.execute(
            sa.insert(tables.alert_code),
            [
                {
                    "code_hash": _hash(text),
                    "alert_id": code.alert_id,
                    "channel": code.channel.value,
                    "created_at": now,
                    "expires_at": code.expires_at,
                }
                for text, code in zip(made, codes, strict=True)
            ],
        )
    return made


async def find(conn: AsyncConnection, text: str, *, now: datetime) -> Code | None:
    """Say what a code opens; None when it is over or never was."""
    code = tables.alert_code.c
    found = await conn.execute(
        sa.select(code.alert_id, code.channel, code.expires_at).where(
            code.code_hash == _hash(text), code.expires_at > now
        )
    )
    row = found.one_or_none()
    return None if row is None else Code(row.alert_id, Channel(row.channel), row.expires_at)


async def extend(conn: AsyncConnection, text: str, *, until: datetime) -> None:
    """Let a code live longer: its alert was accepted."""
    code = tables.alert_code
    await conn.execute(
        sa.update(code)
        .where(code.c.code_hash == _hash(text))
        .values(expires_at=sa.func.greatest(code.c.expires_at, until))
    )


async def sweep(conn: AsyncConnection, *, now: datetime) -> None:
    """Delete what is over."""
    code = tables.alert_code
    await conn.execute(sa.delete(code).where(code.c.expires_at <= now))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
