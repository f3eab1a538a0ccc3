"""The folder of walking networks: one city each, its arrays as mappable files beside a manifest.

A city is written beside its final place and swapped in at once, so that a reader finds the old
network or the new one; who has the old one mapped may go on using it.
"""

import json
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import walking_format
from geo.walking_arrays import Buildings, Graph

_BUILDINGS = "building_"  # how the names of their files begin


class DamagedNetwork(RuntimeError):
    """Arrays that are another version's or do not fit their manifest; building mends it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build found and made; lengths in metres, `bbox` = west, south, east, north.

    `build` is another one each time.
    `dropped_…` counts what was not connected to the rest, `buildings` those that have doors.
    """

    name: str
    build: str
    bbox: tuple[float, float, float, float]
    street_nodes: int
    streets: int
    junctions: int
    chains: int
    parts: int
    length_m: float
    stairs_m: float
    private_m: float
    dropped_nodes: int
    dropped_m: float
    buildings: int
    doors: int
    bytes: int
    source_sha256: str
    build_s: float


def new_build() -> str:
    """Make a name for a build that no other one has."""
    return secrets.token_hex(6)


def write(graph: Graph, buildings: Buildings, manifest: Manifest, folder: Path) -> None:
    """Write a city beside its final place, where nobody finds it before `use`."""
    fresh = _fresh(folder, manifest.name, manifest.build)
    fresh.mkdir(parents=True)
    for prefix, arrays in (("", graph), (_BUILDINGS, buildings)):
        for name, array in arrays._asdict().items():
            np.save(fresh / f"{prefix}{name}.npy", array)
    text = json.dumps({"format": walking_format.FORMAT, **asdict(manifest)}, indent=1)
    (fresh / walking_format.MANIFEST).write_text(text)


def use(manifest: Manifest, folder: Path) -> None:
    """Let a city's name point to what was written; what stood there before is removed."""
    fresh, place = _fresh(folder, manifest.name, manifest.build), folder / manifest.name
    before = place.resolve() if place.is_symlink() else None
    if before is None and place.is_dir():  # copied here by hand, or from a backup
        before = place.rename(fresh.with_name(f"{fresh.name}.before"))
    pointer = fresh.with_name(f"{fresh.name}.link")
    pointer.symlink_to(fresh.name)
    pointer.replace(place)
    if before is not None and before.parent == folder.resolve():
        shutil.rmtree(before, ignore_errors=True)


def drop(folder: Path, name: str, build: str) -> None:
    """Remove a build that is not in use, whole or not."""
    shutil.rmtree(_fresh(folder, name, build), ignore_errors=True)


def _fresh(folder: Path, name: str, build: str) -> Path:
    return folder / f".{name}.{build}"


def manifests(folder: Path) -> dict[Path, Manifest]:
    """Read the manifest of every city, by the folder that really holds its arrays.

    Raises `DamagedNetwork`.
    """
    # Resolved once: a rebuild meanwhile may remove the folder, but not mix two builds.
    places = sorted(
        path.parent.resolve() for path in folder.glob(f"[!.]*/{walking_format.MANIFEST}")
    )
    return {place: _manifest(place) for place in places}


def load(place: Path, manifest: Manifest) -> Graph:
    """Map the arrays of one city's streets. Raises `DamagedNetwork`."""
    graph = Graph(**_mapped(place, "", Graph._fields))
    if (len(graph.out_start) - 1, len(graph.chain_to)) != (manifest.junctions, manifest.chains):
        raise _damaged(place, "its arrays do not fit its manifest")
    return graph


def load_buildings(place: Path, manifest: Manifest) -> Buildings:
    """Map the arrays of one city's doors. Raises `DamagedNetwork`."""
    found = Buildings(**_mapped(place, _BUILDINGS, Buildings._fields))
    if (len(found.wall_start) - 1, len(found.door)) != (manifest.buildings, manifest.doors):
        raise _damaged(place, "its arrays do not fit its manifest")
    return found


def _mapped(place: Path, prefix: str, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    try:
        # asarray drops the subclass, not the mapping: processes go on sharing the pages.
        return {
            name: np.asarray(np.load(place / f"{prefix}{name}.npy", mmap_mode="r"))
            for name in names
        }
    except (OSError, ValueError) as error:
        raise _damaged(place, str(error)) from error


def _manifest(place: Path) -> Manifest:
    try:
        values = json.loads((place / walking_format.MANIFEST).read_text())
        if values.pop("format") != walking_format.FORMAT:
            raise _damaged(place, "it was built by another version")
        return Manifest(**values | {"bbox": tuple(values["bbox"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(place, str(error)) from error


def _damaged(place: Path, reason: str) -> DamagedNetwork:
    name = place.name.lstrip(".").split(".")[0]
    return DamagedNetwork(
        f"The walking network of {name} cannot be used: {reason}. "
        "Build it again: golden routing build FILE.osm.pbf"
    )
