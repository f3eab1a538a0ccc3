"""A whole system as `golden up` starts it, with the demo city, for tests from outside."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.live_processes import free_port

GOLDEN = str(Path(sys.executable).with_name("golden"))
#: From nothing to the demo drill's last line, with the city's download, on a busy machine.
START_WITHIN_S = 420


@dataclass
class Whole:
    """A running system, told apart by its data folder."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)
    told: threading.Event = field(default_factory=threading.Event)
    #: Of whoever has signed in before, so that a `golden` command is not needed each time.
    tokens: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def golden(self, *words: str) -> str:
        """Run a `golden` command on this system and return what it printed."""
        command = [GOLDEN, *words, "--data-dir", str(self.folder)]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=300
        ).stdout

    def link(self, name: str) -> str:
        """Make a one-time sign-in link."""
        found = re.search(r"http\S+", self.golden("link", name))
        assert found is not None
        return found.group()

    def database_url(self) -> str:
        """Give the address of the private database, for a look that no route offers."""
        sockets = next(self.folder.rglob(".s.PGSQL.*")).parent
        return f"postgresql://golden@/golden?host={sockets}"

    def client(self, name: str) -> httpx.Client:
        """Speak to the API as somebody."""
        if name not in self.tokens:
            self.tokens[name] = self.golden("token", name).strip().splitlines()[-1]
        headers = {"Authorization": f"Bearer {self.tokens[name]}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30)

    def close_everything(self) -> None:
        """Close what earlier tests left open."""
        with self.client("operator") as operator:
            for incident in operator.get("/incidents?status=open").json()["items"]:
                operator.post(
                    f"/incidents/{incident['id']}/close", json={"disposition": "cancelled"}
                ).raise_for_status()

    def hang_aed(self, place: tuple[float, float]) -> None:
        """Add an AED that is open at every hour, so that no test depends on the time of day."""
        lon, lat = place
        body = {
            "name": "Always open",
            "position": {"lon": lon, "lat": lat},
            "access": "public",
            "hours": "24/7",
            "cabinet": "none",
        }
        with self.client("operator") as operator:
            key = {"Idempotency-Key": "an AED for the tests"}
            operator.post("/aeds", json=body, headers=key).raise_for_status()

    def shut_offices(self) -> None:
        """Let the AEDs of offices be shut, as on a Sunday, so that the hour decides nothing."""
        with psycopg.connect(self.database_url()) as conn:
            conn.execute("update aed set hours = 'Su 03:00-03:01' where hours like 'Mo-Fr%'")

    def place_of(self, street: str) -> tuple[float, float]:
        """Find a street's point in the imported city."""
        with psycopg.connect(self.database_url()) as conn:
            found = conn.execute(
                "select ST_X(position::geometry), ST_Y(position::geometry) from address "
                "where text = %s and housenumber is null",
                [street],
            ).fetchone()
        assert found is not None
        return found[0], found[1]

    def leave_on_duty(self, names: Sequence[str]) -> None:
        """Send every invented responder home but these, who are rested."""
        with psycopg.connect(self.database_url()) as conn:
            conn.execute("update responder set duty = 'off_duty'")
            conn.execute(
                "update responder set duty = 'available', rest_until = null from person "
                "where person.id = responder.id and username = any(%s)",
                [list(names)],
            )

    def _listen(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if "opened → " in line:
                self.told.set()
        self.told.set()

    def wait_told(self) -> None:
        """Wait until the demo drill was played; fail with what the system said if it was not."""
        threading.Thread(target=self._listen, daemon=True).start()
        assert self.told.wait(START_WITHIN_S), "".join(self.said)
        assert self.process is not None
        assert self.process.poll() is None, "".join(self.said)

    def wait_said(self, words: str) -> None:
        """Wait until the system has said something."""
        end = time.monotonic() + START_WITHIN_S
        while not any(words in line for line in self.said):
            assert time.monotonic() < end, "".join(self.said)
            time.sleep(0.05)


@contextmanager
def whole_system(folder: Path, *, processes: int = 3) -> Iterator[Whole]:
    """Start a system in a folder and stop it at the end."""
    port = free_port()
    command = [GOLDEN, "up", "--port", str(port), "--data-dir", str(folder)]
    process = subprocess.Popen(
        [*command, "--processes", str(processes)], stdout=subprocess.PIPE, text=True
    )
    running = Whole(folder, port, process)
    try:
        running.wait_told()
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(90)
        if process.stdout is not None:
            process.stdout.close()
    assert status == 0, "".join(running.said)
