"""What a public map may be drawn on.

Our own base map comes from OpenStreetMap. To show it in public in the mainland of China takes a
licence and a review that nobody has for it, so there a public page shows a licensed map, or none:
the markers and the list work without. Whoever is signed in sees our own everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from urllib.parse import urlsplit

from dispatch.settings import Settings
from geo import datum, mvt, osm_read, tiles
from geo.dataset import Dataset

Box = tuple[float, float, float, float]
CHINA = "CN"
_NONE = "none"


class Ground(StrEnum):
    """What lies under the markers of a public map."""

    OWN = "own"
    LICENSED = "licensed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Withheld:
    """Where our own base map is for those who are signed in; degrees."""

    boxes: tuple[Box, ...] = ()
    is_everywhere: bool = False

    def covers(self, cell: tiles.Cell) -> bool:
        """Tell whether a tile shows ground that strangers may not be shown."""
        return self.is_everywhere or any(_meet(_box_of(cell), box) for box in self.boxes)


def withheld(settings: Settings, cities: Iterable[Dataset]) -> Withheld:
    """Say where strangers get no tiles of our own base map."""
    if settings.country == CHINA or settings.public_base_map:
        return Withheld(is_everywhere=True)
    return Withheld(tuple(osm_read.grown(city.box) for city in cities if is_chinese(city.box)))


def is_chinese(box: Box) -> bool:
    """Tell whether any of a city lies in the mainland, by nine points of its box."""
    west, south, east, north = box
    grid = product((west, (west + east) / 2, east), (south, (south + north) / 2, north))
    return any(datum.is_mainland(lon, lat) for lon, lat in grid)


def ground(settings: Settings, cities: Sequence[Dataset]) -> Ground:
    """Say what public pages draw their markers on."""
    if settings.public_base_map == _NONE:
        return Ground.NONE
    if settings.public_base_map:
        return Ground.LICENSED
    is_shown = any(not is_chinese(city.box) for city in cities)
    return Ground.OWN if is_shown and settings.country != CHINA else Ground.NONE


def layers(settings: Settings) -> list[str]:
    """List the tile addresses of the licensed map, lowest layer first."""
    addresses = settings.public_base_map.split()
    return [] if addresses == [_NONE] else addresses


def hosts(settings: Settings) -> str:
    """Name the origins of the licensed map for the content security policy."""
    parts = (urlsplit(address) for address in layers(settings))
    return " ".join(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))


def describe(settings: Settings, cities: Sequence[Dataset]) -> dict[str, object]:
    """Say all that a page needs to know of this."""
    return {
        "public_ground": ground(settings, cities).value,
        "licensed_tiles": layers(settings),
        "licensed_attribution": settings.public_base_map_credit,
        "map_review_number": settings.map_review_number or None,
        "needs_review_number": needs_number(settings, cities),
    }


def needs_number(settings: Settings, cities: Sequence[Dataset]) -> bool:
    """Tell whether a map is shown to the public in China without a review number."""
    is_china = settings.country == CHINA or any(is_chinese(city.box) for city in cities)
    is_shown = ground(settings, cities) is Ground.LICENSED
    return is_china and is_shown and not settings.map_review_number


def _box_of(cell: tiles.Cell) -> Box:
    west, north = mvt.degrees(cell.x / 2**cell.z, cell.y / 2**cell.z)
    east, south = mvt.degrees((cell.x + 1) / 2**cell.z, (cell.y + 1) / 2**cell.z)
    return west, south, east, north


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
