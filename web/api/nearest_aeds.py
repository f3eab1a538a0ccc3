"""The nearest AEDs, for everybody: the question that is asked most, answered from memory.

FastAPI describes the route and judges every question that is not plain; plain ones are answered
before it (web/plain_nearest.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from dispatch import db, devices
from geo import datum, nearest, nearest_records
from geo.nearest import NearAed
from geo.routing import SPEED_MPS, Mode
from geo.walking import WalkingNetwork
from web import dependencies, fields
from web.api.nearest import Ask, Asked, NearestShape, OnlyUsable
from web.plain_depends import at_once
from web.recent_callers import RecentCallers

_ON_STREETS = {Mode.WALK, Mode.RUN}


class Finder:
    """What this process keeps for the question: the engine, and answers that were written."""

    def __init__(self, engine: nearest.Engine) -> None:
        self.engine = engine
        self.callers = RecentCallers()
        self._written: dict[UUID, _Written] = {}

    async def answer(self, request: Request, ask: Ask, *, only_usable: bool) -> Response:
        """Answer with a FeatureCollection, the quickest to reach first."""
        await self.callers.identify(request)
        return Response(
            await self.written(dependencies.network_of(request), ask, only_usable=only_usable),
            media_type="application/json",
        )

    async def written(self, streets: WalkingNetwork, ask: Ask, *, only_usable: bool) -> bytes:
        """Write the answer's body."""
        network, speed = _network(streets, ask.mode)
        found = await self.engine.find(
            network,
            ask.origin,
            within_s=ask.within_s,
            limit=ask.limit,
            only_usable=only_usable,
            speed_mps=speed,
            at=ask.at,
        )
        features = b",".join(self._feature(near, ask) for near in found)
        end = b'],"crs":"%s"}' % ask.crs.value.encode()
        return b'{"type":"FeatureCollection","features":[' + features + end

    def _feature(self, near: NearAed, ask: Ask) -> bytes:
        held = self._written.get(near.aed.id)
        if held is None or held.aed is not near.aed or held.usable is not near.usable:
            held = _Written(near, ask)
            if len(self._written) >= MOST_WRITTEN:
                self._written.clear()
            self._written[near.aed.id] = held
        way = near.travel
        said = (held.facts, way.travel_s, way.distance_m, way.source.encode(), held.place(ask.crs))
        return b'%b,"travel_s":%.1f,"distance_m":%.1f,"eta_source":"%b"},"geometry":%b}' % said


#: So many answers are kept; each is about a kilobyte.
MOST_WRITTEN = 50_000


class _Written:
    """The part of a feature that is the same for everybody who asks while the state holds."""

    def __init__(self, near: NearAed, ask: Ask) -> None:
        self.aed, self.usable = near.aed, near.usable
        facts = {
            **devices.public_facts(near.aed, near.arrival(ask.at)),
            **devices.usable_out(near.usable),
        }
        del facts["id"], facts["position"]
        head = orjson.dumps({"type": "Feature", "id": str(near.aed.id), "properties": facts})
        self.facts = head[:-2]
        self._place = orjson.dumps(near.aed.position.geojson())

    def place(self, crs: datum.Crs) -> bytes:
        if crs is datum.Crs.WGS84:
            return self._place
        return orjson.dumps(fields.outward(self.aed.position.geojson(), crs))


def _network(network: WalkingNetwork, mode: Mode) -> tuple[WalkingNetwork, float | None]:
    """Give the streets, or a network without any, which estimates; and the speed of the mode."""
    speed = None if mode is Mode.WALK else SPEED_MPS[mode]
    if mode in _ON_STREETS:
        return network, speed
    return WalkingNetwork([], speed_mps=SPEED_MPS[mode]), speed


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[Finder]:
    """Keep a finder while the app serves; the database may be away."""
    records = nearest_records.Records(app.state.settings.database_url, db.SESSION_OPTIONS)
    await records.open()
    engine = nearest.Engine(app.state.database.snapshot, records)
    try:
        await engine.start()
        yield Finder(engine)
    finally:
        await engine.index.stop()
        await records.close()


router = APIRouter(prefix="/nearest", tags=["nearest"])


def finder_of(request: Request) -> Finder:
    """Give what this process keeps for the question."""
    return request.app.state.finder  # type: ignore[no-any-return]  # Starlette's state is untyped


@router.get("/aeds", response_model=NearestShape, summary="Nearest AEDs")
async def aeds(
    *,
    request: Request,
    finder: Annotated[Finder, Depends(at_once(finder_of))],
    ask: Asked,
    usable: OnlyUsable = None,
) -> Response:
    """List AEDs in service by travel time, each with whether it can be taken on arrival. Public."""
    return await finder.answer(request, ask, only_usable=usable == "yes")
