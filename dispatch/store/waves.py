"""Rows of waves, and of the alerts that go out with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from dispatch import db, tables
from dispatch.store import reading
from dispatch.store.alerts import ALERT
from geo.position import Position


@dataclass(frozen=True, slots=True)
class Wave:
    """One round of asking."""

    id: UUID
    incident_id: UUID
    number: int
    sent_at: datetime
    policy: str
    by_id: UUID | None
    level: int | None

    @classmethod
    def from_row(cls, row: reading.Row) -> Wave:
        """Read a row of the table."""
        return reading.value(cls, row)


# Served by the unique numbers of an incident's waves.
_ADD_WAVE = sa.text("""
insert into wave (id, incident_id, number, sent_at, policy, level, by_id)
values (:id, :incident_id,
        (select coalesce(max(number), 0) + 1 from wave where incident_id = :incident_id),
        :sent_at, :policy, :level, :by)
returning *
""")


def adding_wave(
    wave_id: UUID,
    incident_id: UUID,
    *,
    policy: str,
    level: int | None = None,
    by: UUID | None,
    now: datetime,
) -> db.Query:
    """Insert the next wave of a locked incident; the one row is a `Wave`'s.

    `level` where a run card asks for it.
    """
    return _ADD_WAVE, {
        "id": wave_id, "incident_id": incident_id, "sent_at": now, "policy": policy,
        "level": level, "by": by,
    }  # fmt: skip


_OF_WAVE = ALERT.where(tables.alert.c.wave_id == sa.bindparam("wave_id", type_=sa.Uuid)).order_by(
    tables.alert.c.id
)


def alerts_of_wave(wave_id: UUID) -> db.Query:
    """Read the alerts of a wave in the order in which they were made; the rows are `Alert`s'."""
    return _OF_WAVE, {"wave_id": wave_id}


# One statement and one value, however many are asked.
_ADD = sa.text("""
insert into alert (
    id, incident_id, wave_id, responder_id, team_id, role, aed_id, aed_usable_until, status,
    travel_s, direct_s, distance_m, eta_source, from_position, position_at, notified_at, expires_at)
select
    id, incident_id, wave_id, responder_id, team_id, role, aed_id, aed_usable_until, status,
    travel_s, direct_s, distance_m, eta_source, from_position, position_at, notified_at, expires_at
from jsonb_populate_recordset(cast(null as alert), cast(:rows as jsonb))
""")


def adding_alerts(rows: Sequence[Mapping[str, Any]]) -> db.Query:
    """Insert alerts whose responders are locked and were found free."""
    written = orjson.dumps(rows, default=_as_text, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
    return _ADD, {"rows": written}


def _as_text(value: object) -> str:
    if isinstance(value, Position):
        return f"POINT({value.lon!r} {value.lat!r})"
    raise TypeError(type(value).__name__)
