"""Rows of responders, their certificates and places, and teams to frozen values and back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db, errors, states, tables
from dispatch.store import reading
from geo.position import Position


@dataclass(frozen=True, slots=True)
class Responder:
    """A volunteer who may be asked."""

    id: UUID
    org_id: UUID
    name: str
    name_en: str | None
    is_invented: bool
    code: str | None
    suspended_reason: str | None
    duty: states.Duty
    duty_until: datetime | None
    rest_until: datetime | None
    skills: tuple[str, ...]
    born_on: date | None
    version: int

    @classmethod
    def from_row(cls, row: reading.Row) -> Responder:
        """Read a row of `_RESPONDER`."""
        typed: dict[str, Any] = {"duty": states.Duty(row["duty"]), "skills": tuple(row["skills"])}
        return reading.value(cls, row, **typed)

    def duty_at(self, now: datetime) -> states.Duty:
        """Return the duty that holds at a time; `duty_until` ends it by itself.

        On duty until ten is off duty at ten; off duty or resting until ten is on duty at ten; only
        a person ends a suspension. Who would be on duty and rests after a mission is resting.
        """
        duty = self._duty_set(now)
        is_resting = self.rest_until is not None and now < self.rest_until
        return states.Duty.RESTING if is_resting and duty is states.Duty.AVAILABLE else duty

    def _duty_set(self, now: datetime) -> states.Duty:
        if self.duty is states.Duty.SUSPENDED or self.duty_until is None or now < self.duty_until:
            return self.duty
        is_on = self.duty is states.Duty.AVAILABLE
        return states.Duty.OFF_DUTY if is_on else states.Duty.AVAILABLE

    def until_at(self, now: datetime) -> datetime | None:
        """Return when the duty that holds at a time ends by itself."""
        is_rest = self.duty_at(now) is not self._duty_set(now)
        return self.rest_until if is_rest else self.duty_until


_RESPONDER = sa.select(
    tables.responder, *tables.person.c["name", "name_en", "is_invented"]
).join_from(tables.responder, tables.person, tables.person.c.id == tables.responder.c.id)


async def find_responder(conn: AsyncConnection, responder_id: UUID) -> Responder | None:
    """Return a responder, or None when the person is none."""
    rows = await conn.execute(_RESPONDER.where(tables.responder.c.id == responder_id))
    row = rows.mappings().one_or_none()
    return None if row is None else Responder.from_row(row)


async def get_responder(conn: AsyncConnection, responder_id: UUID) -> Responder:
    """Return a responder. Raises NotFound."""
    found = await find_responder(conn, responder_id)
    if found is None:
        raise errors.NotFound
    return found


async def list_responders(
    conn: AsyncConnection, *conditions: sa.ColumnElement[bool], limit: int
) -> list[Responder]:
    """Return responders in the order of their ids; conditions may name their organisation too."""
    rows = await conn.execute(
        _RESPONDER.join(tables.org, tables.org.c.id == tables.responder.c.org_id)
        .where(*conditions)
        .order_by(tables.responder.c.id)
        .limit(limit)
    )
    return [Responder.from_row(row) for row in rows.mappings()]


_LOCK = (
    _RESPONDER.where(reading.is_any(tables.responder.c.id))
    .order_by(tables.responder.c.id)
    .with_for_update(key_share=True, of=tables.responder)
)


async def lock_responders(
    conn: AsyncConnection, responder_ids: Collection[UUID]
) -> dict[UUID, Responder]:
    """Lock responders in the order of their ids and return them as they are now.

    What a person is shown is read under this lock, so that no older view is told after a newer.
    """
    if not responder_ids:
        return {}
    [rows] = await db.together(conn, locking_responders(responder_ids))
    return {row["id"]: Responder.from_row(row) for row in rows}


def locking_responders(responder_ids: Collection[UUID]) -> db.Query:
    """Do as `lock_responders` does; the rows are `Responder`s'."""
    return _LOCK, {"ids": list(responder_ids)}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A proof of training."""

    id: UUID
    responder_id: UUID
    kind: str
    number: str | None
    issuer: str | None
    issued_on: date | None
    expires_on: date
    status: str
    reviewed_at: datetime | None

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Certificate:
        """Read a row of the table."""
        return reading.value(cls, row)


async def list_certificates(
    conn: AsyncConnection, responder_ids: Sequence[UUID]
) -> list[Certificate]:
    """Return the certificates of some responders, the longest valid first."""
    certificate = tables.certificate
    rows = await conn.execute(
        sa.select(certificate)
        .where(certificate.c.responder_id.in_(responder_ids))
        .order_by(certificate.c.expires_on.desc(), certificate.c.id)
    )
    return [Certificate.from_row(row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class Place:
    """A declared home, work or patrol area with hours."""

    id: UUID
    responder_id: UUID
    kind: str
    label: str | None
    position: Position
    hours: str | None

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Place:
        """Read a row of the table."""
        position = Position.from_wkb(row["position"])
        return reading.value(cls, row, position=position)


_PLACES = (
    sa.select(tables.place)
    .where(reading.is_any(tables.place.c.responder_id))
    .order_by(tables.place.c.id)
)


async def list_places(conn: AsyncConnection, responder_ids: Sequence[UUID]) -> list[Place]:
    """Return the declared places of some responders."""
    rows = await conn.execute(_PLACES, {"ids": list(responder_ids)})
    return [Place.from_row(row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class Fix:
    """Where somebody was at a time."""

    position: Position
    at: datetime
    accuracy_m: float | None = None


_FIXES = sa.select(tables.last_position).where(reading.is_any(tables.last_position.c.responder_id))


async def last_fixes(conn: AsyncConnection, responder_ids: Sequence[UUID]) -> dict[UUID, Fix]:
    """Return the last stored positions of some responders."""
    [rows] = await db.together(conn, (_FIXES, {"ids": list(responder_ids)}))
    return {
        row["responder_id"]: Fix(
            Position.from_wkb(row["position"]),
            row["at"],
            None if row["accuracy_m"] is None else float(row["accuracy_m"]),
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Team:
    """Responders who are asked together; the leader sees their answers."""

    id: UUID
    org_id: UUID
    code: str
    name: str
    leader_id: UUID | None
    version: int
    members: tuple[UUID, ...]

    @classmethod
    def from_row(cls, row: sa.RowMapping) -> Team:
        """Read a row with its members."""
        return reading.value(cls, row, members=tuple(row["members"]))


_MEMBERS = (
    sa.select(
        sa.func.coalesce(
            sa.func.array_agg(
                sa.text("team_member.responder_id order by team_member.responder_id")
            ),
            sa.text("array[]::uuid[]"),
        )
    )
    .select_from(tables.team_member)
    .where(tables.team_member.c.team_id == tables.team.c.id)
    .scalar_subquery()
    .label("members")
)


async def list_teams(conn: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> list[Team]:
    """Return teams in the order of their codes."""
    rows = await conn.execute(
        sa.select(tables.team, _MEMBERS).where(*conditions).order_by(tables.team.c.code)
    )
    return [Team.from_row(row) for row in rows.mappings()]


async def get_team(conn: AsyncConnection, team_id: UUID) -> Team:
    """Return a team with its members. Raises NotFound."""
    found = await list_teams(conn, tables.team.c.id == team_id)
    if not found:
        raise errors.NotFound
    return found[0]
