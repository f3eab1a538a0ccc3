"""Who lives in the test's world: each cell of 20 km has the same few people of every kind.

So the set of those whom an alarm in a cell must reach is known without asking the matcher: everyone
of the cell who is `eligible`. The others of the cell (off duty, of another organisation, too far
away) must never hear of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    accounts,
    certificates,
    db,
    orgs,
    policies,
    responders,
    states,
    store,
    tables,
)
from geo.position import Position

#: Of another kind than `eligible`: why they must not be asked.
INELIGIBLE = ("off_duty", "other_org", "too_far")
#: At most so many may accept: the third and later ones are told that enough are coming.
WANTED = 2
#: The numbers of one organisation's incidents have no gap, so they are given one after the other,
#: each after the commit of the one before. More organisations open more incidents.
LONE_ORGS = 6
#: How long an alert can be answered, by severity of the incident.
EXPIRES_S = {1: 40.0, 2: 12.0}


@dataclass(frozen=True, slots=True)
class Volunteer:
    """Somebody with a phone."""

    id: str
    name: str
    token: str
    kind: str
    cell: int
    lon: float
    lat: float
    telephone: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A place far from every other one."""

    number: int
    lon: float
    lat: float
    eligible: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class World:
    """Everybody and everything that was there before the first incident."""

    cells: tuple[Cell, ...]
    volunteers: tuple[Volunteer, ...]
    #: Tokens of two operators, and of one of the organisation beside, who may see nothing of it.
    operators: tuple[str, str]
    stranger: str
    #: An operator whose token the harness takes away in the middle, and the name of the token.
    revoked: str
    #: Operators of organisations of their own, whose incidents alert nobody.
    lone: tuple[str, ...]
    revoked_name: str = "to be revoked"
    org: str = "alpha"
    other_org: str = "beta"


async def settle(dsn: str, *, cells: int, eligible: int, ineligible: int) -> World:
    """Fill an empty database, as an administrator would."""
    engine = db.make_engine(dsn)
    try:
        async with db.Database(engine, None).transaction() as conn:
            return await _settle(conn, cells, eligible, ineligible)
    finally:
        await engine.dispose()


async def _settle(conn: AsyncConnection, cells: int, eligible: int, ineligible: int) -> World:
    now = datetime.now(UTC)
    own = await _org(conn, "alpha", "甲")
    other = await _org(conn, "beta", "乙")
    await _policies(conn, own, now)
    kinds = ["eligible"] * eligible + [INELIGIBLE[n % 3] for n in range(ineligible)]
    volunteers = [
        await _volunteer(conn, other if kind == "other_org" else own, cell, n, kind, now)
        for cell in range(cells)
        for n, kind in enumerate(kinds)
    ]
    tokens = [
        await _operator(conn, org, name, now)
        for org, name in (
            (own, "operator one"), (own, "operator two"), (other, "stranger"),
            (own, "to be revoked"),
        )
    ]  # fmt: skip
    lone = [
        await _operator(conn, await _org(conn, f"lone-{n}", f"独{n}"), f"lone {n}", now)
        for n in range(LONE_ORGS)
    ]
    return World(
        tuple(_cell(number, volunteers) for number in range(cells)),
        tuple(volunteers), (tokens[0], tokens[1]), tokens[2], tokens[3], tuple(lone),
    )  # fmt: skip


def place_of(cell: int) -> Position:
    """Give the middle of a cell."""
    return Position(round(10.0 + 0.3 * (cell % 20), 6), round(20.0 + 0.25 * (cell // 20), 6))


def _cell(number: int, volunteers: list[Volunteer]) -> Cell:
    middle = place_of(number)
    own = tuple(v.id for v in volunteers if v.cell == number and v.kind == "eligible")
    return Cell(number, middle.lon, middle.lat, own)


async def _org(conn: AsyncConnection, code: str, name: str) -> UUID:
    return await orgs.add_org(
        conn, None, code=code, name_zh=name, name_en=code, level=3, timezone="UTC"
    )


async def _operator(conn: AsyncConnection, org_id: UUID, name: str, now: datetime) -> str:
    person = await accounts.add_person(conn, org_id, name=name, username=name.replace(" ", "-"))
    await accounts.grant(conn, person, org_id, states.OrgRole.OPERATOR)
    return await accounts.add_token(conn, person, name=name, now=now)


async def _volunteer(  # noqa: PLR0917 - what a person is
    conn: AsyncConnection, org_id: UUID, cell: int, number: int, kind: str, now: datetime
) -> Volunteer:
    middle = place_of(cell)
    metres = 6_000 if kind == "too_far" else 120 + 60 * number
    home = Position(
        round(middle.lon + 0.00001 * number + 0.000007, 6), round(middle.lat + metres / 111_195, 6)
    )
    name, telephone = f"人 {cell}.{number}", f"+99900{cell:03d}{number:02d}"
    person = await accounts.add_person(
        conn, org_id, name=name, name_en=f"Person {cell}.{number}",
        username=f"person-{cell}-{number}", phone=telephone, is_invented=True,
    )  # fmt: skip
    await accounts.grant(conn, person, org_id, states.OrgRole.RESPONDER)
    await responders.enrol(
        conn, person, org_id=org_id, skills=["cpr", "aed"],
        proofs=[certificates.Proof("first_aid", now.date() + timedelta(days=900))],
        places=[responders.Spot("home", home)],
    )  # fmt: skip
    if kind != "off_duty":
        await responders.set_duty(conn, person, states.Duty.AVAILABLE, now=now)
    token = await accounts.add_token(conn, person, name="phone", now=now)
    return Volunteer(str(person), name, token, kind, cell, home.lon, home.lat, telephone)


async def _policies(conn: AsyncConnection, org_id: UUID, now: datetime) -> None:
    """Publish one policy for each severity: everyone in reach, at once, and nobody else later."""
    report = await _report(conn, org_id, now)
    for severity, expires_s in EXPIRES_S.items():
        document = {
            "chooser": "replace", "wave_size": 30, "live_most": 30, "alerts_cap": 30,
            "is_limited": True, "other": {"total": WANTED, "direct": 1, "via_aed": 0},
            "alert_expires_s": expires_s, "wave_wait_s": 3_600.0, "stop_after_s": 86_400.0,
            "alert_budget_day": 100, "budget_exempt": 500, "rest_after_h": 0.0,
            "delivery_wait_s": 8.0, "no_movement_after_s": 4.0,
        }  # fmt: skip
        version = await policies.draft(
            conn, org_id, f"chaos-{severity}", document,
            bounds=policies.Bounds(severities=[severity]), by=None, now=now,
        )  # fmt: skip
        row = tables.policy_version
        await conn.execute(
            sa.update(row)
            .where(row.c.id == version.id)
            .values(
                status="published", report_id=report, published_at=now,
                effective_from=now - timedelta(days=1),
            )
        )  # fmt: skip


async def _report(conn: AsyncConnection, org_id: UUID, now: datetime) -> UUID:
    """Add the report without which nothing may be published; nobody reads it."""
    report = store.new_id()
    await conn.execute(
        sa.insert(tables.simulation_report).values(
            id=report, org_id=org_id, digests=[], seed=0, incidents=0, body={}, made_at=now
        )
    )
    return report
