"""PURE. Addresses of servers as they are given, and in the one form that every client reads."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

#: For whoever names several servers. A dead one is left after the first two values; a connection to
#: it, seven seconds after it fell silent. A server that only follows is never written to.
OF_SEVERAL = {
    "target_session_attrs": "read-write",
    "connect_timeout": "2",
    "tcp_user_timeout": "5000",
    "keepalives_idle": "3",
    "keepalives_interval": "2",
    "keepalives_count": "2",
}
_ADDRESS = re.compile(r"(.*?)(?::(\d*))?")
_REDIS = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster",
          "redis+sentinel", "rediss+sentinel")  # fmt: skip


def database(url: str) -> str:
    """Write several servers, as PostgreSQL's own addresses name them, as each client reads them.

    `postgresql://u@a:5432,b/db` becomes `postgresql://u@/db?host=a,b&port=5432,5432&…`; an address
    of one server stays as it is.
    """
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    user, at, where = parts.netloc.rpartition("@")
    if where:
        pairs = [_host_and_port(one) for one in where.split(",")]
        hosts, ports = [host for host, _ in pairs], [port for _, port in pairs]
    else:
        hosts = given.get("host", "").split(",")
        ports = given.get("port", "5432").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
    if len(hosts) < 2:
        return url
    if len(ports) != len(hosts):
        raise ValueError("name one port, or as many as servers; 请写一个端口，或与服务器一样多")
    query = OF_SEVERAL | given | {"host": ",".join(hosts), "port": ",".join(ports)}
    return f"{parts.scheme}://{user}{at}{parts.path}?{urlencode(query, safe=',', quote_via=quote)}"


def _host_and_port(text: str) -> tuple[str, str]:
    host, port = _ADDRESS.fullmatch(text).groups()  # type: ignore[union-attr]  # matches anything
    return host.strip("[]"), port or "5432"


def redis(url: str) -> str:
    """Return an address of Redis if it is one; raise ValueError that says what one looks like."""
    if not url:
        return url
    parts = urlsplit(url)
    kind = parts.scheme.partition("+")[2]
    has_name = kind != "sentinel" or parts.path.strip("/")
    if parts.scheme in _REDIS and has_name and (parts.netloc or parts.scheme == "unix"):
        return url
    raise ValueError(
        "write redis://host:6379/0, redis+cluster://host:6379,host:6379 or "
        "redis+sentinel://host:26379,host:26379/NAME; "
        "请写 redis://主机:6379/0、redis+cluster://主机:6379,主机:6379 或 "
        "redis+sentinel://主机:26379,主机:26379/名称"
    )
