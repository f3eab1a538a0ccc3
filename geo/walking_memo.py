"""Where places were put on the streets: AEDs do not move, and are asked for again and again."""

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.walking_arrays import Floats, Snaps

#: So many rows are kept, 5 MB and their keys; one more, and all are forgotten.
MOST = 65_536

_Place = tuple[float, float]
# What is kept of `Snaps`.
_MEASURES = ("lon", "lat", "share", "length", "stairs", "off")
_NUMBERS = ("piece", "chain", "building", "door")


class Memo:
    """The places of one city that were looked up, by their coordinates; for several threads."""

    def __init__(self, look: Callable[[Floats, Floats], Snaps]) -> None:
        self._look = look
        self._lock = Lock()
        self._used = 0
        self._rows: dict[_Place, int] = {}
        self._doors: dict[_Place, int] = {}  # how many, of places with several
        # A place is a row, so that it is read from memory at one go.
        self._measures = np.empty((MOST, len(_MEASURES)))
        self._numbers = np.empty((MOST, len(_NUMBERS)), np.int32)

    def snap(self, lon: Floats, lat: Floats) -> Snaps:
        """Put every place on the streets, those that are known without looking."""
        places = list(zip(lon.tolist(), lat.tolist(), strict=True))
        if len(places) > MOST:
            return self._look(lon, lat)
        with self._lock:
            try:
                return self._recall(places)
            except KeyError:  # most are asked for again and again
                pass
            new = [place for place in dict.fromkeys(places) if place not in self._rows]
            if not self._learn(new):
                self._forget()
                if not self._learn(list(dict.fromkeys(places))):
                    return self._look(lon, lat)
            return self._recall(places)

    def _recall(self, places: list[_Place]) -> Snaps:
        """Give what is kept of the places; raises KeyError where one is not known."""
        rows = list(map(self._rows.__getitem__, places))
        numbers = np.arange(len(places), dtype=np.int32)
        if self._doors:
            count = [self._doors.get(place, 1) for place in places]
            numbers = np.repeat(numbers, count)
            rows = [row + nth for row, many in zip(rows, count, strict=True) for nth in range(many)]
        chosen = np.array(rows, np.intp)
        lon, lat, share, length, stairs, off = _columns(self._measures[chosen])
        piece, chain, building, door = _columns(self._numbers[chosen])
        return Snaps(lon, lat, piece, chain, share, length, stairs, off, numbers, building, door)

    def _learn(self, new: list[_Place]) -> bool:
        """Look the places up and keep them, if there is room."""
        if self._used + len(new) > MOST:
            return False
        lon, lat = (np.array(part) for part in zip(*new, strict=True))
        found = self._look(lon, lat)
        first, last = self._used, self._used + len(found.piece)
        if last > MOST:
            return False
        for nth, name in enumerate(_MEASURES):
            self._measures[first:last, nth] = getattr(found, name)
        for nth, name in enumerate(_NUMBERS):
            self._numbers[first:last, nth] = getattr(found, name)
        starts = np.searchsorted(found.place, np.arange(len(new) + 1))
        self._rows |= dict(zip(new, (first + starts[:-1]).tolist(), strict=True))
        for nth in np.flatnonzero(np.diff(starts) > 1).tolist():
            self._doors[new[nth]] = int(starts[nth + 1] - starts[nth])
        self._used = last
        return True

    def _forget(self) -> None:
        self._rows.clear()
        self._doors.clear()
        self._used = 0


def _columns(rows: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(rows.T)
