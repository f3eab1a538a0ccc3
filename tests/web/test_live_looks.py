"""Reads for sockets that share a transaction: each gets its own answer, failures stay apart."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import db
from web import live_looks


async def test_many_reads_share_few_transactions_and_each_gets_its_own(store: db.Database) -> None:
    transactions = set[tuple[object, ...]]()

    async def read(conn: AsyncConnection, number: int) -> int:
        row = (await conn.execute(sa.text("select now(), pg_backend_pid()"))).one()
        transactions.add(tuple(row))
        return number

    looks = live_looks.Looks(store)
    wanted = list(range(40))
    found = await asyncio.gather(*(looks.look(partial(read, number=n)) for n in wanted))
    assert found == wanted
    assert len(transactions) < len(wanted) / 2


async def test_a_read_that_fails_fails_alone(store: db.Database) -> None:
    async def broken(conn: AsyncConnection) -> object:
        return await conn.scalar(sa.text("select 1/0"))

    async def refused(_conn: AsyncConnection) -> object:
        raise ValueError("not this one")

    async def good(conn: AsyncConnection) -> object:
        return await conn.scalar(sa.text("select 7"))

    looks = live_looks.Looks(store)
    reads = [broken, good, refused, good] * 4
    found = await asyncio.gather(*(looks.look(read) for read in reads), return_exceptions=True)
    assert found[1::2] == [7] * 8
    assert all(isinstance(each, sa.exc.DBAPIError) for each in found[::4])
    assert all(isinstance(each, ValueError) for each in found[2::4])


async def test_who_gives_up_waiting_leaves_the_others_alone(store: db.Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_conn: AsyncConnection) -> int:
        begun.set()
        await go_on.wait()
        return 1

    async def quick(_conn: AsyncConnection) -> int:
        return 2

    looks = live_looks.Looks(store)
    impatient = asyncio.create_task(looks.look(slow))
    await begun.wait()
    patient = asyncio.create_task(looks.look(quick))
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    go_on.set()
    assert await patient == 2
