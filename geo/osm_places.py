"""PURE  Turn addresses, streets and named places of a file into texts that can be searched."""

from collections.abc import Iterator
from typing import NamedTuple

from geo import osm_read, search
from geo.basemap import Tags

# Search order among equal matches: a place, then streets, then named things, then doors.
_RANK = {"place": 0, "street": 1, "poi": 3, "address": 4}


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
        for entry in _of_spot(spot):
            # A door is the same door on the building, its entrance and each shop inside.
            key = (entry.text, None if spot.kind == "address" else spot.osm_ref)
            if key not in seen:
                seen.add(key)
                yield entry
    for name, lines in city.streets.items():
        folded = search.fold(" ".join([name, *sorted(city.street_names.get(name, ()))]))
        for lon, lat in osm_read.street_points(lines):
            yield Entry(name, folded, name, None, "street", _RANK["street"], lon, lat)


def address_text(tags: Tags) -> str | None:
    """Write the address as signs do: `12 Rue X`, `中山大道12号`; None without street or number."""
    street = tags.get("addr:street") or tags.get("addr:place")
    number = tags.get("addr:housenumber")
    if street is None or number is None:
        return tags.get("addr:full") or street
    return _door(street, number)


def _door(street: str, number: str) -> str:
    if any("\u4e00" <= character <= "\u9fff" for character in street):
        return f"{street}{number}" if number.endswith("号") else f"{street}{number}号"
    return f"{number} {street}"


def _of_spot(spot: osm_read.Spot) -> Iterator[Entry]:
    """Yield the entry of a spot; a building with several numbers has as many doors."""
    tags = spot.tags
    street = tags.get("addr:street") or tags.get("addr:place")
    number = tags.get("addr:housenumber", "")
    if spot.kind != "address":
        yield _entry(spot, ", ".join(filter(None, (tags["name"], address_text(tags)))))
    elif street is None:
        yield _entry(spot, address_text(tags) or number)
    else:
        for door in filter(None, (part.strip() for part in number.split(";"))):
            yield _entry(spot, _door(street, door))


def _entry(spot: osm_read.Spot, text: str) -> Entry:
    tags = spot.tags
    return Entry(
        text,
        search.fold(" ".join([text, *osm_read.other_names(tags)])),
        tags.get("addr:street"),
        tags.get("addr:housenumber"),
        spot.kind,
        _RANK[spot.kind],
        spot.lon,
        spot.lat,
    )
