"""PURE  The places and conditions of all AEDs in memory, sorted by place, for maps.

A registry of 200,000 takes about 30 MB a process. Each state is an immutable `Devices`; a change
makes a new one and drawing goes on from the one it began with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from geo import mvt, usability
from geo.usability import CONDITION_COLUMNS, ConditionRow, Conditions

#: The sides of the cells by which devices are sorted: 1/2^20 of the world, 38 m at the equator.
CELL_ZOOM = 20


_Number = TypeVar("_Number", int, NDArray[np.int64])


class DeviceRow(ConditionRow, Protocol):
    """What is read of a device."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def is_invented(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """Devices of one kind are drawn alike at any time."""

    conditions: Conditions
    is_invented: bool


@dataclass(frozen=True, slots=True, eq=False)
class Devices:
    """One state of the registry, in the order of `cells`; `x` and `y` run from 0 to 1.

    `kinds` and `names` are indexes into those of the `Register` that made it.
    """

    ids: NDArray[np.bytes_]
    cells: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    kinds: NDArray[np.int32]
    names: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.cells)

    def within(self, z: int, x: int, y: int) -> slice:
        """Give the devices of a tile, without those in its margin."""
        shift = 2 * (CELL_ZOOM - z)
        first = (_spread(x) | _spread(y) << 1) << shift
        low, high = np.searchsorted(self.cells, (first, first + (1 << shift)))
        return slice(int(low), int(high))

    def take(self, chosen: NDArray[Any] | slice) -> "Devices":
        """Give some of them, by index, mask or slice."""
        return Devices(
            self.ids[chosen], self.cells[chosen], self.x[chosen], self.y[chosen],
            self.kinds[chosen], self.names[chosen],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Columns:
    ids: list[bytes]
    lon: list[float]
    lat: list[float]
    kinds: list[int]
    names: list[int]


class Register:
    """Turns rows into `Devices`; keeps each kind and each name once."""

    def __init__(self) -> None:
        self.kinds: list[Kind] = []
        #: As tiles have them: entries of a table of values.
        self.names: list[bytes] = []
        self._kind_of: dict[tuple[object, ...], int] = {}
        self._name_of: dict[str, int] = {}
        self._columns = _Columns([], [], [], [], [])

    def add(self, rows: Iterable[DeviceRow]) -> None:
        """Take rows in; `made` gives them all."""
        columns = self._columns
        for row in rows:
            columns.ids.append(row.id.bytes)
            columns.lon.append(row.lon)
            columns.lat.append(row.lat)
            columns.kinds.append(self._kind(row))
            columns.names.append(self._name(row.name))

    def made(self) -> Devices:
        """Give what was added since the last call, sorted."""
        columns, self._columns = self._columns, _Columns([], [], [], [], [])
        x, y = _projected(np.array(columns.lon), np.array(columns.lat))
        devices = Devices(
            np.array(columns.ids, dtype="S16"), _cells(x, y), x, y,
            np.array(columns.kinds, dtype=np.int32), np.array(columns.names, dtype=np.int32),
        )  # fmt: skip
        # By id first, so that every process draws neighbours in the same order.
        return _sorted(devices.take(np.argsort(devices.ids, kind="stable")))

    def is_wasteful(self, devices: Devices) -> bool:
        """Tell whether most of what is kept belongs to no device any more."""
        return max(len(self.kinds), len(self.names)) > 2 * len(devices) + 10_000

    def _kind(self, row: DeviceRow) -> int:
        raw = (*_raw(row), round(row.lon, 1), round(row.lat, 1))
        known = self._kind_of.get(raw)
        if known is None:
            known = self._kind_of[raw] = len(self.kinds)
            self.kinds.append(Kind(usability.conditions(row), row.is_invented))
        return known

    def _name(self, name: str) -> int:
        known = self._name_of.get(name)
        if known is None:
            known = self._name_of[name] = len(self.names)
            self.names.append(mvt.value(name))
        return known


_raw = attrgetter(*CONDITION_COLUMNS, "is_invented")


def changed(devices: Devices, gone: Sequence[UUID], added: Devices) -> Devices:
    """Give the state without some devices and with others in their place."""
    without = devices
    if gone and len(devices):
        wanted = np.sort(np.array([each.bytes for each in gone], dtype="S16"))
        spot = np.minimum(np.searchsorted(wanted, devices.ids), len(wanted) - 1)
        without = devices.take(wanted[spot] != devices.ids)
    if not len(added):
        return without
    both = (
        np.concatenate((getattr(without, name), getattr(added, name)))
        for name in ("ids", "cells", "x", "y", "kinds", "names")
    )
    return _sorted(Devices(*both))


def _spread(number: _Number) -> _Number:
    """Put a zero between any two of the lowest 32 bits."""
    wide = number
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333), (1, 0x5555555555555555),
    ):  # fmt: skip
        wide = (wide | wide << shift) & mask
    return wide


def _projected(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    high = np.radians(np.clip(lat, -89.9, 89.9))
    return (lon + 180.0) / 360.0, (1.0 - np.arcsinh(np.tan(high)) / np.pi) / 2.0


def _cells(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    side = 1 << CELL_ZOOM
    column, line = (np.clip(np.floor(v * side), 0, side - 1).astype(np.int64) for v in (x, y))
    # All cells of a tile, at any zoom, stand in one row.
    return _spread(column) | _spread(line) << 1


def _sorted(devices: Devices) -> Devices:
    return devices.take(np.argsort(devices.cells, kind="stable"))
