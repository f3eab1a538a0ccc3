"""Opening hours as people write them, turned into OpenStreetMap's `opening_hours`.

A text is read only if every sign of it is understood (`hours_words`); else the answer is None, and
the prose stays what it is. What a text leaves open is written so: weekends that a form left empty,
or that plain clock times do not mention, become `unknown`, which is never counted as open.
"""

import re
from dataclasses import replace
from functools import lru_cache

from opening_hours import validate

from geo import hours_week, hours_words
from geo.hours_week import Hours, Selection, Week
from geo.hours_words import Kind, Span, Token, Unreadable

_EVERY = frozenset(range(7))
_WORKDAYS = frozenset(range(5))
_NOTHING = frozenset({"", "-", "無", "无", "なし", "無し"})
_OSM = re.compile(r"24/7.*|(?:\b(?:mo|tu|we|th|fr|sa|su|ph)\b[-,; ]?)+.*", re.IGNORECASE)
_TAIWAN = re.compile(r"星期一至星期五(.*?)<br> ?星期六(.*?)<br> ?星期日(.*?)<br> ?備註:?(.*)")
_CLOCK = re.compile(r"(?:\d{4}-\d\d-\d\dt)?(\d{1,2}):?(\d\d)(?::\d\d(?:\.\d+)?z?)?")
# Empty, or begin and end alike: closed, round the clock, or nobody said.
_VAGUE = re.compile(r"\s*(?P<begin>\d\d?:?\d\d)?\s*至\s*(?P=begin)?\s*|\s*至\s*")


@lru_cache(maxsize=4096)
def to_osm(text: str) -> str | None:
    """Turn prose hours into `opening_hours`, or None where they cannot be read for certain.

    Clock times without days are certain on weekdays only. A text that is `opening_hours` with
    weekdays already is given back.
    """
    if _OSM.fullmatch(text.strip()) and validate(text.strip()):
        return text.strip()
    try:
        form = _TAIWAN.fullmatch(hours_words.fold(text))
        return hours_week.written(_of_form(form) if form else _told(Week(), text))
    except Unreadable:
        return None


@lru_cache(maxsize=4096)
def from_parts(days: str, start: str, end: str, note: str) -> str | None:
    """Turn columns for weekdays, first and last time and remarks into `opening_hours`, or None.

    Times may be `8:30`, `0830` or instants of a spreadsheet's first day. The remark must be
    understood too: it may take back what the columns say.
    """
    try:
        week = _of_columns(days.strip(), start.strip(), end.strip())
        return hours_week.written(week if note.strip() in _NOTHING else _told(week, note))
    except Unreadable:
        return None


def _of_columns(days: str, start: str, end: str) -> Week:
    if start or end:
        span = hours_words.span(_clock(start), _clock(end))
        return hours_week.filled(_weekdays(days), span) if days else hours_week.bare((span,))
    return _told(Week(), days) if days else Week()


def _weekdays(text: str) -> frozenset[int]:
    days: frozenset[int] = frozenset()
    for token in hours_words.tokens(text):
        if token.kind not in (Kind.DAYS, Kind.ALL_DAY):
            raise Unreadable
        days |= _EVERY if token.kind is Kind.ALL_DAY else token.days
    return days


def _clock(text: str) -> int:
    found = _CLOCK.fullmatch(hours_words.fold(text))
    if found is None:
        raise Unreadable
    return int(found[1]) * 60 + int(found[2])


def _of_form(form: re.Match[str]) -> Week:
    """Read the form of Taiwan's registry: weekdays, Saturday, Sunday, remarks."""
    days: dict[int, Hours] = {}
    for numbers, text in zip((_WORKDAYS, {5}, {6}), form.groups(), strict=False):
        days |= dict.fromkeys(numbers, _form_hours(text))
    note = form[4].strip()
    return Week(days) if note in _NOTHING else _told(Week(days), note)


