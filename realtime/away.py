"""What the absence of a server looks like to those who can go on without it."""

from __future__ import annotations

from redis.exceptions import RedisError

#: uvloop says RuntimeError where a connection is reset between its opening and the first word to
#: it, as a proxy before a dead Redis does.
REDIS_FAILS = (OSError, RedisError, RuntimeError)  # TimeoutError is an OSError
