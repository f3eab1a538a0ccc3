"""What the absence of a server looks like to those who can go on without it."""

from __future__ import annotations

import asyncio

from redis.exceptions import RedisClusterException, RedisError

#: uvloop says RuntimeError where a connection is reset between its opening and the first word to
#: it, as a proxy before a dead Redis does.
#: TimeoutError is an OSError.
REDIS_FAILS = (OSError, RedisError, RedisClusterException, RuntimeError)


def check_cancelled() -> None:
    """Raise CancelledError in a task that was cancelled and goes on: redis-py may swallow it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
