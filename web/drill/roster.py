"""Who plays: the invented people of a demo organisation, and more of them when they are too few.

A drill rings only phones of invented people, so it refuses an organisation that is no demo.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts, certificates, errors, orgs, responders, states, tables
from geo.position import Position
from web.drill.phone import Participant

#: Tokens of a drill end by themselves, should it be killed.
TOKENS_LAST = timedelta(hours=6)
OPERATOR = "drill-operator"


class NotADemo(errors.DispatchError):
    """The organisation has real people, whose phones a drill must not ring."""

    code = "not_a_demo"


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody with their tokens, and the addresses where incidents may happen."""

    operator_token: str
    phones: tuple[Participant, ...]
    places: tuple[tuple[str, Position], ...]


async def call_up(
    conn: AsyncConnection, org_code: str, *, phones: int, seed: int, now: datetime
) -> Roster:
    """Give `phones` invented responders and an operator, on duty and with tokens.

    Raises NotFound for an unknown organisation and NotADemo for one with real people.
    """
    org = await orgs.find_org(conn, org_code)
    if org is None:
        raise errors.NotFound(f"there is no organisation {org_code}")
    if not org.is_demo:
        raise NotADemo(f"{org_code} is not a demo organisation")
    dice = random.Random(f"{seed}/roster")  # noqa: S311  # a game, no secret
    places = await _places(conn)
    ids = await _invented(conn, org.id, limit=phones)
    while len(ids) < phones:
        ids.append(await _enrol(conn, org.id, len(ids), dice.choice(places)[1], now=now))
    homes = [dice.choice(places)[1] for _ in ids]
    people = [
        await _participant(conn, person_id, home, now=now)
        for person_id, home in zip(ids, homes, strict=True)
    ]
    operator = await _operator(conn, org.id)
    token = await accounts.add_token(
        conn, operator, name="drill", expires_at=now + TOKENS_LAST, now=now
    )
    return Roster(token, tuple(people), tuple(places))


# Addresses with a house number where the city has them, else any named place.
_PLACES = sa.text("""
select text, ST_AsBinary(position) as position from address
where housenumber is not null
   or not exists (select from address where housenumber is not null)
order by id limit 5000
""")


# A city that was made from street segments has no addresses: streets near somebody's home.
_STREETS = sa.text("""
select 'Street 街道 ' || id as text, ST_AsBinary(position) as position from demand_point
where exists (select from place where ST_DWithin(place.position, demand_point.position, 300))
order by id limit 5000
""")


async def _places(conn: AsyncConnection) -> list[tuple[str, Position]]:
    rows = (await conn.execute(_PLACES)).all() or (await conn.execute(_STREETS)).all()
    found = [(row.text, Position.from_wkb(row.position)) for row in rows]
    if not found:
        raise errors.NotFound("no city is imported: golden import osm FILE")
    return found


async def _invented(conn: AsyncConnection, org_id: UUID, *, limit: int) -> list[UUID]:
    rows = await conn.scalars(
        sa.select(tables.responder.c.id)
        .join(tables.person, tables.person.c.id == tables.responder.c.id)
        .where(tables.responder.c.org_id == org_id, tables.person.c.is_invented)
        .order_by(tables.person.c.username)
        .limit(limit)
    )
    return list(rows)


async def _enrol(
    conn: AsyncConnection, org_id: UUID, number: int, home: Position, *, now: datetime
) -> UUID:
    """Invent one more responder, with a certificate and a home."""
    person_id = await _person(
        conn,
        org_id,
        username=f"drill-{number + 1:04d}",
        name=f"演练{number + 1:04d}",
        name_en=f"Exercise {number + 1:04d}",
        role=states.OrgRole.RESPONDER,
    )
    valid_until = now.date() + timedelta(days=365)
    await responders.enrol(
        conn,
        person_id,
        org_id=org_id,
        skills=["cpr", "aed"],
        proofs=[certificates.Proof("first_aid", valid_until)],
        places=[responders.Spot("home", home)],
    )
    return person_id


async def _participant(
    conn: AsyncConnection, person_id: UUID, home: Position, *, now: datetime
) -> Participant:
    await responders.set_duty(conn, person_id, states.Duty.AVAILABLE, now=now)
    token = await accounts.add_token(
        conn, person_id, name="drill", expires_at=now + TOKENS_LAST, now=now
    )
    name = await conn.scalar(sa.select(tables.person.c.name).where(tables.person.c.id == person_id))
    return Participant(str(person_id), str(name), token, home)


async def _operator(conn: AsyncConnection, org_id: UUID) -> UUID:
    found = await accounts.find_person(conn, OPERATOR)
    if found is not None:
        return found
    return await _person(
        conn,
        org_id,
        username=OPERATOR,
        name="演练调度员",
        name_en="Exercise operator",
        role=states.OrgRole.OPERATOR,
    )


async def _person(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    username: str,
    name: str,
    name_en: str,
    role: states.OrgRole,
) -> UUID:
    person_id = await accounts.add_person(
        conn, org_id, name=name, name_en=name_en, username=username, is_invented=True
    )
    await accounts.grant(conn, person_id, org_id, role)
    return person_id


async def send_home(conn: AsyncConnection, roster: Roster, *, now: datetime) -> None:
    """End the tokens of a drill."""
    secrets: Sequence[str] = [roster.operator_token, *(phone.token for phone in roster.phones)]
    await conn.execute(
        sa.update(tables.api_token)
        .where(
            tables.api_token.c.token_hash.in_([accounts.secret_hash(secret) for secret in secrets])
        )
        .values(revoked_at=now)
    )
