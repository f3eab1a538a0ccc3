"""Where this clone keeps its data, and the settings of the system that runs from it.

The data folder is `.golden/` in the clone where the servers' user can reach it, else a folder of
the same name elsewhere. While `golden up` runs it holds a lock on `running.json` in there.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from dispatch import settings as dispatch_settings
from dispatch.settings import Settings
from web.commands import cluster, process
from web.commands.trouble import Trouble

ROOT = Path(__file__).resolve().parents[2]


class AlreadyRunning(Trouble):
    """Another `golden up` serves from the same data folder."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a running `golden up` tells the other commands."""

    pid: int
    port: int
    valhalla_url: str


@dataclass(frozen=True, slots=True)
class Installation:
    """One data folder with its private servers and its settings."""

    data_dir: Path
    settings: Settings
    postgres: cluster.Postgres
    redis: cluster.Redis

    @property
    def has_own_database(self) -> bool:
        """Tell whether the database is the private one of the data folder."""
        return self.settings.database_url == self.postgres.url()

    @property
    def has_own_redis(self) -> bool:
        """Tell whether Redis is the private one of the data folder."""
        return self.settings.redis_url == self.redis.url

    @property
    def log_dir(self) -> Path:
        """Name the folder of the children's logs."""
        return self.data_dir / "log"

    @property
    def lock_path(self) -> Path:
        """Name the file that `golden up` holds a lock on."""
        return self.data_dir / "running.json"

    def with_settings(self, **changes: object) -> "Installation":
        """Give the same installation with some settings replaced."""
        settings = self.settings.model_copy(update=changes)
        return Installation(self.data_dir, settings, self.postgres, self.redis)


def default_data_dir(root: Path = ROOT) -> Path:
    """Decide where the data lie if nobody says: in the clone if the servers' user gets there."""
    owner = process.server_owner()
    if owner.can_pass(root) and os.access(root, os.W_OK):
        return root / ".golden"
    name = f"{root.name}-{cluster.short_name(root)}"
    if os.geteuid() == 0:
        return Path("/var/lib/golden-minutes") / name
    return Path.home() / ".local" / "share" / "golden-minutes" / name


def find(data_dir: Path | None = None) -> Installation:
    """Find the installation of this clone, or the one in `data_dir`, with its settings.

    Rank: the environment, then the file `golden.env` (or what GOLDEN_ENV_FILE names), then what a
    running `golden up` says, then the private servers of the data folder.
    """
    given = os.environ.get(f"{dispatch_settings.PREFIX}DATA_DIR")
    folder = (data_dir or (Path(given) if given else default_data_dir())).absolute()
    env_file = os.environ.get(f"{dispatch_settings.PREFIX}ENV_FILE")
    settings = dispatch_settings.read(Path(env_file) if env_file else folder / "golden.env")
    owner = process.server_owner()
    sockets = cluster.socket_folder(folder)
    postgres = cluster.Postgres(folder / "postgres", sockets, owner)
    redis = cluster.Redis(sockets, owner)
    told = running(folder / "running.json")
    fill: dict[str, object] = {
        "data_dir": folder,
        "database_url": settings.database_url or postgres.url(),
        "redis_url": settings.redis_url or redis.url,
    }
    if told is not None:
        fill |= {"port": told.port, "valhalla_url": settings.valhalla_url or told.valhalla_url}
    return Installation(folder, settings.model_copy(update=fill), postgres, redis)


def environment(settings: Settings) -> dict[str, str]:
    """Write settings as the environment of a child process."""
    values = settings.model_dump(mode="json")
    return {
        f"{dispatch_settings.PREFIX}{name.upper()}": ",".join(value)
        if isinstance(value, list)
        else str(value)
        for name, value in values.items()
    }


def running(lock_path: Path) -> Running | None:
    """Tell which `golden up` holds the lock; None where none does, whatever the file says."""
    try:
        with lock_path.open() as file:
            if _lock(file):
                return None
            return Running(**json.load(file))
    except (FileNotFoundError, PermissionError, json.JSONDecodeError):
        return None


@contextmanager
def hold(installation: Installation) -> Iterator[TextIO]:
    """Hold the data folder for one `golden up`; raises AlreadyRunning where another holds it.

    The kernel gives the lock back however the process ends, so no stale file can block a start.
    """
    with installation.lock_path.open("a+") as file:
        if not _lock_patiently(file):
            raise AlreadyRunning(
                f"The system already runs from {installation.data_dir}. Stop it: golden down",
                f"系统已在运行：{installation.data_dir}。停止：golden down",
            )
        try:
            yield file
        finally:
            file.truncate(0)


def tell(file: TextIO, running: Running) -> None:
    """Write into the held lock file what the other commands need to know."""
    file.truncate(0)
    json.dump(
        {"pid": running.pid, "port": running.port, "valhalla_url": running.valhalla_url}, file
    )
    file.flush()


def _lock_patiently(file: TextIO) -> bool:
    for _ in range(5):  # another command may hold the lock for a moment, to look
        if _lock(file):
            return True
        time.sleep(0.05)
    return False


def _lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
