"""Waiting for a condition, so that no test sleeps for a guessed time."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], object], *, within_s: float = 30) -> None:
    """Wait until the condition holds; raises TimeoutError where it never does."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - the condition is somebody else's state
            await asyncio.sleep(0.005)


async def until_answer(ask: Callable[[], Awaitable[object]], *, within_s: float = 30) -> None:
    """Ask until the answer is yes; raises TimeoutError where it never is."""
    async with asyncio.timeout(within_s):
        while not await ask():  # noqa: ASYNC110 - the answer is another process's
            await asyncio.sleep(0.005)
