"""How far each alert has come on each channel, read with the alert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from dispatch import tables


@dataclass(frozen=True, slots=True)
class Way:
    """How far an alert has come on one channel, why no further, and since when."""

    channel: str
    status: str
    why: str | None
    at: datetime

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """Read an item of `CHANNELS`."""
        at = datetime.fromisoformat(item["at"])
        return cls(item["channel"], item["status"], item["why"], at)


_delivery = tables.delivery.c
# Served by ix_delivery_alert_id.
#: A JSON list beside each alert, the live channel first.
CHANNELS = (
    sa.select(
        sa.func.coalesce(
            sa.func.json_agg(
                aggregate_order_by(
                    sa.func.json_build_object(
                        "channel", _delivery.channel, "status", _delivery.status,
                        "why", _delivery.why,
                        "at", sa.func.coalesce(_delivery.changed_at, _delivery.created_at),
                    ),
                    _delivery.channel != "live",
                    _delivery.channel,
                )
            ),
            sa.text("'[]'::json"),
        )
    )
    .where(_delivery.alert_id == tables.alert.c.id, _delivery.purpose == "alert")
    .scalar_subquery()
)  # fmt: skip
