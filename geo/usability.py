"""PURE  Whether somebody who arrives at a time can take an AED: yes, no or unknown, and why.

Hours and access are judged by `access_hours`; here the state of the device is weighed in with them.
What speaks against it comes first, then what is in doubt; "yes" needs every answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import opening_hours

from geo import access_hours, holidays
from geo.position import Position


class Status(StrEnum):
    """Whether the device is in service; withdrawn is for good, its history stays."""

    IN_SERVICE = "in_service"
    OUT_OF_SERVICE = "out_of_service"
    WITHDRAWN = "withdrawn"


class Access(StrEnum):
    """Who may take it."""

    PUBLIC = "public"
    STAFF = "staff"
    MEMBERS = "members"
    PRIVATE = "private"
    UNKNOWN = "unknown"


class Usable(StrEnum):
    """Whether somebody who arrives can take it: never a bare yes or no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why it is usable or not: first what the device says, then what hours and access say."""

    OUT_OF_SERVICE = "out_of_service"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    TAKEN = "taken"
    CLOSED_TEMPORARILY = "closed_temporarily"
    REPORTED = "reported"
    CHECK_OVERDUE = "check_overdue"
    POSITION_OLD = "position_old"
    ACCESS_UNKNOWN = "access_unknown"
    ALWAYS_OPEN = "always_open"
    OPEN = "open"
    CLOSED = "closed"
    HOURS_MISSING = "hours_missing"
    HOURS_UNREADABLE = "hours_unreadable"
    HOURS_CONDITIONAL = "hours_conditional"
    HOLIDAY_UNCLEAR = "holiday_unclear"
    ACCESS_PRIVATE = "access_private"
    ACCESS_STAFF = "access_staff"
    ACCESS_MEMBERS = "access_members"


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that decides whether a device is usable at a time; devices of one kind share them.

    `lon` and `lat` are rounded to a tenth of a degree: only hours that follow the sun need them.
    `expires_on` is the last day of the adult pads or the battery, whichever ends first. Without
    `check_every_days` nobody is bound to look, and `verified_at` decides nothing.
    """

    status: Status
    access: Access
    hours: str | None
    hours_note: str | None
    time_zone: str
    is_suspect: bool
    lon: float
    lat: float
    closed_from: datetime | None = None
    closed_until: datetime | None = None
    is_taken: bool = False
    expires_on: date | None = None
    verified_at: datetime | None = None
    check_every_days: int | None = None
    is_mobile: bool = False
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Usability:
    """The answer with its reason.

    The state holds until `until`; None when it stays for `LOOK_AHEAD` at least.
    """

    state: Usable
    reason: Reason
    until: datetime | None = None


class ConditionRow(Protocol):
    """What a row must carry to be judged: the columns below, and where it is in degrees."""

    @property
    def status(self) -> str: ...
    @property
    def access(self) -> str: ...
    @property
    def hours(self) -> str | None: ...
    @property
    def hours_note(self) -> str | None: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def suspect_since(self) -> datetime | None: ...
    @property
    def taken_at(self) -> datetime | None: ...
    @property
    def closed_from(self) -> datetime | None: ...
    @property
    def closed_until(self) -> datetime | None: ...
    @property
    def pads_expire_on(self) -> date | None: ...
    @property
    def battery_expires_on(self) -> date | None: ...
    @property
    def verified_at(self) -> datetime | None: ...
    @property
    def check_every_days(self) -> int | None: ...
    @property
    def carrier(self) -> str | None: ...
    @property
    def moved_at(self) -> datetime | None: ...
    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...


#: The columns of the registry that `conditions` reads beside `lon` and `lat`.
CONDITION_COLUMNS = (
    "status", "access", "hours", "hours_note", "time_zone", "suspect_since", "taken_at",
    "closed_from", "closed_until", "pads_expire_on", "battery_expires_on", "verified_at",
    "check_every_days", "carrier", "moved_at",
)  # fmt: skip
#: How far an answer looks ahead for its end; the same as that of the hours.
LOOK_AHEAD = timedelta(days=7)
#: A device that travels is where it was said to be for so long.
POSITION_HOLDS = timedelta(minutes=30)


def conditions(row: ConditionRow) -> Conditions:
    """Gather what decides about a device from its row; what decides nothing is left out."""
    is_mobile, is_due = row.carrier is not None, row.check_every_days is not None
    return Conditions(
        status=Status(row.status),
        access=Access(row.access),
        hours=row.hours,
        hours_note=row.hours_note,
        time_zone=row.time_zone,
        is_suspect=row.suspect_since is not None,
        lon=round(float(row.lon), 1),
        lat=round(float(row.lat), 1),
        closed_from=row.closed_from,
        closed_until=row.closed_until,
        is_taken=row.taken_at is not None,
        expires_on=expires_on(row.pads_expire_on, row.battery_expires_on),
        verified_at=row.verified_at if is_due else None,
        check_every_days=row.check_every_days,
        is_mobile=is_mobile,
        moved_at=row.moved_at if is_mobile else None,
    )


