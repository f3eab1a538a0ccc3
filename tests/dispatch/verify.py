"""A snapshot and the events of an action must make the next snapshot, on every topic.

`verify_action` proves it for one action and writes, or checks, the example in tests/golden that the
browser's tests run too. `apply_event` is the twin of web/ui/shared/src/board/apply_event.ts.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import board, events
from realtime import log

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
Json = dict[str, Any]


def apply_event(topic: str, snapshot: Json, body: Json) -> Json:
    """Apply one event's body to a topic's snapshot."""
    match topic.partition(":")[0]:
        case "org":
            return _to_board(snapshot, body)
        case "incident":
            return _to_card(snapshot, body)
        case "person":
            return _to_person(snapshot, body)
        case "team":
            return _to_team(snapshot, body)
    raise ValueError(topic)


def _to_board(snapshot: Json, body: Json) -> Json:
    incident = body.get("incident")
    if incident is not None and incident["status"] == "closed":
        gone = incident["id"]
        return snapshot | {
            "incidents": {k: v for k, v in snapshot["incidents"].items() if k != gone},
            "alerts": _of_others(snapshot["alerts"], gone),
            "assignments": _of_others(snapshot["assignments"], gone),
        }
    return snapshot | {
        "channels": body.get("channels", snapshot["channels"]),
        "incidents": _put(snapshot["incidents"], [incident] if incident else []),
        "alerts": _put(snapshot["alerts"], body.get("alerts", [])),
        "assignments": _put(snapshot["assignments"], body.get("assignments", [])),
    }


def _to_card(snapshot: Json, body: Json) -> Json:
    return snapshot | {
        "incident": body.get("incident", snapshot["incident"]),
        "alerts": _put(snapshot["alerts"], body.get("alerts", [])),
        "assignments": _put(snapshot["assignments"], body.get("assignments", [])),
        "lines": _upsert(snapshot["lines"], body.get("lines", [])),
        "reservations": _upsert(snapshot["reservations"], body.get("reservations", [])),
    }


def _to_person(snapshot: Json, body: Json) -> Json:
    shown = {key: body[key] for key in ("alert", "mission", "stand_down") if key in body}
    return snapshot | shown | body.get("duty", {})


def _to_team(snapshot: Json, body: Json) -> Json:
    alerts = _put(snapshot["alerts"], body.get("alerts", []))
    return snapshot | {"alerts": _of_others(alerts, body.get("closed"))}


def _put(things: Json, changed: list[Json]) -> Json:
    return things | {thing["id"]: thing for thing in changed}


def _of_others(things: Json, incident: str | None) -> Json:
    return {key: thing for key, thing in things.items() if thing["incident"] != incident}


def _upsert(things: list[Json], changed: list[Json]) -> list[Json]:
    return list(_put({thing["id"]: thing for thing in things}, changed).values())


@asynccontextmanager
async def verify_action(
    conn: AsyncConnection, topics: Sequence[str], *, golden: str | None = None, now: datetime
) -> AsyncIterator[None]:
    """Check that what happens inside is told completely on every topic."""
    marks = await log.position_of(conn, topics)
    before = {topic: await board.snapshot(conn, topic, now=now) for topic in topics}
    yield
    shown: set[str] = set()
    for topic in topics:
        epoch = (await log.position_of(conn, [topic]))[topic].epoch
        told = await log.read_after(conn, topic, epoch, marks[topic].seq, limit=100)
        after = _plain(await board.snapshot(conn, topic, now=now))
        reached = _plain(before[topic])
        for event in told:
            reached = apply_event(topic, reached, event.value())
        assert reached == after, topic
        noun = topic.partition(":")[0]
        assert all(noun in events.HEARD_BY[event.kind] for event in told), topic
        if golden is not None and told and noun not in shown:
            shown.add(noun)
            shown_events = [
                {"seq": str(e.seq), "kind": e.kind, "at": e.at.isoformat(), "body": e.value()}
                for e in told
            ]
            example = {"before": before[topic], "events": shown_events, "after": after}
            _check_golden(f"{noun}.{golden}", _anonymous(example))


def _plain(value: Json) -> Json:
    plain: Json = json.loads(json.dumps(value))
    return plain


def _check_golden(name: str, example: Json) -> None:
    path = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN_WRITE"):
        parts = (
            f'"{key}": {json.dumps(part, ensure_ascii=False)}' for key, part in example.items()
        )
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    assert path.exists(), f"run with GOLDEN_WRITE=1 to write {path.name}"
    assert example == json.loads(path.read_text(encoding="utf-8")), (
        f"{path.name} is no longer what happens; run with GOLDEN_WRITE=1 and look at the difference"
    )


_RANDOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?<![0-9a-f-])(?:org|person|Person |人|AED |ITEM|DEPOT)\d+"
)


def _anonymous(example: Json) -> Json:
    """Replace ids and counted names by their order of appearance, so that runs can be compared."""
    known: dict[str, str] = {}

    def stable(match: re.Match[str]) -> str:
        found = match.group()
        if found in known:
            return known[found]
        if len(found) == 36:
            number = sum(len(name) == 36 for name in known)
            known[found] = f"00000000-0000-7000-8000-{number:012d}"
        else:
            prefix = found.rstrip("0123456789")
            number = sum(name.startswith(prefix) and len(name) != 36 for name in known)
            known[found] = f"{prefix}{number + 1}"
        return known[found]

    text = json.dumps(example, ensure_ascii=False)
    anonymous: Json = json.loads(_RANDOM.sub(stable, text))
    return anonymous
