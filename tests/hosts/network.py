"""Hosts as network namespaces on one bridge, whose cables can be pulled. Needs root."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_NAMESPACES = Path("/run/netns")


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace; its cable is the end of the veth that stays on the bridge."""

    name: str
    address: str
    namespace: str
    cable: str

    @property
    def path(self) -> Path:
        """Name the file that stands for the namespace."""
        return _NAMESPACES / self.namespace

    def cut(self) -> None:
        """Pull the cable: nothing arrives any more, and nobody is told so."""
        _ip("link", "set", self.cable, "down")

    def mend(self) -> None:
        """Plug it in again."""
        _ip("link", "set", self.cable, "up")


class Network:
    """One bridge and its hosts; `with`."""

    def __init__(self) -> None:
        number = os.getpid() % 250
        self._bridge = f"gmbr{number}"
        self._prefix = f"10.91.{number}"
        self._number = number
        self._hosts: list[Host] = []

    @property
    def subnet(self) -> str:
        """Give the range of all addresses."""
        return f"{self._prefix}.0/24"

    def __enter__(self) -> Network:
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("addr", "add", f"{self._prefix}.1/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for host in self._hosts:
            _try("netns", "del", host.namespace)
            _try("link", "del", host.cable)  # goes with the namespace, a little later
        _try("link", "del", self._bridge)

    def host(self, name: str) -> Host:
        """Add a host."""
        last = 10 + len(self._hosts)
        host = Host(name, f"{self._prefix}.{last}", f"gm{self._number}-{name}",
                    f"gm{self._number}c{last}")  # fmt: skip
        self._hosts.append(host)
        inside = f"gm{self._number}i{last}"
        _ip("netns", "add", host.namespace)
        _ip("link", "add", host.cable, "type", "veth", "peer", "name", inside)
        _ip("link", "set", inside, "netns", host.namespace)
        _ip("link", "set", host.cable, "master", self._bridge)
        _ip("link", "set", host.cable, "up")
        for words in (
            ("addr", "add", f"{host.address}/24", "dev", inside),
            ("link", "set", inside, "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", host.namespace, *words)
        return host


def _ip(*words: str) -> None:
    subprocess.run(("ip", *words), check=True, capture_output=True, text=True)


def _try(*words: str) -> None:
    with suppress(subprocess.CalledProcessError):
        _ip(*words)
