"""Keeps the routing service on the newest tiles: after a build it is started again on them.

Meanwhile whoever asks gets our own lines and estimates, as always when the service is away.
"""

import asyncio
import contextlib
from typing import NoReturn

from web.commands import routing_service, supervise
from web.commands.supervise import Supervisor
from web.commands.trouble import Trouble

LOOK_EVERY_S = 2.0


async def watch(
    supervisor: Supervisor, service: routing_service.Service, *, every_s: float = LOOK_EVERY_S
) -> NoReturn:
    """Start the service when its first tiles are there, and again whenever there are others."""
    running = service.built() if _child(supervisor, service) is not None else ""
    while True:
        await asyncio.sleep(every_s)
        built = await asyncio.to_thread(service.built)
        if built == running:
            continue
        running = built
        if not await asyncio.to_thread(service.renew):
            continue
        child = _child(supervisor, service)
        if child is None:
            with contextlib.suppress(Trouble):  # the supervisor has said it, and tries on
                await supervisor.start(service.program(), probe=service.is_ready)
        else:
            await child.start_again()


def _child(supervisor: Supervisor, service: routing_service.Service) -> supervise.Child | None:
    name = service.program().name
    found = (child for child in supervisor.children() if child.program.name == name)
    return next(found, None)
