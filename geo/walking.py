"""How long it takes on foot: answers in microseconds from street networks held in memory.

The rule, whole (docs/walking.md): a place is put on the nearest point of the nearest street within
250 m, in a building by its doors (`walking_doors`); a walk is the way off the street at both ends
plus the quickest way along the streets. Where the way along is no longer than the ways off, as
between two places in one large building, one may go straight, 1.35 times the line, if that is
quicker. Where a place has no street near it, or no street joins the two, the walk is an estimate,
1.35 times the line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geo import (
    walking_arrays,
    walking_city,
    walking_doors,
    walking_files,
    walking_guess,
    walking_kernel,
    walking_matrix,
    walking_reach,
)
from geo.position import Position
from geo.walking_arrays import INWARD, OUTWARD, Floats, Snaps
from geo.walking_city import City

DamagedNetwork = walking_files.DamagedNetwork  # what `load` raises

SNAP_M = walking_city.SNAP_M


class EtaSource(StrEnum):
    """Whether a time was found along the streets, or guessed from the straight line."""

    NETWORK = "network"
    ESTIMATE = "estimate"


@dataclass(frozen=True, slots=True)
class Travel:
    """A walk between two places, from the one to the other."""

    travel_s: float
    distance_m: float
    source: EtaSource


@dataclass(frozen=True, slots=True)
class Way:
    """A walk with its line, from the one place to the other."""

    line: tuple[Position, ...]
    travel: Travel


class WalkingNetwork:
    """The streets of one or several cities; never changes, may be used from several threads.

    Walks lead from the origin to the targets, with `inbound` from the targets to the origin. The
    two differ by one-way lanes and belts only.
    """

    def __init__(self, cities: Sequence[City], *, speed_mps: float) -> None:
        self._cities = tuple(cities)
        self._speed_mps = speed_mps

    @classmethod
    def load(cls, folder: Path, *, speed_mps: float) -> Self:
        """Map every city in the folder; none there makes a network of estimates only.

        Raises `DamagedNetwork`.
        """
        found = walking_files.manifests(folder)
        cities = [walking_city.load(place, manifest) for place, manifest in found.items()]
        return cls(cities, speed_mps=speed_mps)

    @property
    def generation(self) -> str:
        """Name what is loaded; compare it with `generation_of` to see whether it is still so."""
        return " ".join(sorted(city.build for city in self._cities))

    @property
    def speed_mps(self) -> float:
        """Give the speed on level ground that times are counted with."""
        return self._speed_mps

    def times(
        self,
        origin: Position,
        targets: Sequence[Position],
        *,
        within_s: float,
        speed_mps: float | None = None,
        inbound: bool = False,
    ) -> list[Travel | None]:
        """Measure the walks between the origin and every target; None means beyond `within_s`."""
        speed = speed_mps or self._speed_mps
        lon, lat = _columns(targets)
        found = self._city_of(origin)
        if found is None or not targets:
            return [_guess(origin, target, speed, within_s) for target in targets]
        city, source = found
        pace = walking_city.Pace(within_s, speed, INWARD if inbound else OUTWARD)
        walks = city.walks((source, city.memo.snap(lon, lat)), len(targets), pace)
        rows = zip(
            targets,
            walks.is_joined.tolist(),
            (walks.effort / speed).tolist(),
            walks.length.tolist(),
            strict=True,
        )
        return [
            (Travel(seconds, metres, EtaSource.NETWORK) if seconds <= within_s else None)
            if is_joined
            else _guess(origin, target, speed, within_s)
            for target, is_joined, seconds, metres in rows
        ]

    def matrix(
        self,
        sources: Sequence[Position],
        targets: Sequence[Position],
        *,
        within_s: float,
        speed_mps: float | None = None,
        threads: int | None = None,
    ) -> NDArray[np.float64]:
        """Measure seconds from every source (row) to every target; nan is beyond `within_s`."""
        return self.marked_matrix(
            sources, targets, within_s=within_s, speed_mps=speed_mps, threads=threads
        )[0]

    def marked_matrix(
        self,
        sources: Sequence[Position],
        targets: Sequence[Position],
        *,
        within_s: float,
        speed_mps: float | None = None,
        threads: int | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Measure a matrix, and tell which of its entries are estimates.

        One bounded expansion for each place of the shorter side, by so many `threads` at most; a
        few, as many as there are processors, where nothing is said.
        """
        speed = speed_mps or self._speed_mps
        walk = walking_matrix.Walk(within_s, speed, threads)
        answers = walking_matrix.no_answers(len(sources), len(targets))
        lon, lat = _columns(targets)
        for city, near in self._homes(*_columns(sources)):
            if city is not None:
                walking_matrix.measure(city.graph, near, city.snap(lon, lat), walk, answers)
        effort, is_guess = answers.effort, answers.is_apart.view(np.bool_)
        if is_guess.any():
            walking_guess.fill(effort, is_guess, _columns(sources), (lon, lat))
        effort /= speed
        np.putmask(effort, effort > within_s, np.nan)
        return effort, is_guess

    def isochrone(
        self,
        origin: Position,
        within_s: Sequence[float],
        *,
        speed_mps: float | None = None,
        inbound: bool = False,
    ) -> list[walking_reach.Area]:
        """Draw the area that is reached within each of these times; rule: `walking_reach`."""
        speed, found = speed_mps or self._speed_mps, self._city_of(origin)
        if found is None:
            return [walking_reach.guess(origin, limit_s * speed) for limit_s in within_s]
        city, source = found
        ways = INWARD if inbound else OUTWARD
        by_door = walking_arrays.pick(source, np.argsort(source.off)[:1])
        with city.expansion(source, max(within_s), speed, ways) as work:
            return [
                walking_reach.area(
                    city.graph, work, by_door, limit_s * speed, widest=max(within_s) * speed
                )
                for limit_s in within_s
            ]

    def reach(
        self,
        sources: Sequence[Position],
        targets: NDArray[np.float64] | Sequence[Position],
        within_s: float,
    ) -> NDArray[np.float32]:
        """Measure seconds from every target to its nearest source, infinite beyond `within_s`.

        `targets` are rows of longitude and latitude, or positions. One expansion answers a city.
        """
        limit = within_s * self._speed_mps
        lon, lat = _columns(targets)
        effort = np.full(len(lon), np.inf)
        for city, seeds in self._homes(*_columns(sources)):
            is_off = np.ones(len(lon), np.bool_)
            if city is not None:
                rows = np.flatnonzero(city.holds(lon, lat))
                snaps = city.snap(lon[rows], lat[rows])
                answers = walking_arrays.empty_answers(snaps)
                with city.expansion(seeds, within_s, self._speed_mps) as work:
                    walking_kernel.measure(city.graph, work, seeds, snaps, answers)
                best = walking_doors.quickest(answers.effort, snaps.place, len(rows))
                effort[rows] = np.minimum(effort[rows], answers.effort[best])
                is_off[rows] = ~city.joins(seeds, snaps, len(rows))
            walking_guess.nearest(effort, np.flatnonzero(is_off), (lon, lat), seeds, limit)
        effort[effort > limit] = np.inf
        return (effort / self._speed_mps).astype(np.float32)

    def way(
        self,
        origin: Position,
        target: Position,
        *,
        within_s: float,
        speed_mps: float | None = None,
    ) -> Way | None:
        """Trace the walk between two places; None means beyond `within_s`.

        The line of an estimate is the straight one.
        """
        speed = speed_mps or self._speed_mps
        found = self._city_of(origin)
        if found is not None:
            city, source = found
            snap = city.snap(*_columns([target]))
            if city.joins(source, snap, 1)[0]:
                traced = city.trace(source, snap, speed, within_s)
                return None if traced is None else _way(*traced, speed)
        travel = _guess(origin, target, speed, within_s)
        return None if travel is None else Way((origin, target), travel)

    def warm_up(self) -> None:
        """Load the compiled loops now, so that the first alert does not wait for them.

        Takes a fraction of a second; the very first time on a machine it compiles for some more.
        """
        network = WalkingNetwork([walking_city.tiny()], speed_mps=1.0)
        places = [Position(0.0, 0.0), Position(0.001, 0.0001)]
        network.times(places[0], places, within_s=1000.0)
        network.reach(places, places, 1000.0)
        network.matrix(places, places, within_s=1000.0)

    def _city_of(self, origin: Position) -> tuple[City, Snaps] | None:
        """Find the city whose streets are nearest to a place, with the place on its street."""
        best: tuple[City, Snaps] | None = None
        for city in self._cities:
            if city.west <= origin.lon <= city.east and city.south <= origin.lat <= city.north:
                snaps = city.snap(*_columns([origin]))
                if snaps.piece[0] >= 0 and (best is None or snaps.off.min() < best[1].off.min()):
                    best = city, snaps
        return best

    def _homes(self, lon: Floats, lat: Floats) -> Iterator[tuple[City | None, Snaps]]:
        """Share the places out to the cities nearest to them, then those near none of them.

        Each share is sorted by chain, as `walking_kernel.measure` wants it.
        """
        nearest, home = np.full(len(lon), np.inf), np.full(len(lon), -1)
        found = []
        for number, city in enumerate(self._cities):
            rows = np.flatnonzero(city.holds(lon, lat))
            snaps = city.snap(lon[rows], lat[rows])
            off = snaps.off[walking_doors.quickest(snaps.off, snaps.place, len(rows))]
            found.append((city, snaps._replace(place=rows[snaps.place].astype(np.int32))))
            is_nearer = off < nearest[rows]
            home[rows[is_nearer]] = number
            nearest[rows[is_nearer]] = off[is_nearer]
        for number, (city, snaps) in enumerate(found):
            chosen = np.flatnonzero(home[snaps.place] == number)
            if len(chosen):
                order = chosen[np.argsort(snaps.chain[chosen], kind="stable")]
                yield city, walking_arrays.pick(snaps, order)
        homeless = np.flatnonzero(home < 0)
        if len(homeless):
            alone = walking_arrays.empty_snaps(lon[homeless], lat[homeless])
            yield None, alone._replace(place=homeless.astype(np.int32))


def generation_of(folder: Path) -> str:
    """Name what the folder holds now, to be compared with `WalkingNetwork.generation`."""
    return " ".join(sorted(city.build for city in walking_files.manifests(folder).values()))


def _way(line: Floats, effort: float, length: float, speed_mps: float) -> Way:
    travel = Travel(effort / speed_mps, length, EtaSource.NETWORK)
    return Way(tuple(Position(lon, lat) for lon, lat in line.tolist()), travel)


def _columns(places: NDArray[np.float64] | Sequence[Position]) -> tuple[Floats, Floats]:
    if isinstance(places, np.ndarray):
        rows = np.asarray(places, np.float64).reshape(-1, 2)
        return np.ascontiguousarray(rows[:, 0]), np.ascontiguousarray(rows[:, 1])
    lon = np.array([place.lon for place in places], np.float64)
    return lon, np.array([place.lat for place in places], np.float64)


def _guess(origin: Position, target: Position, speed_mps: float, within_s: float) -> Travel | None:
    metres = walking_guess.metres(origin, target)
    seconds = metres / speed_mps
    return Travel(seconds, metres, EtaSource.ESTIMATE) if seconds <= within_s else None
