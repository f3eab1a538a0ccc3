"""What is broken, by what the parts of a process say; no waiting, no servers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from realtime import watch
from realtime.watch import Fault, Kind, Register, Signs

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WELL = Signs(
    time=100, awake_since=0, look_began_at=99.0, looked_at=99.1, deaf_since=None, unstored=0,
    unheard=0, skew_s=0.3,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        ({}, []),
        # A tailer that has stopped looks no more; one whose look hangs waits for the database.
        ({"look_began_at": 95.9, "looked_at": 96.0}, [Kind.FAN_OUT]),
        ({"look_began_at": 97.0, "looked_at": 96.0}, [Kind.DATABASE]),
        ({"unheard": 1}, []),
        ({"unheard": 2}, [Kind.FAN_OUT]),
        ({"unstored": 1}, []),
        ({"unstored": 2}, [Kind.DATABASE]),
        ({"deaf_since": 95.0}, []),
        ({"deaf_since": 91.0}, [Kind.HINTS]),
        ({"skew_s": 2.0}, []),
        ({"skew_s": -7200.0}, [Kind.CLOCK]),
    ],
)
def test_WAT_3_each_broken_link_has_its_name(changed: dict[str, float], kinds: list[Kind]) -> None:
    found = watch.judge(replace(WELL, **changed), apart_s=2.0)
    assert [fault.kind for fault in found] == kinds


def test_a_process_that_has_just_begun_is_given_time() -> None:
    young = replace(WELL, time=3.0, awake_since=1.0, look_began_at=0.0, looked_at=0.0)
    assert watch.judge(young, apart_s=2.0) == []
    assert watch.judge(replace(young, time=5.0), apart_s=2.0) == [Fault(Kind.FAN_OUT)]


def test_WAT_4_a_trouble_keeps_its_beginning_and_ends_by_itself() -> None:
    register = Register()
    sms, clock = Fault(Kind.CHANNEL, "sms"), Fault(Kind.CLOCK, seconds=7)
    began = NOW - timedelta(seconds=9)
    [first] = register.note([sms], now=NOW)
    later = NOW + timedelta(seconds=5)
    both = register.note([clock, replace(sms, since=began)], now=later)
    assert [(one.fault.kind, one.since) for one in both] == [
        (Kind.CHANNEL, first.since), (Kind.CLOCK, later),
    ]  # fmt: skip
    assert register.note([], now=later) == []
    [again] = register.note([replace(sms, since=began)], now=later)
    assert again.out() == {"kind": "channel", "since": began, "subject": "sms"}


def test_the_gravest_comes_first() -> None:
    kinds = [Kind.CLOCK, Kind.OUTBOX, Kind.DATABASE, Kind.WORKER]
    found = Register().note([Fault(kind) for kind in kinds], now=NOW)
    assert [one.fault.kind for one in found] == [
        Kind.DATABASE, Kind.WORKER, Kind.OUTBOX, Kind.CLOCK,
    ]  # fmt: skip
