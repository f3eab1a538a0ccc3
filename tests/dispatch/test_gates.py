"""Which reported positions can be true: pure rules on made-up tracks."""

from __future__ import annotations

from datetime import datetime, timedelta

import factories
import pytest

from dispatch import gates, store
from dispatch.gates import Refusal
from geo.position import Position

HERE = factories.HARBOUR


def _fix(metres: float, at: datetime, accuracy_m: float | None = 5.0) -> store.Fix:
    return store.Fix(factories.north_of(HERE, metres), at, accuracy_m)


@pytest.mark.parametrize(
    ("age_s", "refusal"),
    [(0, None), (299, None), (301, Refusal.OLD), (-59, None), (-61, Refusal.FUTURE)],
)
def test_POS_1_a_fix_is_of_now(now: datetime, age_s: float, refusal: Refusal | None) -> None:
    assert gates.timely(_fix(0, now - timedelta(seconds=age_s)), now) is refusal


def test_POS_1_a_clock_that_is_wrong_evenly_is_put_right(now: datetime) -> None:
    clock = None
    for s in (0, 6, 12):
        here = now + timedelta(seconds=s)
        clock = gates.watch_clock(clock, _fix(0, here + timedelta(hours=1)), here)
        assert clock.is_known is (s == 12)
    assert clock is not None
    assert clock.ahead_s == pytest.approx(3600)


def test_POS_1_a_buffer_that_is_sent_late_is_no_wrong_clock(now: datetime) -> None:
    clock = None
    for n in range(50):
        at = now - timedelta(hours=1) + timedelta(seconds=n)
        here = now + timedelta(seconds=n / 10)
        clock = gates.watch_clock(clock, _fix(0, at), here)
        assert not clock.is_known


def test_POS_2_a_fix_that_holds_the_whole_town_is_refused(now: datetime) -> None:
    assert gates.plausible(None, _fix(0, now, 1_001)) is Refusal.VAGUE
    assert gates.plausible(None, _fix(0, now, 1_000)) is None


def test_POS_2_nobody_moves_faster_than_anything_moves(now: datetime) -> None:
    track = gates.start(_fix(0, now, None))
    later = now + timedelta(seconds=10)
    assert gates.plausible(track, _fix(460, later, None)) is Refusal.TOO_FAST
    assert gates.plausible(track, _fix(440, later, None)) is None
    assert gates.plausible(track, _fix(9_000, later, None), drill_speed=20) is Refusal.TOO_FAST
    assert gates.plausible(track, _fix(8_900, later, None), drill_speed=20) is None


def test_POS_2_two_vague_fixes_may_lie_apart(now: datetime) -> None:
    track = gates.start(_fix(0, now, 500))
    assert gates.plausible(track, _fix(450, now + timedelta(seconds=1), 20)) is None


@pytest.mark.parametrize(
    ("after_s", "accuracy_m", "refusal"),
    [(5, 2, Refusal.JUMP), (5, 250, None), (5, None, None), (12, 2, None)],
)
def test_POS_3_a_jump_that_is_bigger_than_its_claim_is_refused(
    now: datetime, after_s: float, accuracy_m: float | None, refusal: Refusal | None
) -> None:
    track = gates.start(_fix(0, now, 2))
    jump = _fix(200, now + timedelta(seconds=after_s), accuracy_m)
    assert gates.plausible(track, jump) is refusal


def test_POS_3_a_car_is_no_jump_and_may_brake(now: datetime) -> None:
    track = gates.start(_fix(0, now))
    for s in (2, 4, 9, 14):  # 30 m/s
        fix = _fix(30 * s, now + timedelta(seconds=s))
        assert gates.plausible(track, fix) is None
        track = gates.follow(track, fix)
    assert gates.plausible(track, _fix(30 * 14 + 20, now + timedelta(seconds=19))) is None
    east = Position(HERE.lon + 0.002, factories.north_of(HERE, 30 * 14).lat)
    aside = store.Fix(east, now + timedelta(seconds=18), 5.0)
    assert gates.plausible(track, aside) is Refusal.JUMP


def test_POS_3_a_track_crosses_the_antimeridian(now: datetime) -> None:
    track = gates.start(store.Fix(Position(179.9999, 10), now, 5.0))
    there = store.Fix(Position(-179.9999, 10), now + timedelta(seconds=5), 5.0)
    assert gates.plausible(track, there) is None
    speed = gates.follow(track, there).velocity
    assert speed is not None
    assert speed[0] == pytest.approx(4.4, abs=0.1)
