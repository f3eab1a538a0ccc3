"""Opening hours against a table of moments, in Shanghai's time unless said otherwise."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import access_hours, holidays
from geo.access_hours import Hours, Reason, Usable
from geo.holidays import Holidays
from geo.position import Position

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = "Mo-Fr 08:00-17:00"
# 2026: Thursday 1 to Wednesday 7 October are off; Saturday 10 October is worked.


def judge(hours: str | None, at: str, *, note: str | None = None, access: str = "public") -> Hours:
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    return access_hours.state_at(hours, note, access, moment, tz=SHANGHAI, holidays=holidays.CHINA)


def local(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(SHANGHAI).isoformat()[:16]


@pytest.mark.parametrize(
    ("hours", "at", "state", "reason", "until"),
    [
        ("24/7", "2026-10-01T03:00", "yes", "always_open", None),
        (OFFICE, "2026-11-20T08:00", "yes", "open", "2026-11-20T17:00"),
        (OFFICE, "2026-11-20T16:59", "yes", "open", "2026-11-20T17:00"),
        (OFFICE, "2026-11-20T17:00", "no", "closed", "2026-11-23T08:00"),
        (OFFICE, "2026-11-21T10:00", "no", "closed", "2026-11-23T08:00"),
        ("Mo-Su 00:00-24:00", "2026-11-21T00:00", "yes", "open", None),
        ("closed", "2026-11-20T10:00", "no", "closed", None),
        ("Mo 08:00-10:00", "2026-11-23T10:00", "no", "closed", "2026-11-30T08:00"),
        # Over midnight.
        ("Fr 22:00-06:00", "2026-11-20T21:59", "no", "closed", "2026-11-20T22:00"),
        ("Fr 22:00-06:00", "2026-11-21T05:59", "yes", "open", "2026-11-21T06:00"),
        ("Fr 22:00-06:00", "2026-11-21T06:00", "no", "closed", "2026-11-27T22:00"),
        ("Mo-Su 20:00-02:00", "2026-12-31T23:59", "yes", "open", "2027-01-01T02:00"),
        # Past 24:00, lists with spaces, and hours whose end nobody says.
        ("Mo-Fr 18:00-26:00", "2026-11-21T01:59", "yes", "open", "2026-11-21T02:00"),
        ("Mo-Fr 18:00-26:00", "2026-11-21T02:00", "no", "closed", "2026-11-23T18:00"),
        ("Mo, We 08:00-17:00", "2026-11-23T03:00", "no", "closed", "2026-11-23T08:00"),
        ("Mo, We 08:00-17:00", "2026-11-24T10:00", "no", "closed", "2026-11-25T08:00"),
        (
            "Mo-Fr 08:00-12:00 , 13:00-17:00",
            "2026-11-21T14:00",
            "no",
            "closed",
            "2026-11-23T08:00",
        ),
        ("Feb,Nov Th[3] 08:00-17:00", "2026-11-19T10:00", "yes", "open", "2026-11-19T17:00"),
        ("Feb,Nov Th[3] 08:00-17:00", "2026-02-10T10:00", "no", "closed", None),
        ("Mo-Fr 08:00+", "2026-11-20T10:00", "unknown", "hours_conditional", "2026-11-21T00:00"),
        ("Mo-Fr 08:00+", "2026-11-20T07:00", "no", "closed", "2026-11-20T08:00"),
        # A remark is not rewritten.
        (
            'Mo-Fr 08:00-17:00 open "Mo, Tu side door"',
            "2026-11-23T18:00",
            "no",
            "closed",
            "2026-11-24T08:00",
        ),
        # Holidays that the hours mention.
        (f"{OFFICE}; PH off", "2026-10-01T10:00", "no", "closed", "2026-10-08T08:00"),
        (f"{OFFICE}; PH off", "2026-10-08T10:00", "yes", "open", "2026-10-08T17:00"),
        (f"{OFFICE}; PH off", "2026-09-30T10:00", "yes", "open", "2026-09-30T17:00"),
        (f"{OFFICE}, PH off", "2026-10-01T10:00", "no", "closed", "2026-10-08T08:00"),
        ("Mo-Fr,PH 08:00-17:00", "2026-10-03T10:00", "yes", "open", "2026-10-03T17:00"),
        ("PH,Su 10:00-12:00", "2026-10-01T11:00", "yes", "open", "2026-10-01T12:00"),
        ("PH 10:00-12:00", "2026-11-20T11:00", "no", "closed", None),
        ("Mo-Su 08:00-20:00; PH off", "2026-10-01T03:00", "no", "closed", None),
        # Who says it first hardly wants it overridden; the grammar says it is: nobody can tell.
        (f"PH off; {OFFICE}", "2026-10-01T10:00", "unknown", "holiday_unclear", "2026-10-01T17:00"),
        # Holidays that the hours do not mention.
        (OFFICE, "2026-10-01T10:00", "unknown", "holiday_unclear", "2026-10-01T17:00"),
        (OFFICE, "2026-10-01T20:00", "no", "closed", "2026-10-02T08:00"),
        ("Mo-Su 08:00-17:00", "2026-10-01T10:00", "yes", "open", "2026-10-01T17:00"),
        (OFFICE, "2026-09-30T17:00", "no", "closed", "2026-10-01T08:00"),
        # A Saturday that is worked.
        (OFFICE, "2026-10-10T10:00", "unknown", "holiday_unclear", "2026-10-10T17:00"),
        (OFFICE, "2026-10-10T18:00", "no", "closed", "2026-10-12T08:00"),
        (f"{OFFICE}; PH off", "2026-10-10T10:00", "unknown", "holiday_unclear", "2026-10-10T17:00"),
        # School holidays.
        (f"{OFFICE}; SH off", "2026-11-20T10:00", "unknown", "holiday_unclear", "2026-11-20T17:00"),
        (f"{OFFICE}; SH off", "2026-11-20T20:00", "no", "closed", "2026-11-23T08:00"),
        # Conditions and what no machine reads.
        ('"by appointment"', "2026-11-20T10:00", "unknown", "hours_conditional", None),
        (
            f'{OFFICE} "ring"',
            "2026-11-20T10:00",
            "unknown",
            "hours_conditional",
            "2026-11-20T17:00",
        ),
        (f'{OFFICE} open "ring"', "2026-11-20T10:00", "yes", "open", "2026-11-20T17:00"),
        (
            f"{OFFICE} unknown",
            "2026-11-20T10:00",
            "unknown",
            "hours_conditional",
            "2026-11-20T17:00",
        ),
        ("24小时", "2026-11-20T10:00", "unknown", "hours_unreadable", None),
        ("工作日 8:00-17:00", "2026-11-20T10:00", "unknown", "hours_unreadable", None),
        ("対応不可", "2026-11-20T10:00", "unknown", "hours_unreadable", None),
        ("PH -1 day off", "2026-11-20T10:00", "unknown", "hours_unreadable", None),
        ("sunrise-sunset", "2026-11-20T10:00", "unknown", "hours_unreadable", None),
        ("  ", "2026-11-20T10:00", "unknown", "hours_missing", None),
        (None, "2026-11-20T10:00", "unknown", "hours_missing", None),
    ],
)
def test_HRS_5_hours_are_judged_at_a_moment(
    hours: str | None, at: str, state: str, reason: str, until: str | None
) -> None:
    found = judge(hours, at)
    assert (found.state, found.reason, local(found.until)) == (state, reason, until)


@pytest.mark.parametrize(
    ("access", "hours", "state", "reason"),
    [
        ("private", "24/7", "no", "access_private"),
        ("private", None, "no", "access_private"),
        ("staff", "24/7", "unknown", "access_staff"),
        ("members", OFFICE, "unknown", "access_members"),
        ("staff", "closed", "no", "closed"),
        ("unknown", "24/7", "yes", "always_open"),
        ("unknown", None, "unknown", "hours_missing"),
        ("public", OFFICE, "yes", "open"),
    ],
)
def test_access_limits_what_the_hours_allow(
    access: str, hours: str | None, state: str, reason: str
) -> None:
    found = judge(hours, "2026-11-20T10:00", access=access)
    assert (found.state, found.reason) == (state, reason)


def test_HRS_5_prose_in_place_of_hours_is_unknown() -> None:
    found = judge(None, "2026-11-20T10:00", note="上班时间")
    assert found == Hours(Usable.UNKNOWN, Reason.HOURS_UNREADABLE)


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    utc = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)  # 16:30 in Shanghai
    found = access_hours.state_at(OFFICE, None, "public", utc, tz=SHANGHAI, holidays=holidays.CHINA)
    assert found.state is Usable.YES
    assert found.until == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_the_clock_change_does_not_move_the_hours() -> None:
    paris = ZoneInfo("Europe/Paris")  # 29 March 2026: 02:00 becomes 03:00
    for hour, state in ((7, Usable.NO), (8, Usable.YES)):
        at = datetime(2026, 3, 29, hour, 30, tzinfo=paris)
        found = access_hours.state_at(
            "Mo-Su 08:00-20:00", None, "public", at, tz=paris, holidays=Holidays()
        )
        assert found.state is state


@pytest.mark.parametrize(
    ("hours", "at", "state"),
    [
        # The sun rises at 4:51 and sets at 19:01 over Shanghai on 21 June.
        ("sunrise-sunset", "2026-06-21T04:30", Usable.NO),
        ("sunrise-sunset", "2026-06-21T05:30", Usable.YES),
        ("sunrise-sunset", "2026-06-21T18:45", Usable.YES),
        ("sunrise-sunset", "2026-06-21T19:30", Usable.NO),
        ("(sunrise+01:00)-(sunset-01:00)", "2026-06-21T05:30", Usable.NO),
        ("sunset-sunrise", "2026-06-21T03:00", Usable.YES),
        ("Mo-Fr sunrise-sunset", "2026-06-21T12:00", Usable.NO),
        ("sunrise-sunset", "2026-12-21T05:30", Usable.NO),
    ],
)
def test_HRS_5_hours_that_follow_the_sun_need_a_place(hours: str, at: str, state: Usable) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    found = access_hours.state_at(
        hours, None, "public", moment,
        tz=SHANGHAI, holidays=Holidays(), coordinates=(121.47, 31.23),
    )  # fmt: skip
    assert found.state is state


@given(
    hours=st.sampled_from(
        [OFFICE, f"{OFFICE}; PH off", "Fr 22:00-06:00", "Mo-Fr,PH 10:00-12:00; Sa off", "24/7",
         "PH off; Mo-Su 07:00-23:00", f"{OFFICE}; SH off", "Mo-Su 08:00-12:00,14:00-26:00"]
    ),
    minutes=st.integers(0, 2 * 366 * 24 * 60),
)  # fmt: skip
def test_until_is_the_first_moment_of_another_state(hours: str, minutes: int) -> None:
    at = datetime(2025, 12, 1, tzinfo=SHANGHAI) + timedelta(minutes=minutes)
    found = judge(hours, at.replace(tzinfo=None).isoformat())
    end = found.until or at + timedelta(days=6, hours=23)
    # Every quarter of an hour until then the state is the same, and then it is another.
    steps = int((end - at) / timedelta(minutes=15))
    for n in range(0, steps, 7):
        between = at + n * timedelta(minutes=15)
        assert judge(hours, between.replace(tzinfo=None).isoformat()).state is found.state
    if found.until is not None:
        after = found.until.astimezone(SHANGHAI).replace(tzinfo=None)
        assert judge(hours, after.isoformat()).state is not found.state


def test_china_knows_days_off_and_days_worked_in_return() -> None:
    assert holidays.of(Position(114.3, 30.6), year=2026) is holidays.CHINA
    assert date(2026, 10, 7) in holidays.CHINA.off
    assert date(2026, 10, 8) not in holidays.CHINA.off
    assert date(2026, 9, 20) in holidays.CHINA.work
    assert not holidays.CHINA.off & holidays.CHINA.work
    assert all(day.isoweekday() > 5 for day in holidays.CHINA.work)


def test_elsewhere_the_calendar_is_the_country_s() -> None:
    monaco = holidays.of(Position(7.42, 43.73), year=2026)
    assert date(2026, 11, 19) in monaco.off  # the Prince's day
    assert holidays.of(Position(-30.0, 40.0), year=2026) == Holidays()  # at sea
