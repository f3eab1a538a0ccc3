"""Read a real place for the simulator: people who could be asked, AEDs, streets, past incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import considered, errors, store
from dispatch.simulation import run
from dispatch.simulation.registry import Registry, Resident, Spot
from dispatch.simulation.world import World
from geo import aeds, districts
from geo import tables as geo_tables
from geo.position import Position

#: Incidents a year where there were none to count.
_INCIDENTS_YEAR = 100.0
#: Demand points of a large city are thinned out to about this many.
_SPOTS_MOST = 50_000
#: Past incidents further back were under another registry.
_PAST_FOR = timedelta(days=730)


class NoPlace(errors.Malformed):
    """There is nothing to simulate on: import a city and its volunteers, or take Poisson fields."""


async def read(
    conn: AsyncConnection,
    org_path: str,
    *,
    walking_dir: Path,
    speed_mps: float,
    is_replay: bool = False,
    now: datetime,
) -> Registry:
    """Read what the organisation at a path and those below it have. Raises NoPlace."""
    residents = await _residents(conn, org_path, now=now)
    spots = await (_past(conn, org_path, now=now) if is_replay else _demand(conn))
    if not residents or not spots:
        what = "past incidents" if is_replay and residents else "people and streets"
        raise NoPlace(f"there are no {what} to simulate on")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Registry(
        residents=residents,
        devices=await _devices(conn),
        spots=spots,
        districts=[(one.name, one.position) for one in await districts.list_districts(conn)],
        week=midnight - timedelta(days=midnight.weekday()),
        walking_dir=walking_dir,
        speed_mps=speed_mps,
        is_replay=is_replay,
        incidents_year=await _incidents_year(conn, org_path, now=now),
    )


def world_of(world: World, registry: Registry) -> World:
    """Return a world with the pace by which the real streets are counted, and no fields."""
    return replace(world, densities=(), counted_mps=registry.speed_mps)


def load_per_alert(request: run.Request) -> float:
    """Return how many alerts a volunteer has in a year for one alert an incident."""
    if isinstance(request.source, Registry):
        return request.source.incidents_year / len(request.source.residents)
    densities = request.world.densities
    people = sum(one.people_km2 for one in densities) / len(densities)
    return request.world.incidents_km2_year / people


# ix_responder_org_id. Whoever is suspended, has no certificate in date or no declared place cannot
# be asked from home; duty changes by the hour and is left out.
_RESIDENTS = sa.text("""
select responder.id, responder.skills, org.timezone from responder
join org on org.id = responder.org_id
where starts_with(org.path, :path) and responder.duty <> 'suspended'
  and exists (select from place where responder_id = responder.id)
  and exists (select from certificate where responder_id = responder.id
              and status = 'verified' and expires_on >= :today)
order by responder.id
""")


async def _residents(conn: AsyncConnection, org_path: str, *, now: datetime) -> list[Resident]:
    values = {"path": org_path, "today": now.date()}
    rows = (await conn.execute(_RESIDENTS, values)).all()
    places: dict[Any, list[store.Place]] = {}
    for place in await store.list_places(conn, [row.id for row in rows]):
        places.setdefault(place.responder_id, []).append(place)
    return [
        Resident(row.id, tuple(places[row.id]), row.timezone, considered.CARRIES_AED in row.skills)
        for row in rows
    ]


async def _devices(conn: AsyncConnection) -> list[aeds.Aed]:
    table = geo_tables.aed
    query = sa.select(table).where(table.c.is_in_service).order_by(table.c.id)
    return [aeds.Aed.from_row(row) for row in await conn.execute(query)]


# Every city once; its points are thinned evenly.
_DEMAND = sa.text("""
select ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat, weight
from (
    select id, position, weight, row_number() over (order by id) as number,
           count(*) over () as many
    from demand_point where weight > 0
) as point
where number % greatest(1, many / :most) = 0
order by id
""")


async def _demand(conn: AsyncConnection) -> list[Spot]:
    rows = await conn.execute(_DEMAND, {"most": _SPOTS_MOST})
    return [Spot(Position(row.lon, row.lat), float(row.weight)) for row in rows]


# ix_incident_org_id; exercises are left out. Only a time at which the ambulance was there is kept.
_PAST = sa.text("""
select ST_X(incident.position::geometry) as lon, ST_Y(incident.position::geometry) as lat,
       incident.created_at, floor,
       extract(epoch from case when ambulance = 'on_scene' then ambulance_changed_at end
               - incident.created_at) as ambulance_s
from incident join org on org.id = incident.org_id
where starts_with(org.path, :path) and not exercise and incident.kind = 'cardiac_arrest'
  and incident.created_at > :since
order by incident.created_at, incident.id
""")


async def _past(conn: AsyncConnection, org_path: str, *, now: datetime) -> Sequence[Spot]:
    rows = await conn.execute(_PAST, {"path": org_path, "since": now - _PAST_FOR})
    return [
        Spot(
            Position(row.lon, row.lat), 1.0, row.created_at, row.floor,
            None if row.ambulance_s is None else float(row.ambulance_s),
        )
        for row in rows
    ]  # fmt: skip


async def _incidents_year(conn: AsyncConnection, org_path: str, *, now: datetime) -> float:
    """Return how many there were in a year, as far as anybody wrote them down."""
    years = _PAST_FOR / timedelta(days=365)
    return len(await _past(conn, org_path, now=now)) / years or _INCIDENTS_YEAR
