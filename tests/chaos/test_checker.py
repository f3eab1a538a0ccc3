"""Each invariant accepts a small good run and finds the one thing that is wrong in a bad one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos import checker, rivals
from tests.chaos.history import FAIL, INFO, INVOKE, NEMESIS, NET, OK, Row
from tests.chaos.run import Limits, Run

Rows = list[Row]
Final = dict[str, Any]
Spoil = Callable[[Rows, Final], None]

INCIDENT, ALERT, OTHER_ALERT = "incident-1", "alert-a", "alert-b"
PHONE, OTHER = "phone-ann", "phone-bob"
TOPIC = "person:ann"


def _row(t: float, p: str, kind: str, f: str, key: str | None = None, /, **v: Any) -> Row:
    return Row(t, p, kind, f, key, v)


def _at(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).isoformat()


def _request(t: float, f: str, key: str, kind: str = OK, /, **more: Any) -> Rows:
    said = {"app": 0, "try": 0, **{k: v for k, v in more.items() if k not in {"body", "answer"}}}
    end = {"ms": 20.0, "answer": more.get("answer", {})} if kind == OK else {"ms": 20.0}
    p = PHONE if f == "accept" else "operator-0"
    return [
        _row(t, p, INVOKE, f, key, **said, body=more.get("body", {})),
        _row(t + 0.02, p, kind, f, key, **said | end),
    ]


def _frame(t: float, kind: str, /, **v: Any) -> Row:
    return _row(t, PHONE, NET, "frame", v.get("topic"), type=kind, app=0, **v)


def _good() -> tuple[Rows, Final]:
    """One alarm that asks Ann and Bob: Ann accepts, Bob declines; an operator corrects, closes."""
    answer = {
        "id": INCIDENT,
        "number": "7",
        "kind": "trauma",
        "severity": 1,
        "address": "TAINT-address-1",
    }
    expected = {"incident": INCIDENT, "cell": 0, "expected": ["ann", "bob"]}
    mine = {"incident": INCIDENT, "alert": ALERT, "who": "ann"}
    rows = [
        _row(1, PHONE, NET, "connected", app=0),
        _row(1, OTHER, NET, "connected", app=1),
        _frame(1, "welcome", topics={TOPIC: {"epoch": "e", "seq": "1", "recovered": False}}),
        _frame(1.1, "snapshot", topic=TOPIC, epoch="e", seq="1"),
        *_request(10, "create", "create-1", answer=answer),
        *_request(10.2, "alert", "alert-1", **expected),
        _frame(10.3, "event", topic=TOPIC, epoch="e", seq="2", kind="alert_sent"),
        _row(10.3, PHONE, OK, "received", ALERT, who="ann"),
        _row(10.3, PHONE, OK, "shown", ALERT, revision=1, who="ann", incident=INCIDENT),
        _row(10.3, OTHER, OK, "received", OTHER_ALERT, who="bob"),
        _row(10.3, OTHER, OK, "shown", OTHER_ALERT, revision=1, who="bob", incident=INCIDENT),
        _row(10.5, PHONE, OK, "ack", ALERT, level="received"),
        _frame(11, "heartbeat", topics={TOPIC: "2"}),
        *_request(12, "accept", f"{ALERT}/accept/0", **mine),
        _row(12.1, PHONE, OK, "cleared", ALERT, who="ann"),
        _row(12.3, PHONE, NET, "markers", None, found=["TAINT-address-1"]),
        *_request(12.5, "decline", f"{OTHER_ALERT}/decline/0"),
        _row(12.6, OTHER, OK, "cleared", OTHER_ALERT, who="bob"),
        *_request(13, "edit", "edit-1-0-0", incident=INCIDENT, on=3, body={"note": "n"},
                  answer={"version": 4}),
        *_request(20, "close", "close-1", **expected),
        _row(30, "operators", NET, "left_open", count=0),
    ]  # fmt: skip
    return rows, _final()


def _final() -> Final:
    def alert(alert_id: str, who: str, status: str, answered: float) -> dict[str, Any]:
        return {
            "id": alert_id, "incident_id": INCIDENT, "responder_id": who, "status": status,
            "revision": 1, "notified_at": _at(10.2), "expires_at": _at(50), "shown_at": _at(10.4),
            "delivered_at": _at(10.4), "answered_at": _at(answered), "stood_down_at": None,
        }  # fmt: skip

    process = {"app-0": {"pid": 1, "fds": 20, "rss": 100 << 20}}
    resources = {"processes": process, "connections": 5, "idle_in_transaction": 0,
                 "advisory_locks": 0, "waiting": 0}  # fmt: skip
    return {
        "wall_ahead_s": 0.0,
        "incidents": [
            {"id": INCIDENT, "number": "7", "kind": "trauma", "severity": 1, "status": "closed",
             "address": "TAINT-address-1", "note": "n", "version": 5, "closed_at": _at(20),
             "lon": 10.300217}
        ],
        "alerts": [
            alert(ALERT, "ann", "accepted", 12), alert(OTHER_ALERT, "bob", "declined", 12.5)
        ],
        "assignments": [
            {"id": "as", "alert_id": ALERT, "incident_id": INCIDENT, "status": "stood_down"}
        ],
        "lines": [
            {"incident_id": INCIDENT, "kind": kind, "subjects": subjects}
            for kind, subjects in (
                ("opened", []), ("wave_sent", [ALERT, OTHER_ALERT]), ("alert_accepted", [ALERT]),
            )
        ],
        "waves": [{"id": "w", "incident_id": INCIDENT, "number": 1}],
        "allocations": [{"incident_id": INCIDENT, "wave_id": "w"}],
        "screens": {PHONE: {"shown": {"alert": None}, "server": {"alert": None}}},
        "bad_lines": {},
        "resources": {"before": resources, "after": copy.deepcopy(resources)},
        "connections_most": 20,
        "doubts": [],
    }  # fmt: skip


def _drop(f: str, p: str | None = None, kind: str | None = None) -> Spoil:
    def spoil(rows: Rows, _final: Final) -> None:
        rows[:] = [
            r for r in rows if not (r.f == f and p in (None, r.p) and kind in (None, r.type))
        ]

    return spoil


def _add(*more: Row) -> Spoil:
    def spoil(rows: Rows, _final: Final) -> None:
        rows.extend(more)
        rows.sort(key=lambda row: row.t)

    return spoil


def _change(table: str, column: str, value: Any, *, number: int = 0) -> Spoil:
    def spoil(_rows: Rows, final: Final) -> None:
        final[table][number][column] = value

    return spoil


def _forget(table: str, number: int = 0) -> Spoil:
    def spoil(_rows: Rows, final: Final) -> None:
        del final[table][number]

    return spoil


def _set(path: str, value: Any) -> Spoil:
    def spoil(_rows: Rows, final: Final) -> None:
        *way, last = path.split("/")
        at = final
        for name in way:
            at = at[name]
        at[last] = value

    return spoil


def _both(*spoils: Spoil) -> Spoil:
    def spoil(rows: Rows, final: Final) -> None:
        for one in spoils:
            one(rows, final)

    return spoil


_SECOND = {"id": "incident-2", "number": "8", "kind": "trauma", "severity": 1, "status": "closed",
           "note": None, "version": 1, "closed_at": _at(20), "lon": 11.0}  # fmt: skip


def _second(address: str) -> Spoil:
    def spoil(_rows: Rows, final: Final) -> None:
        final["incidents"].append({**_SECOND, "address": address})

    return spoil


def _late(rows: Rows, _final: Final) -> None:
    """Let everything reach Ann's screen 17 s later."""
    rows[:] = [
        replace(row, t=row.t + 17) if row.f in {"received", "shown"} and row.p == PHONE else row
        for row in rows
    ]


