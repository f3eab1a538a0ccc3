"""The Valhalla routing service, on the loopback interface, from the tiles of the data folder.

Its programs come from the wheel that tools.lock pins. They are run, never imported: the wheel is
made for a newer Python.
"""

import json
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from web.commands.installation import ROOT
from web.commands.process import Program

PACKAGE = ROOT / ".tools" / "valhalla" / "valhalla"
#: The settings that a build of tiles leaves in their folder.
CONFIG = "valhalla.json"


@dataclass(frozen=True, slots=True)
class Service:
    """The service on the tiles of one folder, which may come later."""

    folder: Path
    port: int

    @classmethod
    def find(cls, folder: Path) -> "Service | None":
        """Give the service of a folder of tiles on a free port; None where there are no tiles."""
        found = cls.reserve(folder)
        return found if found is not None and found.renew() else None

    @classmethod
    def reserve(cls, folder: Path) -> "Service | None":
        """Give the service of a folder on a free port; None where the engine is not installed."""
        if not is_installed():
            return None
        with socket.create_server(("127.0.0.1", 0)) as free:
            return cls(folder, free.getsockname()[1])

    @property
    def url(self) -> str:
        """Give the address that it answers at."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        """Name the settings that it runs with."""
        return self.folder / "service.json"

    def built(self) -> str:
        """Give the settings that the last build left, empty where there is none."""
        try:
            return (self.folder / CONFIG).read_text()
        except FileNotFoundError:
            return ""

    def renew(self) -> bool:
        """Take the tiles of the last build at the next start; False where there are none."""
        built = self.built()
        if not built:
            return False
        settings = json.loads(built)
        settings["httpd"]["service"]["listen"] = f"tcp://127.0.0.1:{self.port}"
        self.config.write_text(json.dumps(settings, indent=1))
        return True

    def program(self) -> Program:
        """Say how to run the service, with one thread."""
        return Program("valhalla", (str(program("service")), str(self.config), "1"))

    def is_ready(self) -> bool:
        """Tell whether the service answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/status", timeout=2) as answer:  # noqa: S310 - ours
                return bool(answer.status == 200)
        except OSError:
            return False


def is_installed() -> bool:
    """Tell whether the engine's programs are here."""
    return all(program(name).exists() for name in ("service", "build_tiles"))


def program(name: str) -> Path:
    """Name one of the engine's programs."""
    return PACKAGE / "bin" / f"valhalla_{name}"
