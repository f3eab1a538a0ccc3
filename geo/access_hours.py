"""Whether one gets at an AED at a given moment: yes, no, or unknown; never a guess.

Hours are OpenStreetMap's `opening_hours`. What they leave open is read in every way that it can
mean, and where the readings differ the answer is unknown:

* `PH` holds on the days off of the holiday table, whether the rule stands first or last.
* On a day off that the hours do not mention, a place keeps its hours or those of a Sunday.
* On a weekend day that is worked in return for one off, it keeps its hours or those of a weekday.
* `SH`: nobody here knows the school holidays; it holds, or it does not.
"""

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import groupby, takewhile
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State, validate

from geo import holidays as holiday_rules
from geo.holidays import Holidays

_LOOK_AHEAD = timedelta(days=7)
_SUNDAY, _WEDNESDAY = 7, 3  # ISO; Wednesday, the least likely weekday to have hours of its own
_SUN = re.compile(r"\b(?:sunrise|sunset|dawn|dusk)\b", re.IGNORECASE)


class Usable(StrEnum):
    """Whether one gets at it; unknown is an answer of its own, not a no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why; the words for it are the screens' matter."""

    ALWAYS_OPEN = "always_open"
    OPEN = "open"
    CLOSED = "closed"
    HOURS_MISSING = "hours_missing"
    HOURS_UNREADABLE = "hours_unreadable"  # prose, or no valid opening_hours
    HOURS_CONDITIONAL = "hours_conditional"  # "unknown", or open on a condition in a remark
    HOLIDAY_UNCLEAR = "holiday_unclear"
    ACCESS_PRIVATE = "access_private"
    ACCESS_STAFF = "access_staff"
    ACCESS_MEMBERS = "access_members"


_RESTRICTED = {"staff": Reason.ACCESS_STAFF, "members": Reason.ACCESS_MEMBERS}
_REASONS = {Usable.YES: Reason.OPEN, Usable.NO: Reason.CLOSED}


@dataclass(frozen=True, slots=True)
class Hours:
    """The answer for one moment; `until` is when the state changes, if within seven days."""

    state: Usable
    reason: Reason
    until: datetime | None = None


def state_at(
    hours: str | None,
    note: str | None,
    access: str,
    at: datetime,
    *,
    tz: ZoneInfo,
    holidays: Holidays,
    coordinates: tuple[float, float] | None = None,
) -> Hours:
    """Judge one moment by hours and access; `tz` is the place's own time zone.

    `note` is prose that stands for hours: only people can read it. `coordinates`, longitude and
    latitude, are for hours that follow the sun; those are unreadable without.
    """
    if access == "private":
        return Hours(Usable.NO, Reason.ACCESS_PRIVATE)
    text = (hours or "").strip()
    if text:
        found = _by_hours(_Question(text, tz, coordinates), at.astimezone(tz), holidays)
    else:
        is_prose = bool((note or "").strip())
        reason = Reason.HOURS_UNREADABLE if is_prose else Reason.HOURS_MISSING
        found = Hours(Usable.UNKNOWN, reason)
    restricted = _RESTRICTED.get(access)
    if restricted is None or found.state is Usable.NO:
        return found
    # Somebody inside may hand it out; that somebody will, nobody can promise.
    return Hours(Usable.UNKNOWN, restricted, found.until)


