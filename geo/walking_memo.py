"""Where places were put on the streets: AEDs do not move, and are asked for again and again."""

from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import walking_arrays, walking_kernel
from geo.walking_arrays import Floats, Graph, Snaps

#: So many places are kept, 4 MB and their keys; one more, and all are forgotten.
MOST = 65_536

_Place = tuple[float, float]


class Memo:
    """The places of one city that were looked up, by their coordinates; for several threads."""

    def __init__(self, graph: Graph, most_off_m: float) -> None:
        self._graph, self._most_off_m = graph, most_off_m
        self._lock = Lock()
        self._rows: dict[_Place, int] = {}
        room = np.zeros(MOST)
        self._kept = walking_arrays.empty_snaps(room, room.copy())

    def snap(self, lon: Floats, lat: Floats) -> Snaps:
        """Put every place on its nearest street, those that are known without looking."""
        places = list(zip(lon.tolist(), lat.tolist(), strict=True))
        if len(places) > MOST:
            return self._look(lon, lat)
        with self._lock:
            new = [place for place in dict.fromkeys(places) if place not in self._rows]
            if len(self._rows) + len(new) > MOST:
                self._rows.clear()
                new = list(dict.fromkeys(places))
            if new:
                self._learn(new)
            rows = [self._rows[place] for place in places]
            return Snaps._make(column[rows] for column in self._kept)

    def _learn(self, new: list[_Place]) -> None:
        lon, lat = (np.array(part) for part in zip(*new, strict=True))
        first = len(self._rows)
        kept: tuple[NDArray[Any], ...] = self._kept
        for column, found in zip(kept, self._look(lon, lat), strict=True):
            column[first : first + len(new)] = found
        self._rows |= {place: first + number for number, place in enumerate(new)}

    def _look(self, lon: Floats, lat: Floats) -> Snaps:
        found = walking_arrays.empty_snaps(lon, lat)
        walking_kernel.snap(self._graph, found, self._most_off_m)
        return found
