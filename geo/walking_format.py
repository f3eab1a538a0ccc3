"""Which form the stored walking networks have; light, so that every start may ask."""

import json
from pathlib import Path

FORMAT = 3  # raise it when the arrays change; a reader refuses any other
MANIFEST = "manifest.json"


def outdated(folder: Path) -> list[str]:
    """Name the cities whose network another version built, or whose manifest is unreadable."""
    return [
        path.parent.name for path in sorted(folder.glob(f"[!.]*/{MANIFEST}")) if not _is_ours(path)
    ]


def _is_ours(manifest: Path) -> bool:
    try:
        return bool(json.loads(manifest.read_text())["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False
