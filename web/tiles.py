"""Map tiles over HTTP: the base map and the AEDs, public, cached, and never a wrong address.

A base tile is named by the version of the imported data (`?v=`), so browsers may keep it for good;
an import changes the version that `/tiles/base.json` hands out. An AED tile is asked for again
after two seconds and answered with 304 while nothing in it changed. Neither costs the database
anything while nothing changes. The layers that need signing in are in web/planner_tiles.py.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError

from dispatch import errors
from dispatch.settings import Settings
from geo import aed_drawing, dataset, osm_read, tiles
from geo.aed_tiles import AedTiles
from geo.dataset import Dataset
from realtime import deadline
from web import dependencies, fields, public_ground
from web.dependencies import View

router = APIRouter(tags=["tiles"])
_logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {}}},
    204: {"description": "nothing lies there"},
}
_FOR_GOOD = "public, max-age=31536000, immutable"
_NOT_FOR_STRANGERS = {"Cache-Control": "no-store", "Vary": "Cookie, Authorization"}
_A_MINUTE = "public, max-age=60"
#: With the second of `AedTiles` and a slow line, what is edited is on every map within 5 s.
_FEW_SECONDS = "public, max-age=2"
_LINK = '<a href="https://www.openstreetmap.org/copyright">© OpenStreetMap contributors</a>'
#: How long a process goes by the cities that it read last.
_CITIES_FRESH_S = 1.0
#: The first look reads everything, which may take seconds.
_LOOK_WITHIN_S = 30.0
_COMPRESS_FROM = 1_000
#: What a tile takes beside its content; an empty one is not free either.
_KEPT_BYTES = 500
_COMPRESS_IN_THREAD_FROM = 60_000


@dataclass(slots=True)
class Kept:
    """A finished tile: its content, twice once a client took it compressed."""

    content: bytes
    tag: str
    generation: int = 0
    until: float = math.inf
    compressed: bytes = b""

    def __len__(self) -> int:
        return _KEPT_BYTES + len(self.content) + len(self.compressed)


class TileCache:
    """Finished tiles of this process, the least recently asked for thrown out first."""

    def __init__(self, most_bytes: int) -> None:
        self._tiles: OrderedDict[object, Kept] = OrderedDict()
        self._most = most_bytes
        self._held = 0

    def find(self, key: object) -> Kept | None:
        """Give a finished tile, or None."""
        if key not in self._tiles:
            return None
        self._tiles.move_to_end(key)
        return self._tiles[key]

    def keep(self, key: object, tile: Kept) -> Kept:
        """Keep a tile in place of what was kept under the key."""
        self._forget(key)
        self._held += len(tile)
        self._tiles[key] = tile
        while self._held > self._most:
            self._forget(next(iter(self._tiles)))
        return tile

    def _forget(self, key: object) -> None:
        if key in self._tiles:
            self._held -= len(self._tiles.pop(key))


class Tiles:
    """What one app process holds of the map."""

    def __init__(self, settings: Settings) -> None:
        cache_bytes = settings.tile_cache_mb << 20
        self.aeds = AedTiles()
        self.cache = TileCache(cache_bytes)
        self.withheld = public_ground.Withheld()
        self._settings = settings
        self._version = ""
        self._looked_at = -math.inf

    async def version(self, request: Request) -> str:
        """Name the state of the base map, as of a second ago at most."""
        began = time.monotonic()
        if began - self._looked_at >= _CITIES_FRESH_S:
            async with dependencies.database_of(request).snapshot() as conn:
                self.note(await dataset.list_all(conn))
            self._looked_at = began
        return self._version

    def note(self, cities: Sequence[Dataset]) -> str:
        """Take in which cities there are, and name the state of the base map."""
        self._version = _version(cities)
        self.withheld = public_ground.withheld(self._settings, cities)
        return self._version

    async def refresh(self, request: Request) -> None:
        """Bring the AEDs up to date; a database that hangs is noticed here."""
        if not self.aeds.is_fresh():
            looking = self.aeds.refresh(dependencies.database_of(request).snapshot)
            await deadline.within(_LOOK_WITHIN_S, looking)

    def kept(self, request: Request) -> Kept | None:
        """Give the tile of AEDs that was sent last for this address, if it is still the same."""
        tile = self.cache.find(_key(request)) if self.aeds.is_fresh() else None
        if tile is None or tile.generation != self.aeds.generation:
            return None
        return tile if tile.until > dependencies.now_of(request).timestamp() else None


def _key(request: Request) -> tuple[str, bytes]:
    return request.scope["path"], request.scope["query_string"]


class KeptRoute(APIRoute):
    """A route that answers with what is kept before it reads a single parameter."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler that FastAPI builds."""
        handler = super().get_route_handler()

        async def quick(request: Request) -> Response:
            tile = tiles_of(request).kept(request)
            if tile is None:
                return await handler(request)
            return await answer(request, tile, _FEW_SECONDS)

        return quick


