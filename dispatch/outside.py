"""PURE. Which addresses outside may be called: known hosts over https, nothing on this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

#: The push services of Chrome and Android, Firefox, Safari, and Edge. A host that begins with a
#: dot stands for everything below it.
PUSH_HOSTS = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    ".push.services.mozilla.com",
    "web.push.apple.com",
    ".push.apple.com",
    ".notify.windows.com",
)


def is_loopback(url: str) -> bool:
    """Tell whether an address is on this machine."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_allowed(url: str, hosts: Collection[str]) -> bool:
    """Tell whether an address may be called: https, no password, no odd port, a known host.

    Addresses on this machine are allowed only where they are listed with their port, as a test
    lists its doubles. Numbers of machines are no known hosts, however they are written.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or not host:
        return False
    if is_loopback(url):
        return parts.scheme in {"http", "https"} and f"{host}:{port}" in hosts
    is_known = any(host == name or (name[:1] == "." and host.endswith(name)) for name in hosts)
    return parts.scheme == "https" and port in {None, 443} and is_known


def host_of(url: str) -> str:
    """Name an address's host as `is_allowed` lists it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{host}:{parts.port}" if is_loopback(url) else host


def is_test(push_hosts: Collection[str]) -> bool:
    """Tell whether some push services are nothing but doubles on this machine."""
    return bool(push_hosts) and all(is_loopback(f"//{host}") for host in push_hosts)
