"""Compiled loops of the nearest-AED index: the exact distance, and the nearest of a tier.

A tier (`geo.nearest_tier`) holds devices in bands of latitude, each sorted by longitude. From the
place's own band outwards, and in each band from the place's own meridian outwards, devices are
looked at until nothing farther can be nearer than what was found. Longitudes wrap, and round a
pole a band is looked at whole, so that there is no edge anywhere.
"""

import math

import numpy as np

from geo.compiling import compiled
from geo.nearest_tier import BANDS_PER_DEGREE, Entry, Floats, Found, Search, Tier
from geo.position import EARTH_RADIUS_M

# WGS-84
_A, _F = 6_378_137.0, 1 / 298.257223563
_B = _A * (1 - _F)
# The spheroid's distance is never less than this share of the mean sphere's (north at the equator).
_LEAST = 0.994
_LEAST_RADIUS_M = _LEAST * EARTH_RADIUS_M
_YES = 1


@compiled
def geodesic_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Measure metres on the WGS-84 spheroid; Vincenty 1975, good to a micrometre at these ranges.

    Where the iteration does not settle, as between antipodes, the great circle is given.
    """
    turn = math.radians((lon_b - lon_a + 540.0) % 360.0 - 180.0)
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    u_a = math.atan2((1 - _F) * math.sin(phi_a), math.cos(phi_a))
    u_b = math.atan2((1 - _F) * math.sin(phi_b), math.cos(phi_b))
    sin_a, cos_a, sin_b, cos_b = math.sin(u_a), math.cos(u_a), math.sin(u_b), math.cos(u_b)
    lam = turn
    for _ in range(60):
        sin_l, cos_l = math.sin(lam), math.cos(lam)
        sin_s = math.hypot(cos_b * sin_l, cos_a * sin_b - sin_a * cos_b * cos_l)
        if sin_s == 0.0:
            return 0.0
        cos_s = sin_a * sin_b + cos_a * cos_b * cos_l
        sigma = math.atan2(sin_s, cos_s)
        sin_alpha = cos_a * cos_b * sin_l / sin_s
        square = 1.0 - sin_alpha * sin_alpha
        middle = cos_s - 2.0 * sin_a * sin_b / square if square > 1e-15 else 0.0
        c = _F / 16.0 * square * (4.0 + _F * (4.0 - 3.0 * square))
        before = lam
        inner = middle + c * cos_s * (2.0 * middle * middle - 1.0)
        lam = turn + (1.0 - c) * _F * sin_alpha * (sigma + c * sin_s * inner)
        if abs(lam - before) < 1e-14:
            u = square * (_A * _A - _B * _B) / (_B * _B)
            big_a = 1.0 + u / 16384.0 * (4096.0 + u * (-768.0 + u * (320.0 - 175.0 * u)))
            big_b = u / 1024.0 * (256.0 + u * (-128.0 + u * (74.0 - 47.0 * u)))
            deep = 4.0 * sin_s * sin_s - 3.0
            last = big_b / 6.0 * middle * deep * (4.0 * middle * middle - 3.0)
            delta = middle + big_b / 4.0 * (cos_s * (2.0 * middle * middle - 1.0) - last)
            return _B * big_a * (sigma - big_b * sin_s * delta)
    return _sphere_m(lat_a, lat_b, turn)


@compiled
def _sphere_m(lat_a: float, lat_b: float, turn: float) -> float:
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half_phi, half_turn = math.sin((phi_b - phi_a) / 2.0), math.sin(turn / 2.0)
    chord = half_phi * half_phi + math.cos(phi_a) * math.cos(phi_b) * half_turn * half_turn
    return 2.0 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


@compiled
def distances(lon: float, lat: float, lons: Floats, lats: Floats) -> Floats:
    """Measure metres on the spheroid from one place to many."""
    metres = np.empty(len(lons))
    for i in range(len(lons)):
        metres[i] = geodesic_m(lon, lat, lons[i], lats[i])
    return metres


# ---- a heap of the nearest, the last of them on top


@compiled
def _get(found: Found, i: int) -> Entry:
    return Entry(found.metres[i], found.high[i], found.low[i], found.row[i])


@compiled
def _put(found: Found, i: int, entry: Entry) -> None:
    found.metres[i], found.high[i] = entry.metres, entry.high
    found.low[i], found.row[i] = entry.low, entry.row


@compiled
def _is_before(found: Found, i: int, entry: Entry) -> bool:
    """Tell whether what lies at `i` comes before the entry: by distance, ties by id."""
    if found.metres[i] != entry.metres:
        return bool(found.metres[i] < entry.metres)
    if found.high[i] != entry.high:
        return bool(found.high[i] < entry.high)
    return bool(found.low[i] < entry.low)


@compiled
def _replace_top(found: Found, size: int, entry: Entry) -> None:
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and _is_before(found, child, _get(found, child + 1)):
            child += 1
        if _is_before(found, child, entry):
            break
        _put(found, hole, _get(found, child))
        hole = child
    _put(found, hole, entry)


@compiled
def _add(found: Found, size: int, entry: Entry) -> int:
    """Keep an entry if there is room or it is better than the last; returns the new size."""
    if size == len(found.row):
        if not _is_before(found, 0, entry):
            _replace_top(found, size, entry)
        return size
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if not _is_before(found, parent, entry):
            break
        _put(found, hole, _get(found, parent))
        hole = parent
    _put(found, hole, entry)
    return size + 1


@compiled
def arrange(found: Found, size: int) -> None:
    """Put a heap of that size into the order of distance, ties by id."""
    while size > 1:
        size -= 1
        entry = _get(found, size)
        _put(found, size, _get(found, 0))
        _replace_top(found, size, entry)


# ---- the search


@compiled
def _bound(search: Search, found: Found, size: int) -> float:
    """Give the metres beyond which nothing is wanted."""
    return float(found.metres[0]) if size == len(found.row) else search.most_m


@compiled
def _widest_turn(lat: float, metres: float) -> float:
    """Give the degrees of longitude beyond which nothing is that near."""
    angle, cos_lat = metres / _LEAST_RADIUS_M, math.cos(math.radians(lat))
    if angle >= math.pi / 2 or math.sin(angle) >= cos_lat:
        return 180.0
    return math.degrees(math.asin(math.sin(angle) / cos_lat)) * (1 + 1e-12)


@compiled
def _is_useless(tier: Tier, row: int, metres: float, search: Search) -> bool:
    """Tell whether it is known that nobody can use the device whenever one gets there."""
    if tier.state[row] == _YES or tier.until[row] <= tier.since[row]:
        return False
    first = search.at_s + metres * search.s_per_m
    last = search.last_s if search.last_s > 0.0 else first
    return bool(tier.since[row] <= first and last < tier.until[row])


@compiled
def _look_at(tier: Tier, row: int, turn: float, search: Search, bound: float) -> float:
    """Measure the distance of a device; -1 where it is not wanted."""
    if not tier.is_there[row]:
        return -1.0
    if _sphere_m(search.lat, tier.lat[row], math.radians(turn)) * _LEAST > bound:
        return -1.0
    metres = geodesic_m(search.lon, search.lat, tier.lon[row], tier.lat[row])
    if metres > bound or (search.is_strict and _is_useless(tier, row, metres, search)):
        return -1.0
    return metres


@compiled
def _scan(tier: Tier, band: int, search: Search, found: Found, size: int) -> int:
    """Look at a band from the search's meridian to the east, then to the west."""
    first, end = tier.start[band], tier.start[band + 1]
    middle = first + np.searchsorted(tier.lon[first:end], search.lon)
    left = end - first
    for step in (1, -1):
        row = middle if step > 0 else middle - 1
        bound = _bound(search, found, size)
        widest = _widest_turn(search.lat, bound)
        while left > 0:
            row = first + (row - first) % (end - first)
            turn = step * (tier.lon[row] - search.lon)
            if turn < 0.0:
                turn += 360.0
            if turn > widest:
                break
            left -= 1
            metres = _look_at(tier, row, turn, search, bound)
            if metres >= 0.0:
                entry = Entry(metres, tier.high[row], tier.low[row], tier.sign * (row + 1))
                size = _add(found, size, entry)
                if _bound(search, found, size) < bound:
                    bound = _bound(search, found, size)
                    widest = _widest_turn(search.lat, bound)
            row += step
    return size


@compiled
def pick(tier: Tier, search: Search, found: Found, size: int) -> int:
    """Gather the nearest devices of a tier into a heap; returns its new size.

    `found` has room for as many as are wanted and may hold another tier's already.
    """
    bands = len(tier.start) - 1
    own = min(bands - 1, math.floor((search.lat + 90.0) * BANDS_PER_DEGREE))
    for step in range(2 * bands):
        away = (step + 1) // 2 if step % 2 else -(step // 2)
        # So many whole bands lie between, on either side.
        between = math.radians((abs(away) - 1) / BANDS_PER_DEGREE)
        if between * _LEAST_RADIUS_M > _bound(search, found, size):
            break
        if 0 <= own + away < bands:
            size = _scan(tier, own + away, search, found, size)
    return size


@compiled
def locate(tier: Tier, high: np.uint64, low: np.uint64) -> int:
    """Find the row of an id, -1 where there is none."""
    first, end = 0, len(tier.by_id)
    while first < end:
        middle = (first + end) >> 1
        row = tier.by_id[middle]
        if tier.high[row] == high and tier.low[row] == low:
            return int(row)
        if tier.high[row] < high or (tier.high[row] == high and tier.low[row] < low):
            first = middle + 1
        else:
            end = middle
    return -1