def tiles_of(request: Request) -> Tiles:
    """Give what this process holds of the map."""
    return request.app.state.tiles  # type: ignore[no-any-return]  # Starlette's state is untyped


async def prepare(app: FastAPI) -> None:
    """Read the AEDs before somebody opens a map; without a database the first map does."""
    held: Tiles = app.state.tiles
    await asyncio.to_thread(aed_drawing.warm_up)
    try:
        await held.aeds.refresh(app.state.database.snapshot)
    except (OSError, SQLAlchemyError) as error:  # TimeoutError is an OSError
        _logger.warning("AEDs not read yet: %s", type(error).__name__)


@router.get("/tiles/base.json", summary="The base map: TileJSON with bounds and attribution")
async def tile_json(request: Request, conn: View, settings: dependencies.Settings) -> Response:
    """Describe the base map, the cities in it, and what public pages may draw on. Public."""
    cities = await dataset.list_all(conn)
    host = str(request.base_url).rstrip("/")
    version = tiles_of(request).note(cities)
    body = {
        "tilejson": "3.0.0",
        "name": "Golden Minutes",
        "tiles": [f"{host}/tiles/base/{{z}}/{{x}}/{{y}}.mvt?v={version}"],
        "minzoom": tiles.MIN_ZOOM,
        "maxzoom": tiles.MAX_ZOOM,
        "bounds": _bounds(cities),
        "center": _centre(cities),
        "attribution": _LINK if cities else "",
        "vector_layers": [{"id": name, "fields": {}} for name in tiles.BASE_LAYERS],
        "version": "1.0.0",
        "data_version": version,
        "datasets": [_described(city) for city in cities],
        **public_ground.describe(settings, cities),
    }
    return fields.send(body, headers={"Cache-Control": "no-cache"})


@router.get(
    "/tiles/base/{z}/{x}/{y}.mvt",
    summary="A vector tile (MVT) of the base map",
    response_class=Response,
    responses=ANSWERS,
)
async def base_tile(
    *,
    request: Request,
    z: int,
    x: int,
    y: int,
    v: Annotated[str | None, Query(description="data version that base.json named")] = None,
) -> Response:
    """Draw the ground: land, water, streets, buildings, names.

    Public, but where the law asks for a licence strangers are told that nothing lies there.
    """
    cell, held = cell_of(z, x, y), tiles_of(request)
    version = await held.version(request)
    is_withheld = held.withheld.covers(cell)
    if is_withheld and await dependencies.identify(request) is None:
        return Response(status_code=204, headers=_NOT_FOR_STRANGERS)
    tile = held.cache.find(("base", version, cell))
    if tile is None:
        async with dependencies.database_of(request).snapshot() as conn:
            content = await tiles.base(conn, cell)
        tile = held.cache.keep(("base", version, cell), Kept(content, f"{version}-{z}-{x}-{y}"))
    caching = _FOR_GOOD if v == version else _A_MINUTE
    return await answer(
        request, tile, caching.replace("public", "private") if is_withheld else caching
    )


