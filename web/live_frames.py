"""The frames of the live log as they stand on the wire, for the descriptions and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from realtime import protocol
from web import aed_record, fields, shapes
from web.api import board, disasters, health, teams

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


class ImportedShape(fields.Shape):
    """A list changed so many AEDs at once: what was read before is old."""

    source: str
    added: int
    changed: int
    at: str


class TaskDueShape(fields.Shape):
    """A task that nobody has done in time; whom it is about is not said."""

    id: str
    kind: str
    exercise: bool
    due_at: str
    is_taken: bool


class ChangesShape(fields.Shape):
    """Body of `org:` and `incident:` events: whole objects that replace those of the same id.

    Lines and reservations come on `incident:` topics only; channels, disasters, AEDs, checks and
    tasks on `org:` topics only, and but for channels they are in no snapshot. An incident that is
    closed leaves the board with everything of it.
    """

    incident: shapes.IncidentShape | None = None
    alerts: list[shapes.AlertShape] | None = None
    assignments: list[shapes.AssignmentShape] | None = None
    reservations: list[shapes.ReservationShape] | None = None
    lines: list[shapes.LineShape] | None = None
    channels: list[board.SilentShape] | None = None
    disaster: disasters.DisasterShape | None = None
    aed: aed_record.AedShape | WithdrawnShape | None = None
    imported: ImportedShape | None = None
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


class ShownShape(fields.Shape):
    """All that a phone shows now."""

    alert: shapes.PersonAlertShape | None
    mission: shapes.MissionShape | None
    stand_down: shapes.StandDownShape | None


class OwnViewShape(ShownShape):
    """Body of `person:` events: all that the phone shows now, and what has changed besides."""

    duty: DutyShape | None = None
    care: CareShape | None = None


class TeamAnswerShape(fields.Shape):
    """Body of `team:` events: members' alerts that changed, or the incident that ended."""

    alerts: list[shapes.AlertShape] | None = None
    closed: str | None = None


#: What the event of a topic carries, by the word before the colon.
EVENT_BODIES: Mapping[str, type[fields.Shape]] = {
    "org": ChangesShape,
    "incident": ChangesShape,
    "person": OwnViewShape,
    "team": TeamAnswerShape,
}


class EventFrame(fields.Shape):
    """The next event of a topic: one number more than the last, in the order of commits.

    `redelivered` marks one that was sent before and wants its ack: send that again.
    """

    type: Literal["event"]
    topic: str
    epoch: str
    seq: str = _SEQ
    kind: str
    at: str
    body: ChangesShape | OwnViewShape | TeamAnswerShape
    redelivered: Literal[True] | None = None


class CardShape(fields.Shape):
    """Snapshot of an `incident:` topic."""

    incident: shapes.IncidentShape
    alerts: dict[str, shapes.AlertShape]
    assignments: dict[str, shapes.AssignmentShape]
    lines: list[shapes.LineShape]
    reservations: list[shapes.ReservationShape]


class PersonSnapshotShape(ShownShape):
    """Snapshot of a `person:` topic: who it is, and all that the phone shows now."""

    person: shapes.PersonShape
    duty: str | None
    duty_until: str | None


class TeamSnapshotShape(fields.Shape):
    """Snapshot of a `team:` topic: the members' alerts of open incidents."""

    team: teams.TeamShape
    alerts: dict[str, shapes.AlertShape]


#: What the snapshot of a topic is, by the word before the colon.
SNAPSHOTS: Mapping[str, type[fields.Shape]] = {
    "org": board.BoardShape,
    "incident": CardShape,
    "person": PersonSnapshotShape,
    "team": TeamSnapshotShape,
}


class SnapshotFrame(fields.Shape):
    """The whole state of a topic at a number; replaces what the client has. May come any time."""

    type: Literal["snapshot"]
    topic: str
    epoch: str
    seq: str = _SEQ
    body: board.BoardShape | CardShape | PersonSnapshotShape | TeamSnapshotShape


class HeartbeatFrame(fields.Shape):
    """A sign of life; the last number of each topic, so that a lost last event is noticed.

    Consoles are told of `troubles`: what is broken in the way of an alert. Without it nothing is.
    """

    type: Literal["heartbeat"]
    topics: dict[str, str]
    heartbeat_s: int
    server_time: str
    troubles: list[health.TroubleShape] | None = None


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
    """What was wrong with a message; the socket stays open unless it must not.

    `topic` is one that is not yours to hear, `alert` the one of an ack that was not taken.
    """

    type: Literal["error"]
    code: str
    detail: str
    topic: str | None = None
    alert: str | None = None


UP = (HelloFrame, AckFrame, PositionFrame)
DOWN = (
    WelcomeFrame, SnapshotFrame, EventFrame, HeartbeatFrame, AckOkFrame, PositionsFrame, ErrorFrame,
)  # fmt: skip

Down = (
    WelcomeFrame
    | SnapshotFrame
    | EventFrame
    | HeartbeatFrame
    | AckOkFrame
    | PositionsFrame
    | ErrorFrame
)
