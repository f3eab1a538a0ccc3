"""Usable only when certain, unknown when in doubt, and an end to every answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from geo import trust, usability
from geo.trust import Trust
from geo.usability import Access, Conditions, Reason, Status, Usable

DAY = timedelta(days=1)


def conditions(**changes: object) -> Conditions:
    said: dict[str, object] = {
        "status": Status.IN_SERVICE, "access": Access.PUBLIC, "hours": "24/7", "hours_note": None,
        "time_zone": "Europe/Monaco", "is_suspect": False, "lon": 7.4, "lat": 43.7,
        **changes,
    }  # fmt: skip
    return Conditions(**said)  # type: ignore[arg-type]  # a table of test values


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({}, Usable.YES, Reason.ALWAYS_OPEN),
        ({"hours": "Su 09:00-10:00"}, Usable.YES, Reason.OPEN),
        ({"hours": "Mo-Sa 09:00-10:00"}, Usable.NO, Reason.CLOSED),
        ({"hours": None}, Usable.UNKNOWN, Reason.HOURS_MISSING),
        ({"hours": None, "hours_note": "as the shop"}, Usable.UNKNOWN, Reason.HOURS_UNREADABLE),
        ({"hours": "sometimes"}, Usable.UNKNOWN, Reason.HOURS_UNREADABLE),
        ({"access": Access.UNKNOWN}, Usable.UNKNOWN, Reason.ACCESS_UNKNOWN),
        ({"access": Access.STAFF}, Usable.UNKNOWN, Reason.ACCESS_STAFF),
        ({"access": Access.MEMBERS}, Usable.UNKNOWN, Reason.ACCESS_MEMBERS),
        ({"access": Access.PRIVATE}, Usable.NO, Reason.ACCESS_PRIVATE),
        ({"is_suspect": True}, Usable.UNKNOWN, Reason.REPORTED),
        ({"is_suspect": True, "hours": "Mo 09:00-10:00"}, Usable.NO, Reason.CLOSED),
        ({"status": Status.OUT_OF_SERVICE}, Usable.NO, Reason.OUT_OF_SERVICE),
        ({"status": Status.WITHDRAWN}, Usable.NO, Reason.WITHDRAWN),
        ({"time_zone": "Nowhere/At_all"}, Usable.YES, Reason.ALWAYS_OPEN),
    ],
)
def test_AED_3_usable_with_its_reason(
    now: datetime, changes: dict[str, object], state: Usable, reason: Reason
) -> None:
    found = usability.judge(conditions(**changes), now)
    assert (found.state, found.reason) == (state, reason)


def test_AED_3_yes_needs_every_answer(now: datetime) -> None:
    hours = ("24/7", "Mo-Sa 09:00-10:00", None, "sometimes")
    for status, access, said, is_suspect in product(Status, Access, hours, (False, True)):
        found = usability.judge(
            conditions(status=status, access=access, hours=said, is_suspect=is_suspect), now
        )
        is_certain = (
            status is Status.IN_SERVICE
            and access is Access.PUBLIC
            and said == "24/7"
            and not is_suspect
        )
        assert (found.state is Usable.YES) == is_certain


def test_it_says_until_when(now: datetime) -> None:
    found = usability.judge(conditions(hours="Su 08:00-10:00"), now)
    assert found.until == now.replace(hour=9, minute=0)
    closed = usability.judge(conditions(hours="Mo 08:00-10:00"), now)
    assert closed.until == now.replace(day=23, hour=7, minute=0)


@dataclass(frozen=True)
class Row:
    """A device as a narrow row has it: verified yesterday, open day and night."""

    status: str = "in_service"
    access: str = "public"
    hours: str | None = "24/7"
    hours_note: str | None = None
    time_zone: str = "Asia/Shanghai"
    suspect_since: datetime | None = None
    taken_at: datetime | None = None
    closed_from: datetime | None = None
    closed_until: datetime | None = None
    pads_expire_on: date | None = None
    battery_expires_on: date | None = None
    verified_at: datetime | None = None
    check_every_days: int | None = None
    carrier: str | None = None
    moved_at: datetime | None = None
    lon: float = 114.3
    lat: float = 30.6


def test_the_row_names_every_column_that_decides() -> None:
    names = set(Row.__dataclass_fields__)
    assert names == {*usability.CONDITION_COLUMNS, "lon", "lat"}


#: By days and minutes from now: what the row says, what is answered, and how far it is believed.
_CASES: list[tuple[dict[str, object], Usable, Reason, Trust]] = [
    ({}, Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED),
    ({"verified_at": None}, Usable.YES, Reason.ALWAYS_OPEN, Trust.AGEING),
    ({"verified_at": -90}, Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED),
    ({"verified_at": -90.001}, Usable.YES, Reason.ALWAYS_OPEN, Trust.AGEING),
    ({"suspect_since": 0}, Usable.UNKNOWN, Reason.REPORTED, Trust.SUSPECT),
    ({"check_every_days": 30}, Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED),
    (
        {"check_every_days": 30, "verified_at": -30},
        Usable.UNKNOWN, Reason.CHECK_OVERDUE, Trust.SUSPECT,
    ),
    (
        {"check_every_days": 30, "verified_at": -29.999},
        Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED,
    ),
    (
        {"check_every_days": 30, "verified_at": None},
        Usable.UNKNOWN, Reason.CHECK_OVERDUE, Trust.SUSPECT,
    ),
    ({"carrier": "taxi"}, Usable.UNKNOWN, Reason.POSITION_OLD, Trust.SUSPECT),
    ({"carrier": "taxi", "moved_at": -1 / 48}, Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED),
    (
        {"carrier": "taxi", "moved_at": -1 / 47},
        Usable.UNKNOWN, Reason.POSITION_OLD, Trust.SUSPECT,
    ),
    ({"moved_at": -9}, Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED),
    ({"taken_at": 0}, Usable.NO, Reason.TAKEN, Trust.VERIFIED),
    ({"taken_at": 0, "suspect_since": 0}, Usable.NO, Reason.TAKEN, Trust.SUSPECT),
    ({"closed_from": -1}, Usable.NO, Reason.CLOSED_TEMPORARILY, Trust.VERIFIED),
    ({"closed_until": 1}, Usable.NO, Reason.CLOSED_TEMPORARILY, Trust.VERIFIED),
    ({"closed_from": -2, "closed_until": 0}, Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED),
    ({"closed_from": 1, "closed_until": 2}, Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED),
    ({"pads_expire_on": date(2026, 11, 21)}, Usable.NO, Reason.EXPIRED, Trust.DEAD),
    ({"battery_expires_on": date(2026, 11, 21)}, Usable.NO, Reason.EXPIRED, Trust.DEAD),
    ({"pads_expire_on": date(2026, 11, 22)}, Usable.YES, Reason.ALWAYS_OPEN, Trust.VERIFIED),
    ({"status": "out_of_service"}, Usable.NO, Reason.OUT_OF_SERVICE, Trust.DEAD),
    ({"hours": "off", "suspect_since": 0}, Usable.NO, Reason.CLOSED, Trust.SUSPECT),
]  # fmt: skip
_TIMES = {"verified_at", "suspect_since", "taken_at", "closed_from", "closed_until", "moved_at"}


def row(now: datetime, **said: object) -> Row:
    facts = {"verified_at": -1, **said}
    for name in _TIMES & facts.keys():
        if facts[name] is not None:
            facts[name] = now + DAY * facts[name]  # type: ignore[operator]  # days from now
    return Row(**facts)  # type: ignore[arg-type]  # a table of test values


@pytest.mark.parametrize(("said", "state", "reason"), [case[:3] for case in _CASES])
def test_AED_4_what_the_device_itself_says(
    now: datetime, said: dict[str, object], state: Usable, reason: Reason
) -> None:
    found = usability.judge(usability.conditions(row(now, **said)), now)
    assert (found.state, found.reason) == (state, reason)


@pytest.mark.parametrize(("said", "believed"), [(case[0], case[3]) for case in _CASES])
def test_AED_7_how_far_it_is_believed(
    now: datetime, said: dict[str, object], believed: Trust
) -> None:
    assert trust.of(row(now, **said), now) is believed


def test_AED_4_pads_are_good_until_the_midnight_of_the_place(now: datetime) -> None:
    device = Row(pads_expire_on=date(2026, 11, 22), verified_at=now)
    midnight = datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Shanghai"))
    before, after = midnight - timedelta(microseconds=1), midnight
    conditions = usability.conditions(device)
    assert usability.judge(conditions, before).reason is Reason.ALWAYS_OPEN
    assert usability.judge(conditions, before).until == midnight
    assert usability.judge(conditions, after).reason is Reason.EXPIRED
    assert (trust.of(device, before), trust.of(device, after)) == (Trust.VERIFIED, Trust.DEAD)


def test_AED_5_an_overdue_check_counts_from_that_minute_on(now: datetime) -> None:
    conditions = usability.conditions(row(now, check_every_days=5))
    judged = usability.judge(conditions, now)
    assert (judged.state, judged.until) == (Usable.YES, now + 4 * DAY)
    for minutes, state in ((-1, Usable.YES), (0, Usable.UNKNOWN), (1, Usable.UNKNOWN)):
        at = now + 4 * DAY + timedelta(minutes=minutes)
        assert usability.judge(conditions, at).state is state


def test_AED_6_an_answer_holds_until_it_says(now: datetime) -> None:
    """A week at steps of a quarter of an hour, for devices with much going on."""
    devices = [
        row(now, hours="Mo-Fr 08:00-18:00", closed_from=1.2, closed_until=2.7),
        row(now, hours="Mo-Su 20:00-04:00", pads_expire_on=date(2026, 11, 25)),
        row(now, hours="24/7", check_every_days=4, closed_from=3.5),
        row(now, hours="08:00-12:00,13:00-17:00", carrier="taxi", moved_at=0.01),
        row(now, hours=None, closed_until=2),
        row(now, suspect_since=0, hours="Mo,We 09:00-10:00"),
        row(now, access="staff", hours="Mo-Fr 08:00-18:00", check_every_days=6),
    ]
    for device in devices:
        conditions = usability.conditions(device)
        known = usability.judge(conditions, now)
        for step in range(4 * 24 * 6):
            at = now + step * timedelta(minutes=15)
            if known.until is not None and at >= known.until:
                before = usability.judge(conditions, known.until - timedelta(microseconds=1))
                assert before.state is known.state
                assert usability.judge(conditions, known.until).state is not known.state
                known = usability.judge(conditions, at)
            assert usability.judge(conditions, at).state is known.state, (device, at)


def test_devices_without_a_schedule_share_their_conditions(now: datetime) -> None:
    """Else every device of a city would be judged by itself, 168 times a week."""
    several = [row(now, verified_at=-days, moved_at=-days) for days in range(9)]
    assert len({usability.conditions(one) for one in several}) == 1
