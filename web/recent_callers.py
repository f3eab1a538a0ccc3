"""Who called a moment ago, so that a burst of requests does not ask the database each time.

For what is asked many times a second, and for changes with a key (web/idempotency.py). Rights that
end are ended here within a second, like everywhere, and at once where this process ended them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from dispatch import standing
from web import auth, dependencies

#: What was learned about a secret is believed for so long.
HOLDS_S = 0.9
#: So many callers are remembered, then all are forgotten.
MOST = 4_096

_CARRIERS = frozenset({b"authorization", b"cookie"})


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody, as of a moment and of so many changes of anybody's standing."""

    at: float
    changes: int
    caller: auth.Caller | None


class RecentCallers:
    """Callers by what they carried; None stands for nobody."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[tuple[bytes, ...], _Known] = {}

    async def identify(self, request: Request) -> auth.Caller | None:
        """Say who is calling, as `dependencies.identify` does, at most a second late."""
        auth.check_origin(request, dependencies.settings_of(request))
        headers = request.scope["headers"]
        carried = tuple(part for pair in headers if pair[0] in _CARRIERS for part in pair)
        if not carried:
            request.state.caller = None
            return None
        now, changes = self._clock(), standing.number()
        held = self._found.get(carried)
        if held is not None and now - held.at < HOLDS_S and held.changes == changes:
            request.state.caller = held.caller
            return held.caller
        caller = await dependencies.identify(request)
        if len(self._found) >= MOST:
            self._found.clear()
        # As of before the look: what changed meanwhile is asked for again.
        self._found[carried] = _Known(now, changes, caller)
        return caller
