"""Who gets what in one process."""

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from realtime import protocol
from realtime.connection import Connection, Load
from realtime.hub import TURNS, Hub
from realtime.protocol import Close, Event, Mark
from realtime.stream import Stream

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


async def _unused(*_: object) -> Sequence[str]:
    raise AssertionError


async def _send(_: str) -> None:
    raise AssertionError


def _listen(hub: Hub, topic: str, seq: int, person: str = "") -> Connection:
    connection = Connection(_send, _unused, person=person)
    stream = connection.streams[topic] = Stream(topic, None)
    hub.join(connection, topic)
    stream.arrive(Mark("e", seq))
    stream.release()
    hub.follow(topic, Mark("e", seq))
    return connection


def _event(seq: int, topic: str = "org:a", epoch: str = "e") -> Event:
    return Event(topic, epoch, seq, "x", AT, "{}")


async def test_events_reach_the_listeners_of_their_topic_once() -> None:
    hub = Hub()
    ours, theirs = _listen(hub, "org:a", 4), _listen(hub, "org:b", 4)
    hub.publish([_event(4), _event(5), _event(5)])
    assert (ours.backlog, theirs.backlog) == (1, 0)
    assert hub.cursors()["org:a"] == Mark("e", 5)
    assert hub.events_sent == 1


def test_a_topic_that_nobody_loaded_yet_is_not_followed() -> None:
    hub = Hub()
    connection = Connection(_send, _unused)
    connection.streams["org:a"] = Stream("org:a", None)
    hub.join(connection, "org:a")
    hub.publish([_event(1)])
    assert hub.cursors() == {}
    hub.follow("org:unheard", Mark("e", 1))
    assert hub.cursors() == {}


def test_the_first_mark_stands_and_goes_with_the_last_listener() -> None:
    hub = Hub()
    first = _listen(hub, "org:a", 4)
    second = _listen(hub, "org:a", 9)
    assert hub.cursors() == {"org:a": Mark("e", 4)}
    hub.leave(first)
    assert hub.cursors() == {"org:a": Mark("e", 4)}
    hub.leave(second)
    assert hub.cursors() == {}
    assert hub.connections == set()


def test_a_new_epoch_makes_everybody_load_again() -> None:
    hub = Hub()
    connection = _listen(hub, "org:a", 4)
    hub.turn("org:a", Mark("new", 4))
    assert not connection.streams["org:a"].is_live
    assert connection.backlog == 1
    assert hub.cursors()["org:a"] == Mark("new", 4)


async def test_RT_6_a_slow_client_harms_only_itself() -> None:
    hub = Hub()
    slow, quick = _listen(hub, "org:a", 0), _listen(hub, "org:a", 0)
    for seq in range(1, 300):
        hub.publish([_event(seq)])
        if seq == 256:
            quick._queue.clear()  # it has read them all
    assert slow.closing is Close.TOO_SLOW
    assert quick.closing is None
    assert quick.backlog == 43


def test_rights_revoked_close_every_connection_of_a_person() -> None:
    hub = Hub()
    one, two = _listen(hub, "org:a", 0, "p"), _listen(hub, "person:p", 0, "p")
    other = _listen(hub, "org:a", 0, "q")
    hub.disconnect("p")
    assert (one.closing, two.closing, other.closing) == (
        Close.SIGN_IN_AGAIN,
        Close.SIGN_IN_AGAIN,
        None,
    )
    hub.leave(one)
    hub.close_all()
    assert other.closing is Close.RESTARTING


async def test_a_tick_hands_out_due_heartbeats_and_positions() -> None:
    hub = Hub()
    phone, console = _listen(hub, "person:p", 0), _listen(hub, "org:a", 0)
    console.is_console = True
    hub.move(["org:a", "org:elsewhere"], "p", orjson.Fragment("1"))
    hub.tick(100.0, server_time=AT)
    assert (phone.backlog, console.backlog) == (1, 1)
    assert set(console._moving["org:a"]) == {"p"}
    hub.tick(100.0 + protocol.HEARTBEAT_S, server_time=AT)
    assert (phone.backlog, console.backlog) == (1, 2)
    hub.tick(100.0 + protocol.IDLE_HEARTBEAT_S, server_time=AT)
    assert (phone.backlog, console.backlog) == (2, 3)


async def test_RT_11_in_turns_each_phone_has_its_heartbeat_once() -> None:
    hub = Hub()
    phones = [_listen(hub, f"person:{n}", 0) for n in range(2 * TURNS + 1)]
    for turn in range(TURNS):
        hub.tick(100.0, server_time=AT, turn=turn)
        assert sum(phone.backlog for phone in phones) <= 3 * (turn + 1)
    assert {phone.backlog for phone in phones} == {1}


async def test_an_idle_phone_that_is_asked_gets_its_short_heartbeat_at_once() -> None:
    hub = Hub()
    phone = _listen(hub, "person:p", 0)
    hub.tick(100.0, server_time=AT)
    hub.publish([_event(1, "person:p")])
    hub.tick(100.5, server_time=AT)
    hub.tick(101.0, server_time=AT)
    beats = [orjson.loads(frame) for frame in phone._queue if isinstance(frame, str)]
    assert [(frame["type"], frame.get("heartbeat_s")) for frame in beats] == [
        ("heartbeat", protocol.IDLE_HEARTBEAT_S),
        ("event", None),
        ("heartbeat", protocol.HEARTBEAT_S),
    ]


def test_a_load_is_no_frame() -> None:
    assert Load(("org:a",)) != "org:a"