async def aed_tile(
    *,
    request: Request,
    z: int,
    x: int,
    y: int,
    at: Annotated[fields.At | None, Query(description="usable at this time; default now")] = None,
) -> Response:
    """Draw each AED from zoom 12 on, and before that how many there are. Public."""
    cell, held, now = cell_of(z, x, y), tiles_of(request), dependencies.now_of(request)
    await held.refresh(request)
    tile = held.kept(request)
    if tile is None:
        generation = held.aeds.generation
        drawn = await held.aeds.tile(*cell, at=at, now=now)
        tile = Kept(drawn.content, drawn.tag, generation, drawn.until)
        held.cache.keep(_key(request), tile)
    return await answer(request, tile, _FEW_SECONDS)


router.add_api_route(
    "/tiles/aeds/{z}/{x}/{y}.mvt",
    aed_tile,
    summary="A vector tile (MVT) of the AEDs with their state",
    response_class=Response,
    responses=ANSWERS,
    route_class_override=KeptRoute,
)


def cell_of(z: int, x: int, y: int) -> tiles.Cell:
    """Check the address of a tile. Raises NotFound."""
    try:
        return tiles.cell(z, x, y)
    except tiles.NoSuchTile as error:
        raise errors.NotFound(str(error)) from None


async def answer(request: Request, tile: Kept, caching: str) -> Response:
    """Send a tile, compressed where the client takes that; 304 when it has it already."""
    is_small = len(tile.content) < _COMPRESS_FROM
    is_packed = not is_small and "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{tile.tag}{"-gzip" if is_packed else ""}"'
    headers = {"ETag": tag, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if not tile.content:
        return Response(status_code=204, headers=headers)
    if not is_packed:
        return Response(tile.content, media_type=MEDIA_TYPE, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(await _packed(tile), media_type=MEDIA_TYPE, headers=headers)


async def _packed(tile: Kept) -> bytes:
    # Tiles are public or their reader's own and carry nothing that a request put in: nothing can be
    # guessed from their length (BREACH).
    if not tile.compressed:
        if len(tile.content) < _COMPRESS_IN_THREAD_FROM:
            tile.compressed = gzip.compress(tile.content, 5, mtime=0)
        else:
            tile.compressed = await asyncio.to_thread(gzip.compress, tile.content, 5, mtime=0)
    return tile.compressed


def send_layer(content: bytes) -> Kept:
    """Make a tile of content that nobody keeps, named by what it shows."""
    return Kept(content, hashlib.blake2b(content, digest_size=12).hexdigest())


def _version(cities: Sequence[Dataset]) -> str:
    """Name the state of the base map: other imports, another name."""
    parts = (f"{city.id} {city.sha256} {city.imported_at.timestamp()}" for city in cities)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]


def _bounds(cities: Sequence[Dataset]) -> list[float]:
    """Give the box of all drawn ground; the sea is drawn a city's width beyond its box."""
    boxes = [osm_read.grown(city.box) for city in cities]
    if not boxes:
        return [-180.0, -85.05, 180.0, 85.05]
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _centre(cities: Sequence[Dataset]) -> list[float]:
    if not cities:
        return [0.0, 0.0, 2]
    return [cities[0].centre.lon, cities[0].centre.lat, 14]


def _described(city: Dataset) -> dict[str, object]:
    return {
        "name": city.name,
        "title_zh": city.title_zh,
        "title_en": city.title_en,
        "bounds": list(city.box),
        "centre": [city.centre.lon, city.centre.lat],
        "attribution": city.attribution,
        "licence": city.licence,
        "is_derived": city.is_derived,
        "time_zone": city.time_zone,
        "imported_at": city.imported_at,
    }
