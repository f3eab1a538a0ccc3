"""A week of opening hours that is built up from words, and how `opening_hours` writes it."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from opening_hours import validate

from geo import hours_words
from geo.hours_words import DAY_MIN, DAY_NAMES, Kind, Span, Token, Unreadable

_EVERY = frozenset(range(7))
_WORKDAYS = frozenset(range(5))
_WEEKEND = frozenset({5, 6})
# 年末年始 is never longer than this.
_YEAR_END = "Dec 27-Jan 07"


@dataclass(frozen=True, slots=True)
class Hours:
    """The spans of one day; unsure ones may be."""

    spans: tuple[Span, ...] = ()
    is_unsure: bool = False


@dataclass(frozen=True, slots=True)
class Week:
    """What is known of a week; nothing is said of a day that is left out."""

    days: Mapping[int, Hours] = field(default_factory=dict)
    holiday: Hours | None = None
    extra: tuple[str, ...] = ()  # rules about dates


@dataclass(frozen=True, slots=True)
class Selection:
    """Days that were named and wait for what is said of them."""

    days: frozenset[int] = frozenset()
    is_holiday: bool = False
    is_rest: bool = False
    when: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.days or self.is_holiday or self.when)

    def with_token(self, token: Token) -> "Selection":
        """Add the days of a token; raises `Unreadable` if it names none."""
        match token.kind:
            case Kind.DAYS:
                return replace(self, days=self.days | token.days)
            case Kind.HOLIDAY:
                return replace(self, is_holiday=True)
            case Kind.REST_DAYS:
                return replace(self, is_holiday=True, is_rest=True)
            case Kind.NTH | Kind.DATES:
                return replace(self, when=(*self.when, token.when))
            case Kind.YEAR_END:
                return replace(self, when=(*self.when, _YEAR_END))
        raise Unreadable


def opened(week: Week, selection: Selection, spans: tuple[Span, ...], *, is_note: bool) -> Week:
    """Let the days that were named be open; raises `Unreadable` if that was said otherwise."""
    hours = Hours(_sorted(spans))
    if not selection:
        return _opened_whenever(week, hours)
    _check_again(week, selection.days, hours, is_note=is_note)
    days = selection.days | (_WEEKEND if selection.is_rest else frozenset())
    extra = tuple(f"{when} {_times(hours)}" for when in selection.when)
    return Week(
        {**week.days, **dict.fromkeys(days, hours)},
        hours if selection.is_holiday else week.holiday,
        week.extra + extra,
    )


def _check_again(week: Week, days: frozenset[int], hours: Hours, *, is_note: bool) -> None:
    """Refuse hours that do not agree with those that were given before."""
    before = {day: week.days[day].spans for day in week.days if week.days[day].spans}
    again = days & before.keys()
    if not again:
        return
    others = before.keys() - days
    is_vague = any(before[day] == ((0, DAY_MIN),) for day in others)
    is_nothing_new = all(before[day] == hours.spans for day in again)
    apart = any(
        not any(a < d and c < b for a, b in before[day] for c, d in hours.spans) for day in again
    )
    # A remark may narrow or stretch what the columns say; else it adds to it or takes it back.
    if not is_note or apart or (others and (is_vague or is_nothing_new)):
        raise Unreadable


def _opened_whenever(week: Week, hours: Hours) -> Week:
    """Take spans that name no day."""
    told = {day: said for day, said in week.days.items() if said.spans or not said.is_unsure}
    is_said = all(said == hours for said in told.values())
    if told and len(week.days) == len(_EVERY) and is_said:
        return week  # said again, as in a remark
    if any(said.spans for said in told.values()):
        raise Unreadable
    if hours.spans == ((0, DAY_MIN),) or told:  # a closing day was named: the others are not it
        return replace(week, days=dict.fromkeys(_EVERY, hours) | told)
    return replace(bare(hours.spans), holiday=week.holiday, extra=week.extra)


def closed(week: Week, selection: Selection) -> Week:
    """Let the days that were named be closed."""
    if not selection or len(selection.days) > 4:
        raise Unreadable  # who excepts five weekdays rather means something else
    days = dict(week.days)
    for day in _WEEKEND if selection.is_rest else ():
        if days.get(day, Hours()).spans and not days[day].is_unsure:
            raise Unreadable  # open at weekends, and closed on days of rest
        if day in days:
            days[day] = Hours()
    if selection.days:  # a weekly closing day was named: the other days are none
        days = {
            day: replace(said, is_unsure=said.is_unsure and not said.spans)
            for day, said in days.items()
        }
    days |= dict.fromkeys(selection.days, Hours())
    modifier = {when: "unknown" if when == _YEAR_END else "off" for when in selection.when}
    return Week(
        days,
        Hours() if selection.is_holiday else week.holiday,
        week.extra + tuple(f"{when} {word}" for when, word in modifier.items()),
    )


def until(week: Week, selection: Selection, end: int) -> Week:
    """Let the days that were named end earlier."""
    starts = {hours.spans[0][0] for hours in week.days.values() if hours.spans}
    if not selection or selection.when or len(starts) != 1:
        raise Unreadable
    shorter = Hours((hours_words.span(starts.pop(), end),))
    if any(len(week.days.get(day, Hours()).spans) != 1 for day in selection.days):
        raise Unreadable
    return replace(
        week,
        days={**week.days, **dict.fromkeys(selection.days, shorter)},
        holiday=shorter if selection.is_holiday else week.holiday,
    )


def broken(week: Week, selection: Selection, breaks: tuple[Span, ...]) -> Week:
    """Take a break out of days that are open before it and after it."""
    if selection.is_holiday or selection.when or not week.days:
        raise Unreadable
    days = dict(week.days)
    for day in selection.days or [day for day in days if days[day].spans]:
        spans = days.get(day, Hours()).spans
        for begin, end in breaks:
            if breaks != ((0, DAY_MIN),) and not any(a < begin and end < b for a, b in spans):
                raise Unreadable
            parts = (part for a, b in spans for part in ((a, min(b, begin)), (max(a, end), b)))
            spans = tuple((a, b) for a, b in parts if a < b)
        days[day] = replace(days[day], spans=spans) if day in days else Hours(spans)
    return replace(week, days=days)


def bare(spans: tuple[Span, ...]) -> Week:
    """Make the week of hours that name no days: at weekends they may not hold."""
    sure, unsure = Hours(spans), Hours(spans, is_unsure=True)
    if spans == ((0, DAY_MIN),):
        return Week(dict.fromkeys(_EVERY, sure))
    return Week(dict.fromkeys(_WORKDAYS, sure) | dict.fromkeys(_WEEKEND, unsure))


def filled(days: frozenset[int], span: Span) -> Week:
    """Make the week in which these days have one span."""
    return Week(dict.fromkeys(days, Hours((span,))))


def _sorted(spans: Iterable[Span]) -> tuple[Span, ...]:
    ordered = tuple(sorted(set(spans)))
    if any(left[1] >= right[0] for left, right in itertools.pairwise(ordered)):
        raise Unreadable
    return ordered


def written(week: Week) -> str:
    """Write a week in the least words; raises `Unreadable` if it is never open for certain."""
    days = {day: hours for day, hours in week.days.items() if hours.spans or hours.is_unsure}
    if not any(hours.spans and not hours.is_unsure for hours in days.values()):
        raise Unreadable
    rules = []
    for hours in dict.fromkeys(days[day] for day in sorted(days)):
        names = _names({day for day in days if days[day] == hours})
        rules.append(f"{names} {_times(hours)}".removeprefix("Mo-Su "))
    # Where hours run over midnight, a rule for the next day must not cut them off.
    is_over = any(end > DAY_MIN for hours in days.values() for _, end in hours.spans)
    rules = [", ".join(rules)] if is_over else rules
    rules += dict.fromkeys(week.extra)
    if week.holiday is not None:
        rules.append(f"PH {_times(week.holiday)}")
    if rules[0] == "00:00-24:00":
        rules[0] = "24/7"
    text = "; ".join(rules)
    if not validate(text):
        raise Unreadable
    return text


def _times(hours: Hours) -> str:
    spans = ",".join(f"{_hhmm(begin)}-{_hhmm(end, begin)}" for begin, end in hours.spans)
    if hours.is_unsure:
        return f"{spans} unknown".strip()
    return spans or "off"


def _hhmm(minutes: int, after: int = 0) -> str:
    if minutes > DAY_MIN and minutes - DAY_MIN < after:
        minutes -= DAY_MIN
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _names(days: set[int]) -> str:
    names = []
    ordered = sorted(days)
    while ordered:
        run = [ordered.pop(0)]
        while ordered and ordered[0] == run[-1] + 1:
            run.append(ordered.pop(0))
        names += (
            [DAY_NAMES[run[0]]] if len(run) == 1 else [f"{DAY_NAMES[run[0]]}-{DAY_NAMES[run[-1]]}"]
        )
    return ",".join(names)
