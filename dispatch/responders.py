"""Volunteers: enrol them, keep their certificates and places, take their duty and positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final, TypedDict
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import certificates, errors, events, states, store, tables, telling, whereabouts
from geo.position import Position


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as it is declared; `hours` are OpenStreetMap opening hours, None means always."""

    kind: str
    position: Position
    label: str | None = None
    hours: str | None = None


async def enrol(
    conn: AsyncConnection,
    person_id: UUID,
    *,
    org_id: UUID,
    skills: Sequence[str] = (),
    born_on: date | None = None,
    proofs: Sequence[certificates.Proof] = (),
    places: Sequence[Spot] = (),
) -> store.Responder:
    """Make a person a responder, off duty at first. Enrolling twice returns the responder."""
    added = await conn.execute(
        pg.insert(tables.responder)
        .values(id=person_id, org_id=org_id, skills=list(skills), born_on=born_on)
        .on_conflict_do_nothing()
        .returning(tables.responder.c.id)  # an insert has no rowcount
    )
    if added.first() is not None:
        await certificates.add(conn, person_id, proofs)
        await _add_places(conn, person_id, places)
    return await store.get_responder(conn, person_id)


async def _add_places(conn: AsyncConnection, responder_id: UUID, places: Sequence[Spot]) -> None:
    rows = [
        {
            "id": store.new_id(),
            "responder_id": responder_id,
            "kind": spot.kind,
            "label": spot.label,
            "position": spot.position.ewkb(),
            "hours": spot.hours,
        }
        for spot in places
    ]
    if rows:
        await conn.execute(sa.insert(tables.place), rows)


class Change(TypedDict, total=False):
    """What may be changed of a responder; what is left out stays."""

    name: str
    name_en: str | None
    phone: str | None
    code: str | None
    note: str | None
    skills: Sequence[str]
    born_on: date | None
    proofs: Sequence[certificates.Proof]


async def change(
    conn: AsyncConnection, responder_id: UUID, changes: Change, *, version: int
) -> store.Responder:
    """Change what is known of a person; certificates are replaced as a whole.

    Raises StaleVersion with the present version, NotFound, NameTaken for another's code.
    """
    responder = await _lock(conn, responder_id)
    if responder.version != version:
        raise errors.StaleVersion(state={"version": responder.version})
    if changes.get("code") is not None:
        await _check_code_free(conn, responder, changes["code"])
    columns = {name: changes[name] for name in _OWN if name in changes}
    if "skills" in columns:
        columns["skills"] = list(changes["skills"])
    person = {name: changes[name] for name in _PERSONS if name in changes}
    if person:
        is_them = tables.person.c.id == responder_id
        await conn.execute(sa.update(tables.person).where(is_them).values(**person))
    if "proofs" in changes:
        await certificates.replace(conn, responder_id, changes["proofs"])
    return await _write(conn, responder_id, **columns)


_OWN: Final = ("code", "note", "skills", "born_on")
_PERSONS: Final = ("name", "name_en", "phone")


async def _check_code_free(
    conn: AsyncConnection, responder: store.Responder, code: str | None
) -> None:
    other = tables.responder.c
    is_taken = sa.select(other.id).where(
        other.org_id == responder.org_id, other.code == code, other.id != responder.id
    )
    if await conn.scalar(is_taken) is not None:
        raise errors.NameTaken(state={"code": code})


async def _lock(conn: AsyncConnection, responder_id: UUID) -> store.Responder:
    found = await store.lock_responders(conn, [responder_id])
    if responder_id not in found:
        raise errors.NotFound
    return found[responder_id]


async def _write(conn: AsyncConnection, responder_id: UUID, **columns: object) -> store.Responder:
    responder = tables.responder
    await conn.execute(
        sa.update(responder)
        .where(responder.c.id == responder_id)
        .values(**columns, version=responder.c.version + 1)
    )
    return await store.get_responder(conn, responder_id)


async def set_duty(
    conn: AsyncConnection,
    responder_id: UUID,
    duty: states.Duty,
    *,
    until: datetime | None = None,
    reason: str | None = None,
    now: datetime,
) -> store.Responder:
    """Put a responder on or off duty, to rest, or suspend it; a present alert or mission stays.

    `reason` is that of a suspension. `until` ends it by itself, see `store.Responder.duty_at`.
    Going on duty ends a rest after a mission. Setting the same changes nothing.
    Raises NotFound.
    """
    responder = await _lock(conn, responder_id)
    is_on = duty is states.Duty.AVAILABLE
    rest_until = None if is_on else responder.rest_until
    before = (responder.duty, responder.duty_until, responder.rest_until)
    if before == (duty, until, rest_until) and not reason:
        return responder
    why = reason if duty is states.Duty.SUSPENDED else None
    responder = await _write(
        conn, responder_id, duty=duty.value, duty_until=until, suspended_reason=why,
        rest_until=rest_until,
    )  # fmt: skip
    if responder.duty_at(now) in {states.Duty.OFF_DUTY, states.Duty.SUSPENDED}:
        await whereabouts.forget(conn, responder_id)  # but for who is on a mission
    await telling.tell_duty(conn, responder, now=now)
    return responder


