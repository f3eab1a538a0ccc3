"""Valid things for tests: every argument has a default, names are made up, places are in Monaco."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alerts,
    certificates,
    incidents,
    matching,
    planning,
    responders,
    states,
    store,
    tables,
)
from geo import aeds
from geo.position import Position
from geo.walking import WalkingNetwork

_numbers = count(1)

#: The harbour: every factory's default place.
HARBOUR = Position(7.4246, 43.7347)
#: The first policy, by rule: the choices of a wave can be told by hand.
POLICY = matching.Policy(
    name="first-policy", chooser=matching.Chooser.REPLACE, wave_size=7, aeds_most=3, aed_pickup_s=30
)
#: No streets: every walk is the straight line x 1.35, so tests can tell distances apart.
NETWORK = WalkingNetwork([], speed_mps=1.4167)


def north_of(position: Position, metres: float) -> Position:
    """Return the place so many metres to the north."""
    return Position(position.lon, position.lat + metres / 111_195)


async def make_org(
    conn: AsyncConnection, *, code: str | None = None, parent: str | None = None
) -> UUID:
    """Add an organisation; `parent` is a code."""
    code = code or f"org{next(_numbers)}"
    org_id = store.new_id()
    above = None
    if parent is not None:
        org = tables.org.c
        above = (await conn.execute(sa.select(org.id, org.path).where(org.code == parent))).one()
    await conn.execute(
        sa.insert(tables.org).values(
            id=org_id, code=code, name_zh=f"机构{code}", name_en=f"Org {code}", level=3,
            parent_id=None if above is None else above.id, phone="+377 93 00 00 00",
            path=("" if above is None else above.path) + code + "/", timezone="Europe/Monaco",
        )
    )  # fmt: skip
    return org_id


async def make_person(conn: AsyncConnection, org_id: UUID, *, name: str | None = None) -> UUID:
    """Add a person without any role."""
    person_id = store.new_id()
    number = next(_numbers)
    await conn.execute(
        sa.insert(tables.person).values(
            id=person_id, org_id=org_id, name=name or f"人{number}", name_en=f"Person {number}",
            username=f"person{number}", is_invented=True,
        )
    )  # fmt: skip
    return person_id


async def make_responder(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    position: Position | None = HARBOUR,
    duty: states.Duty = states.Duty.AVAILABLE,
    expires_on: date | None = date(2030, 1, 1),
    born_on: date | None = date(1990, 1, 1),
    seen_at: datetime | None = None,
    places: Sequence[responders.Spot] = (),
    now: datetime,
) -> UUID:
    """Add a responder who can be asked: on duty, certified, just seen at a place."""
    person_id = await make_person(conn, org_id)
    proofs = [] if expires_on is None else [certificates.Proof("first_aid", expires_on)]
    await responders.enrol(
        conn, person_id, org_id=org_id, skills=["cpr", "aed"], born_on=born_on,
        proofs=proofs, places=places,
    )  # fmt: skip
    await conn.execute(
        sa.update(tables.responder).where(tables.responder.c.id == person_id).values(duty=duty)
    )
    if position is not None:
        fix = store.Fix(position, seen_at or now - timedelta(seconds=20))
        await responders.report_position(conn, person_id, fix, is_stated=True, now=now)
    return person_id


async def make_incident(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    kind: states.Kind = states.Kind.CARDIAC_ARREST,
    position: Position = HARBOUR,
    ambulance: states.Ambulance = states.Ambulance.NOTIFIED,
    by: UUID | None = None,
    exercise: bool = False,
    drill_speed: float = 1.0,
    now: datetime,
) -> store.Incident:
    """Open an incident at the harbour."""
    return await incidents.open_(
        conn, org_id, kind=kind, position=position, ambulance=ambulance, exercise=exercise,
        drill_speed=drill_speed, address="Quai Albert Ier 1", by=by, now=now,
    )  # fmt: skip


async def make_aed(
    conn: AsyncConnection,
    org_id: UUID,
    *,
    position: Position = HARBOUR,
    hours: str | None = "24/7",
    now: datetime,
) -> aeds.Aed:
    """Add a public AED that is open day and night."""
    facts = {
        "name": f"AED {next(_numbers)}", "position": position, "access": "public",
        "hours": hours, "time_zone": "Europe/Monaco",
    }  # fmt: skip
    return await aeds.add(conn, org_id, facts, now=now)


@dataclass(frozen=True, slots=True)
class Scene:
    """An organisation with an operator, responders in the order of their distance, two AEDs."""

    org_id: UUID
    org_code: str
    operator: UUID
    responders: tuple[UUID, ...]
    aeds: tuple[aeds.Aed, ...]
    incident: store.Incident


async def make_scene(
    conn: AsyncConnection,
    *,
    people: int = 4,
    kind: states.Kind = states.Kind.CARDIAC_ARREST,
    now: datetime,
) -> Scene:
    """Make an open incident with responders 50 m apart to the north of it."""
    code = f"org{next(_numbers)}"
    org_id = await make_org(conn, code=code)
    operator = await make_person(conn, org_id)
    crew = [
        await make_responder(conn, org_id, position=north_of(HARBOUR, 50 * (n + 1)), now=now)
        for n in range(people)
    ]
    devices = [
        await make_aed(conn, org_id, position=north_of(HARBOUR, metres), now=now)
        for metres in (60, 120)
    ]
    incident = await make_incident(conn, org_id, kind=kind, by=operator, now=now)
    return Scene(org_id, code, operator, tuple(crew), tuple(devices), incident)


async def make_plan(
    conn: AsyncConnection,
    incident_id: UUID,
    *,
    policy: matching.Policy = POLICY,
    named: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    now: datetime,
) -> planning.Plan:
    """Plan without streets."""
    return await planning.make(
        conn, incident_id, policy=policy, network=NETWORK, named=named, team_id=team_id, now=now
    )


async def send(
    conn: AsyncConnection,
    scene: Scene,
    *,
    policy: matching.Policy = POLICY,
    named: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    now: datetime,
) -> alerts.Sent:
    """Plan and send a wave."""
    plan = await make_plan(
        conn, scene.incident.id, policy=policy, named=named, team_id=team_id, now=now
    )
    return await alerts.send_wave(conn, plan, by=scene.operator, now=now)


def read_json(path: Path) -> dict[str, Any]:
    """Read a file of JSON."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value
