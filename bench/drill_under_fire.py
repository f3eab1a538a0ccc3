"""Play the standing drill calm, with app processes killed, and with Redis killed and flushed.

    .venv/bin/python bench/drill_under_fire.py [--phones 200] [--incidents 50] [--seed 1]

Starts a system of its own (`golden up`, three app processes, a folder under /tmp, loopback only),
plays `golden drill --json` three times, and prints one line of JSON for each. Ends only what it
started. Exit status 1 when any alert was lost or shown twice.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import redis

GOLDEN = str(Path(sys.executable).with_name("golden"))
KILL_EVERY_S = 3.0


class System:
    """A system of our own, and what may be done to it."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.folder = folder
        command = [GOLDEN, "up", "--data-dir", str(folder), "--port", str(_free_port())]
        self._up = subprocess.Popen(
            [*command, "--processes", str(processes)], stdout=subprocess.PIPE, text=True
        )
        if self._up.stdout is None:
            raise RuntimeError("golden up has no output")
        self._said = self._up.stdout
        self.kills = 0

    def wait_ready(self) -> None:
        """Wait until the demo drill has been played, which is the last thing `golden up` does."""
        for line in self._said:
            if "opened → " in line:
                threading.Thread(target=self._said.read, daemon=True).start()
                return
        raise SystemExit("golden up ended before it was ready")

    def stop(self) -> None:
        self._up.send_signal(signal.SIGTERM)
        self._up.wait(90)

    def kill_an_app(self) -> None:
        """SIGKILL one app process, as if its machine had lost power."""
        children = psutil.Process(self._up.pid).children(recursive=True)
        apps = [child for child in children if _runs(child, "golden serve")]
        if apps:
            with contextlib.suppress(psutil.NoSuchProcess):
                random.choice(apps).kill()
                self.kills += 1

    def trouble_redis(self) -> None:
        """Kill Redis, or empty it, by turns; the supervisor starts it again."""
        self.kills += 1
        if self.kills % 2:
            for child in psutil.Process(self._up.pid).children(recursive=True):
                if _runs(child, "redis-server"):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            return
        with contextlib.suppress(redis.RedisError, StopIteration):
            redis.Redis(unix_socket_path=str(self._redis_socket())).flushall()

    def _redis_socket(self) -> Path:
        return next(self.folder.rglob("redis.sock"))


def _runs(process: psutil.Process, word: str) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return any(word in part for part in process.cmdline()[:3])
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _every(seconds: float, do: Callable[[], None] | None) -> Iterator[None]:
    if do is None:
        yield
        return
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(seconds):
            do()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _drill(system: System, options: argparse.Namespace) -> dict[str, object]:
    command = [GOLDEN, "drill", "--data-dir", str(system.folder), "--json"]
    for name in ("phones", "incidents", "seed", "speed", "rate"):
        command += [f"--{name}", str(getattr(options, name))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=1_800, check=False)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def main() -> int:
    """Play the three drills and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=200)
    parser.add_argument("--incidents", type=int, default=50)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=20)
    parser.add_argument("--rate", type=float, default=1)
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="golden-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        system = System(home / "data", options.processes)
        try:
            system.wait_ready()
            for name, trouble in (
                ("calm", None),
                ("app processes killed every 3 s", system.kill_an_app),
                ("Redis killed and flushed every 3 s", system.trouble_redis),
            ):
                system.kills, began = 0, time.monotonic()
                with _every(KILL_EVERY_S, trouble):
                    figures = _drill(system, options)
                figures |= {"run": name, "kills": system.kills}
                figures["seconds"] = round(time.monotonic() - began, 1)
                print(json.dumps(figures, ensure_ascii=False), flush=True)
                bad += int(figures["lost"] != 0 or figures["duplicated"] != 0)
        finally:
            system.stop()
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
