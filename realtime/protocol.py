"""The wire protocol without any I/O: messages, close codes, and one topic's way to a client.

docs/realtime.md tells the same with a worked reconnect. Nothing here waits, reads a clock or knows
what an incident is; `hub` and `web.live` carry out what this module decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

import orjson

#: A client says hello within this time or is closed.
HELLO_WITHIN_S = 5.0

#: Heartbeat of a console, and of a phone that is asked or on its way; and of an idle phone.
HEARTBEAT_S = 5
IDLE_HEARTBEAT_S = 30

#: A client reconnects after this many heartbeats of silence.
MISSED_HEARTBEATS = 2.5

#: More missed events than this are not replayed: a snapshot is smaller and faster.
REPLAY_MOST = 1_000

#: Live events kept for a topic while its snapshot or replay is on the way; what does not fit is
#: read from the log afterwards, so nothing is lost by the bound.
HELD_MOST = 256

#: Longest message from a client. Hellos with many topics stay far below it.
MESSAGE_MOST_BYTES = 16_384
TOPICS_MOST = 64
TOPIC_MOST_LETTERS = 200
TOKEN_MOST_LETTERS = 512


class Close(IntEnum):
    """Every code with which a socket may be closed; docs/realtime.md explains each."""

    RESTARTING = 1012
    TRY_LATER = 1013
    SIGN_IN_AGAIN = 4001
    NOT_ALLOWED = 4003
    TOO_SLOW = 4008
    TOO_BIG = 4009
    TOO_MANY = 4029

    @property
    def is_final(self) -> bool:
        """Say that the client must not try again with what it has."""
        return self in {Close.SIGN_IN_AGAIN, Close.NOT_ALLOWED}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a topic's log: the number of the last event, valid in one epoch."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log; `body` is its JSON text, written once and never parsed on the way."""

    topic: str
    epoch: str
    seq: int
    kind: str
    at: datetime
    body: str
    #: Its place: one for all whose cursor it becomes.
    mark: Mark = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mark", Mark(self.epoch, self.seq))

    def value(self) -> dict[str, object]:
        """Return the body as values."""
        found: dict[str, object] = orjson.loads(self.body)
        return found


