"""A socket that comes back: what was missed, snapshots, writers beside, a second hello."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from callers import Enrol, Member
from fastapi import FastAPI
from live_wire import Wire, append, serving, wire

from dispatch import db
from realtime import log


@pytest.fixture
async def host(app: FastAPI) -> AsyncIterator[str]:
    async with serving(app) as address:
        yield address


@pytest.fixture
async def operator(enrol: Enrol) -> Member:
    return await enrol("operator")


async def test_RT_3_a_resume_brings_what_was_missed_and_nothing_else(
    host: str, store: db.Database, operator: Member
) -> None:
    async with wire(host, operator) as console:
        epoch = (await console.hello("org:red"))["topics"]["org:red"]["epoch"]
    await append(store, "org:red", 5)
    async with wire(host, operator) as console:
        welcome = await console.resume(org__red=(epoch, "2"))
        assert welcome["topics"]["org:red"] == {"epoch": epoch, "seq": "5", "recovered": True}
        await append(store, "org:red", 1)
        frames = [await _next_but_heartbeats(console) for _ in range(4)]
        assert [frame["type"] for frame in frames] == ["event"] * 4
        assert [frame["seq"] for frame in frames] == ["3", "4", "5", "6"]


async def _next_but_heartbeats(console: Wire) -> dict[str, Any]:
    while (frame := await console.next())["type"] == "heartbeat":
        pass
    return frame


@pytest.mark.parametrize(
    "cursor",
    [(None, "9"), ("other", "2"), (None, "0")],
    ids=["from the future", "of another past", "not kept"],
)
async def test_RT_4_what_cannot_be_resumed_gets_a_snapshot(
    host: str, store: db.Database, operator: Member, cursor: tuple[str | None, str]
) -> None:
    await append(store, "org:red", 5)
    async with store.transaction() as conn:
        await conn.execute(sa.text("DELETE FROM event WHERE seq <= 2"))
        mark = (await log.position_of(conn, ["org:red"]))["org:red"]
    async with wire(host, operator) as console:
        welcome = await console.resume(org__red=(cursor[0] or mark.epoch, cursor[1]))
        assert welcome["topics"]["org:red"]["recovered"] is False
        snapshot = await console.next()
        assert (snapshot["type"], snapshot["epoch"]) == ("snapshot", mark.epoch)
        assert snapshot["seq"] == "5"


async def test_RT_4_a_new_epoch_under_open_sockets_brings_a_snapshot(
    host: str, store: db.Database, operator: Member
) -> None:
    async with wire(host, operator) as console:
        await console.hello("org:red")
        await console.next("snapshot")
        async with store.transaction() as conn:
            epoch = await log.new_epoch(conn)
        assert (await console.next("snapshot"))["epoch"] == epoch
        await append(store, "org:red")
        assert (await console.next("event"))["epoch"] == epoch


async def test_RT_3_writers_during_the_hello_are_all_heard_once(
    host: str, store: db.Database, operator: Member
) -> None:
    """Sockets come while events are written: each sees its snapshot's number, then every next."""

    async def write() -> None:
        for _ in range(120):
            await append(store, "org:red")

    async def listen() -> list[int]:
        async with wire(host, operator) as console:
            await console.hello("org:red")
            seqs = [int((await console.next("snapshot"))["seq"])]
            while seqs[-1] < 120:
                seqs.append(int((await console.next("event"))["seq"]))
            return seqs

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        ears = [tasks.create_task(listen()) for _ in range(8)]
    for ear in ears:
        seqs = ear.result()
        assert seqs == list(range(seqs[0], 121))


async def test_a_second_hello_changes_the_topics(
    host: str, store: db.Database, enrol: Enrol, operator: Member
) -> None:
    phone = await enrol("admin", "red")
    own = f"person:{phone.id}"
    async with wire(host, phone) as socket:
        first = await socket.hello("org:red")
        epoch = first["topics"]["org:red"]["epoch"]
        await socket.next("snapshot")
        cursor = {"epoch": epoch, "seq": "0"}
        await socket.say(type="hello", topics={"org:red": cursor, own: None})
        welcome = await socket.next("welcome")
        assert welcome["topics"]["org:red"]["recovered"] is True
        if own in welcome["topics"]:
            assert (await socket.next())["topic"] == own
        await append(store, "org:red")
        assert (await socket.next("event"))["seq"] == "1"
