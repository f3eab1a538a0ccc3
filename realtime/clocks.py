"""PURE  The time that the processes of a system agree on, whatever the clock of their machine says.

It is the database's clock, carried on by the monotonic one from one reading to the next. So a
machine whose clock is hours off, or jumps, still writes and judges times as the others do. Where
the database's clock alone jumps, the time is held: two of three clocks are believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Two clocks that differ by more than this are not one time any more; it is what an alert may live
#: longer or shorter than it should.
APART_S = 2.0
#: Less than this is left alone, so that time does not run back for the sake of milliseconds.
STILL_S = 0.05
#: An answer that took longer says too little about when it was given.
TRIP_MOST_S = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """What the database's clock said; `asked` and `answered` are monotonic seconds."""

    database: datetime
    asked: float
    answered: float

    @property
    def is_sharp(self) -> bool:
        """Say whether the answer came soon enough to be of use."""
        return self.answered - self.asked <= TRIP_MOST_S

    @property
    def unsure_s(self) -> float:
        """Give by how much it may be wrong; a smaller difference says nothing."""
        return STILL_S + (self.answered - self.asked) / 2

    @property
    def began(self) -> datetime:
        """Give what the database's clock would have said at monotonic zero."""
        return self.database - timedelta(seconds=(self.asked + self.answered) / 2)


class Clock:
    """This process's clock; its own machine's until the database's was read once."""

    def __init__(self, wall: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self.monotonic = monotonic
        self._began: datetime | None = None
        #: How far the database's clock was from the time when last read; seconds.
        self.database_off_s = 0.0

    def now(self) -> datetime:
        """Read the time."""
        if self._began is None:
            return self._wall()
        return self._began + timedelta(seconds=self.monotonic())

    @property
    def is_set(self) -> bool:
        """Say whether the database's clock was ever read."""
        return self._began is not None

    @property
    def machine_off_s(self) -> float:
        """How far this machine's clock is from the time; seconds, positive where it is ahead."""
        return (self._wall() - self.now()).total_seconds()

    def learn(self, reading: Reading, *, agreed_s: float | None = None) -> None:
        """Take a reading of the database's clock.

        `agreed_s`: how far the time of the other processes is from that clock, where there are any;
        whoever starts joins them.
        """
        if self._began is None:
            began = reading.began + timedelta(seconds=agreed_s or 0.0)
            own = self._wall() - timedelta(seconds=self.monotonic())
            is_same = abs((began - own).total_seconds()) <= reading.unsure_s
            self._began = own if is_same else began
        elif reading.is_sharp:
            apart_s = (reading.began - self._began).total_seconds()
            if abs(apart_s) > reading.unsure_s and not self._is_held(apart_s):
                self._began = reading.began
        self.database_off_s = (reading.began - self._began).total_seconds()

    def _is_held(self, apart_s: float) -> bool:
        return abs(apart_s) > APART_S >= abs(self.machine_off_s)

    @property
    def skew_s(self) -> float:
        """Give the difference that matters most, of the machine's clock or the database's."""
        return max(self.machine_off_s, self.database_off_s, key=abs)
