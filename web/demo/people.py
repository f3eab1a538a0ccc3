"""The people of the demo: staff who sign in, responders with certificates and homes, two teams."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts, store, tables
from dispatch.states import Duty, OrgRole
from geo.position import Position
from web import demo
from web.demo import names

RESPONDERS = 60
STAFF = (OrgRole.OPERATOR, OrgRole.PLANNER, OrgRole.KEEPER, OrgRole.ADMIN, OrgRole.AUDITOR)
_TEAMS = (("CFR", "社区救护队 Community first aid"), ("WATER", "水上救援队 Water rescue"))
_TEAM_SIZE = 7
_SKILLS = (("cpr_aed",), ("cpr_aed", "nurse"), ("cpr_aed", "doctor"), ("first_aid",))
_SKILL_WEIGHTS = (70, 12, 6, 12)


@dataclass(frozen=True, slots=True)
class Volunteer:
    """What is invented about one responder."""

    username: str
    name: str
    name_en: str
    duty: Duty
    skills: tuple[str, ...]
    born_on: date
    certified_until: date | None
    home: Position
    work: Position | None


def sign_in_name(number: int) -> str:
    """Give the sign-in name of the responder with this number, from 1."""
    return f"responder-{number:02}"


def invent(positions: list[Position], *, today: date) -> list[Volunteer]:
    """Invent the responders. The first ten are on duty and certified, so that a demo can use them.

    Among the others some are off duty, resting, too young, or have no valid certificate.
    """
    random = demo.random("people")
    called = names.make_names(RESPONDERS, random=random)
    homes = random.sample(positions, min(RESPONDERS, len(positions)))
    works = [random.choice(positions) if number % 3 == 0 else None for number in range(len(homes))]
    return [
        _volunteer(number, called[number - 1], places, random, today)
        for number, places in enumerate(zip(homes, works, strict=True), start=1)
    ]


def _volunteer(
    number: int,
    called: tuple[str, str],
    places: tuple[Position, Position | None],
    random: Random,
    today: date,
) -> Volunteer:
    usual = number <= 10
    duty = random.choices((Duty.AVAILABLE, Duty.OFF_DUTY, Duty.RESTING), (82, 12, 6))[0]
    until: date | None = today + timedelta(days=random.randint(60, 1000))
    if not usual and number % 15 == 0:
        until = None
    elif not usual and number % 12 == 0:
        until = today - timedelta(days=random.randint(5, 200))
    age = timedelta(days=random.randint(20 * 365, 64 * 365))
    return Volunteer(
        username=sign_in_name(number),
        name=called[0],
        name_en=called[1],
        duty=Duty.AVAILABLE if usual else duty,
        skills=random.choices(_SKILLS, _SKILL_WEIGHTS)[0],
        born_on=today - (timedelta(days=16 * 365) if number == RESPONDERS else age),
        certified_until=until,
        home=places[0],
        work=places[1],
    )


async def add_staff(conn: AsyncConnection, org_id: UUID) -> None:
    """Add one person for each role of the staff; the sign-in name is the role."""
    called = names.make_names(len(STAFF), random=demo.random("staff"))
    for role, (name, name_en) in zip(STAFF, called, strict=True):
        person = await accounts.add_person(
            conn, org_id, name=name, name_en=name_en, username=role.value, is_invented=True
        )
        await accounts.grant(conn, person, org_id, role)


async def add_responders(
    conn: AsyncConnection, org_id: UUID, volunteers: Sequence[Volunteer]
) -> list[UUID]:
    """Add the responders with their certificates and places."""
    return [await _add(conn, org_id, volunteer) for volunteer in volunteers]


async def add_teams(conn: AsyncConnection, org_id: UUID, responders: Sequence[UUID]) -> None:
    """Add two teams of the first responders; the first of each leads it."""
    for number, (code, name) in enumerate(_TEAMS):
        members = responders[number * _TEAM_SIZE : (number + 1) * _TEAM_SIZE]
        team_id = store.new_id()
        await conn.execute(
            sa.insert(tables.team).values(
                id=team_id, org_id=org_id, code=code, name=name, leader_id=members[0]
            )
        )
        rows = [{"team_id": team_id, "responder_id": member} for member in members]
        await conn.execute(sa.insert(tables.team_member), rows)


async def _add(conn: AsyncConnection, org_id: UUID, who: Volunteer) -> UUID:
    person = await accounts.add_person(
        conn, org_id, name=who.name, name_en=who.name_en, username=who.username, is_invented=True
    )
    await accounts.grant(conn, person, org_id, OrgRole.RESPONDER)
    await conn.execute(
        sa.insert(tables.responder).values(
            id=person, org_id=org_id, duty=who.duty.value, skills=list(who.skills),
            born_on=who.born_on,
        )
    )  # fmt: skip
    if who.certified_until is not None:
        await _certify(conn, person, who.certified_until)
    await _place(conn, person, "home", who.home)
    if who.work is not None:
        await _place(conn, person, "work", who.work)
    return person


async def _certify(conn: AsyncConnection, person: UUID, until: date) -> None:
    await conn.execute(
        sa.insert(tables.certificate).values(
            id=store.new_id(), responder_id=person, kind="first_aider",
            number=f"DEMO-{person.hex[-8:].upper()}", issuer="演示红十字会 Demo Red Cross Society",
            issued_on=until - timedelta(days=3 * 365), expires_on=until,
        )
    )  # fmt: skip


async def _place(conn: AsyncConnection, person: UUID, kind: str, position: Position) -> None:
    # Homes count at any hour, so that a demo at any hour finds people.
    hours = "Mo-Fr 09:00-18:00" if kind == "work" else None
    await conn.execute(
        sa.insert(tables.place).values(
            id=store.new_id(), responder_id=person, kind=kind, position=position.ewkb(), hours=hours
        )
    )