@dataclass(frozen=True, slots=True)
class _Question:
    hours: str
    tz: ZoneInfo
    coordinates: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Timetable:
    """Hours in all their readings, and the days that may follow another weekday's hours."""

    readings: tuple[OpeningHours, ...]
    is_open_said: bool
    is_end_open: bool  # as in 09:00+: until when, nobody says
    odd_days: dict[date, int]  # the weekday, by ISO, whose hours may hold instead

    def hours(self, at: datetime) -> Hours:
        state, reason = self._judge(at)
        end = at + _LOOK_AHEAD
        # Merged as they come: mostly the first one or two are all that is asked for.
        changes = (moment for moment, _ in groupby(heapq.merge(*self._changes(at, end))))
        ahead = takewhile(lambda moment: moment <= end, changes)
        later = (moment for moment in ahead if moment > at)
        until = next((moment for moment in later if self._judge(moment)[0] is not state), None)
        return Hours(state, reason, until)

    def _judge(self, at: datetime) -> tuple[Usable, Reason]:
        shift = self._shift(at.date())
        moments = (at,) if shift is None else (at, at + shift)
        states = {self._read(reading, moment) for reading in self.readings for moment in moments}
        if len(states) > 1:
            return Usable.UNKNOWN, Reason.HOLIDAY_UNCLEAR
        state = states.pop()
        return state, _REASONS.get(state, Reason.HOURS_CONDITIONAL)

    def _read(self, reading: OpeningHours, at: datetime) -> Usable:
        state, remark = reading.state(at)
        if state == State.OPEN:
            # A bare remark is a condition, such as "by appointment"; `open "…"` is a comment.
            is_condition = bool(remark) and not self.is_open_said
            return Usable.UNKNOWN if is_condition or self.is_end_open else Usable.YES
        return Usable.NO if state == State.CLOSED else Usable.UNKNOWN

    def _changes(self, at: datetime, end: datetime) -> Iterator[Iterator[datetime]]:
        """Give streams of moments in order; together they hold every change from `at` to `end`."""
        for reading in self.readings:
            yield (span[1] for span in reading.intervals(at, end))
            for day in self.odd_days:
                yield self._changes_of(reading, datetime.combine(day, time(), at.tzinfo))

    def _changes_of(self, reading: OpeningHours, begin: datetime) -> Iterator[datetime]:
        shift = self._shift(begin.date()) or timedelta()
        yield begin
        for span in reading.intervals(begin + shift, begin + shift + timedelta(days=1)):
            yield span[1] - shift
        yield begin + timedelta(days=1)

    def _shift(self, day: date) -> timedelta | None:
        weekday = self.odd_days.get(day)
        return None if weekday is None else timedelta(days=weekday - day.isoweekday())


def _by_hours(question: _Question, at: datetime, holidays: Holidays) -> Hours:
    if question.hours == "24/7":
        return Hours(Usable.YES, Reason.ALWAYS_OPEN)
    # The day before too: what opened then may run over midnight.
    week = [at.date() + timedelta(days=n) for n in range(-1, _LOOK_AHEAD.days + 2)]
    off, work = holidays.off.intersection(week), holidays.work.intersection(week)
    school = tuple(week) if holiday_rules.mentions("SH", question.hours) else ()
    timetable = _timetable(question, off, work, school)
    if timetable is None:
        return Hours(Usable.UNKNOWN, Reason.HOURS_UNREADABLE)
    return timetable.hours(at)


_DAY = "(?:Mo|Tu|We|Th|Fr|Sa|Su|PH|SH)"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_NAME = rf"(?:{_DAY}(?:\[[^\]]*\])?|{_MONTH})"
_REWRITTEN = (
    # The library takes "Mo, Tu 08:00-17:00" for two rules: Monday open all day, and Tuesday.
    (re.compile(rf"\b({_NAME})\s*,\s*(?={_NAME}(?![A-Za-z]))", re.IGNORECASE), r"\1,"),
    (re.compile(r"(:\d\d\+?)\s*,\s*(?=\d\d?:)"), r"\1,"),
    # … and "Feb,Apr Th[3]" for all of February, and a Thursday in April.
    (
        re.compile(rf"\b({_MONTH}(?:[-,]{_MONTH})+)\s+(?={_DAY}\[)", re.IGNORECASE),
        r"\1: ",
    ),
)


def _plain(hours: str) -> str:
    """Write lists so that the library reads them as everybody else does; remarks stay."""
    parts = re.split(r'("[^"]*")', hours)
    for pattern, plain in _REWRITTEN:
        parts = [part if part.startswith('"') else pattern.sub(plain, part) for part in parts]
    return "".join(parts)


@lru_cache(maxsize=8192)
def _timetable(
    question: _Question, off: frozenset[date], work: frozenset[date], school: tuple[date, ...]
) -> _Timetable | None:
    """Parse hours for one week; None when no machine can read them."""
    follows_sun = _SUN.search(question.hours) is not None
    if follows_sun and question.coordinates is None:
        return None
    try:
        texts = holiday_rules.readings(_plain(question.hours), off=off, school=school)
    except holiday_rules.Unreadable:
        return None
    if not all(validate(text) for text in texts):
        return None
    # Latitude first is the library's order; it looks at places only where the sun matters.
    place = question.coordinates[::-1] if follows_sun and question.coordinates else None
    parsed = tuple(OpeningHours(text, timezone=question.tz, coords=place) for text in texts)
    odd_days = dict.fromkeys(work, _WEDNESDAY)
    if not holiday_rules.mentions("PH", question.hours):
        odd_days |= dict.fromkeys(off, _SUNDAY)
    is_open_said = re.search(r'\bopen\s*"', question.hours, re.IGNORECASE) is not None
    is_end_open = re.search(r"(?<!-)\b\d\d?:\d\d\+", question.hours) is not None
    return _Timetable(parsed, is_open_said, is_end_open, odd_days)
