"""A small disk in memory for the database, so that it can be full."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def mount(folder: Path, size_mb: int) -> Path | None:
    """Mount one below a folder; None where none is wanted, or we are not root."""
    if not size_mb or os.geteuid() != 0:
        return None
    disk = folder / "disk"
    disk.mkdir()
    options = f"size={size_mb}m,mode=0711"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)
    return disk


def unmount(disk: Path | None) -> None:
    """Take it away again."""
    if disk is not None:
        subprocess.run(["umount", str(disk)], check=False)
