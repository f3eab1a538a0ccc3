"""One whole system and one browser for all tests that look from outside."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.quick_folder import quick_folder
from tests.system.whole import Whole, whole_system

#: Software rendering draws the map; nothing is asked of the network outside.
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


@pytest.fixture(scope="session")
def whole() -> Iterator[Whole]:
    """Start `golden up` with the demo city in a folder of its own.

    GOLDEN_TEST_WHOLE names the data folder of a running system to be used instead.
    """
    if folder := os.environ.get("GOLDEN_TEST_WHOLE"):
        yield Whole(Path(folder), json.loads((Path(folder) / "running.json").read_text())["port"])
        return
    with tempfile.TemporaryDirectory(prefix="golden-whole-", dir=quick_folder()) as folder:
        Path(folder).chmod(0o711)
        with whole_system(Path(folder) / "data") as running:
            running.shut_offices()
            yield running


# Not for the session: while it is open no test may run an event loop of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()