def _form_hours(text: str) -> Hours:
    if _VAGUE.fullmatch(text):
        return Hours(is_unsure=True)
    token, *others = hours_words.tokens(text)
    if others or token.kind is not Kind.SPAN:
        raise Unreadable
    return Hours((token.span,))


def _told(week: Week, text: str) -> Week:
    """Apply what a text says to a week; raises `Unreadable`."""
    reader = _Reader(week)
    for token in hours_words.tokens(text):
        reader.take(token)
    return reader.finish()


class _Reader:
    """Takes tokens one by one: days first, then what is said of them."""

    def __init__(self, week: Week) -> None:
        self.week = week
        self.is_note = bool(week.days)
        self.selection = Selection()
        self.outer: list[Selection] = []
        self.spans: tuple[Span, ...] = ()
        self.is_closing = self.is_joined = False
        self.has_spoken = self.has_workdays = False

    def take(self, token: Token) -> None:
        """Take the next token; raises `Unreadable`."""
        match token.kind:
            case Kind.SPAN | Kind.ALL_DAY:
                self.spans += (token.span,)
            case Kind.UNTIL:
                self._settle(hours_week.until(self.week, self.selection, token.span[1]))
            case Kind.CLOSED:
                self._close()
            case Kind.BEGIN | Kind.END | Kind.STOP | Kind.CLOSED_ON:
                self._punctuate(token.kind)
            case Kind.JOIN:
                self.is_joined = bool(self.spans)
            case _:
                self._name(token)

    def finish(self) -> Week:
        """Give the week when the text is over; raises `Unreadable`."""
        self._punctuate(Kind.STOP)
        if self.outer or not (self.has_spoken or self.is_note):
            raise Unreadable
        is_rest_open = any(self.week.days.get(day, Hours()).spans for day in (5, 6))
        if self.has_workdays and self.week.holiday is None and not is_rest_open:
            return replace(self.week, holiday=Hours())  # holidays are no working days
        return self.week

    def _name(self, token: Token) -> None:
        if self.spans and self.is_joined:
            raise Unreadable  # "12:00-13:00 and Saturdays closed": both are
        if self.spans:
            self._flush()
        if token.kind is Kind.WORKDAYS:
            self.has_workdays = True
            token = Token(Kind.DAYS, days=_WORKDAYS)
        self.selection = self.selection.with_token(token)

    def _punctuate(self, kind: Kind) -> None:
        if kind is Kind.BEGIN and not self.is_closing:
            if self.spans:
                self._flush()
            self.outer.append(self.selection)
            self.selection = Selection()
            return
        if kind is Kind.BEGIN:  # 休館日(…): the days stand in brackets
            return
        if self.is_closing and self.selection:
            self._close()
        self._flush()
        self.is_closing = kind is Kind.CLOSED_ON
        if kind is Kind.END and self.outer:
            self.selection = self.outer.pop()

    def _close(self) -> None:
        """Take the days that were named, or the span within them, for closed."""
        if not self.spans:
            self._settle(hours_week.closed(self.week, self.selection))
            return
        week, selection, breaks = self.week, self.selection, self.spans
        if any(a < breaks[-1][0] and breaks[-1][1] < b for a, b in breaks[:-1]):
            # 9:00-18:00, 12:00-13:00 closed: the last one is the break in the others.
            week = hours_week.opened(week, selection, breaks[:-1], is_note=self.is_note)
            breaks = breaks[-1:]
        self._settle(hours_week.broken(week, selection, breaks))

    def _flush(self) -> None:
        """Take the spans that were named for open."""
        if (self.spans and self.is_closing) or (self.selection and not self.spans):
            raise Unreadable
        if self.spans:
            week = hours_week.opened(self.week, self.selection, self.spans, is_note=self.is_note)
            self._settle(week)

    def _settle(self, week: Week) -> None:
        self.week, self.has_spoken = week, True
        self.selection, self.spans = Selection(), ()
        self.is_closing = self.is_joined = False
