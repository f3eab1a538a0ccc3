"""PURE  Turn addresses, streets and named places of a file into texts that can be searched."""

from collections.abc import Iterator
from typing import NamedTuple

from geo import osm_read, search
from geo.basemap import Tags

# Search order among equal matches: a place, then streets, then named things, then doors.
_RANK = {"place": 0, "street": 1, "poi": 3, "address": 4}
_OTHER_NAMES = ("name:en", "name:zh", "name:zh-Hans", "alt_name", "int_name", "short_name")


class Entry(NamedTuple):
    """One row of the address table."""

    text: str
    folded: str
    street: str | None
    housenumber: str | None
    kind: str
    rank: int
    lon: float
    lat: float


def entries(city: osm_read.City) -> Iterator[Entry]:
    """Yield every searchable text of a city once: doors, streets, places, named things."""
    seen: set[tuple[str, str | None]] = set()
    for spot in city.addresses:
        entry = _of_spot(spot)
        # A door is the same door on the building, its entrance and each shop inside.
        key = (entry.text, None if spot.kind == "address" else spot.osm_ref)
        if key not in seen:
            seen.add(key)
            yield entry
    for name, lines in city.streets.items():
        for lon, lat in osm_read.street_points(lines):
            yield Entry(name, search.fold(name), name, None, "street", _RANK["street"], lon, lat)


def address_text(tags: Tags) -> str | None:
    """Write the address as signs do: `12 Rue X`, `中山大道12号`; None without street or number."""
    street = tags.get("addr:street") or tags.get("addr:place")
    number = tags.get("addr:housenumber")
    if street is None or number is None:
        return tags.get("addr:full") or street
    if any("\u4e00" <= character <= "\u9fff" for character in street):
        return f"{street}{number}" if number.endswith("号") else f"{street}{number}号"
    return f"{number} {street}"


def _of_spot(spot: osm_read.Spot) -> Entry:
    tags = spot.tags
    address = address_text(tags) or tags.get("addr:housenumber", "")
    text = address
    if spot.kind != "address":
        text = ", ".join(filter(None, (tags["name"], address_text(tags))))
    others = [tags[key] for key in _OTHER_NAMES if key in tags]
    return Entry(
        text,
        search.fold(" ".join([text, *others])),
        tags.get("addr:street"),
        tags.get("addr:housenumber"),
        spot.kind,
        _RANK[spot.kind],
        spot.lon,
        spot.lat,
    )
