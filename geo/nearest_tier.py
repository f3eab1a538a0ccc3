"""Devices as arrays, in the order in which the nearest are found: by band of latitude, then east.

Ids are two numbers each, so that compiled loops can compare them: in their order ids sort as
PostgreSQL and people do.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Bands of 1.7 km: with some to either side they hold what one can walk to.
BANDS_PER_DEGREE = 64

#: One row of PostgreSQL's binary COPY of (id, lon, lat, xid), none of them null.
_COPIED = np.dtype(
    [
        ("fields", ">i2"),
        *(("id_length", ">i4"), ("high", ">u8"), ("low", ">u8")),
        *(("lon_length", ">i4"), ("lon", ">f8")),
        *(("lat_length", ">i4"), ("lat", ">f8")),
        *(("xid_length", ">i4"), ("xid", ">i8")),
    ]
)
_HEADER_BYTES, _TRAILER_BYTES = 19, 2


class Points(NamedTuple):
    """Devices in any order."""

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    lon: Floats
    lat: Floats
    xid: NDArray[np.int64]  # the transaction that changed it last; another one, another record


class Tier(NamedTuple):
    """Devices in the order of bands.

    `state` (1 yes, 2 no, 3 unknown) is known from `since` until `until`, seconds of the epoch.
    """

    sign: int  # rows are told apart from another tier's by it: 1 or -1
    start: NDArray[np.int32]  # per band, and one more: its first row
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    lon: Floats
    lat: Floats
    xid: NDArray[np.int64]
    by_id: NDArray[np.int32]
    is_there: NDArray[np.bool_]
    state: NDArray[np.int8]
    since: Floats
    until: Floats


class Search(NamedTuple):
    """What is looked for: within `most_m` of a place, its longitude below 180.

    A strict search leaves out devices that are known to be useless whenever one would get there:
    so many seconds a metre after `at_s`, until `last_s` where that is more than nought.
    """

    lon: float
    lat: float
    most_m: float
    is_strict: bool
    at_s: float
    s_per_m: float
    last_s: float


class Entry(NamedTuple):
    """One device found; `row` counts from 1 and is negative in the tier whose sign is."""

    metres: float
    high: np.uint64
    low: np.uint64
    row: int


class Found(NamedTuple):
    """Room for so many entries."""

    metres: Floats
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    row: NDArray[np.int64]


def read_copy(content: bytes) -> Points:
    """Read what PostgreSQL's `COPY (select id, lon, lat, xid …) TO STDOUT (FORMAT binary)` sent."""
    rows = np.frombuffer(content[_HEADER_BYTES:-_TRAILER_BYTES], _COPIED)
    if len(rows) and not (rows["fields"] == 4).all():
        raise ValueError("not a copy of id, lon, lat, xid")
    return Points(
        high=rows["high"].astype(np.uint64),
        low=rows["low"].astype(np.uint64),
        lon=rows["lon"].astype(np.float64),
        lat=rows["lat"].astype(np.float64),
        xid=rows["xid"].astype(np.int64),
    )


def points(rows: list[tuple[int, float, float, int]]) -> Points:
    """Gather devices from their id (as a number), longitude, latitude and transaction."""
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Points(
        high=np.array([number >> 64 for number in columns[0]], np.uint64),
        low=np.array([number & (1 << 64) - 1 for number in columns[0]], np.uint64),
        lon=np.array(columns[1], np.float64),
        lat=np.array(columns[2], np.float64),
        xid=np.array(columns[3], np.int64),
    )


def build(devices: Points, *, sign: int = 1) -> Tier:
    """Put devices in order; 0.6 s for a million."""
    # As `on_meridian`.
    lon = np.where(devices.lon >= 180.0, devices.lon - 360.0, devices.lon)
    last = 180 * BANDS_PER_DEGREE - 1
    band = np.clip(np.floor((devices.lat + 90.0) * BANDS_PER_DEGREE), 0, last).astype(np.int32)
    order = np.lexsort((lon, band))
    high, low = devices.high[order], devices.low[order]
    n = len(order)
    return Tier(
        sign=sign,
        start=np.searchsorted(band[order], np.arange(last + 2)).astype(np.int32),
        high=high,
        low=low,
        lon=lon[order],
        lat=devices.lat[order],
        xid=devices.xid[order],
        by_id=np.lexsort((low, high)).astype(np.int32),
        is_there=np.ones(n, np.bool_),
        state=np.zeros(n, np.int8),
        since=np.zeros(n),
        until=np.zeros(n),
    )


def merge(base: Tier, fresh: Tier) -> Tier:
    """Make one tier of what is still there of two."""
    old = base.is_there
    both: dict[str, NDArray[Any]] = {
        name: np.concatenate([getattr(base, name)[old], getattr(fresh, name)])
        for name in Points._fields
    }
    return build(Points(**both))


def make_room(most: int) -> Found:
    """Allocate room for so many."""
    ids = np.empty((2, most), np.uint64)
    return Found(np.empty(most), ids[0], ids[1], np.empty(most, np.int64))


def on_meridian(lon: float) -> float:
    """Name the antimeridian from one side only, so that the same place has one longitude."""
    return lon - 360.0 if lon >= 180.0 else lon
