"""The live socket described for machines: AsyncAPI, made from the frames' shapes and the codes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field
from pydantic.json_schema import models_json_schema

from dispatch import events
from realtime import protocol
from realtime.protocol import Close
from web import aed_record, fields, shapes
from web.api import board

router = APIRouter(tags=["live"])

_SEQ = Field(pattern="^[0-9]+$", description="decimal text, as JavaScript loses large integers")


class CursorShape(fields.Shape):
    """Where a client's copy of a topic stands."""

    epoch: str
    seq: str = _SEQ


# ---- client to server


class HelloFrame(fields.Shape):
    """Which topics, from where; null is from now, with a snapshot. A later one replaces the set."""

    type: Literal["hello"]
    topics: dict[str, CursorShape | None]
    token: str | None = None
    app: str | None = None


class AckFrame(fields.Shape):
    """The device has stored an alert, or shows it."""

    type: Literal["ack"]
    alert: str
    level: protocol.AckLevel


class PositionFrame(fields.Shape):
    """Where the device is; replaced by the next, never queued."""

    type: Literal["position"]
    lon: float
    lat: float
    accuracy_m: float | None = None
    at: str
    crs: Literal["wgs84", "gcj02", "bd09"] = "wgs84"


# ---- server to client


class StandingShape(CursorShape):
    """Where a topic stands; if not recovered, a snapshot follows."""

    recovered: bool


class WelcomeFrame(fields.Shape):
    """The answer to a hello."""

    type: Literal["welcome"]
    topics: dict[str, StandingShape]
    server_time: str
    heartbeat_s: int


class WithdrawnShape(fields.Shape):
    """An AED that left the registry."""

    id: str
    withdrawn: Literal[True]


class NamedShape(fields.Shape):
    """An AED, named."""

    id: str
    name: str


class CheckDueShape(fields.Shape):
    """Somebody has to look at an AED: its first custodian, the second, or the organisation."""

    aed: NamedShape
    stage: Literal["first", "second", "overdue"]
    due_at: str


class TaskDueShape(fields.Shape):
    """A task that nobody has done in time; whom it is about is not said."""

    id: str
    kind: str
    exercise: bool
    due_at: str
    is_taken: bool


class ChangesShape(fields.Shape):
    """Body of `org:` and `incident:` events: whole objects that replace those of the same id.

    Lines and reservations come on `incident:` topics only, `aed` and `check_due` on `org:` topics
    only; AEDs are in no snapshot. An incident that is closed leaves the board with everything of
    it.
    """

    incident: shapes.IncidentShape | None = None
    alerts: list[shapes.AlertShape] | None = None
    assignments: list[shapes.AssignmentShape] | None = None
    reservations: list[shapes.ReservationShape] | None = None
    lines: list[shapes.LineShape] | None = None
    aed: aed_record.AedShape | WithdrawnShape | None = None
    check_due: CheckDueShape | None = None
    task: TaskDueShape | None = None


class DutyShape(fields.Shape):
    """Whether the person may be asked, and until when that holds."""

    duty: str
    duty_until: str | None


class CareShape(fields.Shape):
    """What is due: the id of a survey or a task, or the day on which a certificate ends."""

    what: Literal["survey_due", "certificate_ends", "task_added", "task_overdue"]
    id: str | None
    on: str | None = None


class OwnViewShape(fields.Shape):
    """Body of `person:` events: all that the phone shows now."""

    alert: shapes.PersonAlertShape | None
    mission: shapes.MissionShape | None
    stand_down: shapes.StandDownShape | None
    duty: DutyShape | None = None
    care: CareShape | None = None


class TeamAnswerShape(fields.Shape):
    """Body of `team:` events: members' alerts that changed, or the incident that ended."""

    alerts: list[shapes.AlertShape] | None = None
    closed: str | None = None


class EventFrame(fields.Shape):
    """The next event of a topic: one number more than the last, in the order of commits."""

    type: Literal["event"]
    topic: str
    epoch: str
    seq: str = _SEQ
    kind: str
    at: str
    body: ChangesShape | OwnViewShape | TeamAnswerShape
    redelivered: bool | None = None


class CardShape(fields.Shape):
    """Snapshot of an `incident:` topic."""

    incident: shapes.IncidentShape
    alerts: dict[str, shapes.AlertShape]
    assignments: dict[str, shapes.AssignmentShape]
    lines: list[shapes.LineShape]
    reservations: list[shapes.ReservationShape]


