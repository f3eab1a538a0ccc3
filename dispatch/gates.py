"""PURE. Whether a reported position can be true, and the code of the reason why not.

A phone's stream is sifted before anybody sees it: too old, from the future, too vague, faster than
anything moves, or a jump that is bigger than what the fix itself claims to know.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatch import store
from geo import position

#: A fix that is older says where somebody was, not where somebody is.
OLDEST_S = 300.0
#: Clocks differ by seconds; a fix from later than this is from a wrong clock.
FUTURE_S = 60.0
#: A circle wider than this holds the whole reach of a wave.
VAGUEST_M = 1_000.0
#: Nobody on foot, on a bicycle or in a car moves faster; a fix that says so is a slip of the GPS.
FASTEST_MPS = 45.0
#: Nobody brakes, starts or turns harder for long: half of this times the square of the seconds is
#: how far somebody can be from where the last two fixes would put them.
HARDEST_MPS2 = 4.0
#: A jump below this is noise that the next fix mends.
JUMP_M = 100.0
#: A speed is taken from fixes that lie so far apart, and holds for so long.
SPEED_FROM_S = 1.0
SPEED_UP_TO_S = 30.0
#: A clock counts as wrong, and is put right, when so many fixes over so many seconds were off by
#: the same, give or take this.
CLOCK_FIXES = 3
CLOCK_OVER_S = 10.0
CLOCK_WITHIN_S = 5.0

_DEGREE_M = math.radians(position.EARTH_RADIUS_M)


class Refusal(StrEnum):
    """Why a position is not taken; sent to the phone as the code of an error."""

    OFF_DUTY = "off_duty"
    OLD = "position_old"
    FUTURE = "position_future"
    VAGUE = "position_vague"
    TOO_FAST = "position_too_fast"
    JUMP = "position_jump"


#: What to tell whoever writes a client.
DETAILS = {
    Refusal.OFF_DUTY: "You are off duty: your position is not kept.",
    Refusal.OLD: f"The position is older than {OLDEST_S:.0f} s; send a fresh one.",
    Refusal.FUTURE: f"The position is more than {FUTURE_S:.0f} s ahead; check the device's clock.",
    Refusal.VAGUE: f"The position is vaguer than {VAGUEST_M:.0f} m; wait for a better one.",
    Refusal.TOO_FAST: f"Nobody moves faster than {FASTEST_MPS:.0f} m/s.",
    Refusal.JUMP: "The position jumps farther than its accuracy allows; send the next one.",
}


@dataclass(frozen=True, slots=True)
class Track:
    """The last fix that was believed, and how fast it went: metres a second east and north.

    `since` is the fix from which the next speed is taken.
    """

    last: store.Fix
    since: store.Fix
    velocity: tuple[float, float] | None = None


def start(fix: store.Fix) -> Track:
    """Start a track at a fix."""
    return Track(fix, fix)


def follow(track: Track, fix: store.Fix) -> Track:
    """Go on with a fix that was believed."""
    passed_s = (fix.at - track.since.at).total_seconds()
    if passed_s < SPEED_FROM_S:
        return Track(fix, track.since, track.velocity)
    if passed_s > SPEED_UP_TO_S:
        return Track(fix, fix)
    east, north = _metres(track.since.position, fix.position)
    return Track(fix, fix, (east / passed_s, north / passed_s))


def timely(fix: store.Fix, now: datetime) -> Refusal | None:
    """Say whether the time of a fix can be the present."""
    age_s = (now - fix.at).total_seconds()
    if age_s > OLDEST_S:
        return Refusal.OLD
    return Refusal.FUTURE if age_s < -FUTURE_S else None


def plausible(track: Track | None, fix: store.Fix, *, drill_speed: float = 1.0) -> Refusal | None:
    """Say whether somebody who was there can be here now.

    In an exercise phones move `drill_speed` times faster; both gates divide by it.
    """
    if fix.accuracy_m is not None and fix.accuracy_m > VAGUEST_M:
        return Refusal.VAGUE
    if track is None:
        return None
    last = track.last
    if position.is_near(last.position, fix.position, FASTEST_MPS * drill_speed):
        return None  # both limits are farther, whatever the time; nearly every fix ends here
    passed_s = max(0.0, (fix.at - last.at).total_seconds())
    moved_m = position.distance_m(last.position, fix.position) / drill_speed
    # Two vague fixes may lie apart though nobody moved.
    vague_m = ((last.accuracy_m or 0.0) + (fix.accuracy_m or 0.0)) / drill_speed
    if moved_m - vague_m > FASTEST_MPS * max(passed_s, 1.0):
        return Refusal.TOO_FAST
    if fix.accuracy_m is None or moved_m <= JUMP_M:
        return None
    allowed_m = vague_m + 0.5 * HARDEST_MPS2 * passed_s * passed_s
    is_jump = min(moved_m, _off_course_m(track, fix, passed_s) / drill_speed) > allowed_m
    return Refusal.JUMP if is_jump else None


def _off_course_m(track: Track, fix: store.Fix, passed_s: float) -> float:
    """Measure how far the fix lies from where the last speed leads."""
    if track.velocity is None:
        return math.inf
    east, north = _metres(track.last.position, fix.position)
    return math.hypot(east - track.velocity[0] * passed_s, north - track.velocity[1] * passed_s)


def _metres(a: position.Position, b: position.Position) -> tuple[float, float]:
    """Measure the way from a to b, near enough to each other for a flat map."""
    turn = (b.lon - a.lon + 180.0) % 360.0 - 180.0
    return turn * _DEGREE_M * math.cos(math.radians(a.lat)), (b.lat - a.lat) * _DEGREE_M


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a device's clock seems to be ahead, since when, and how many fixes agree."""

    ahead_s: float
    since: datetime
    fixes: int

    @property
    def is_known(self) -> bool:
        """Say whether the clock is surely wrong by this much and not one fix by itself."""
        return self.fixes >= CLOCK_FIXES


def watch_clock(clock: Clock | None, fix: store.Fix, now: datetime) -> Clock:
    """Take note of a fix whose time cannot be: late ones vary, a wrong clock is wrong evenly."""
    ahead_s = (fix.at - now).total_seconds()
    if clock is None or abs(ahead_s - clock.ahead_s) > CLOCK_WITHIN_S:
        return Clock(ahead_s, now, 1)
    is_spread = (now - clock.since).total_seconds() >= CLOCK_OVER_S
    # Fixes in quick succession are one buffer that was sent at once.
    fixes = clock.fixes + 1 if is_spread or clock.fixes + 1 < CLOCK_FIXES else clock.fixes
    return Clock(clock.ahead_s, clock.since, fixes)
