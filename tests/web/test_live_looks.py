"""Reads for sockets that share a transaction: each gets its own answer, failures stay apart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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


async def test_what_is_asked_together_is_read_together(store: db.Database) -> None:
    many: list[int] = []

    async def double(_conn: AsyncConnection, numbers: Sequence[int]) -> list[int | Exception]:
        many.append(len(numbers))
        return [ValueError("not this one") if number == 3 else 2 * number for number in numbers]

    looks = live_looks.Looks(store)
    asked = (looks.look_together(double, number) for number in range(100))
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(found[3], ValueError)
    assert [each for each in found if each is not found[3]] == [2 * n for n in range(100) if n != 3]
    assert len(many) < 5


async def test_who_breaks_the_transaction_of_many_fails_alone(store: db.Database) -> None:
    async def divide(conn: AsyncConnection, numbers: Sequence[int]) -> list[int | Exception]:
        rows = await conn.execute(
            sa.text("select 12 / n from unnest(cast(:numbers as int[])) as t (n)"),
            {"numbers": list(numbers)},
        )
        return list(rows.scalars())

    looks = live_looks.Looks(store)
    asked = (looks.look_together(divide, number) for number in (1, 2, 0, 4))
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [found[0], found[1], found[3]] == [12, 6, 3]
    assert isinstance(found[2], sa.exc.DBAPIError)
