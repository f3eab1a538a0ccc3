"""What a nemesis may touch."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.calls import Caller
from tests.chaos.devices import Phone
from tests.chaos.history import History
from tests.chaos.people import World
from tests.chaos.system import App, Child, System


@dataclass(frozen=True, slots=True)
class Field:
    """What a nemesis may touch."""

    system: System
    phones: Sequence[Phone]
    history: History
    random: random.Random
    #: About how long a fault lasts.
    seconds: float
    world: World
    calls: Caller

    def app(self) -> App:
        """Choose an app process."""
        return self.random.choice(self.system.apps)

    async def restart(self, child: Child, after_s: float) -> None:
        """Start a process again, as a supervisor does, and wait until it serves."""
        await child.gone()
        await asyncio.sleep(after_s)
        await child.start()
        app = next((app for app in self.system.apps if app.child is child), None)
        if app is not None:
            await self.system.app_ready(app)
