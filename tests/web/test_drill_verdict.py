"""The judge of a drill finds what it is there to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from geo.position import Position
from web.drill import verdict
from web.drill.journal import Journal, Showing
from web.drill.walk import Line

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def alert(name: str = "a", *, sent: float = 10, ended: float = 70) -> verdict.SentAlert:
    return verdict.SentAlert(name, "phone", at(sent), at(ended), "accepted")


def journal(*spans: tuple[float, float | None]) -> Journal:
    made = Journal()
    for start, end in spans:
        made.note_connected(at(start))
        if end is not None:
            made.note_lost(at(end))
    return made


@pytest.mark.parametrize(
    ("spans", "is_lost"),
    [
        ([(0, None)], True),
        ([(0, 5)], False),
        ([(0, 5), (60, 65)], True),
        ([(71, None)], False),
        ([(0, 12)], True),
        ([], False),
    ],
)
def test_DRL_1_an_alert_is_lost_when_its_phone_was_connected_in_time_and_never_got_it(
    spans: list[tuple[float, float | None]], *, is_lost: bool
) -> None:
    assert bool(verdict.lost([alert()], {"phone": journal(*spans)})) is is_lost


def test_DRL_1_an_alert_in_the_journal_is_not_lost_however_late() -> None:
    kept = journal((0, None))
    kept.receive("a", at(3_600))
    assert verdict.lost([alert()], {"phone": kept}) == []


def test_DRL_1_phones_outside_the_drill_are_not_judged() -> None:
    assert verdict.lost([alert()], {}) == []


def test_DRL_2_ringing_twice_for_one_incident_is_a_duplicate_whatever_the_alert_is_called() -> None:
    kept = journal((0, None))
    assert kept.show(Showing("a", 1, "incident"))
    assert not kept.show(Showing("a", 1, "incident"))
    assert kept.shown_twice() == []
    assert kept.show(Showing("b", 1, "incident"))
    assert kept.shown_twice() == ["incident"]


def test_DRL_3_latency_counts_only_phones_that_were_connected_all_the_while() -> None:
    steady, broken = journal((0, None)), journal((0, 11), (20, None))
    steady.receive("a", at(10.25))
    broken.receive("b", at(20.5))
    alerts = [alert(), verdict.SentAlert("b", "broken", at(10), at(70), "accepted")]
    found = verdict.latency(alerts, {"phone": steady, "broken": broken})
    assert (found.p50, found.max) == (250.0, 250.0)


def test_DRL_3_percentiles_are_nearest_rank() -> None:
    kept = journal((0, None))
    alerts = [alert(str(number)) for number in range(100)]
    for number in range(100):
        kept.receive(str(number), at(10 + (number + 1) / 1000))
    found = verdict.latency(alerts, {"phone": kept})
    assert (found.p50, found.p95, found.p99, found.max) == (50.0, 95.0, 99.0, 100.0)


def test_a_walker_is_where_the_metres_say() -> None:
    line = Line.through([Position(7.42, 43.73), Position(7.42, 43.74), Position(7.43, 43.74)])
    assert line.at(0) == Position(7.42, 43.73)
    halfway = line.at(line.pieces_m[0] / 2)
    assert (halfway.lon, round(halfway.lat, 6)) == (7.42, 43.735)
    assert line.at(line.length_m + 1) == Position(7.43, 43.74)
