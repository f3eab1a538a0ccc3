"""`python -m tests.hosts`: eight hosts, load, the primary killed, a Redis node killed, a host cut.

Needs root. The last line is JSON; it ends with 0 when nothing was lost and nothing shown twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.hosts import run
from tests.hosts.network import Network


def main() -> int:
    """Run it once; 0 when everything came out as it must."""
    options = _options()
    if os.geteuid() != 0:
        print("Network namespaces need root: sudo .venv/bin/python -m tests.hosts", file=sys.stderr)
        return 2
    folder = Path(options.out or tempfile.mkdtemp(prefix="golden-hosts-report-"))
    folder.mkdir(parents=True, exist_ok=True)
    plan = run.Plan(
        seed=options.seed, is_synchronous=not options.asynchronous, hangs=options.hang,
        phase_s=options.seconds,
    )  # fmt: skip
    with Network() as network, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        said = runner.run(run.play(plan, network, folder))
    print(f"history and logs: {folder}", file=sys.stderr)
    print(json.dumps(said, ensure_ascii=False), flush=True)
    return int(not said["good"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=12, help="of load after each fault")
    parser.add_argument(
        "--asynchronous", action="store_true", help="a replica that need not confirm"
    )
    parser.add_argument("--hang", action="store_true", help="stop the primary, do not kill it")
    parser.add_argument("--out", help="folder for history and logs")
    return parser.parse_args()
