"""PURE  Whether somebody who arrives at a time can take an AED: yes, no or unknown, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from geo import access_hours


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
    """Why it is usable or not."""

    OPEN = "open"
    OUT_OF_SERVICE = "out_of_service"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    PRIVATE = "private"
    REPORTED = "reported"
    NOT_PUBLIC = "not_public"
    ACCESS_UNKNOWN = "access_unknown"
    HOURS_UNKNOWN = "hours_unknown"
    HOURS_UNREADABLE = "hours_unreadable"


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that decides whether a device is usable at a time, apart from where it is."""

    status: Status
    access: Access
    hours: str | None
    time_zone: str
    is_suspect: bool


@dataclass(frozen=True, slots=True)
class Usability:
    """The answer with its reason; it holds until `until`, None when no change is in sight."""

    state: Usable
    reason: Reason
    until: datetime | None = None


_NOT_FOR_ALL = {Access.STAFF, Access.MEMBERS}


def judge(conditions: Conditions, at: datetime) -> Usability:
    """Decide by the conditions alone: many devices share them.

    Certain reasons against it come first, then open questions; "yes" needs every answer.
    """
    if conditions.status is not Status.IN_SERVICE:
        return Usability(Usable.NO, Reason(conditions.status.value))
    if conditions.access is Access.PRIVATE:
        return Usability(Usable.NO, Reason.PRIVATE)
    opening = access_hours.opening(conditions.hours, at, time_zone=conditions.time_zone)
    if opening.state is access_hours.State.CLOSED:
        return Usability(Usable.NO, Reason.CLOSED, opening.until)
    doubt = _doubt(conditions, opening)
    if doubt is not None:
        return Usability(Usable.UNKNOWN, doubt)
    return Usability(Usable.YES, Reason.OPEN, opening.until)


def _doubt(conditions: Conditions, opening: access_hours.Opening) -> Reason | None:
    if conditions.is_suspect:
        return Reason.REPORTED
    if conditions.access in _NOT_FOR_ALL:
        return Reason.NOT_PUBLIC
    if opening.state is access_hours.State.UNKNOWN:
        return Reason.HOURS_UNREADABLE if conditions.hours else Reason.HOURS_UNKNOWN
    return Reason.ACCESS_UNKNOWN if conditions.access is Access.UNKNOWN else None