def expires_on(*days: date | None) -> date | None:
    """Give the first of some days; None when none is known."""
    return min((day for day in days if day is not None), default=None)


def judge(conditions: Conditions, at: datetime) -> Usability:
    """Decide by the conditions alone."""
    state, reason, hours_until = _judge(conditions, at)
    return Usability(state, reason, _until(conditions, at, state, hours_until))


def _judge(of: Conditions, at: datetime) -> tuple[Usable, Reason, datetime | None]:
    """Give state and reason at one instant, and when the hours change next."""
    objection = against(of, at)
    if objection is not None and objection in _FOR_GOOD:
        return Usable.NO, objection, None
    hours = _hours(of, at)
    if objection is not None:
        return Usable.NO, objection, hours.until
    state, reason = Usable(hours.state.value), Reason(hours.reason.value)
    if state is Usable.NO:
        return state, reason, hours.until
    open_question = doubt(of, at)
    if open_question is not None:
        return Usable.UNKNOWN, open_question, hours.until
    if state is Usable.YES and of.access is Access.UNKNOWN:
        return Usable.UNKNOWN, Reason.ACCESS_UNKNOWN, hours.until
    return state, reason, hours.until


# These end by a change of the record, never by the clock.
_FOR_GOOD = frozenset({Reason.OUT_OF_SERVICE, Reason.WITHDRAWN, Reason.EXPIRED, Reason.TAKEN})


def against(of: Conditions, at: datetime) -> Reason | None:
    """Say why nobody can take the device whatever its hours are; None when nothing forbids it."""
    if of.status is not Status.IN_SERVICE:
        return Reason(of.status.value)
    if of.expires_on is not None and at >= _expiry(of.expires_on, of.time_zone):
        return Reason.EXPIRED
    if of.is_taken:
        return Reason.TAKEN
    return Reason.CLOSED_TEMPORARILY if _is_closed(of, at) else None


def _is_closed(of: Conditions, at: datetime) -> bool:
    """Tell whether a temporary closure holds; one end may be open, not both."""
    begins, ends = of.closed_from, of.closed_until
    if begins is None and ends is None:
        return False
    return (begins is None or begins <= at) and (ends is None or at < ends)


def doubt(of: Conditions, at: datetime) -> Reason | None:
    """Say why nobody knows whether the device is there and works; None without a doubt."""
    if of.is_suspect:
        return Reason.REPORTED
    if of.is_mobile and (of.moved_at is None or at > of.moved_at + POSITION_HOLDS):
        return Reason.POSITION_OLD
    if of.check_every_days is None:
        return None
    due_at = check_due_at(of.verified_at, of.check_every_days)
    return Reason.CHECK_OVERDUE if due_at is None or at >= due_at else None


def check_due_at(verified_at: datetime | None, check_every_days: int | None) -> datetime | None:
    """Say when somebody has to look next; None without a schedule or without a first look."""
    if verified_at is None or check_every_days is None:
        return None
    return verified_at + timedelta(days=check_every_days)


def _hours(of: Conditions, at: datetime) -> access_hours.Hours:
    zone = zone_of(of.time_zone)
    return access_hours.state_at(
        of.hours,
        of.hours_note,
        of.access,
        at,
        tz=zone,
        holidays=_holidays(of.lon, of.lat, at.astimezone(zone).year),
        coordinates=(of.lon, of.lat),
    )


@lru_cache(maxsize=4096)
def _holidays(lon: float, lat: float, year: int) -> holidays.Holidays:
    return holidays.of(Position(lon, lat), year=year)


def _until(
    of: Conditions, at: datetime, state: Usable, hours_until: datetime | None
) -> datetime | None:
    """Find when the state changes, from one moment at which something changes to the next."""
    end, moments = at + LOOK_AHEAD, list(turns(of))
    moment, changes = at, hours_until
    while True:
        nexts = [turn for turn in (*moments, changes) if turn is not None and moment < turn <= end]
        if not nexts:
            return None
        moment = min(nexts)
        then, _, changes = _judge(of, moment)
        if then is not state:
            return moment


def turns(of: Conditions) -> Iterator[datetime]:
    """Yield the instants at which something other than the hours changes."""
    if of.closed_from is not None:
        yield of.closed_from
    if of.closed_until is not None:
        yield of.closed_until
    if of.expires_on is not None:
        yield _expiry(of.expires_on, of.time_zone)
    if of.moved_at is not None:
        yield of.moved_at + POSITION_HOLDS + timedelta(microseconds=1)
    due_at = check_due_at(of.verified_at, of.check_every_days)
    if due_at is not None:
        yield due_at


@lru_cache(maxsize=4096)
def _expiry(last_day: date, time_zone: str) -> datetime:
    """Give the midnight after the last day, where the device hangs."""
    return datetime.combine(last_day + timedelta(days=1), time.min, zone_of(time_zone))


def is_readable(hours: str) -> bool:
    """Tell whether the text is OpenStreetMap opening hours that can be judged later."""
    return bool(opening_hours.validate(hours))


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """Give the time zone of that name; Chinese time for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("Asia/Shanghai")
