"""Public holidays: which days are off, which weekend days are worked in return, what `PH` means.

Mainland China's days are the State Council's yearly notices; of a year without a notice only the
days of the law are known. Elsewhere they are the calendar of the opening_hours library.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from opening_hours import OpeningHours, State

from geo import datum
from geo.position import Position


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days off, and weekend days that are worked in return (调休), as local dates."""

    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()


class Unreadable(ValueError):
    """Hours whose holiday rules cannot be told apart from the rest."""


# First and last day of each stretch off; then the weekend days that are worked in return.
_CHINA_OFF = (
    ("2025-01-01", "2025-01-01"), ("2025-01-28", "2025-02-04"), ("2025-04-04", "2025-04-06"),
    ("2025-05-01", "2025-05-05"), ("2025-05-31", "2025-06-02"), ("2025-10-01", "2025-10-08"),
    ("2026-01-01", "2026-01-03"), ("2026-02-15", "2026-02-23"), ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"), ("2026-06-19", "2026-06-21"), ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
    # 2027: the days of the law; the notice is not out yet.
    ("2027-01-01", "2027-01-01"), ("2027-02-05", "2027-02-08"), ("2027-04-05", "2027-04-05"),
    ("2027-05-01", "2027-05-02"), ("2027-06-09", "2027-06-09"), ("2027-09-15", "2027-09-15"),
    ("2027-10-01", "2027-10-03"),
)  # fmt: skip
_CHINA_WORK = (
    "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11",
    "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
)  # fmt: skip


def _china() -> Holidays:
    stretches = ((date.fromisoformat(a), date.fromisoformat(b)) for a, b in _CHINA_OFF)
    off = (n for a, b in stretches for n in range(a.toordinal(), b.toordinal() + 1))
    return Holidays(
        frozenset(date.fromordinal(n) for n in off),
        frozenset(date.fromisoformat(day) for day in _CHINA_WORK),
    )


CHINA = _china()


@lru_cache(maxsize=1024)
def of(place: Position, *, year: int) -> Holidays:
    """Give the holidays of a place in this year and the ones beside it; none where unknown."""
    if datum.is_mainland(place.lon, place.lat):
        return CHINA
    calendar = OpeningHours("PH", coords=(place.lat, place.lon), auto_timezone=False)
    spans = calendar.intervals(datetime(year - 1, 1, 1), datetime(year + 2, 1, 1))  # noqa: DTZ001  local days
    off = (
        n
        for begin, end, state, _ in spans
        if state == State.OPEN
        for n in range(begin.toordinal(), end.toordinal())
    )
    return Holidays(frozenset(date.fromordinal(n) for n in off))


_DAY = r"(?:(?:Mo|Tu|We|Th|Fr|Sa|Su)(?:-(?:Mo|Tu|We|Th|Fr|Sa|Su))?(?:\[[^\]]*\])?|PH|SH)"
_DAYS = re.compile(rf"\b{_DAY}(?:\s*,\s*{_DAY})*(?![A-Za-z])", re.IGNORECASE)
_HOLIDAY = re.compile(r"\b(?:PH|SH)\b", re.IGNORECASE)
_OFFSET = re.compile(r"\s*[+-]\s*\d+\s*day", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
# A rule ends at ; or ||, or at a comma after a time or a modifier where another rule begins.
_SEPARATOR = re.compile(
    r"\s*(;|\|\||(?:(?<=:\d\d)|(?<=:\d\d\+)|(?<=off)|(?<=closed)|(?<=open)|(?<=unknown)),"
    r"(?=\s*[A-Za-z]))\s*"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    joined_by: str  # what stands before it: "", ";", "||" or ","
    text: str
    is_holiday: bool = False


def mentions(kind: str, hours: str) -> bool:
    """Tell whether hours speak of `PH` or `SH` outside their remarks."""
    return re.search(rf"\b{kind}\b", _QUOTED.sub("", hours), re.IGNORECASE) is not None


def readings(hours: str, *, off: Collection[date], school: Collection[date]) -> list[str]:
    """Write dates for `PH` (the days `off`) and `SH`, in every way that the hours may mean.

    Later rules override earlier ones; yet who writes `PH off` first hardly means it to be
    overridden, so that order counts as another reading. Raises `Unreadable`.
    """
    if not (mentions("PH", hours) or mentions("SH", hours)):
        return [hours]
    found: list[str] = []
    for is_school_out in (False, True):
        dates = {"ph": sorted(off), "sh": sorted(school) if is_school_out else []}
        rules = [new for rule in _split(hours) for new in _dated(rule, dates)]
        last = sorted(rules, key=lambda rule: rule.is_holiday)
        found += [_joined(rules), _joined(last)]
    return list(dict.fromkeys(found))


def _split(hours: str) -> list[_Rule]:
    # Remarks may hold anything: they are set aside, one private sign each, and put back.
    remarks: list[str] = _QUOTED.findall(hours)
    parts = _SEPARATOR.split(_QUOTED.sub("\ue000", hours))

    def put_back(_: re.Match[str]) -> str:
        return remarks.pop(0)

    texts = [re.sub("\ue000", put_back, part) for part in parts]
    pairs = zip(["", *texts[1::2]], texts[::2], strict=True)
    return [_Rule(separator, text) for separator, text in pairs if text]


def _dated(rule: _Rule, dates: dict[str, list[date]]) -> list[_Rule]:
    """Part a rule into one of weekdays and one of the dates that its holidays are."""
    if not _HOLIDAY.search(_QUOTED.sub("", rule.text)):
        return [rule]
    days = _DAYS.search(rule.text)
    if days is None or not _HOLIDAY.search(days.group()):
        raise Unreadable
    before, after = rule.text[: days.start()].strip(), rule.text[days.end() :]
    if before or _OFFSET.match(after):  # as in "Dec PH off" and "PH -1 day": too rare to read
        raise Unreadable
    named = [day.strip() for day in days.group().split(",")]
    weekdays = [day for day in named if day.lower() not in dates]
    days_off = sorted({day for name in named for day in dates.get(name.lower(), [])})
    parted = []
    if weekdays:
        parted.append(_Rule(rule.joined_by, ",".join(weekdays) + after))
    if days_off:
        # English month names whatever the locale says: strftime would follow it.
        written = ",".join(f"{day.year} {_MONTHS[day.month - 1]} {day.day:02}" for day in days_off)
        joined_by = rule.joined_by if not weekdays else ";"
        parted.append(_Rule(joined_by, written + after, is_holiday=True))
    return parted


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _joined(rules: list[_Rule]) -> str:
    if not rules:
        return "off"  # nothing but holidays, and none is near
    text = rules[0].text
    for rule in rules[1:]:
        space = "" if rule.joined_by == "," else " "
        text += f"{space}{rule.joined_by or ';'} {rule.text}"
    return text
