"""Read an OpenStreetMap change file (`.osc`, `.osc.gz`): what became of each object.

Inside one file an object may be deleted and added again; only its newest version counts, in
whatever order the file lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium
from osmium.osm import Node, Relation, Way

from geo.basemap import Tags
from geo.osm_read import Spot, UnreadableFile

_KINDS = {Node: "node", Way: "way", Relation: "relation"}


@dataclass(frozen=True, slots=True)
class Change:
    """The newest state of one object; ways and relations come without a position."""

    osm_ref: str
    version: int
    is_deleted: bool
    tags: Tags
    lon: float | None = None
    lat: float | None = None

    @property
    def is_aed(self) -> bool:
        """Tell whether there is a defibrillator after the change."""
        return not self.is_deleted and self.tags.get("emergency") == "defibrillator"

    def is_inside(self, box: Any) -> bool:
        """Tell whether it lies in a box with west, south, east, north; unplaced things do not."""
        if self.lon is None or self.lat is None:
            return False
        inside: bool = box.west <= self.lon <= box.east and box.south <= self.lat <= box.north
        return inside

    def spot(self, lon: float | None = None, lat: float | None = None) -> Spot:
        """Give it as a reading of a file; a way stays where it was known to be."""
        here = (self.lon, self.lat) if self.lon is not None else (lon, lat)
        x, y = (0.0 if part is None else part for part in here)
        return Spot("aed", self.osm_ref, self.tags, x, y, self.version)


def read(path: Path) -> list[Change]:
    """Give the newest version of every object of the file. Raises `UnreadableFile`."""
    newest: dict[str, Change] = {}
    try:
        for found in osmium.FileProcessor(path):
            kind = _KINDS.get(type(found))
            if kind is None:
                continue
            change = _change(kind, found)
            former = newest.get(change.osm_ref)
            if former is None or change.version >= former.version:
                newest[change.osm_ref] = change
    except RuntimeError as error:
        raise UnreadableFile(f"{path.name} is not an OpenStreetMap change file: {error}") from None
    return list(newest.values())


def _change(kind: str, found: Any) -> Change:
    tags: Mapping[str, str] = dict(found.tags)
    has_place = kind == "node" and found.location.valid()
    lon, lat = (found.lon, found.lat) if has_place else (None, None)
    return Change(f"{kind}/{found.id}", found.version, found.deleted, tags, lon, lat)
