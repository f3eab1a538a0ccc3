"""`golden up` with real processes: start, losses, stop, and a second start."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from live_processes import free_port

from tests.quick_folder import quick_folder
from web.commands import installation

pytestmark = pytest.mark.system

_GOLDEN = (sys.executable, "-m", "web.commands")


def until(condition: Callable[[], object], within_s: float = 90) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


class Up:
    """One running `golden up`, what it said, and its processes."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.port = free_port()
        self.data_dir = data_dir
        where = ("--data-dir", str(data_dir), "--port", str(self.port))
        self._child = subprocess.Popen(
            [*_GOLDEN, "up", *where, *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment(),
        )  # fmt: skip
        self.pid = self._child.pid
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with self._child.stdout as lines:
            self.said.extend(lines)

    def has_said(self, words: str) -> bool:
        return any(words in line for line in self.said)

    def wait_ready(self) -> None:
        until(lambda: self.has_said("ready after") or self.has_ended(), 180)
        assert not self.has_ended(), self.said

    def children(self, title: str) -> list[psutil.Process]:
        found = []
        for child in psutil.Process(self.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if title in " ".join(child.cmdline()):
                    found.append(child)
        return found

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return int(answer.status)

    def end(self, number: signal.Signals | None = None) -> int:
        if number is not None:
            self._child.send_signal(number)
        status = self._child.wait(90)
        self._reader.join()
        return status

    def has_ended(self) -> bool:
        return self._child.poll() is not None

    def clean_up(self) -> None:
        if not self.has_ended():
            self.end(signal.SIGTERM)


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GOLDEN_")}


def golden(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_GOLDEN, *arguments], capture_output=True, text=True, check=False, env=clean_environment()
    )


def processes_of(folder: Path) -> list[psutil.Process]:
    """List every process whose command line or working files name this folder."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder) in " ".join(process.info["cmdline"] or ())
    ]


class Installation:
    """One data folder on which `golden up` is started again where a test has ended it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._started: list[Up] = []

    def up(self) -> Up:
        if not self._started or self._started[-1].has_ended():
            self._started.append(Up(self.data_dir, "--no-demo", "--processes", "2"))
            self._started[-1].wait_ready()
        return self._started[-1]

    def clean_up(self) -> None:
        for one in self._started:
            one.clean_up()


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    """Give one installation for all tests of this file; making one takes the longest."""
    with tempfile.TemporaryDirectory(prefix="golden-up-", dir=quick_folder()) as folder:
        Path(folder).chmod(0o755)
        made = Installation(Path(folder) / "data")
        yield made
        made.clean_up()


def test_a_second_up_and_a_taken_port_are_refused_with_what_to_do(place, open_folder):
    one = place.up()
    again = golden("up", "--no-demo", "--data-dir", str(one.data_dir), "--port", str(free_port()))
    assert again.returncode == 1
    assert "golden down" in again.stderr
    other = ("--data-dir", str(open_folder / "other"), "--port", str(one.port))
    taken = golden("up", "--no-demo", *other)
    assert taken.returncode == 1
    assert "--port" in taken.stderr
    doctor = json.loads(golden("doctor", "--json", "--data-dir", str(one.data_dir)).stdout)
    states = {check["code"]: check["state"] for check in doctor["checks"]}
    assert {states[code] for code in ("database", "schema", "durable", "redis_server")} == {"ok"}
    assert golden("down", "--data-dir", str(open_folder / "other")).stdout.startswith("Not running")


def test_up_serves_replaces_what_is_killed_and_stops_everything(place):
    one = place.up()
    assert one.get("/livez") == one.get("/readyz") == 200
    apps = one.children("golden serve")
    assert len(apps) == 2
    apps[0].kill()
    until(lambda: one.has_said("restart no. 1"))
    assert one.get("/readyz") == 200  # the other one, or the queue of the inherited socket
    until(lambda: len(one.children("golden serve")) == 2)
    one.children("multiprocessing.forkserver")[0].kill()
    until(lambda: answers(one, "/readyz") and len(one.children("golden serve")) == 2)
    one.children("redis-server")[0].kill()
    until(lambda: one.has_said("redis ended (killed by SIGKILL); restart no. 1"))
    one.children("postgres -D")[0].kill()
    until(lambda: one.has_said("postgres ended (killed by SIGKILL)"))
    until(lambda: answers(one, "/readyz"))
    told = installation.running(one.data_dir / "running.json")
    assert (told.pid, told.port) == (one.pid, one.port)
    assert golden("down", "--data-dir", str(one.data_dir)).stdout.startswith("Stopped")
    assert one.end() == 0
    assert processes_of(one.data_dir) == []


def test_a_killed_up_takes_everything_along_and_the_next_start_is_well(place):
    first = place.up()
    family = psutil.Process(first.pid).children(recursive=True)
    first.end(signal.SIGKILL)
    assert psutil.wait_procs(family, timeout=60)[1] == []
    second = place.up()
    assert second is not first
    assert second.get("/readyz") == 200
    assert second.end(signal.SIGINT) == 0
    assert processes_of(second.data_dir) == []


def answers(one: Up, path: str) -> bool:
    with contextlib.suppress(OSError):
        return one.get(path) == 200
    return False
