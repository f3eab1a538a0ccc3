"""Wire messages: what is taken, what is refused with which code, and what is written."""

from contextlib import suppress
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import protocol
from realtime.protocol import Ack, AckLevel, BadMessage, Close, Event, Hello, Mark, Position

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def _parse(**message: object) -> protocol.Message:
    return protocol.parse(orjson.dumps(message).decode())


def test_hello_with_cursors_and_a_token() -> None:
    topics = {"org:demo": {"epoch": "e", "seq": "12"}, "person:1": None}
    hello = _parse(type="hello", topics=topics, token="t", app="console 1.0")
    assert hello == Hello({"org:demo": Mark("e", 12), "person:1": None}, "t")


def test_ack_and_position() -> None:
    assert _parse(type="ack", alert="a", level="shown") == Ack("a", AckLevel.SHOWN)
    where = {"lon": 7.4, "lat": 43, "accuracy_m": 12.5, "at": "2026-11-22T16:30:00+08:00"}
    assert _parse(type="position", **where) == Position(7.4, 43.0, 12.5, AT, "wgs84")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_json"),
        ("{", "bad_json"),
        ("[]", "malformed"),
        ('{"type":"publish"}', "unknown_type"),
        ("{}", "unknown_type"),
        ('{"type":["hello"]}', "unknown_type"),
        ('{"type":"hello"}', "malformed"),
        ('{"type":"hello","topics":{}}', "malformed"),
        ('{"type":"hello","topics":["org:a"]}', "malformed"),
        ('{"type":"hello","topics":{"org":null}}', "malformed"),
        ('{"type":"hello","topics":{"org:":null}}', "malformed"),
        ('{"type":"hello","topics":{"org:a":{"epoch":"e","seq":12}}}', "malformed"),
        ('{"type":"hello","topics":{"org:a":{"epoch":"e","seq":"-1"}}}', "malformed"),
        ('{"type":"hello","topics":{"org:a":{"epoch":"e","seq":"²"}}}', "malformed"),
        ('{"type":"hello","topics":{"org:a":{"seq":"1"}}}', "malformed"),
        ('{"type":"hello","topics":{"org:a":null},"token":7}', "malformed"),
        ('{"type":"ack","alert":"a","level":"eaten"}', "malformed"),
        ('{"type":"ack","alert":7,"level":"shown"}', "malformed"),
        ('{"type":"position","lat":1,"at":"2026-11-22T08:30:00Z"}', "bad_position"),
        ('{"type":"position","lon":true,"lat":1,"at":"2026-11-22T08:30:00Z"}', "bad_position"),
        ('{"type":"position","lon":"1","lat":1,"at":"2026-11-22T08:30:00Z"}', "bad_position"),
        ('{"type":"position","lon":1,"lat":1}', "malformed"),
        ('{"type":"position","lon":1,"lat":1,"at":"yesterday"}', "malformed"),
        ('{"type":"position","lon":1,"lat":1,"at":"2026-11-22T08:30:00"}', "malformed"),
        ('{"type":"position","lon":1,"lat":1,"at":"2026-11-22T08:30:00Z","crs":1}', "malformed"),
    ],
)
def test_a_bad_message_has_its_code_and_leaves_the_socket_open(text: str, code: str) -> None:
    with pytest.raises(BadMessage) as bad:
        protocol.parse(text)
    assert (bad.value.code, bad.value.close) == (code, None)


def test_too_many_topics_are_refused() -> None:
    with pytest.raises(BadMessage):
        _parse(type="hello", topics={f"org:{number}": None for number in range(65)})


@pytest.mark.parametrize("letter", ["x", "急"])
def test_a_message_too_big_closes_the_socket(letter: str) -> None:
    length = protocol.MESSAGE_MOST_BYTES // len(letter.encode()) + 1
    with pytest.raises(BadMessage) as bad:
        protocol.parse(letter * length)
    assert (bad.value.code, bad.value.close) == ("too_big", Close.TOO_BIG)


@given(st.text(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["type", "topics", "hello", "seq", "epoch", "lon"]), inner, max_size=4
    ),
    max_leaves=12,
).map(lambda value: orjson.dumps(value).decode()))  # fmt: skip
def test_whatever_a_client_sends_is_a_message_or_a_bad_message(text: str) -> None:
    with suppress(BadMessage):
        protocol.parse(text)


def test_final_codes_are_those_that_say_so() -> None:
    assert {code for code in Close if code.is_final} == {Close.SIGN_IN_AGAIN, Close.NOT_ALLOWED}


def test_an_event_carries_its_body_untouched_and_its_number_as_text() -> None:
    event = Event("org:a", "e", 2**53 + 1, "opened", AT, '{"n": 1.50, "zh": "事件"}')
    frame = protocol.event(event)
    assert '"n": 1.50' in frame
    assert orjson.loads(frame) == {
        "type": "event", "topic": "org:a", "epoch": "e", "seq": "9007199254740993",
        "kind": "opened", "at": "2026-11-22T08:30:00Z", "body": {"n": 1.5, "zh": "事件"},
    }  # fmt: skip


def test_the_other_frames() -> None:
    welcome = protocol.welcome({"a:1": (Mark("e", 3), True)}, heartbeat_s=5, server_time=AT)
    assert orjson.loads(welcome) == {
        "type": "welcome", "topics": {"a:1": {"epoch": "e", "seq": "3", "recovered": True}},
        "server_time": "2026-11-22T08:30:00Z", "heartbeat_s": 5,
    }  # fmt: skip
    heartbeat = protocol.heartbeat({"a:1": 3}, heartbeat_s=30, server_time=AT)
    assert orjson.loads(heartbeat) == {
        "type": "heartbeat", "topics": {"a:1": "3"}, "heartbeat_s": 30,
        "server_time": "2026-11-22T08:30:00Z",
    }  # fmt: skip
    assert orjson.loads(protocol.snapshot("a:1", Mark("e", 3), {"x": AT})) == {
        "type": "snapshot", "topic": "a:1", "epoch": "e", "seq": "3",
        "body": {"x": "2026-11-22T08:30:00Z"},
    }  # fmt: skip
    ack = orjson.loads(protocol.ack_ok(Ack("a", AckLevel.RECEIVED)))
    assert ack == {"type": "ack_ok", "alert": "a", "level": "received"}
    assert orjson.loads(protocol.error("not_allowed", "No.", topic="org:b")) == {
        "type": "error", "code": "not_allowed", "detail": "No.", "topic": "org:b",
    }  # fmt: skip
