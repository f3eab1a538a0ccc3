"""China's days off and days worked in return, day by day against the State Council's notice."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from geo import access_hours, holidays
from geo.access_hours import Reason, Usable
from geo.position import Position

SHANGHAI = ZoneInfo("Asia/Shanghai")
WUHAN = Position(114.3, 30.6)

# Notice 国办发明电〔2025〕7号 of 4 November 2025: month, days off, days worked.
NOTICE_2026: dict[int, tuple[set[int], set[int]]] = {
    1: ({1, 2, 3}, {4}),
    2: ({15, 16, 17, 18, 19, 20, 21, 22, 23}, {14, 28}),
    3: (set(), set()),
    4: ({4, 5, 6}, set()),
    5: ({1, 2, 3, 4, 5}, {9}),
    6: ({19, 20, 21}, set()),
    7: (set(), set()),
    8: (set(), set()),
    9: ({25, 26, 27}, {20}),
    10: ({1, 2, 3, 4, 5, 6, 7}, {10}),
    11: (set(), set()),
    12: (set(), set()),
}
OFFICE = "Mo-Fr 08:00-17:00"


@pytest.mark.parametrize("month", NOTICE_2026)
def test_HRS_4_every_day_of_2026_is_as_the_notice_says(month: int) -> None:
    off, work = NOTICE_2026[month]
    calendar = holidays.of(WUHAN, year=2026)
    day = date(2026, month, 1)
    while day.month == month:
        assert (day in calendar.off, day in calendar.work) == (day.day in off, day.day in work), day
        day += timedelta(days=1)


@pytest.mark.parametrize("month", NOTICE_2026)
def test_HRS_4_an_office_is_open_as_the_notice_says(month: int) -> None:
    off, work = NOTICE_2026[month]
    at = datetime(2026, month, 1, 10, tzinfo=SHANGHAI)
    while at.month == month:
        usual = Usable.YES if at.isoweekday() <= 5 else Usable.NO
        found = access_hours.state_at(
            f"{OFFICE}; PH off", None, "public", at, tz=SHANGHAI, holidays=holidays.CHINA
        )
        if at.day in off:
            assert found.state is Usable.NO, at
        elif at.day in work:  # nobody says whether it works along
            assert (found.state, found.reason) == (Usable.UNKNOWN, Reason.HOLIDAY_UNCLEAR), at
        else:
            assert found.state is usual, at
        at += timedelta(days=1)


def test_HRS_4_days_worked_in_return_are_weekend_days_and_never_off() -> None:
    calendar = holidays.CHINA
    assert not calendar.off & calendar.work
    assert all(day.isoweekday() > 5 for day in calendar.work)
    for year in (2025, 2026):
        weekdays_off = [d for d in calendar.off if d.year == year and d.isoweekday() <= 5]
        worked = [day for day in calendar.work if day.year == year]
        # 13 days of the law; what is off beyond them and the weekends is worked in return.
        assert len(weekdays_off) - len(worked) <= 13


def test_HRS_4_a_day_off_ends_the_night_before_it() -> None:
    # Friday 25 September 2026 is off. By the grammar its rule holds from midnight on.
    for at, state in (
        ("2026-09-19T05:00", Usable.YES),
        ("2026-09-24T23:00", Usable.YES),
        ("2026-09-25T05:00", Usable.NO),
        ("2026-09-25T23:00", Usable.NO),
    ):
        moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
        found = access_hours.state_at(
            "Mo-Fr 22:00-06:00; PH off", None, "public", moment,
            tz=SHANGHAI, holidays=holidays.CHINA,
        )  # fmt: skip
        assert found.state is state, at