_MINE = {"incident": INCIDENT, "alert": ALERT, "who": "ann"}
_SHOWN = _row(15, PHONE, OK, "shown", ALERT, revision=1, who="ann", incident=INCIDENT)
_LATE = {"incident": INCIDENT, "who": "ann", "revision": 2}

#: What is wrong, and which invariant must say so.
BAD: list[tuple[str, str, Spoil]] = [
    ("INV-1", "an accepted incident is gone", _forget("incidents")),
    ("INV-1", "another address than was answered", _change("incidents", "severity", 2)),
    ("INV-1", "closed by the answer, and not closed", _change("incidents", "status", "alerting")),
    ("INV-2", "an incident that nobody asked for", _second("TAINT-address-9")),
    ("INV-2", "an incident that was refused", _both(
        _second("TAINT-address-2"), _add(*_request(9, "create", "create-2", FAIL)))),
    ("INV-3", "one key, two incidents", _second("TAINT-address-1")),
    ("INV-3", "one number twice", _both(
        _second("TAINT-address-2"), _add(*_request(9, "create", "create-2", INFO)),
        _change("incidents", "number", "7", number=1))),
    ("INV-4", "one of two was not asked", _forget("alerts", 1)),
    ("INV-4", "somebody else was asked", _change("alerts", "responder_id", "eve", number=1)),
    ("INV-5", "never shown though connected", _both(
        _drop("shown", OTHER), _change("alerts", "answered_at", None, number=1))),
    ("INV-5", "shown twice", _add(_SHOWN)),
    ("INV-6", "shown to somebody else", _add(
        _row(11, "phone-eve", OK, "shown", ALERT, revision=1, who="eve", incident=INCIDENT))),
    ("INV-7", "shown long after its end", _add(_row(29, PHONE, OK, "shown", ALERT, **_LATE))),
    ("INV-7", "not taken off the screen", _drop("cleared", PHONE)),
    ("INV-8", "an alert that never ended", _change("alerts", "status", "seen")),
    ("INV-8", "a confirmed ack is not there", _change("alerts", "delivered_at", None)),
    ("INV-9", "a gap", _add(_frame(14, "event", topic=TOPIC, epoch="e", seq="4"))),
    ("INV-9", "a repeat that is not marked", _add(
        _frame(14, "event", topic=TOPIC, epoch="e", seq="2"))),
    ("INV-9", "a replay from before what the hello said", _add(
        _row(14, PHONE, NET, "hello", via="socket", topics={TOPIC: {"epoch": "e", "seq": "2"}}),
        _frame(14.1, "welcome", via="socket",
               topics={TOPIC: {"epoch": "e", "seq": "2", "recovered": True}}),
        _frame(14.2, "event", topic=TOPIC, epoch="e", seq="2"))),
    ("INV-9", "a heartbeat ahead of the wire", _add(_frame(14, "heartbeat", topics={TOPIC: "5"}))),
    ("INV-9", "an event instead of the snapshot", _add(
        _frame(14, "welcome", topics={TOPIC: {"epoch": "e", "seq": "9", "recovered": False}}),
        _frame(14.1, "event", topic=TOPIC, epoch="e", seq="3"))),
    ("INV-10", "a screen that shows something else", _set(f"screens/{PHONE}/shown", {"alert": {}})),
    ("INV-11", "more than are wanted", lambda _rows, final: final["assignments"].extend(
        [{"id": n, "alert_id": n, "incident_id": INCIDENT, "status": "x"} for n in "xy"])),
    ("INV-11", "an accept that is not in the roster", _forget("assignments")),
    ("INV-11", "a refusal as covered with nobody inside", _both(
        _drop("accept"), _forget("assignments"),
        _add(*_request(12, "accept", "c", FAIL, **_MINE, state={"reason": "covered"})))),
    ("INV-12", "two corrections of one version", _add(
        *_request(13, "edit", "edit-1-1-0", incident=INCIDENT, on=3, body={"note": "m"},
                  answer={"version": 4}))),
    ("INV-12", "a correction that is lost", _change("incidents", "note", "old")),
    ("INV-12", "a version that goes back", _add(
        *(_row(14 + n, "console-0", NET, "frame", None, type="event", topic="org:alpha",
               epoch="e", seq=str(n), version=version, incident=INCIDENT)
          for n, version in enumerate((3, 2))))),
    ("INV-13", "slow without a reason", _both(_late, _add(
        _row(8, "nemesis", NEMESIS, "begin", "N5", redis=True),
        _row(11, "nemesis", NEMESIS, "end", "N5", redis=True)))),
    ("INV-14", "a request that hung", _add(
        _row(19, "operator-0", INFO, "read", "r", app=0, ms=9_000.0, **{"try": 0}))),
    ("INV-15", "a session idles in a transaction", _set("resources/after/idle_in_transaction", 1)),
    ("INV-15", "memory that is kept", _set("resources/after/processes/app-0/rss", 200 << 20)),
    ("INV-16", "a process that ended by itself", _add(
        _row(14, "app-0", NET, "ended_by_itself", status=1))),
    ("INV-16", "a log that tells of a fault", _set("bad_lines", {"app-0": ["was never awaited"]})),
    ("INV-16", "nonsense that was too much", _add(
        _row(14, "nemesis", NET, "bad_body", "3", status=500))),
    ("INV-17", "an address before the accept", _add(
        _row(11, PHONE, NET, "markers", None, found=["TAINT-address-1"]))),
    ("INV-17", "anything to a stranger", _add(
        _row(25, "stranger", NET, "markers", None, found=["TAINT-note-1"]))),
    ("INV-17", "anything after a revocation", _add(
        _row(11, "nemesis", NEMESIS, "revoked"),
        _row(18, "revoked", NET, "markers", None, found=["TAINT-note-1"]))),
    ("INV-17", "the exact place before the accept", _add(
        _row(11, PHONE, NET, "markers", None, found=["10.300217"]))),
    ("INV-19", "a wave without its decision", _forget("allocations")),
    ("INV-19", "a line twice", lambda _rows, final: final["lines"].append(final["lines"][2])),
]  # fmt: skip


