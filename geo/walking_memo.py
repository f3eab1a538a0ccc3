"""Where places were put on the streets: AEDs do not move, and are asked for again and again."""

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import walking_arrays
from geo.walking_arrays import Floats, Snaps

#: So many rows are kept, 5 MB and their keys; one more, and all are forgotten.
MOST = 65_536

_Place = tuple[float, float]


class Memo:
    """The places of one city that were looked up, by their coordinates; for several threads."""

    def __init__(self, look: Callable[[Floats, Floats], Snaps]) -> None:
        self._look = look
        self._lock = Lock()
        self._used = 0
        self._rows: dict[_Place, int] = {}
        self._doors: dict[_Place, int] = {}  # how many, of places with several
        room = np.zeros(MOST)
        self._kept = walking_arrays.empty_snaps(room, room.copy())

    def snap(self, lon: Floats, lat: Floats) -> Snaps:
        """Put every place on the streets, those that are known without looking."""
        places = list(zip(lon.tolist(), lat.tolist(), strict=True))
        if len(places) > MOST:
            return self._look(lon, lat)
        with self._lock:
            new = [place for place in dict.fromkeys(places) if place not in self._rows]
            if new and not self._learn(new):
                self._forget()
                if not self._learn(list(dict.fromkeys(places))):
                    return self._look(lon, lat)
            return self._recall(places)

    def _recall(self, places: list[_Place]) -> Snaps:
        rows = [self._rows[place] for place in places]
        numbers = np.arange(len(places), dtype=np.int32)
        if self._doors:
            count = [self._doors.get(place, 1) for place in places]
            numbers = np.repeat(numbers, count)
            rows = [row + nth for row, many in zip(rows, count, strict=True) for nth in range(many)]
        return Snaps._make(column[rows] for column in self._kept)._replace(place=numbers)

    def _learn(self, new: list[_Place]) -> bool:
        """Look the places up and keep them, if there is room."""
        if self._used + len(new) > MOST:
            return False
        lon, lat = (np.array(part) for part in zip(*new, strict=True))
        found = self._look(lon, lat)
        first, last = self._used, self._used + len(found.piece)
        if last > MOST:
            return False
        kept: tuple[NDArray[Any], ...] = self._kept
        for column, values in zip(kept, found, strict=True):
            column[first:last] = values
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
