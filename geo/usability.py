"""PURE  Whether somebody who arrives at a time can take an AED: yes, no or unknown, and why.

Hours and access are judged by `access_hours`; here the state of the device is weighed in with them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
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
    """Why it is usable or not; all but four come from the hours and the access."""

    OUT_OF_SERVICE = "out_of_service"
    WITHDRAWN = "withdrawn"
    REPORTED = "reported"
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
    """

    status: Status
    access: Access
    hours: str | None
    hours_note: str | None
    time_zone: str
    is_suspect: bool
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Usability:
    """The answer with its reason; it holds until `until`, None when no change is in sight."""

    state: Usable
    reason: Reason
    until: datetime | None = None


def judge(conditions: Conditions, at: datetime) -> Usability:
    """Decide by the conditions alone.

    What speaks against it comes first, then what is in doubt; "yes" needs every answer.
    """
    if conditions.status is not Status.IN_SERVICE:
        return Usability(Usable.NO, Reason(conditions.status.value))
    zone = _zone(conditions.time_zone)
    place = Position(conditions.lon, conditions.lat)
    hours = access_hours.state_at(
        conditions.hours,
        conditions.hours_note,
        conditions.access,
        at,
        tz=zone,
        holidays=holidays.of(place, year=at.astimezone(zone).year),
        coordinates=(place.lon, place.lat),
    )
    found = Usability(Usable(hours.state.value), Reason(hours.reason.value), hours.until)
    if found.state is Usable.NO:
        return found
    if conditions.is_suspect:
        return Usability(Usable.UNKNOWN, Reason.REPORTED)
    if found.state is Usable.YES and conditions.access is Access.UNKNOWN:
        return Usability(Usable.UNKNOWN, Reason.ACCESS_UNKNOWN, found.until)
    return found


def is_readable(hours: str) -> bool:
    """Tell whether the text is OpenStreetMap opening hours that can be judged later."""
    return bool(opening_hours.validate(hours))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        # A zone that this machine does not know: the country that the system is made for.
        return ZoneInfo("Asia/Shanghai")
