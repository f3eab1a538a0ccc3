"""Figures, limits, and what is read from a history."""

from __future__ import annotations

import math

import pytest

from tests.chaos.history import INFO, INVOKE, NET, OK, Row
from tests.chaos.promises import figures, measures
from tests.chaos.promises.program import PROMISES


def _row(t: float, p: str, kind: str, f: str, key: str | None = None, **v: object) -> Row:
    return Row(t, p, kind, f, key, v)


def test_PRO_3_a_promise_is_kept_when_every_figure_is() -> None:
    right = [figures.seconds("a", [1.0, 2.0], 2.0), figures.count("b", 0)]
    assert figures.Shown("P0", "…", right).is_kept
    wrong = figures.Shown("P0", "…", [*right, figures.least("c", 1, 2)])
    assert not wrong.is_kept
    assert "NOT MET" in wrong.table()
    assert not figures.Shown("P0", "nothing was measured").is_kept


@pytest.mark.parametrize("value", [None, math.inf, math.nan])
def test_PRO_3_what_was_not_measured_or_never_came_is_not_met(value: float | None) -> None:
    one = figures.Figure("a", value, 1.0)
    assert not one.is_met()
    line = figures.Shown("P0", "…", [one]).line()
    assert line["figures"][0]["value"] is None
    assert line["met"] is False


def test_PRO_3_patience_stretches_limits_of_time_alone() -> None:
    assert figures.seconds("a", [3.0], 2.0).is_met(patience=2.0)
    assert not figures.count("b", 1).is_met(patience=2.0)


def test_PRO_3_a_quantile_is_one_of_the_values() -> None:
    assert figures.quantile([], 0.5) is None
    assert figures.quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert figures.quantile(list(range(1, 101)), 0.99) == 99


def test_PRO_3_a_delivery_counts_from_the_first_2xx() -> None:
    rows = [
        _row(1.0, "operator-0", INVOKE, "alert", "k", incident="i"),
        _row(1.5, "operator-0", OK, "alert", "k", incident="i"),
        _row(1.7, "phone-7", OK, "shown", "a", incident="i"),
        _row(2.0, "operator-0", OK, "alert", "k", incident="i"),
    ]
    (one,) = measures.deliveries(rows)
    assert one.took_s == pytest.approx(0.2)
    assert measures.within([one], (1.4, 1.6)) == [one]
    assert measures.within([one], (1.6, 1.9)) == []


def test_PRO_3_devices_and_requests_are_read_from_the_history() -> None:
    rows = [
        _row(1.0, "phone-1", NET, "connected", app=0),
        _row(1.0, "phone-2", NET, "connected", app=1),
        _row(2.0, "phone-1", NET, "lost", code=1012),
        _row(2.5, "operator-0", INVOKE, "create", "k"),
        _row(3.0, "operator-0", INFO, "create", "k", ms=500.0, status=503),
        _row(3.5, "phone-1", NET, "connected", app=1),
    ]
    assert measures.connected_to(rows, 1.5) == {"phone-1": 0, "phone-2": 1}
    assert measures.connected_to(rows, 2.2) == {"phone-2": 1}
    assert list(measures.back_after(rows, ["phone-1", "phone-3"], 2.0)) == [1.5, math.inf]
    assert [row.v["code"] for row in measures.lost(rows, (0.0, 9.0))] == [1012]
    assert len(measures.unanswered(measures.requests(rows, "create", (2.4, 2.6)))) == 1
    assert measures.requests(rows, "create", (2.6, 9.0)) == []


def test_PRO_3_every_promise_that_is_asked_for_has_a_command() -> None:
    asked = {3, 4, *range(7, 16), *range(17, 21)}
    assert set(PROMISES) == {f"P{number}" for number in asked}
