"""The time that processes agree on, whatever a clock says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from realtime.clocks import Clock, Reading

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOURS = 2 * 3600.0
DAY = 24 * 3600.0


@dataclass
class World:
    """True time, and a machine and a database whose clocks may be off."""

    second: float = 0.0
    machine_off_s: float = 0.0
    database_off_s: float = 0.0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        # The monotonic clock begins anywhere.
        self.clock = Clock(lambda: self._at(self.machine_off_s), lambda: 1_000.0 + self.second)

    def _at(self, off_s: float) -> datetime:
        return NOON + timedelta(seconds=self.second + off_s)

    def read(self, *, trip_s: float = 0.01, agreed_s: float | None = None) -> None:
        """Ask the database, which answers half-way."""
        asked = self.clock.monotonic()
        self.second += trip_s / 2
        at = self._at(self.database_off_s)
        self.second += trip_s / 2
        self.clock.learn(Reading(at, asked, self.clock.monotonic()), agreed_s=agreed_s)

    def after(self, seconds: float) -> None:
        self.second += seconds

    @property
    def off_s(self) -> float:
        """How far the agreed time is from the true one."""
        return (self.clock.now() - self._at(0)).total_seconds()


@pytest.mark.parametrize("off_s", [HOURS, -HOURS, -DAY])
def test_WAT_7_a_machine_whose_clock_is_off_takes_the_databases(off_s: float) -> None:
    world = World(machine_off_s=off_s)
    assert world.off_s == pytest.approx(off_s)  # nobody has been asked yet
    world.read()
    assert world.off_s == pytest.approx(0, abs=0.01)
    assert world.clock.machine_off_s == pytest.approx(off_s, abs=0.01)


@pytest.mark.parametrize("off_s", [HOURS, -HOURS, -DAY])
def test_WAT_7_a_jump_of_the_machines_clock_is_nothing(off_s: float) -> None:
    world = World()
    world.read()
    world.machine_off_s = off_s
    world.after(7)
    assert world.off_s == pytest.approx(0, abs=0.01)  # before anybody was asked again
    world.read()
    assert world.off_s == pytest.approx(0, abs=0.01)
    assert abs(world.clock.skew_s) == pytest.approx(abs(off_s), abs=0.01)


@pytest.mark.parametrize("off_s", [HOURS, -HOURS, -DAY])
def test_WAT_7_a_jump_of_the_databases_clock_alone_is_held(off_s: float) -> None:
    world = World()
    world.read()
    world.database_off_s = off_s
    for _ in range(3):
        world.after(10)
        world.read()
    assert world.off_s == pytest.approx(0, abs=0.01)
    assert world.clock.database_off_s == pytest.approx(off_s, abs=0.02)
    world.database_off_s = 0
    world.read()
    assert world.clock.skew_s == pytest.approx(0, abs=0.02)


def test_WAT_7_who_starts_joins_the_time_of_the_others() -> None:
    world = World(database_off_s=HOURS)
    world.read(agreed_s=-HOURS)
    assert world.off_s == pytest.approx(0, abs=0.02)


def test_a_clock_that_both_set_right_is_followed() -> None:
    world = World()
    world.read()
    world.machine_off_s = world.database_off_s = 300
    world.after(10)
    world.read()
    assert world.off_s == pytest.approx(300, abs=0.02)
    assert world.clock.skew_s == pytest.approx(0, abs=0.02)


def test_milliseconds_and_slow_answers_move_nothing() -> None:
    world = World()
    world.read()
    world.database_off_s = 0.03
    world.read()
    assert world.off_s == pytest.approx(0, abs=0.01)
    world.database_off_s = 1.0
    world.read(trip_s=3.0)
    assert world.off_s == pytest.approx(0, abs=0.01)
    world.read()  # a difference of a second is taken over
    assert world.off_s == pytest.approx(1.0, abs=0.02)
