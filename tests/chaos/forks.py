"""The product's processes, forked from one that has loaded it, as `golden up` does; or a mutant."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Literal

from tests.chaos.mutants import apply
from web.commands import forked


@dataclass(frozen=True, slots=True)
class Program:
    """One app process or runner."""

    name: str
    command: Literal["serve", "runner"]
    environment: Mapping[str, str] = field(default_factory=dict)
    mutant: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_limit_s: float = 15

    async def begin(self, output: IO[bytes]) -> forked.Forked:
        """Fork it, in a thread: the first fork waits until the program is loaded."""
        child = forked._context.Process(
            target=_live,
            args=(
                self.mutant, self.name, self.command, dict(self.environment),
                forked._Passed(output.fileno()),
            ),
            daemon=True,
        )  # fmt: skip
        await asyncio.to_thread(child.start)
        return forked.Forked(child)


def _live(
    mutant: str | None, name: str, command: str, environment: dict[str, str], output: Any
) -> None:
    """Change one thing of the program, if asked to, and be it."""
    if mutant is not None:
        apply(mutant)
    forked._live(name, command, environment, output, None, None)
