"""What is nearest by travel time: AEDs for everybody, people and depots for their organisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from dispatch import depots, eligibility
from geo import datum, nearest
from geo.position import Position
from geo.routing import SPEED_MPS, Mode
from geo.walking import Travel, WalkingNetwork
from web import fields, rights
from web.api.aeds import public_out, usable_out
from web.dependencies import Caller, Crs, Network, Now, Policy, View
from web.rights import Action

router = APIRouter(prefix="/nearest", tags=["nearest"])


#: Times on foot are along the streets, the others are estimates.
_ON_STREETS = {Mode.WALK, Mode.RUN}
#: On foot as fast as this installation says; how fast the others are is nobody's to choose.
_SPEEDS: dict[Mode, float] = {
    mode: speed for mode, speed in SPEED_MPS.items() if mode is not Mode.WALK
}


class NearShape(fields.Shape):
    """A GeoJSON feature; its properties begin with those that all three lists share.

    name, travel_s, distance_m, eta_source (network or estimate), usable (yes, no, unknown),
    usable_reason, usable_until.
    """

    type: str
    id: str
    geometry: fields.PointShape
    properties: dict[str, Any]


class NearestShape(fields.Shape):
    """A GeoJSON FeatureCollection, the quickest to reach first; ties in order of id."""

    type: str
    features: list[NearShape]
    crs: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What every list is asked with."""

    origin: Position
    at: datetime
    limit: int
    within_s: float
    mode: Mode
    crs: datum.Crs


