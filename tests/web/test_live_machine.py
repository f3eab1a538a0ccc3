"""The client's decisions, held against scripted sessions that its twin in TypeScript plays too.

A step says what happens and when; `then` is what the client does, `wake` when it wants to be woken.
GOLDEN_WRITE=1 writes both anew from the Python twin; look at the difference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from web.drill import live_machine
from web.drill.live_machine import Machine
from web.drill.live_steps import Connect, Drop, Hear, Output, Poll, Send, State, Via

SESSIONS = Path(__file__).parent.parent / "golden" / "live" / "sessions.json"
Json = dict[str, Any]
_KNOWN: list[Json] = json.loads(SESSIONS.read_text(encoding="utf-8"))


def _machine(session: Json) -> Machine:
    chance: Iterator[float] = iter(session["random"])
    machine = Machine(session["cursors"], {"app": "test"}, lambda: next(chance))
    for topic, cursor in session["cursors"].items():
        if cursor is not None:
            machine.marks.cursors[topic] = (cursor["epoch"], int(cursor["seq"]))
    return machine


def _play(machine: Machine, step: Json) -> list[Json]:
    at = step["at"]
    happened: dict[str, Callable[[], list[Output]]] = {
        "start": lambda: machine.start(at),
        "stop": machine.stop,
        "opened": machine.opened,
        "heard": lambda: machine.heard(Via(step["via"]), step["frame"], at),
        "polled": lambda: machine.polled(at),
        "closed": lambda: machine.closed(Via(step["via"]), step["code"], at),
        "tick": lambda: machine.tick(at),
        "ack": lambda: machine.ack(step["alert"], step["level"], at),
        "listen": lambda: machine.listen(step["topics"], at),
    }
    return [_plain(output) for output in happened[step["do"]]()]


def _plain(output: Output) -> Json:
    match output:
        case Connect():
            return {"do": "connect"}
        case Drop(via):
            return {"do": "drop", "via": via.value}
        case Send(via, frame):
            return {"do": "send", "via": via.value, "frame": frame}
        case Poll(topics, wait_s):
            return {"do": "poll", "topics": dict(topics), "wait_s": wait_s}
        case Hear(frame):
            return {"do": "hear", "frame": frame}
        case State(phase):
            return {"do": "state", "phase": phase.value}


def _wake(machine: Machine) -> int | None:
    return None if machine.wake_at is None else int(machine.wake_at)


def _write() -> None:
    for session in _KNOWN:
        machine = _machine(session)
        for step in session["steps"]:
            step["then"] = _play(machine, step)
            step["wake"] = _wake(machine)
        session["ends"] = machine.marks.cursors_out()
    lines = []
    for session in _KNOWN:
        head = {name: session[name] for name in ("name", "cursors", "random", "ends")}
        steps = ",\n  ".join(json.dumps(step, ensure_ascii=False) for step in session["steps"])
        lines.append(f'{json.dumps(head, ensure_ascii=False)[:-1]}, "steps": [\n  {steps}]}}')
    SESSIONS.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if os.environ.get("GOLDEN_WRITE"):
    _write()


@pytest.mark.parametrize("session", _KNOWN, ids=lambda session: str(session["name"]))
def test_RT_14_the_client_does_what_the_session_says(session: Json) -> None:
    machine = _machine(session)
    for step in session["steps"]:
        assert _play(machine, step) == step["then"], step
        assert _wake(machine) == step["wake"], step
    assert machine.marks.cursors_out() == session["ends"]


def _outputs(name: str) -> list[Json]:
    session = next(session for session in _KNOWN if session["name"] == name)
    return [output for step in session["steps"] for output in step["then"]]


def test_RT_14_every_close_code_is_played() -> None:
    codes = {step.get("code") for session in _KNOWN for step in session["steps"]}
    assert codes >= live_machine.OWN_CLOSES


def test_RT_15_a_gap_that_stays_is_asked_for_once_and_then_a_snapshot() -> None:
    hellos = [
        output["frame"]["topics"]["org:a"]
        for output in _outputs("a gap that stays")
        if output["do"] == "send" and output["frame"]["type"] == "hello"
    ]
    assert hellos == [{"epoch": "e", "seq": "4"}, {"epoch": "e", "seq": "4"}, None, None]


def test_RT_16_an_ack_is_said_until_it_is_confirmed() -> None:
    acks = [
        output["frame"]["level"]
        for output in _outputs("acks until they are confirmed")
        if output["do"] == "send" and output["frame"]["type"] == "ack"
    ]
    assert acks == ["received", "shown", "received", "shown", "shown", "shown"]
