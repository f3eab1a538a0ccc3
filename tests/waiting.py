"""Waiting for a condition, so that no test sleeps for a guessed time."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], *, within_s: float = 30) -> None:
    """Wait until the condition holds; raises TimeoutError where it never does."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - the condition is somebody else's state
            await asyncio.sleep(0.005)
