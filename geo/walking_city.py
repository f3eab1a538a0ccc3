"""One city's streets in memory: places are put on them, and walks expand along them."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo import (
    walking_arrays,
    walking_buildings,
    walking_doors,
    walking_files,
    walking_kernel,
    walking_line,
    walking_walks_kernel,
)
from geo.position import EARTH_RADIUS_M
from geo.walking_arrays import OUTWARD, Buildings, Floats, Graph, Snaps, Walks, Workspace
from geo.walking_files import Manifest
from geo.walking_memo import Memo

SNAP_M = 250.0  # farther from any street than this nobody can say how one gets there


class Pace(NamedTuple):
    """How far one walks, how fast, and whether OUTWARD or INWARD."""

    within_s: float
    speed_mps: float
    ways: int


@dataclass(frozen=True, slots=True)
class City:
    """Streets and doors with a box round them; for several threads."""

    build: str
    graph: Graph
    buildings: Buildings
    west: float
    south: float
    east: float
    north: float
    memo: Memo
    idle: deque[Workspace] = field(default_factory=deque)

    def holds(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Tell which places are near enough to the streets' box to be worth a look."""
        inside: NDArray[np.bool_] = (lon >= self.west) & (lon <= self.east)
        inside &= (lat >= self.south) & (lat <= self.north)
        return inside

    def snap(self, lon: Floats, lat: Floats) -> Snaps:
        """Put every place on the streets, by each of its doors."""
        return _snap(self.graph, self.buildings, lon, lat)

    @contextmanager
    def workspace(self, speed_mps: float, ways: int = OUTWARD) -> Iterator[Workspace]:
        """Lend a workspace that nobody else uses meanwhile."""
        try:
            work = self.idle.pop()
        except IndexError:
            work = walking_arrays.make_workspace(self.graph)
        work.speed[0], work.ways[0] = speed_mps, ways
        try:
            yield work
        finally:
            self.idle.append(work)

    @contextmanager
    def expansion(
        self, sources: Snaps, within_s: float, speed_mps: float, ways: int = OUTWARD
    ) -> Iterator[Workspace]:
        """Expand from the sources, or to them.

        Goes beyond the limit where a way straight to a place might still be within it.
        """
        with self.workspace(speed_mps, ways) as work:
            limit = max(within_s * speed_mps, 4 * SNAP_M)
            walking_kernel.expand(self.graph, work, sources, (0, len(sources.piece)), limit)
            yield work

    def walks(self, sides: tuple[Snaps, Snaps], places: int, pace: Pace) -> Walks:
        """Measure the walks between one place and so many others; too long ones may be missing."""
        walks = walking_arrays.empty_walks(places)
        limit = max(pace.within_s * pace.speed_mps, 4 * SNAP_M)
        with self.workspace(pace.speed_mps, pace.ways) as work:
            walking_walks_kernel.walk(self.graph, work, sides, limit, walks)
        return walks

    def part(self, snaps: Snaps) -> NDArray[np.int32]:
        """Give the part of the network on which each door or place stands, -1 for none."""
        return np.where(snaps.piece < 0, np.int32(-1), self.graph.chain_part[snaps.chain])

    def joins(self, sources: Snaps, targets: Snaps, places: int) -> NDArray[np.bool_]:
        """Tell for each place whether streets join it, by any door, to any source."""
        theirs, ours = self.part(sources), self.part(targets)
        joined: NDArray[np.bool_] = ours == theirs if len(theirs) == 1 else np.isin(ours, theirs)
        if len(joined) == places:
            return joined
        found = np.zeros(places, np.bool_)
        found[targets.place[joined]] = True
        return found

    def trace(
        self, source: Snaps, target: Snaps, speed_mps: float, within_s: float
    ) -> tuple[walking_line.Line, float, float] | None:
        """Trace the walk between two places by their best doors: line, effort, length.

        None means beyond `within_s`.
        """
        walks = [
            self._walk(walking_arrays.pick(source, np.array([row])), target, speed_mps, within_s)
            for row in range(len(source.piece))
        ]
        line, effort, length = min(walks, key=lambda walk: walk[1])
        return None if effort > within_s * speed_mps else (line, effort, length)

    def _walk(
        self, source: Snaps, target: Snaps, speed_mps: float, within_s: float
    ) -> tuple[walking_line.Line, float, float]:
        answers = walking_arrays.empty_answers(target)
        with self.expansion(source, within_s, speed_mps) as work:
            walking_kernel.measure(self.graph, work, source, target, answers)
            best = int(answers.effort.argmin())
            if not answers.how[best]:
                return np.empty((0, 2)), np.inf, np.inf
            there = walking_arrays.pick(target, np.array([best]))
            line = walking_line.trace(self.graph, work, source, there, int(answers.how[best]))
        if answers.how[best] != walking_kernel.STRAIGHT:
            line = self._by_doors(source, line, there)
        return line, float(answers.effort[best]), float(answers.length[best])

    def _by_doors(self, source: Snaps, line: walking_line.Line, target: Snaps) -> walking_line.Line:
        """Bend the two ends of a line to the doors."""
        out, into = (
            self.buildings.door[[number for number in snap.door.tolist() if number >= 0]]
            for snap in (source, target)
        )
        return np.vstack([line[:1], out, line[1:-1], into, line[-1:]])


def load(place: Path, manifest: Manifest) -> City:
    """Map a city's files. Raises `DamagedNetwork`."""
    west, south, east, north = manifest.bbox
    margin = SNAP_M / math.radians(EARTH_RADIUS_M)
    wide = margin / max(0.01, math.cos(math.radians(max(abs(south), abs(north)))))
    graph = walking_files.load(place, manifest)
    buildings = walking_files.load_buildings(place, manifest)
    box = west - wide, south - margin, east + wide, north + margin
    return _city(manifest.build, graph, buildings, box)


def tiny() -> City:
    """Make a city of one street and one building, to compile and load all loops with."""
    box = -180.0, -90.0, 180.0, 90.0
    return _city("", walking_arrays.tiny_graph(), walking_buildings.tiny(), box)


def _city(
    build: str, graph: Graph, buildings: Buildings, box: tuple[float, float, float, float]
) -> City:
    memo = Memo(lambda lon, lat: _snap(graph, buildings, lon, lat))
    return City(build, graph, buildings, *box, memo)


def _snap(graph: Graph, buildings: Buildings, lon: Floats, lat: Floats) -> Snaps:
    return walking_doors.snap(graph, buildings, lon, lat, most_off_m=SNAP_M)
