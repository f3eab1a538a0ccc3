"""Which built files a page needs, as Vite's manifest names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from web import pages

_MANIFEST = Path(".vite") / "manifest.json"


@dataclass(frozen=True, slots=True)
class Built:
    """The files of one page, in the order in which they are to be loaded."""

    styles: tuple[str, ...] = ()
    script: str = ""
    preloads: tuple[str, ...] = ()


def page(name: str) -> Built:
    """Name the files of a page; none before the pages are built."""
    path = pages.DIST / _MANIFEST
    try:
        changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        return Built()
    return _read(path, changed, name)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int, name: str) -> Built:
    manifest: Mapping[str, Mapping[str, Any]] = orjson.loads(path.read_bytes())
    entry = f"{name}/index.html"
    chunks = dict.fromkeys(_needed(manifest, entry))
    # What is shared stands first, so that the page's own styles win.
    styles = [style for key in chunks for style in manifest[key].get("css", ())]
    scripts = [manifest[key]["file"] for key in chunks if key != entry]
    return Built(tuple(dict.fromkeys(styles)), manifest[entry]["file"], tuple(scripts))


def _needed(manifest: Mapping[str, Mapping[str, Any]], key: str) -> Iterator[str]:
    """Yield what a chunk imports before it, then itself; what it loads later is left out."""
    for imported in manifest[key].get("imports", ()):
        yield from _needed(manifest, imported)
    yield key
