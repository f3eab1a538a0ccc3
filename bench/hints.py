"""What a hint costs: those who send it, Redis, and each process that hears it.

    .venv/bin/python bench/hints.py --hints 20000 --listeners 4

Starts a Redis of its own. Every commit sends one hint to every process; a process that has nobody
for the topic does nothing more with it. Processor time, so it needs no quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from pathlib import Path

import psutil
from private_system import servers

from realtime import bus, log
from realtime.hint_link import HintLinks


async def listen(url: str, hints: int) -> None:
    """Hear that many hints and print what one cost."""
    client = bus.connect(url, within_s=2)
    heard = 0

    def take(_channel: str, data: str) -> None:
        nonlocal heard
        heard += len(log.read_hint(data))

    links = HintLinks(client, (), take, name=str(os.getpid()))
    running = asyncio.create_task(links.run())
    while not links.is_hearing:  # noqa: ASYNC110 - of several links at once
        await asyncio.sleep(0.01)
    print(json.dumps({"ready": True}), flush=True)
    began = time.process_time()
    while heard < hints:  # noqa: ASYNC110 - waking it for each hint would be measured
        await asyncio.sleep(0.05)
    cpu_us = 1e6 * (time.process_time() - began) / heard
    print(json.dumps({"of": "listener", "cpu_us_a_hint": round(cpu_us, 1)}), flush=True)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await client.aclose()


async def measure(url: str, redis_pid: int, hints: int, listeners: int) -> None:
    """Start the listeners, send, and print what it cost the sender and Redis."""
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--listen", url, "--hints", str(hints),
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(listeners)
    ]  # fmt: skip
    for child in children:
        await _line(child)
    client = bus.connect(url, within_s=2)
    server = psutil.Process(redis_pid)
    before, began = server.cpu_times(), time.process_time()
    for number in range(hints):
        if not await log.publish_moved(client, {f"org:demo-{number % 50}": number}):
            raise SystemExit("Redis did not take a hint")
    sender_us = 1e6 * (time.process_time() - began) / hints
    print(json.dumps({"of": "sender", "cpu_us_a_hint": round(sender_us, 1)}))
    for child in children:
        print(await _line(child))
        await child.wait()
    after = server.cpu_times()
    redis_us = 1e6 * (after.user + after.system - before.user - before.system) / hints
    said = {"of": "redis", "listeners": listeners, "cpu_us_a_hint": round(redis_us, 1)}
    print(json.dumps(said), flush=True)
    await client.aclose()


async def _line(child: asyncio.subprocess.Process) -> str:
    if child.stdout is None:
        raise SystemExit("a listener says nothing")
    return (await child.stdout.readline()).decode().strip()


def main() -> None:
    """Be a listener, or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hints", type=int, default=20_000)
    parser.add_argument("--listeners", type=int, default=4)
    parser.add_argument("--listen", help="address of the Redis to listen to")
    options = parser.parse_args()
    if options.listen:
        asyncio.run(listen(options.listen, options.hints))
        return
    with servers() as system:
        pid = _pid_of(system.bus.sockets)
        asyncio.run(measure(system.redis_url, pid, options.hints, options.listeners))


def _pid_of(sockets: Path) -> int:
    """Find the Redis of ours among this process's children."""
    words = str(sockets)
    for child in psutil.Process().children(recursive=True):
        if "redis" in child.cmdline()[0] and any(words in word for word in child.cmdline()):
            return child.pid
    raise SystemExit("our Redis does not run")


if __name__ == "__main__":
    main()