def test_CHA_1_every_invariant_accepts_the_good_run() -> None:
    rows, final = _good()
    verdict = checker.judge(Run(rows, final))
    assert verdict.found == ()
    # One incident proves nothing, and the checker says so.
    assert verdict.valid is None
    assert verdict.doubts == ("only 1 incidents were accepted",)


@pytest.mark.parametrize(("invariant", "text", "spoil"), BAD, ids=[f"{i} {t}" for i, t, _ in BAD])
def test_CHA_1_every_invariant_finds_what_is_wrong(invariant: str, text: str, spoil: Spoil) -> None:
    rows, final = _good()
    spoil(rows, final)
    found = checker.INVARIANTS[invariant](Run(rows, final))
    assert found, text
    assert {one.invariant for one in found} == {invariant}


def test_CHA_1_every_invariant_has_a_bad_run() -> None:
    assert set(checker.INVARIANTS) - {invariant for invariant, _, _ in BAD} == {"INV-20"}


def test_CHA_1_availability_counts_alarms_that_somebody_saw_in_time() -> None:
    rows, final = _good()
    for number in range(40):
        t = 40 + number
        rows += _request(t, "alert", f"alert-x{number}", incident=f"x{number}", expected=["ann"])
        if number < 20:
            rows.append(_row(t + 1, PHONE, OK, "shown", f"x{number}", revision=1, who="ann",
                             incident=f"x{number}"))  # fmt: skip
    assert checker.INVARIANTS["INV-20"](Run(rows, final))


