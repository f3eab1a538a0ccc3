"""Alerts that no phone has confirmed yet; they are told again until one does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Unheard:
    """An alert that is open and unconfirmed, and whom it asks."""

    alert_id: UUID
    responder_id: UUID
    notified_at: datetime


# ux_alert_one_live_per_responder holds the open alerts and no others, so that this looks at as many
# rows as people are asked at this moment.
_UNHEARD = sa.text("""
select id, responder_id, notified_at from alert
where status in ('pending','notified','delivered','seen')
  and status in ('pending','notified')
  and delivered_at is null and stood_down_at is null and expires_at > :now
""")


async def list_unheard(conn: AsyncConnection, *, now: datetime) -> list[Unheard]:
    """Return every open alert that no phone has confirmed."""
    return [Unheard(*row) for row in await conn.execute(_UNHEARD, {"now": now})]
