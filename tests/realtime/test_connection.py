"""One socket's way out: order, bounds, slow clients, loads in their place."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from waiting import until

from realtime import protocol
from realtime.connection import Connection, Load
from realtime.protocol import Close, Event, Mark
from realtime.stream import Stream

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


class Client:
    """The far end: keeps what it gets; can stop reading."""

    def __init__(self, **options: float) -> None:
        self.got: list[str] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.loads: list[Load] = []
        self.connection = Connection(self.send, self.load, **options)  # type: ignore[arg-type]  # test options

    async def send(self, text: str) -> None:
        await self.reads.wait()
        self.got.append(text)

    async def load(self, connection: Connection, load: Load) -> Sequence[str]:
        self.loads.append(load)
        for topic in load.topics:
            connection.streams[topic].arrive(Mark("e", 9))
            connection.streams[topic].release()
        return [f"loaded {' '.join(load.topics)}"]


def _event(seq: int) -> Event:
    return Event("org:a", "e", seq, "x", AT, "{}")


def _live(client: Client, seq: int) -> None:
    stream = Stream("org:a", None)
    stream.arrive(Mark("e", seq))
    stream.release()
    client.connection.streams["org:a"] = stream


async def test_frames_go_out_in_order_and_the_farewell_after_them() -> None:
    client = Client()
    for number in range(10):
        client.connection.push(str(number))
    client.connection.close(Close.RESTARTING)
    client.connection.close(Close.TOO_SLOW)
    client.connection.push("late")

    assert await client.connection.write() is Close.RESTARTING
    assert client.got == [str(number) for number in range(10)]


async def test_RT_6_a_full_queue_closes_as_too_slow() -> None:
    client = Client(queue_most=3)
    client.reads.clear()
    async with asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(client.connection.write())
        client.connection.push("taken by the writer")
        await until(lambda: client.connection.backlog == 0)
        for number in range(4):
            client.connection.push(str(number))
        assert client.connection.closing is Close.TOO_SLOW
        client.reads.set()
        assert await writer is Close.TOO_SLOW
    assert client.got == ["taken by the writer"]


async def test_RT_6_a_send_that_takes_too_long_closes_as_too_slow() -> None:
    client = Client(send_within_s=0.05)
    client.reads.clear()
    client.connection.push("x")
    assert await client.connection.write() is Close.TOO_SLOW


async def test_RT_3_what_goes_out_at_once_never_overtakes_what_waits() -> None:
    has_room, at_once = True, list[str]()

    def put(text: str) -> bool:
        if has_room:
            at_once.append(text)
            client.got.append(text)
        return has_room

    client = Client()
    connection = Connection(client.send, client.load, put=put)
    connection.push("1 at once")
    has_room = False
    connection.push("2 waits")
    has_room = True
    connection.push("3 behind it")
    assert (at_once, connection.backlog) == (["1 at once"], 2)
    has_room = False
    client.reads.clear()
    async with asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(connection.write())
        await until(lambda: connection.backlog == 1)
        has_room = True
        connection.push("4 behind what is being written")
        client.reads.set()
        await until(lambda: len(client.got) == 4)
        connection.push("5 at once again")
        connection.close(Close.RESTARTING)
        await writer
    assert client.got == sorted(client.got)
    assert at_once[-1] == "5 at once again"
    assert "2 waits" not in at_once


async def test_events_go_out_once_and_in_turn() -> None:
    client = Client()
    _live(client, 4)
    for seq in (4, 5, 5, 6):
        client.connection.offer(_event(seq), str(seq))
    client.connection.offer(Event("org:b", "e", 1, "x", AT, "{}"), "not heard")
    client.connection.close(Close.RESTARTING)
    await client.connection.write()
    assert client.got == ["5", "6"]


async def test_a_gap_is_loaded_in_its_place() -> None:
    client = Client()
    _live(client, 4)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.connection.write())
        client.connection.offer(_event(5), "5")
        client.connection.offer(_event(9), "9")
        await until(lambda: len(client.got) == 2)
        client.connection.offer(_event(10), "10")
        await until(lambda: len(client.got) == 3)
        client.connection.close(Close.RESTARTING)
    assert client.got == ["5", "loaded org:a", "10"]
    assert client.loads == [Load(("org:a",))]


async def test_RT_10_positions_are_coalesced_and_never_queued() -> None:
    client = Client()
    _live(client, 0)
    for lon in range(1_000):
        client.connection.move("org:a", {"p": orjson.Fragment(str(lon)), "q": orjson.Fragment("7")})
    client.connection.move("org:b", {"p": orjson.Fragment("1")})
    assert client.connection.backlog == 0

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.connection.write())
        await until(lambda: client.got)
        client.connection.close(Close.RESTARTING)
    assert [orjson.loads(frame) for frame in client.got] == [
        {"type": "positions", "topic": "org:a", "items": [999, 7]}
    ]


async def test_RT_11_a_heartbeat_names_what_was_sent_of_each_topic() -> None:
    client = Client()
    _live(client, 4)
    client.connection.streams["org:loading"] = Stream("org:loading", Mark("e", 1))
    client.connection.offer(_event(5), "5")
    client.connection.beat(AT)
    client.connection.close(Close.RESTARTING)
    await client.connection.write()
    assert orjson.loads(client.got[-1])["topics"] == {"org:a": "5"}


async def test_a_phone_has_a_slow_heartbeat_until_something_concerns_it() -> None:
    client = Client()
    _live(client, 4)
    assert client.connection.heartbeat_s == protocol.IDLE_HEARTBEAT_S
    client.connection.offer(_event(5), "5")
    assert client.connection.heartbeat_s == protocol.HEARTBEAT_S


async def test_a_console_always_has_the_short_heartbeat() -> None:
    client = Client()
    client.connection.is_console = True
    assert client.connection.heartbeat_s == protocol.HEARTBEAT_S
