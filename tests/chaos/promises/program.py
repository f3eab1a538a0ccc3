"""`python -m tests.chaos promise P9 …`: plays each, prints its table and one line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import psycopg
import uvloop

from tests.chaos.promises import (
    away,
    calm,
    crowds,
    database,
    deploys,
    hints,
    hung,
    killed,
    overload,
    resend,
    wrong_clocks,
)
from tests.chaos.promises.figures import Shown
from tests.chaos.promises.stage import Options, say

PROMISES: Mapping[str, Callable[[Options], Awaitable[Shown]]] = {
    "P3": calm.p3,
    "P4": resend.p4,
    "P7": away.p7,
    "P8": hints.p8,
    "P9": killed.p9,
    "P10": hung.p10,
    "P11": hints.p11,
    "P12": database.p12,
    "P13": database.p13,
    "P14": deploys.p14,
    "P15": deploys.p15,
    "P17": overload.p17,
    "P18": crowds.p18,
    "P19": crowds.p19,
    "P20": wrong_clocks.p20,
}


#: What ends one promise, and not those that come after it.
_BROKEN = (OSError, RuntimeError, psycopg.Error, subprocess.TimeoutExpired, ExceptionGroup)


def main(words: Sequence[str]) -> int:
    """Try one promise or all; 0 when every figure was within its limit."""
    asked = _asked(words)
    names = list(PROMISES) if "all" in asked.which else asked.which
    kept = [_try(name, asked) for name in names]
    return int(not all(kept))


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos promise", description=__doc__)
    parser.add_argument("which", nargs="+", choices=[*PROMISES, "all"])
    parser.add_argument("--scale", type=float, default=0.1, help="share of the load L1")
    parser.add_argument("--seconds", type=float, default=20, help="of the calm parts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=1.0, help="multiplies limits of time")
    parser.add_argument("--out", type=Path, help="folder for history and logs")
    return parser.parse_args(words)


def _try(name: str, asked: argparse.Namespace) -> bool:
    out = None if asked.out is None else asked.out / name
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    options = Options(asked.scale, asked.seed, asked.patience, asked.seconds, out)
    say(f"{name} at scale {asked.scale}")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            shown = runner.run(_awaited(PROMISES[name], options))
    except _BROKEN as error:
        shown = Shown(name, "could not be played to its end", notes=[repr(error)])
    shown = replace(shown, patience=asked.patience)
    print(shown.table(), flush=True)
    print(json.dumps(shown.line(), ensure_ascii=False), flush=True)
    return shown.is_kept


async def _awaited(play: Callable[[Options], Awaitable[Shown]], options: Options) -> Shown:
    return await play(options)
