"""Which positions of a list cannot be right, and what they probably should be.

A list of places covers a region: its body is where most of its points lie, found on a coarse grid
(`_Region`). What lies elsewhere is tried with its figures swapped and with its decimal point put
back; what then falls into the body is proposed. Nothing is ever changed here.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from geo import datum, position
from geo.datum import Crs
from geo.position import Position

Point = tuple[int, float, float]  # row, longitude, latitude

_M_PER_DEGREE = 111_195.0
_MIN_CELL_M = 5_000.0
_MIN_LIST = 8  # a shorter list has no body to speak of
_MIN_PILE = 3
_CENTROID_PILE = 8
_SAME_PLACE_M = 10.0
_MIN_SHIFT_M = 150.0
_MIN_REFERENCES = 5


class Code(StrEnum):
    """What is wrong with a position, or with the whole list."""

    SWAPPED = "swapped"
    DECIMAL_LOST = "decimal_lost"
    OUT_OF_RANGE = "out_of_range"
    FAR_OUTLIER = "far_outlier"
    PILE_UP = "pile_up"
    CENTROID = "centroid"
    DUPLICATE = "duplicate"
    LOOKS_WGS84 = "looks_wgs84"
    LOOKS_GCJ02 = "looks_gcj02"
    LOOKS_BD09 = "looks_bd09"


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubt: the rows, what is wrong, and the mend if there is one.

    `mends` are positions for rows, in the system of the list; `crs` the system that the list seems
    to be in.
    """

    code: Code
    rows: tuple[int, ...]
    text: str
    proposal: str | None = None
    mends: tuple[Point, ...] = ()
    crs: Crs | None = None


def check(
    points: Sequence[Point],
    *,
    crs: Crs,
    names: Mapping[int, str] | None = None,
    details: Mapping[int, str] | None = None,
    references: Mapping[int, Position] | None = None,
) -> list[Finding]:
    """Find the positions of a list that are hardly right; numbers as they stand in the list.

    `names` of rows find pile-ups and duplicates; `details` tell devices of one name apart (floor,
    room). `references` are where some rows are known to be (WGS-84); they betray another datum.
    """
    region = _region_of(points)
    broken = [found for point in points if (found := _broken(point, region)) is not None]
    rows = {row for finding in broken for row in finding.rows}
    sound = [point for point in points if point[0] not in rows]
    return [
        *broken,
        *_piles(sound, names or {}),
        *_rounded(sound),
        *_duplicates(sound, names or {}, details or {}),
        *_datum(sound, crs, references or {}),
    ]


@dataclass(frozen=True, slots=True)
class _Region:
    """The grid cells in which a list's body lies, and a margin of one cell."""

    origin: tuple[float, float]
    cell_deg: tuple[float, float]
    body: frozenset[tuple[int, int]]
    minor: frozenset[tuple[int, int]]  # beside the body, yet too many points for a slip

    def has(self, lon: float, lat: float) -> bool:
        x, y = self._cell(lon, lat)
        return any((x + i, y + j) in self.body for i in (-1, 0, 1) for j in (-1, 0, 1))

    def is_minor(self, lon: float, lat: float) -> bool:
        return self._cell(lon, lat) in self.minor

    def has_lat(self, lat: float) -> bool:
        y = self._cell(self.origin[0], lat)[1]
        return any(abs(y - row) <= 1 for _, row in self.body)

    def _cell(self, lon: float, lat: float) -> tuple[int, int]:
        x = math.floor((lon - self.origin[0]) / self.cell_deg[0])
        return x, math.floor((lat - self.origin[1]) / self.cell_deg[1])


def _region_of(points: Sequence[Point]) -> _Region | None:
    spots = np.array([(lon, lat) for _, lon, lat in points if _is_possible(lon, lat)])
    if len(spots) < _MIN_LIST:
        return None
    origin = np.median(spots, axis=0)
    east = max(0.02, math.cos(math.radians(origin[1])))
    away_m = np.hypot((spots[:, 0] - origin[0]) * east, spots[:, 1] - origin[1]) * _M_PER_DEGREE
    cell_m = max(_MIN_CELL_M, float(np.median(away_m)))
    cell_deg = (cell_m / _M_PER_DEGREE / east, cell_m / _M_PER_DEGREE)
    groups = list(_groups(np.floor((spots - origin) / np.array(cell_deg)).astype(int)))
    body = [cells for cells, count in groups if count * 10 >= len(spots)]
    few = max(4.0, 0.004 * len(spots))
    minor = [cells for cells, count in groups if count * 10 < len(spots) and count > few]
    return _Region(
        (float(origin[0]), float(origin[1])),
        cell_deg,
        frozenset(cell for cells in body for cell in cells),
        frozenset(cell for cells in minor for cell in cells),
    )


