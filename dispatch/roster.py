"""The volunteers as an office keeps them: who they are, how to call them, what papers run out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import events, responders, states, store, tables

#: A certificate that ends within this time is asked to be renewed.
RENEW_WITHIN = timedelta(days=90)


class Papers(StrEnum):
    """What the certificates of a volunteer need."""

    PENDING = "pending"  # one waits to be looked at
    EXPIRING = "expiring"  # the last that counts ends within 90 days
    EXPIRED = "expired"  # none counts any more, or none ever did


@dataclass(frozen=True, slots=True)
class Search:
    """Which volunteers are wanted; `text` is looked for in names, codes, user names and phones."""

    text: str | None = None
    duty: states.Duty | None = None
    team_id: UUID | None = None
    papers: Papers | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a volunteer, what the office noted, and the teams by their codes."""

    phone: str | None
    username: str | None
    note: str | None
    teams: tuple[str, ...]


def matching(search: Search, *, today: date) -> list[sa.ColumnElement[bool]]:
    """Give the conditions of a search for `store.list_responders`."""
    responder, person = tables.responder.c, tables.person.c
    wanted: list[sa.ColumnElement[bool]] = []
    if search.text:
        words = (person.name, person.name_en, person.username, person.phone, responder.code)
        wanted.append(sa.or_(*(word.icontains(search.text, autoescape=True) for word in words)))
    if search.duty is not None:
        wanted.append(responder.duty == search.duty)
    if search.team_id is not None:
        member = tables.team_member.c
        joined = sa.select(member.responder_id).where(member.team_id == search.team_id)
        wanted.append(responder.id.in_(joined))
    if search.papers is not None:
        wanted.append(_papers(search.papers, today))
    return wanted


def _papers(papers: Papers, today: date) -> sa.ColumnElement[bool]:
    held = tables.certificate.c
    of_them = held.responder_id == tables.responder.c.id
    if papers is Papers.PENDING:
        return sa.exists().where(of_them, held.status == "pending")
    last = (
        sa.select(sa.func.max(held.expires_on))
        .where(of_them, held.status == "verified")
        .scalar_subquery()
    )
    if papers is Papers.EXPIRING:
        return last.between(today, today + RENEW_WITHIN)
    return sa.func.coalesce(last < today, sa.true())


async def contacts(conn: AsyncConnection, responder_ids: Sequence[UUID]) -> dict[UUID, Contact]:
    """Give how some volunteers are reached. For the people who may see them, never for events."""
    person, responder = tables.person.c, tables.responder.c
    teams = (
        sa.select(sa.func.array_agg(sa.text("team.code order by team.code")))
        .join_from(tables.team_member, tables.team)
        .where(tables.team_member.c.responder_id == responder.id)
        .scalar_subquery()
    )
    rows = await conn.execute(
        sa.select(responder.id, person.phone, person.username, responder.note, teams.label("teams"))
        .join_from(tables.responder, tables.person, person.id == responder.id)
        .where(responder.id.in_(responder_ids))
    )
    return {
        row.id: Contact(row.phone, row.username, row.note, tuple(row.teams or ())) for row in rows
    }


async def show(
    conn: AsyncConnection, people: Sequence[store.Responder], *, now: datetime
) -> list[events.Body]:
    """Show volunteers with certificates and contacts to an office of their organisation."""
    ids = [person.id for person in people]
    held = await store.list_certificates(conn, ids)
    reached = await contacts(conn, ids)
    return [
        {
            **responders.responder_out(
                person, [one for one in held if one.responder_id == person.id], now=now
            ),
            "phone": reached[person.id].phone,
            "username": reached[person.id].username,
            "note": reached[person.id].note,
            "teams": list(reached[person.id].teams),
        }
        for person in people
    ]
