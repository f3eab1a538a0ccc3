"""Where somebody is who walks along a line: metres on the mean sphere, seconds at a given speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from geo import position
from geo.position import Position


@dataclass(frozen=True, slots=True)
class Line:
    """A way through the streets and how long each piece of it is."""

    points: tuple[Position, ...]
    pieces_m: tuple[float, ...]

    @classmethod
    def through(cls, points: Sequence[Position]) -> Line:
        """Measure the pieces between points."""
        return cls(tuple(points), tuple(position.distance_m(a, b) for a, b in pairwise(points)))

    @property
    def length_m(self) -> float:
        """Return the whole length."""
        return sum(self.pieces_m)

    def at(self, walked_m: float) -> Position:
        """Return the place after so many metres; the end if that is beyond it."""
        left = walked_m
        for (start, end), length in zip(pairwise(self.points), self.pieces_m, strict=True):
            if left < length:
                share = left / length
                return Position(
                    start.lon + (end.lon - start.lon) * share,
                    start.lat + (end.lat - start.lat) * share,
                )
            left -= length
        return self.points[-1]
