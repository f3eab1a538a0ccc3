"""Pictures are unpacked one at a time, and whoever waits for a turn holds no connection."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from web import idempotency

#: Unpacking a picture may take some hundred megabytes for a moment.
TURN = asyncio.Semaphore(1)


class Route(idempotency.Route):
    """A route that takes pictures: its turn comes before its transaction begins.

    Else those who wait would hold the connections of the pool, and alarms would wait for pictures.
    """

    def get_route_handler(self) -> idempotency.Handler:
        """Wrap the handler that makes the change once."""
        handler = super().get_route_handler()
        if idempotency.REQUIRED not in self.dependencies:
            return handler

        async def in_turn(request: Request) -> Response:
            # However slowly it comes, nobody waits for it; FastAPI reads it again from here.
            await request.body()
            async with TURN:
                return await handler(request)

        return in_turn
