"""The nearest people and depots of an organisation; AEDs are in nearest_aeds.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from dispatch import depots, nearby
from geo import datum, usability
from geo.position import Position, coarse
from geo.routing import SPEED_MPS, Mode
from geo.walking import Travel, WalkingNetwork
from web import auth, fields, rights
from web.dependencies import Caller, Crs, Database, Network, Now, Policy, Redis, View
from web.plain_depends import at_once
from web.recent_callers import RecentCallers
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


class PeopleNearShape(NearestShape):
    """The nearest people; without live positions the stored ones were used."""

    live_positions: bool


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
    ask: Annotated[Ask, Depends(at_once(_ask))],
    within_s: Annotated[float, Query(gt=0, le=7200)] = 7200,
    mode: Mode = Mode.CAR,
) -> Ask:
    return replace(ask, within_s=within_s, mode=mode)


Asked = Annotated[Ask, Depends(at_once(_ask))]
AskedByCar = Annotated[Ask, Depends(at_once(_ask_by_car))]
OnlyUsable = Annotated[
    Literal["yes", "any"] | None, Query(description="yes: only what is usable on arrival")
]


async def _recent_caller(request: Request) -> auth.Caller:
    """Give who is calling, as known at most a second ago; a console asks many times a second."""
    recent: RecentCallers = request.app.state.finder.callers
    caller = await recent.identify(request)
    if caller is None:
        raise auth.NotSignedIn
    return caller


@router.get("/responders", response_model=PeopleNearShape, summary="Nearest responders")
async def responders(
    *,
    caller: Annotated[auth.Caller, Depends(_recent_caller)],
    database: Database,
    redis: Redis,
    network: Network,
    policy: Policy,
    ask: Asked,
    now: Now,
    usable: OnlyUsable = None,
    skill: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """List responders of the caller's organisation by travel time, and why one cannot be asked.

    `position_source` says where a position comes from: `live` from the phone, `place` from the
    declared places at their hours, `last_known` from what was stored. Travel times count up to
    where they are; what is vaguer than 50 m or older than a minute costs `allowance_s` in the
    order. Where somebody is is shown as the centre of a cell of 600 m (`is_coarse`) but to who runs
    the incident that the person is on its way to. Without Redis `live_positions` is false.
    """
    found = await nearby.find(
        database,
        redis,
        _network(network, ask.mode),
        policy,
        nearby.Question(
            org_path=rights.home(caller, Action.RESPONDER_SEE),
            origin=ask.origin,
            limit=ask.limit,
            within_s=ask.within_s,
            speed_mps=_SPEEDS.get(ask.mode, network.speed_mps),
            skill=skill,
            only_usable=usable == "yes",
            at=ask.at,
        ),
        now=now,
    )
    features = [_person(near, caller) for near in found.people]
    body = {
        "type": "FeatureCollection", "features": features, "live_positions": found.is_live,
    }  # fmt: skip
    return fields.send(body, ask.crs)


@router.get("/depots", response_model=NearestShape, summary="Nearest depots")
async def depots_near(
    *,
    conn: View,
    caller: Caller,
    network: Network,
    ask: AskedByCar,
    item: Annotated[str | None, Query(max_length=40, description="code of an item")] = None,
    quantity: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    usable: OnlyUsable = None,
) -> Response:
    """List depots that can give so much of an item; by car unless `mode` says otherwise.

    `usable` says whether somebody is there on arrival, by the depot's hours.
    """
    path = rights.home(caller, Action.STOCK_SEE)
    found = await depots.depots_near(
        conn, path, ask.origin, item=item, quantity=quantity, at=ask.at
    )
    return _send(_depots(network, ask, found, only_usable=usable == "yes"), ask)


def _network(network: WalkingNetwork, mode: Mode) -> WalkingNetwork:
    """Give the streets, or a network without any, which estimates."""
    return network if mode in _ON_STREETS else WalkingNetwork([], speed_mps=_SPEEDS[mode])


def _depots(
    network: WalkingNetwork,
    ask: Ask,
    found: Sequence[depots.DepotStock],
    *,
    only_usable: bool,
) -> list[dict[str, Any]]:
    """Make features of the depots in reach, the quickest first, ties in order of id."""
    travels = _network(network, ask.mode).times(
        ask.origin, [depot.position for depot in found],
        within_s=ask.within_s, speed_mps=_SPEEDS.get(ask.mode), inbound=True,
    )  # fmt: skip
    reached = [
        (travel, depot, depot.usable(ask.at + timedelta(seconds=travel.travel_s)))
        for depot, travel in zip(found, travels, strict=True)
        if travel is not None
    ]
    reached.sort(key=lambda item: (item[0].travel_s, item[1].id))
    return [
        _feature(depot.id, depot.position, travel, _depot(depot, usable))
        for travel, depot, usable in reached
        if not only_usable or usable.state is usability.Usable.YES
    ]


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


def _person(near: nearby.Near, caller: auth.Caller) -> dict[str, Any]:
    person = near.person
    # Only who runs the mission may see exactly where somebody is (S3).
    is_exact = person.mission_path is not None and rights.may(
        caller, Action.INCIDENT_RUN, rights.Thing(person.mission_path)
    )
    facts = {
        "name": person.name,
        "name_en": person.name_en,
        "skills": list(person.skills),
        "duty": person.duty,
        "position_source": near.source,
        "position_age_s": None if near.age_s is None else round(near.age_s, 1),
        "accuracy_m": near.accuracy_m,
        "allowance_s": round(near.allowance_s, 1),
        "is_coarse": not is_exact,
        "is_invented": person.is_invented,
        "usable": "no" if person.blocked else "yes",
        "usable_reason": person.blocked or "available",
        "usable_until": None,
    }
    shown = near.position if is_exact else coarse(near.position)
    return _feature(person.id, shown, near.travel, facts)


def _depot(depot: depots.DepotStock, usable: usability.Usability) -> dict[str, Any]:
    return {
        "code": depot.code,
        "name": depot.name,
        "name_en": depot.name_en,
        "address": depot.address,
        "hours": depot.hours,
        "available": depot.available,
        "is_invented": depot.is_invented,
        "usable": usable.state,
        "usable_reason": usable.reason,
        "usable_until": usable.until,
    }
