"""Where tests keep databases: in memory if there is room, as they are made by the hundred."""

import shutil
from pathlib import Path

import psutil

_MEMORY = Path("/dev/shm")  # noqa: S108 - each folder in it gets a name that nobody can guess
_ROOM_BYTES = 4 << 30


def quick_folder() -> str | None:
    """Name the folder in which temporary folders are made; None means the usual one."""
    if not _MEMORY.is_dir():
        return None
    room = min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available)
    return str(_MEMORY) if room >= _ROOM_BYTES else None