async def set_quiet(
    conn: AsyncConnection,
    responder_id: UUID,
    hours: tuple[time, time] | None,
    *,
    kinds: Sequence[states.Kind] = (),
) -> store.Responder:
    """Set the hours in which a person is left in peace, but for some kinds of incident.

    Local to the organisation, over midnight too; None for no such hours. Raises NotFound.
    """
    await _lock(conn, responder_id)
    begins, ends = hours or (None, None)
    return await _write(
        conn, responder_id, quiet_from=begins, quiet_until=ends,
        quiet_except=sorted(kind.value for kind in kinds),
    )  # fmt: skip


async def set_places(
    conn: AsyncConnection, responder_id: UUID, places: Sequence[Spot]
) -> list[store.Place]:
    """Replace the declared places of a responder. Raises NotFound."""
    await _lock(conn, responder_id)
    place = tables.place
    await conn.execute(sa.delete(place).where(place.c.responder_id == responder_id))
    await _add_places(conn, responder_id, places)
    return await store.list_places(conn, [responder_id])


async def report_position(
    conn: AsyncConnection,
    responder_id: UUID,
    fix: store.Fix,
    *,
    is_stated: bool = False,
    now: datetime,
) -> whereabouts.Outcome:
    """Take a position from a responder's phone; stored seldom, so show it live from Redis.

    A stream of positions is sifted for slips of the GPS; what a person states is believed. Locks
    nothing but the row of the position. Raises NotFound.
    """
    if await store.find_responder(conn, responder_id) is None:
        raise errors.NotFound
    return await whereabouts.report(conn, responder_id, fix, is_stated=is_stated, now=now)


# ---- teams


async def add_team(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    code: str,
    name: str,
    leader_id: UUID | None = None,
    members: Sequence[UUID] = (),
) -> store.Team:
    """Make a team; its leader is a member too.

    Raises NameTaken, and NotFound when a member is not there.
    """
    team_id = store.new_id()
    everyone = {*members, *([leader_id] if leader_id is not None else [])}
    await _check_all_there(conn, everyone)
    added = await conn.execute(
        pg.insert(tables.team)
        .values(id=team_id, org_id=org_id, code=code, name=name, leader_id=leader_id)
        .on_conflict_do_nothing()
        .returning(tables.team.c.id)
    )
    if added.first() is None:
        raise errors.NameTaken(state={"code": code})
    await _add_members(conn, team_id, everyone)
    return await store.get_team(conn, team_id)


async def change_team(
    conn: AsyncConnection,
    team_id: UUID,
    *,
    name: str | None = None,
    leader_id: UUID | None = None,
    members: Sequence[UUID] | None = None,
    version: int,
) -> store.Team:
    """Change a team's name or leader, or replace its members; None leaves as it is.

    Raises StaleVersion, NotFound.
    """
    team = tables.team
    before = await store.get_team(conn, team_id)
    leader_id = leader_id or before.leader_id
    everyone = {*(before.members if members is None else members)}
    everyone |= {leader_id} if leader_id is not None else set()
    await _check_all_there(conn, everyone)
    changed = await conn.execute(
        sa.update(team)
        .where(team.c.id == team_id, team.c.version == version)
        .values(name=name or before.name, leader_id=leader_id, version=team.c.version + 1)
    )
    if not changed.rowcount:
        raise errors.StaleVersion(state={"version": before.version})
    member = tables.team_member
    await conn.execute(sa.delete(member).where(member.c.team_id == team_id))
    await _add_members(conn, team_id, everyone)
    return await store.get_team(conn, team_id)


async def _check_all_there(conn: AsyncConnection, responder_ids: set[UUID]) -> None:
    found = await conn.scalar(
        sa.select(sa.func.count()).where(tables.responder.c.id.in_(responder_ids))
    )
    if found != len(responder_ids):
        raise errors.NotFound


async def _add_members(conn: AsyncConnection, team_id: UUID, responder_ids: set[UUID]) -> None:
    rows = [{"team_id": team_id, "responder_id": person} for person in sorted(responder_ids)]
    if rows:
        await conn.execute(sa.insert(tables.team_member), rows)


def responder_out(
    responder: store.Responder, held: Sequence[store.Certificate], *, now: datetime
) -> events.Body:
    """Show a responder to an operator of its organisation."""
    return {
        "id": str(responder.id),
        "code": responder.code,
        "name": responder.name,
        "name_en": responder.name_en,
        "skills": list(responder.skills),
        "born_on": None if responder.born_on is None else responder.born_on.isoformat(),
        **telling.duty_out(responder, now=now),
        "suspended_reason": responder.suspended_reason,
        "certificates": [certificates.show(one) for one in held],
        "is_invented": responder.is_invented,
        "version": responder.version,
    }