class SnapshotFrame(fields.Shape):
    """The whole state of a topic at a number; replaces what the client has. May come any time."""

    type: Literal["snapshot"]
    topic: str
    epoch: str
    seq: str = _SEQ
    body: board.BoardShape | CardShape | dict[str, Any]


class HeartbeatFrame(fields.Shape):
    """All is well; the last number of each topic, so that a lost last event is noticed."""

    type: Literal["heartbeat"]
    topics: dict[str, str]
    heartbeat_s: int
    server_time: str


class AckOkFrame(fields.Shape):
    """The ack is stored; stop sending it."""

    type: Literal["ack_ok"]
    alert: str
    level: protocol.AckLevel


class MovingShape(fields.Shape):
    """Where a responder on a mission was last."""

    responder: str
    position: fields.PointShape
    accuracy_m: float | None
    at: str


class PositionsFrame(fields.Shape):
    """Where responders on missions are; has no number, may be dropped."""

    type: Literal["positions"]
    topic: str
    items: list[MovingShape]


class ErrorFrame(fields.Shape):
    """What was wrong with a message; the socket stays open unless it must not."""

    type: Literal["error"]
    code: str
    detail: str
    topic: str | None = None


UP = (HelloFrame, AckFrame, PositionFrame)
DOWN = (
    WelcomeFrame, SnapshotFrame, EventFrame, HeartbeatFrame, AckOkFrame, PositionsFrame, ErrorFrame,
)  # fmt: skip

CLOSES: Mapping[Close, str] = {
    Close.RESTARTING: "The process stops; reconnect.",
    Close.TRY_LATER: "The database does not answer, or we failed; reconnect later.",
    Close.SIGN_IN_AGAIN: "No valid session or token. Final.",
    Close.NOT_ALLOWED: "None of the topics may be heard. Final.",
    Close.TOO_SLOW: "No hello in time, or the client does not read; reconnect and resume.",
    Close.TOO_BIG: "The message was too long; reconnect.",
    Close.TOO_MANY: "Too many messages, or sockets of one person; reconnect later.",
}

_TEXT = """\
Text frames of JSON. Sign in by the session cookie, an `Authorization: Bearer` header or the
hello's `token`; never by the address. Topics: `org:CODE`, `incident:ID`, `person:ID`, `team:ID`.
Numbers are gap-free per topic and epoch. Wait before a reconnect: 1, 2, 4, 8, 15 s with jitter.
"""


@router.get("/api/v1/asyncapi.json", summary="This socket, described for machines")
async def show() -> dict[str, Any]:
    """Give the AsyncAPI document of /api/v1/live."""
    return document()


@cache
def document() -> dict[str, Any]:
    """Put the AsyncAPI 3.0 document together."""
    frames = (*UP, *DOWN)
    _, schemas = models_json_schema(
        [(frame, "validation") for frame in frames], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Golden Minutes, live", "version": "1", "description": _description()},
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/api/v1/live",
                "messages": {_name(frame): {"$ref": _message(frame)} for frame in frames},
            }
        },
        "operations": {
            "receive": _operation("receive", UP),
            "send": _operation("send", DOWN),
        },
        "components": {
            "messages": {_name(frame): _described(frame) for frame in frames},
            "schemas": schemas["$defs"],
        },
    }


def _description() -> str:
    closes = "\n".join(f"* {code.value}: {meaning}" for code, meaning in CLOSES.items())
    kinds = "\n".join(f"* `{kind}`: {meaning}" for kind, meaning in events.MEANINGS.items())
    return f"{_TEXT}\n**Close codes**\n\n{closes}\n\n**Kinds of events**\n\n{kinds}\n"


def _name(frame: type[fields.Shape]) -> str:
    return frame.__name__.removesuffix("Frame").lower()


def _message(frame: type[fields.Shape]) -> str:
    return f"#/components/messages/{_name(frame)}"


def _described(frame: type[fields.Shape]) -> dict[str, Any]:
    return {
        "summary": (frame.__doc__ or "").strip().split("\n", maxsplit=1)[0],
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
    }


def _operation(action: str, frames: tuple[type[fields.Shape], ...]) -> dict[str, Any]:
    """Describe a direction; the document speaks for the server."""
    return {
        "action": action,
        "channel": {"$ref": "#/channels/live"},
        "messages": [{"$ref": f"#/channels/live/messages/{_name(frame)}"} for frame in frames],
    }
