"""Asks `/livez` of some ports again and again, from a process of its own; the longest waits.

    python -m tests.chaos.promises.pulse PORT …

Ends with its standard input, and then prints for each port its waits in milliseconds, worst first.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from contextlib import suppress

EVERY_S = 0.02
KEPT = 20


def main() -> None:
    """Ask until standard input ends."""
    waits: dict[str, list[float]] = {port: [] for port in sys.argv[1:]}
    is_over = threading.Event()
    threads = [
        threading.Thread(target=_ask, args=(int(port), found, is_over), daemon=True)
        for port, found in waits.items()
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    is_over.set()
    for thread in threads:
        thread.join(10)
    print(json.dumps({p: sorted(found, reverse=True) for p, found in waits.items()}))


def _ask(port: int, found: list[float], is_over: threading.Event) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while not is_over.wait(EVERY_S):
        began = time.monotonic()
        with suppress(OSError, http.client.HTTPException):
            line.request("GET", "/livez")
            line.getresponse().read()
            found.append(round((time.monotonic() - began) * 1e3, 1))
            continue
        line.close()


if __name__ == "__main__":
    main()