def _ask(
    *,
    crs: Crs,
    now: Now,
    lon: float,
    lat: float,
    at: Annotated[fields.At | None, Query(description="time of departure; default now")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 10,
    within_s: Annotated[float, Query(gt=0, le=7200, description="at most this long a way")] = 900,
    mode: Mode = Mode.WALK,
) -> Ask:
    origin = fields.inward(Position(lon, lat), crs)
    return Ask(origin, at or now, limit, within_s, mode, crs)


def _ask_by_car(
    ask: Annotated[Ask, Depends(_ask)],
    within_s: Annotated[float, Query(gt=0, le=7200)] = 7200,
    mode: Mode = Mode.CAR,
) -> Ask:
    return replace(ask, within_s=within_s, mode=mode)


Asked = Annotated[Ask, Depends(_ask)]
AskedByCar = Annotated[Ask, Depends(_ask_by_car)]
OnlyUsable = Annotated[
    Literal["yes", "any"] | None, Query(description="yes: only what is usable on arrival")
]


@router.get("/aeds", response_model=NearestShape, summary="Nearest AEDs")
async def aeds(*, conn: View, network: Network, ask: Asked, usable: OnlyUsable = None) -> Response:
    """List AEDs in service by travel time, each with whether it can be taken on arrival. Public."""
    found = await nearest.find(
        conn,
        _network(network, ask.mode),
        ask.origin,
        within_s=ask.within_s,
        limit=ask.limit,
        only_usable=usable == "yes",
        speed_mps=_SPEEDS.get(ask.mode),
        at=ask.at,
    )
    return _send([_aed(near, ask.at) for near in found], ask)


@router.get("/responders", response_model=NearestShape, summary="Nearest responders")
async def responders(
    *,
    conn: View,
    caller: Caller,
    network: Network,
    policy: Policy,
    ask: Asked,
    usable: OnlyUsable = None,
    skill: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """List responders of the caller's organisation by travel time, and why one cannot be asked."""
    path = rights.home(caller, Action.RESPONDER_SEE)
    speed = _SPEEDS.get(ask.mode, network.speed_mps)
    people = await eligibility.gather(
        conn,
        _Scene(UUID(int=0), path, ask.origin),
        policy,
        within_m=ask.within_s * speed,
        live={},
        named=None,
        now=ask.at,
    )
    wanted = [
        person
        for person in people
        if person.position is not None
        and (skill is None or skill in person.skills)
        and (usable != "yes" or person.blocked is None)
    ]
    return _send(
        _timed(network, ask, [(p.id, p.position, _person(p, ask.at)) for p in wanted]), ask
    )


@router.get("/depots", response_model=NearestShape, summary="Nearest depots")
async def depots_near(
    *,
    conn: View,
    caller: Caller,
    network: Network,
    ask: AskedByCar,
    item: Annotated[str | None, Query(max_length=40, description="code of an item")] = None,
    quantity: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> Response:
    """List depots that can give so much of an item; by car unless `mode` says otherwise."""
    path = rights.home(caller, Action.STOCK_SEE)
    found = await depots.depots_near(
        conn, path, ask.origin, item=item, quantity=quantity, today=ask.at.date()
    )
    return _send(_timed(network, ask, [(d.id, d.position, _depot(d)) for d in found]), ask)


@dataclass(frozen=True, slots=True)
class _Scene:
    """A place that somebody asks about, as if an incident were there."""

    id: UUID
    org_path: str
    position: Position


_Thing = tuple[UUID, Position | None, dict[str, Any]]


def _network(network: WalkingNetwork, mode: Mode) -> WalkingNetwork:
    """Give the streets, or a network without any, which estimates."""
    return network if mode in _ON_STREETS else WalkingNetwork([], speed_mps=_SPEEDS[mode])


def _timed(network: WalkingNetwork, ask: Ask, things: Sequence[_Thing]) -> list[dict[str, Any]]:
    """Make features of what can be reached in time, the quickest first, ties in order of id."""
    places = [position for _, position, _ in things if position is not None]
    placed = [thing for thing in things if thing[1] is not None]
    travels = _network(network, ask.mode).times(
        ask.origin, places, within_s=ask.within_s, speed_mps=_SPEEDS.get(ask.mode)
    )
    reached = [
        (travel.travel_s, thing_id, _feature(thing_id, position, travel, facts))
        for (thing_id, _, facts), position, travel in zip(placed, places, travels, strict=True)
        if travel is not None
    ]
    return [feature for _, _, feature in sorted(reached, key=lambda found: found[:2])]


def _send(features: Sequence[dict[str, Any]], ask: Ask) -> Response:
    body = {"type": "FeatureCollection", "features": list(features)[: ask.limit]}
    return fields.send(body, ask.crs)


def _feature(
    thing_id: UUID, position: Position, travel: Travel, facts: dict[str, Any]
) -> dict[str, Any]:
    way = {
        "travel_s": round(travel.travel_s, 1),
        "distance_m": round(travel.distance_m, 1),
        "eta_source": travel.source,
    }
    return {
        "type": "Feature",
        "id": str(thing_id),
        "geometry": position.geojson(),
        "properties": {**facts, **way},
    }


def _aed(near: nearest.NearAed, at: datetime) -> dict[str, Any]:
    facts = {**public_out(near.aed, at), **usable_out(near.usable)}
    del facts["id"], facts["position"]
    return _feature(near.aed.id, near.aed.position, near.travel, facts)


def _person(person: eligibility.Person, at: datetime) -> dict[str, Any]:
    age = None if person.position_at is None else (at - person.position_at).total_seconds()
    return {
        "name": person.name,
        "name_en": person.name_en,
        "skills": list(person.skills),
        "duty": person.duty,
        "position_source": person.position_source,
        "position_age_s": None if age is None else max(0.0, round(age, 1)),
        "is_invented": person.is_invented,
        "usable": "no" if person.blocked else "yes",
        "usable_reason": person.blocked or "available",
        "usable_until": None,
    }


def _depot(depot: depots.DepotStock) -> dict[str, Any]:
    # Nobody has recorded when a depot is manned, so nobody can promise that its door opens.
    return {
        "code": depot.code,
        "name": depot.name,
        "name_en": depot.name_en,
        "address": depot.address,
        "available": depot.available,
        "is_invented": depot.is_invented,
        "usable": "unknown",
        "usable_reason": "hours_missing",
        "usable_until": None,
    }
