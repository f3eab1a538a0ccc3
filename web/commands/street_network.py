"""The walking network of a city, built in a process of its own beside whatever else is done."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo import walking_builds, walking_files
from geo.walking_files import Manifest
from web.commands import map_file
from web.commands.map_file import Tell
from web.commands.process import Program


@dataclass(slots=True)
class Building:
    """A network that is being built; nobody finds it before `use`."""

    file: Path
    folder: Path
    name: str
    hold: walking_builds.Hold
    program: Program
    child: subprocess.Popen[bytes]
    reader: threading.Thread
    heard: dict[str, Any]

    def wait(self) -> Manifest:
        """Wait until it is built. Raises Trouble where the file is none that it can be built of."""
        self.reader.join()
        self.child.wait()
        built = self.heard.get("built")
        if built is None:
            raise map_file.unreadable(
                self.file, str(self.heard.get("failed", "it could not be read"))
            )
        return Manifest(**built | {"bbox": tuple(built["bbox"])})

    def use(self) -> Manifest:
        """Let the city's name point to it. Raises Trouble as `wait`."""
        manifest = self.wait()
        walking_files.use(manifest, self.folder)
        self.hold.release()
        return manifest

    def drop(self) -> None:
        """Stop it, and forget what it made."""
        self.program.stop(self.child)
        self.reader.join()
        walking_files.drop(self.folder, self.name, self.hold.build)
        self.hold.release()


def begin(file: Path, folder: Path, name: str, tell: Tell) -> Building:
    """Begin to build; from the main thread, with whose process the child ends.

    What a build left that was killed is removed.
    """
    tell("walking", 0.0)
    walking_builds.remove_left_overs(folder, now_s=time.time())
    hold = walking_builds.hold(folder, name)
    told = (str(file.absolute()), str(folder.absolute()), name, hold.build)
    argv = (sys.executable, "-m", "geo.walking_program", *told)
    # The child has the lock too: it may outlive us by a moment.
    program = Program("walking network", argv, file_descriptors=(hold.file.fileno(),))
    reading, writing = os.pipe()
    try:
        child = program.spawn(writing)
    finally:
        os.close(writing)
    heard: dict[str, Any] = {}
    reader = threading.Thread(target=_listen, args=(reading, heard, tell), daemon=True)
    reader.start()
    return Building(file, folder, name, hold, program, child, reader, heard)


def _listen(reading: int, heard: dict[str, Any], tell: Tell) -> None:
    with open(reading, "rb") as lines:
        for line in lines:
            said = _said(line)
            heard.update(said)
            if "share" in said:
                tell("walking", said["share"])


def _said(line: bytes) -> dict[str, Any]:
    """Read a line of the child; one that is none of its own may be the end of a traceback."""
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"failed": line.decode(errors="replace").strip()}
