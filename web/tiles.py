"""Map tiles over HTTP: the base map and the AEDs, public, cached, and never a wrong address.

A base tile is named by the version of the imported data (`?v=`), so browsers may keep it for good;
an import changes the version that `/tiles/base.json` hands out.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors
from geo import dataset, osm_read, tiles
from geo.dataset import Dataset
from web import fields
from web.dependencies import Now, View

router = APIRouter(tags=["tiles"])

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
_FOR_GOOD = "public, max-age=31536000, immutable"
_A_MINUTE = "public, max-age=60"
_FEW_SECONDS = "public, max-age=5"
_LINK = '<a href="https://www.openstreetmap.org/copyright">© OpenStreetMap contributors</a>'
_CACHE_BYTES = 48 * 1024 * 1024


class TileCache:
    """Finished tiles of this process, the least recently asked for thrown out first."""

    def __init__(self, most_bytes: int) -> None:
        self._tiles: OrderedDict[str, bytes] = OrderedDict()
        self._most = most_bytes
        self._held = 0

    def find(self, key: str) -> bytes | None:
        """Give a finished tile, or None."""
        if key not in self._tiles:
            return None
        self._tiles.move_to_end(key)
        return self._tiles[key]

    def keep(self, key: str, tile: bytes) -> None:
        """Keep a tile under a key that names its content."""
        self._held += len(tile) - len(self._tiles.pop(key, b""))
        self._tiles[key] = tile
        while self._held > self._most:
            self._held -= len(self._tiles.popitem(last=False)[1])


_cache = TileCache(_CACHE_BYTES)


@router.get("/tiles/base.json", summary="The base map: TileJSON with bounds and attribution")
async def tile_json(request: Request, conn: View) -> Response:
    """Describe the base map and the cities in it. Public."""
    cities = await dataset.list_all(conn)
    host = str(request.base_url).rstrip("/")
    version = _version(cities)
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
    }
    return fields.send(body, headers={"Cache-Control": "no-cache"})


@router.get(
    "/tiles/{layer}/{z}/{x}/{y}.mvt",
    summary="One vector tile (MVT) of layer base or aeds",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, 204: {"description": "nothing lies there"}},
)
async def tile(
    *,
    request: Request,
    conn: View,
    now: Now,
    layer: Annotated[str, Path(description="base or aeds")],
    z: int,
    x: int,
    y: int,
    at: Annotated[
        datetime | None, Query(description="aeds: usable at this time; default now")
    ] = None,
    v: Annotated[str | None, Query(description="data version that base.json named")] = None,
) -> Response:
    """Draw one tile. Public: base map and public facts of AEDs."""
    try:
        known = tiles.Layer(layer)
        cell = tiles.cell(z, x, y)
    except (ValueError, tiles.NoSuchTile) as error:
        raise errors.NotFound(str(error)) from None
    if known is tiles.Layer.AEDS:
        content = await tiles.tile(conn, known, cell, at=at or now)
        tag = hashlib.sha256(content).hexdigest()[:24]
        return _answer(request, content, tag, _FEW_SECONDS)
    version = _version(await dataset.list_all(conn))
    tag = f"{version}-{z}-{x}-{y}"
    content = await _base(conn, tag, cell, now=now)
    return _answer(request, content, tag, _FOR_GOOD if v == version else _A_MINUTE)


async def _base(conn: AsyncConnection, tag: str, cell: tiles.Cell, *, now: datetime) -> bytes:
    content = _cache.find(tag)
    if content is None:
        content = await tiles.tile(conn, tiles.Layer.BASE, cell, at=now)
        _cache.keep(tag, content)
    return content


def _answer(request: Request, content: bytes, tag: str, caching: str) -> Response:
    headers = {"ETag": f'"{tag}"', "Cache-Control": caching}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if not content:
        return Response(status_code=204, headers=headers)
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


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