def _groups(cells: npt.NDArray[np.int_]) -> Iterator[tuple[set[tuple[int, int]], int]]:
    """Join cells that touch, and count the points of each group."""
    counts = Counter((int(x), int(y)) for x, y in cells)
    left = set(counts)
    while left:
        group, edge = set(), [left.pop()]
        while edge:
            x, y = edge.pop()
            group.add((x, y))
            beside = {(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= beside
            edge.extend(beside)
        yield group, sum(counts[cell] for cell in group)


def _is_possible(lon: float, lat: float) -> bool:
    return abs(lon) <= 180 and abs(lat) <= 90 and (lon, lat) != (0, 0)  # not so for NaN


def _broken(point: Point, region: _Region | None) -> Finding | None:
    _, lon, lat = point
    possible = _is_possible(lon, lat)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return _finding(Code.OUT_OF_RANGE, point, "is no position on the Earth")
    if possible and (region is None or region.has(lon, lat)):
        return None
    finding = _mended(point, region) if region is not None else None
    if finding is not None:
        return finding
    if not possible:
        return _finding(Code.OUT_OF_RANGE, point, "is no position on the Earth")
    if region is None or region.is_minor(lon, lat):
        return None
    return _finding(Code.FAR_OUTLIER, point, "lies far from all others of the list")


def _finding(
    code: Code, point: Point, what: str, mend: tuple[float, float] | None = None
) -> Finding:
    row, lon, lat = point
    text = f"Row {row}: longitude {lon:.10g}, latitude {lat:.10g} {what}."
    if mend is None:
        return Finding(code, (row,), text)
    proposal = f"longitude {mend[0]:.10g}, latitude {mend[1]:.10g}"
    return Finding(code, (row,), text, proposal, ((row, *mend),))


def _mended(point: Point, region: _Region) -> Finding | None:
    _, lon, lat = point
    if _is_possible(lat, lon) and region.has(lat, lon):
        return _finding(Code.SWAPPED, point, "has the two swapped", (lat, lon))
    mend = _with_point(lon, lat, region)
    if mend is not None:
        return _finding(Code.DECIMAL_LOST, point, "has lost its decimal point", mend)
    if region.has_lat(lon) and not region.has_lat(lat):
        return _finding(Code.SWAPPED, point, "has a latitude for its longitude")
    return None


def _with_point(lon: float, lat: float, region: _Region) -> tuple[float, float] | None:
    """Put the decimal point back where that is certain: one value within the region, no other."""
    lons, lats = _readings([_digits(lon)], lon, 180), _readings([_digits(lat)], lat, 90)
    fits = {(x, y) for x in {lon} | lons for y in {lat} | lats if region.has(x, y)}
    if not fits and not _is_possible(lon, lat):  # a digit typed twice as well: 1334.00556
        lons = _readings(_less_one(_digits(lon)), lon, 180)
        lats = _readings(_less_one(_digits(lat)), lat, 90)
        pairs = {(x, lat) for x in lons} | {(lon, y) for y in lats}
        fits = {pair for pair in pairs if region.has(*pair)}
    return fits.pop() if len(fits) == 1 else None


def _digits(value: float) -> str:
    return f"{abs(value):.10f}".rstrip("0").replace(".", "").lstrip("0")


def _less_one(digits: str) -> list[str]:
    return [digits[:n] + digits[n + 1 :] for n in range(1, min(5, len(digits)))]


def _readings(texts: Sequence[str], value: float, limit: float) -> set[float]:
    """Give the numbers that digits are with the point after the first, second or third."""
    cuts = [(text[:n], text[n:]) for text in texts for n in (1, 2, 3) if text[n:]]
    numbers = (math.copysign(float(f"{whole}.{rest}"), value) for whole, rest in cuts)
    return {number for number in numbers if abs(number) <= limit}


def _piles(points: Sequence[Point], names: Mapping[int, str]) -> Iterator[Finding]:
    """Find coordinates that several names share: a building, or the middle of a district."""
    at: dict[tuple[float, float], list[int]] = defaultdict(list)
    for row, lon, lat in points:
        at[round(lon, 6), round(lat, 6)].append(row)
    for (lon, lat), rows in at.items():
        count = len({names[row] for row in rows if names.get(row)})
        if count >= _MIN_PILE:
            code = Code.CENTROID if count >= _CENTROID_PILE else Code.PILE_UP
            text = f"{count} different names lie on longitude {lon:.10g}, latitude {lat:.10g}."
            yield Finding(code, tuple(rows), text)


def _rounded(points: Sequence[Point]) -> Iterator[Finding]:
    """Find coordinates that are much coarser than the others of the list."""
    decimals = {row: max(_decimals(lon), _decimals(lat)) for row, lon, lat in points}
    if len(points) < _MIN_LIST:
        return
    usual = float(np.median(list(decimals.values())))
    coarse = tuple(row for row, count in decimals.items() if count <= min(3.0, usual - 2))
    if usual <= 2:  # a kilometre: the whole list is coarse
        coarse = tuple(decimals)
    if coarse:
        text = f"{len(coarse)} positions are rounded to a street block or more."
        yield Finding(Code.CENTROID, coarse, text)


def _decimals(value: float) -> int:
    return len(f"{value:.8f}".rstrip("0").partition(".")[2])


def _duplicates(
    points: Sequence[Point], names: Mapping[int, str], details: Mapping[int, str]
) -> Iterator[Finding]:
    """Find rows that name the same device twice."""
    alike: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in points:
        name = "".join(names.get(point[0], "").split())
        if name:
            alike[name, "".join(details.get(point[0], "").split())].append(point)
    for group in alike.values():
        yield from _same_place(group)


def _same_place(points: Sequence[Point]) -> Iterator[Finding]:
    at: dict[tuple[int, int], list[Point]] = defaultdict(list)
    for point in points:
        at[_corner(point)].append(point)
    done: set[int] = set()
    for point in points:
        if point[0] in done:
            continue
        x, y = _corner(point)
        beside = [
            near for i in (-1, 0, 1) for j in (-1, 0, 1) for near in at.get((x + i, y + j), ())
        ]
        rows = sorted(near[0] for near in beside if _apart_m(point, near) <= _SAME_PLACE_M)
        done.update(rows)
        if len(rows) > 1:
            text = f"Rows {', '.join(map(str, rows))} have the same name and place."
            yield Finding(Code.DUPLICATE, tuple(rows), text)


def _corner(point: Point) -> tuple[int, int]:
    _, lon, lat = point
    height = _SAME_PLACE_M / _M_PER_DEGREE
    # The same width for a whole degree of latitude, so that neighbours share one grid.
    width = height / max(0.02, math.cos(math.radians(math.floor(abs(lat)) + 1)))
    return math.floor(lon / width), math.floor(lat / height)


def _apart_m(one: Point, other: Point) -> float:
    return position.distance_m(Position(one[1], one[2]), Position(other[1], other[2]))


_LOOKS = {
    Crs.WGS84: Code.LOOKS_WGS84,
    Crs.GCJ02: Code.LOOKS_GCJ02,
    Crs.BD09: Code.LOOKS_BD09,
}


def _datum(
    points: Sequence[Point], crs: Crs, references: Mapping[int, Position]
) -> Iterator[Finding]:
    """Compare rows with where they are known to be: a shift common to all is another datum."""
    known = [
        (row, lon, lat, references[row])
        for row, lon, lat in points
        if row in references and datum.is_mainland(references[row].lon, references[row].lat)
    ]
    if len(known) < _MIN_REFERENCES:
        return
    shifts = {
        named: _common_shift_m([((lon, lat), spot) for _, lon, lat, spot in known], named)
        for named in Crs
    }
    best = min(shifts, key=shifts.__getitem__)
    if best is not crs and shifts[crs] > _MIN_SHIFT_M and shifts[best] < shifts[crs] / 3:
        text = (
            f"{len(known)} rows lie {shifts[crs]:.0f} m from where they are known to be, read as "
            f"{crs}; read as {best}, {shifts[best]:.0f} m."
        )
        yield Finding(_LOOKS[best], tuple(row for row, *_ in known), text, f"crs {best}", crs=best)


def _common_shift_m(pairs: Sequence[tuple[tuple[float, float], Position]], crs: Crs) -> float:
    # The median of the vectors: errors of single addresses go in all directions.
    offsets = []
    for (lon, lat), spot in pairs:
        at_lon, at_lat = datum.to_wgs84(lon, lat, crs)
        east = math.cos(math.radians(spot.lat))
        offsets.append(((at_lon - spot.lon) * east, at_lat - spot.lat))
    return float(np.hypot(*np.median(np.array(offsets), axis=0))) * _M_PER_DEGREE
