"""Waits that end."""

import asyncio

import pytest
from waiting import until

from realtime import deadline


async def test_work_in_time_gives_its_result_and_its_error() -> None:
    async def add() -> int:
        return 1 + 1

    async def fail() -> int:
        raise KeyError("x")

    assert await deadline.within(5, add()) == 2
    with pytest.raises(KeyError):
        await deadline.within(5, fail())


async def test_work_that_will_not_be_cancelled_is_left_behind() -> None:
    release, ended = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await release.wait()
        except asyncio.CancelledError:
            await release.wait()
            ended.set()
            raise ValueError("nobody hears this") from None

    with pytest.raises(TimeoutError):
        await deadline.within(0.01, stubborn())
    assert not ended.is_set()
    release.set()
    await ended.wait()
    await until(lambda: not deadline._left_behind)


async def test_who_is_cancelled_cancels_the_work() -> None:
    cancelled = asyncio.Event()
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    task = asyncio.create_task(deadline.within(60, work()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await cancelled.wait()


async def test_a_breaker_leaves_a_failing_service_alone_for_a_while() -> None:
    breaker = deadline.Breaker(0.02)
    assert breaker.lets_through()
    breaker.note(success=False)
    assert not breaker.lets_through()
    await until(breaker.lets_through)
    breaker.note(success=True)
    assert breaker.lets_through()
    assert (breaker.succeeded, breaker.failed) == (1, 1)