class BadMessage(ValueError):
    """A client sent what the protocol does not know; the socket stays open unless `close` is set.

    `code` is stable, `detail` is for whoever writes the client.
    """

    def __init__(self, code: str, detail: str, *, close: Close | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.close = close


# ---- client to server


@dataclass(frozen=True, slots=True)
class Hello:
    """Which topics the client wants, each from where; None is from now, with a snapshot.

    A later hello on the same socket replaces the set of topics.
    """

    topics: Mapping[str, Mark | None]
    token: str | None = None


class AckLevel(StrEnum):
    """How far an alert has come on the device."""

    RECEIVED = "received"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Ack:
    """The device has stored an alert, or has it on its screen."""

    alert: str
    level: AckLevel


@dataclass(frozen=True, slots=True)
class Position:
    """Where the device is, in the datum that it names; `at` is the device's clock."""

    lon: float
    lat: float
    accuracy_m: float | None
    at: datetime
    crs: str


Message = Hello | Ack | Position

#: How the positions begin that our page and most programs write; others are read at once.
_POSITION_BEGINS = ('{"type":"position"', '{"type": "position"')
#: No position is longer.
_POSITION_MOST_LETTERS = 512


def is_position(text: str) -> bool:
    """Say whether a message is a position by its first letters: it may be read later, or never."""
    return text.startswith(_POSITION_BEGINS) and len(text) <= _POSITION_MOST_LETTERS


def position(text: str) -> Position:
    """Read a message that begins as a position. Raises BadMessage."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage("bad_json", "The message is not JSON.") from None
    if message.get("type") != "position":
        raise BadMessage("malformed", "A message has one type.")
    return _position(message)


def parse(text: str) -> Message:
    """Read one client message. Raises BadMessage with a stable code."""
    # A letter has four bytes at most, so short messages need not be written out to be measured.
    if len(text) * 4 > MESSAGE_MOST_BYTES and len(text.encode()) > MESSAGE_MOST_BYTES:
        detail = f"A message may have at most {MESSAGE_MOST_BYTES} bytes."
        raise BadMessage("too_big", detail, close=Close.TOO_BIG)
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage("bad_json", "The message is not JSON.") from None
    if not isinstance(message, dict):
        raise BadMessage("malformed", "A message is a JSON object with a type.")
    match message.get("type"):
        case "hello":
            return hello(message.get("topics"), message.get("token"))
        case "ack":
            return _ack(message)
        case "position":
            return _position(message)
        case _:
            raise BadMessage("unknown_type", "The type is none of hello, ack, position.")


def hello(topics: object, token: object = None) -> Hello:
    """Read what a client wants to hear, and from where. Raises BadMessage."""
    if not isinstance(topics, dict) or not topics or len(topics) > TOPICS_MOST:
        raise BadMessage("malformed", f"topics names 1 to {TOPICS_MOST} topics.")
    if token is not None and not (isinstance(token, str) and len(token) <= TOKEN_MOST_LETTERS):
        raise BadMessage("malformed", "token is a string.")
    return Hello({_topic(topic): _cursor(at) for topic, at in topics.items()}, token)


def _topic(topic: str) -> str:
    owner, _, name = topic.partition(":")
    if not (owner and name and len(topic) <= TOPIC_MOST_LETTERS and "\x00" not in topic):
        raise BadMessage("malformed", "A topic is written kind:name.")
    return topic


def _cursor(given: object) -> Mark | None:
    match given:
        case None:
            return None
        case {"epoch": str(epoch), "seq": str(seq)} if _is_seq(seq):
            return Mark(epoch, int(seq))
        case _:
            detail = 'A topic is null or {"epoch": text, "seq": decimal digits as text}.'
            raise BadMessage("malformed", detail)


def _is_seq(seq: str) -> bool:
    # 19 digits hold every bigint; more would only be a way to make us count.
    return seq.isascii() and seq.isdigit() and len(seq) <= 19


def _ack(message: Mapping[str, object]) -> Ack:
    match message:
        case {"alert": str(alert), "level": "received" | "shown" as level} if len(alert) <= 64:
            return Ack(alert, AckLevel(level))
        case _:
            raise BadMessage("malformed", "An ack has an alert and a level, received or shown.")


def _position(message: Mapping[str, object]) -> Position:
    # Done thousands of times a second: no call for what is a number already. JSON has none that is
    # not finite.
    lon, lat, accuracy = message.get("lon"), message.get("lat"), message.get("accuracy_m")
    if type(lon) is not float:
        lon = _number(lon, "lon")
    if type(lat) is not float:
        lat = _number(lat, "lat")
    if accuracy is not None:
        accuracy = abs(accuracy if type(accuracy) is float else _number(accuracy, "accuracy_m"))
    crs = message.get("crs", "wgs84")
    if not isinstance(crs, str):
        raise BadMessage("malformed", "crs is wgs84, gcj02 or bd09.")
    return Position(lon, lat, accuracy, _instant(message.get("at")), crs)


def _number(found: object, name: str) -> float:
    if type(found) is float or type(found) is int:  # a boolean is no number
        return float(found)
    raise BadMessage("bad_position", f"{name} is a number.")


def _instant(given: object) -> datetime:
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadMessage("malformed", "at is a time with its offset, as in RFC 3339.")
    return at


# ---- server to client


def welcome(
    topics: Mapping[str, tuple[Mark, bool]], *, heartbeat_s: int, server_time: datetime
) -> str:
    """Write the answer to a hello: where each topic stands and whether the client was caught up."""
    known = {
        topic: {"epoch": mark.epoch, "seq": str(mark.seq), "recovered": recovered}
        for topic, (mark, recovered) in topics.items()
    }
    return _text(
        {
            "type": "welcome",
            "topics": known,
            "server_time": server_time,
            "heartbeat_s": heartbeat_s,
        }
    )


def snapshot(topic: str, mark: Mark, body: Mapping[str, object]) -> str:
    """Write the whole state of a topic at a mark; it replaces what the client has."""
    return _text(
        {
            "type": "snapshot",
            "topic": topic,
            "epoch": mark.epoch,
            "seq": str(mark.seq),
            "body": body,
        }
    )


def event(what: Event, *, redelivered: bool = False) -> str:
    """Write one event; done once, however many clients get it.

    `redelivered` says that it was sent before and wants an ack that has not come.
    """
    frame = {
        "type": "event",
        "topic": what.topic,
        "epoch": what.epoch,
        "seq": str(what.seq),
        "kind": what.kind,
        "at": what.at,
        "body": orjson.Fragment(what.body),
    }
    return _text({**frame, "redelivered": True} if redelivered else frame)


def heartbeat(
    topics: Mapping[str, int],
    *,
    heartbeat_s: int,
    server_time: datetime,
    troubles: Sequence[Mapping[str, object]] = (),
) -> str:
    """Write the sign of life, with the last number of each topic and when the next one comes.

    `troubles`, which consoles are told, are what is broken in the way of an alert; left out while
    nothing is.
    """
    frame = {
        "type": "heartbeat",
        "topics": {topic: str(seq) for topic, seq in topics.items()},
        "heartbeat_s": heartbeat_s,
        "server_time": server_time,
    }
    return _text({**frame, "troubles": troubles} if troubles else frame)


def positions(topic: str, items: Sequence[object]) -> str:
    """Write where people are now; has no number, may be dropped, is not kept."""
    return _text({"type": "positions", "topic": topic, "items": items})


def ack_ok(ack: Ack) -> str:
    """Write that an ack was stored, so that the device stops sending it."""
    return _text({"type": "ack_ok", "alert": ack.alert, "level": ack.level})


def error(code: str, detail: str, *, topic: str | None = None, alert: str | None = None) -> str:
    """Write what was wrong with a message; with the topic or the acked alert that it named."""
    about = {"topic": topic, "alert": alert}
    named = {name: value for name, value in about.items() if value is not None}
    return _text({"type": "error", "code": code, "detail": detail, **named})


def _text(frame: Mapping[str, object]) -> str:
    return orjson.dumps(frame, option=orjson.OPT_UTC_Z).decode()
