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
    """The service on one folder of tiles."""

    config: Path
    url: str

    @classmethod
    def find(cls, folder: Path) -> "Service | None":
        """Give the service of a folder of tiles on a free port; None where there are no tiles."""
        built = folder / CONFIG
        if not built.exists() or not is_installed():
            return None
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        settings = json.loads(built.read_text())
        settings["httpd"]["service"]["listen"] = f"tcp://{address}"
        config = folder / "service.json"
        config.write_text(json.dumps(settings, indent=1))
        return cls(config, f"http://{address}")

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
