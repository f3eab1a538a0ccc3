"""uvicorn's WebSocket, with a short way for positions: past its queue and the task that reads it.

A position costs the process more on its way in than all that is done with it: a frame object, an
entry in the queue, two system calls that stop and start reading, and a switch of tasks. What asks
to `listen` gets short texts at once. Nobody has to be slowed down by their waiting: of each person
only the last counts, and who speaks too often is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

_EXTENSION = "golden.positions"

#: Takes a text at once and says so, or leaves it to the queue.
Listener = Callable[[str], bool]


class PositionSocket(WebSocketsSansIOProtocol):
    """The protocol to serve with; without a listener it is uvicorn's own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._listener: Listener | None = None

    def listen(self, listener: Listener) -> None:
        """Offer each whole text to a listener first."""
        self._listener = listener

    async def run_asgi(self) -> None:
        """Serve one socket, with `listen` among the extensions of its scope."""
        known = self.scope.get("extensions") or {}
        self.scope["extensions"] = {**known, _EXTENSION: {"listen": self.listen}}
        await super().run_asgi()

    def handle_text(self, event: Frame) -> None:
        """Offer a text to the listener, else queue it."""
        listener = self._listener
        if listener is not None and event.fin and not self.close_sent:
            data = bytes(event.data)
            # A position is all ASCII; other texts may be malformed, which uvicorn answers.
            if data.isascii() and listener(data.decode()):
                return
        super().handle_text(event)


def listen(socket: WebSocket, listener: Listener) -> None:
    """Have the texts of a socket offered to a listener first, if the server is ours."""
    extension = (socket.scope.get("extensions") or {}).get(_EXTENSION)
    if extension is not None:
        extension["listen"](listener)