def test_CHA_1_a_socket_that_takes_over_from_polls_may_bring_again_what_they_brought() -> None:
    rows, final = _good()
    rows += [
        _row(50, PHONE, NET, "hello", via="socket", topics={TOPIC: {"epoch": "e", "seq": "1"}}),
        _frame(
            50.1, "welcome", via="socket",
            topics={TOPIC: {"epoch": "e", "seq": "3", "recovered": True}},
        ),
        *(_frame(50.2, "event", topic=TOPIC, epoch="e", seq=seq) for seq in "23"),
    ]  # fmt: skip
    assert not checker.INVARIANTS["INV-9"](Run(rows, final))


def test_CHA_2_a_fault_on_the_way_excuses_a_phone_and_redis_does_not() -> None:
    for scope, excused in (({"apps": [1]}, True), ({"redis": True}, False), ({"apps": [0]}, False)):
        rows, final = _good()
        _drop("shown", OTHER)(rows, final)
        _change("alerts", "answered_at", None, number=1)(rows, final)
        _add(
            _row(9, "nemesis", NEMESIS, "begin", "N8", **scope),
            _row(21, "nemesis", NEMESIS, "end", "N8", **scope),
        )(rows, final)
        assert bool(checker.INVARIANTS["INV-5"](Run(rows, final))) is not excused


def test_CHA_2_patience_multiplies_the_limits() -> None:
    rows, final = _good()
    _add(_row(19, "operator-0", INFO, "read", "r", app=0, ms=9_000.0, **{"try": 0}))(rows, final)
    assert checker.INVARIANTS["INV-14"](Run(rows, final))
    assert not checker.INVARIANTS["INV-14"](Run(rows, final, Limits(patience=2)))


INF = float("inf")


@pytest.mark.parametrize(
    ("operations", "explained"),
    [
        ([(0, 1, "a", OK), (0, 1, "b", OK)], True),
        ([(0, 1, "a", OK), (0, 1, "b", OK), (0, 1, "c", OK)], False),
        ([(0, 1, "a", OK), (0, 1, "b", OK), (0, 1, "c", FAIL)], True),
        # Refused before the second went in: nobody was covering.
        ([(0, 1, "a", OK), (2, 3, "c", FAIL), (4, 5, "b", OK)], False),
        # The lost reply of another explains it.
        ([(0, 1, "a", OK), (0, INF, "b", INFO), (2, 3, "c", FAIL)], True),
        # Twice the same is once.
        ([(0, 1, "a", OK), (2, 3, "a", OK), (4, 5, "b", OK)], True),
    ],
)
def test_CHA_3_rival_answers_have_an_order_that_explains_them(
    operations: list[rivals.Op], explained: bool
) -> None:
    assert rivals.is_linearizable(operations, 2) is explained
