"""What stands before the apps: forwards connections, and asks each host whether it is well.

A host that fails two checks gets no more, and the connections to it are reset (HAProxy's
`on-marked-down shutdown-sessions`); without that an idle phone notices by its heartbeat only.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NoReturn

from tests.chaos import proxies

CHECK_EVERY_S = 1.0
CHECK_WITHIN_S = 1.0
#: Checks that fail, or succeed, in a row before a host is left, or taken again.
CHECKS = 2


class Balancer:
    """Forwards to one host: as many of them as hosts are one balancer."""

    def __init__(self, name: str, address: str, port: int) -> None:
        self.edge = proxies.Proxy(name, self._dial)
        self.where = (address, port)
        self._checking: asyncio.Task[NoReturn] | None = None

    async def start(self) -> None:
        """Forward; the checks begin with `watch`."""
        await self.edge.start()

    def watch(self) -> None:
        """Begin to ask whether the host is well."""
        self._checking = asyncio.create_task(self._check_often(), name=f"check {self.edge.name}")

    async def close(self) -> None:
        """End all of it."""
        if self._checking is not None:
            self._checking.cancel()
        await self.edge.close()

    async def _dial(self) -> proxies.Streams:
        async with asyncio.timeout(CHECK_WITHIN_S):
            return await asyncio.open_connection(*self.where)

    async def _check_often(self) -> NoReturn:
        in_a_row = 0
        while True:
            is_up = not self.edge.toxics.down
            in_a_row = in_a_row + 1 if await is_well(*self.where) != is_up else 0
            if in_a_row >= CHECKS:
                in_a_row = 0
                if is_up:
                    self.edge.poison(down=True)
                else:
                    self.edge.heal()
            await asyncio.sleep(CHECK_EVERY_S)


async def is_well(address: str, port: int) -> bool:
    """Say whether a process answers: not whether its database does."""
    with suppress(OSError):  # TimeoutError is an OSError
        async with asyncio.timeout(CHECK_WITHIN_S):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                writer.write(f"GET /livez HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
                return (await reader.readline()).split()[1:2] == [b"200"]
            finally:
                writer.close()
    return False
