"""What `golden doctor` checks on the servers: database, schema, durability, Redis, routing data."""

import asyncio
from collections.abc import Iterator

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from realtime import away, bus
from web.commands import finding, installation, schema
from web.commands.finding import Finding, Mend
from web.commands.installation import Installation

_UP = Mend("golden up", "golden up")
#: Without any of these a crash may lose an alert that was confirmed.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def check(place: Installation) -> Iterator[Finding]:
    """Make every check of the servers, as far as they should run now."""
    yield from _database(place)
    yield _redis(place)
    yield _routing_data(place)


def _database(place: Installation) -> Iterator[Finding]:
    if place.has_own_database and installation.running(place.lock_path) is None:
        yield finding.skipped(
            "database", "The system is not running: golden up", "系统未运行：golden up"
        )
        return
    try:
        with psycopg.connect(place.settings.database_url, connect_timeout=3) as conn:
            yield finding.ok("database", "The database answers.", "数据库正常响应。")
            yield _postgis(conn)
            yield _durable(conn)
    except psycopg.Error as failure:
        yield finding.bad(
            "database", f"The database does not answer: {failure}", "数据库无响应。", mend=_UP
        )
        return
    yield _schema(place)


def _postgis(conn: psycopg.Connection) -> Finding:
    row = conn.execute(
        "SELECT default_version FROM pg_available_extensions WHERE name = 'postgis'"
    ).fetchone()
    if row is not None:
        return finding.ok("postgis", f"PostGIS {row[0]}", f"PostGIS {row[0]}")
    mend = "apt-get install postgresql-15-postgis-3"
    return finding.bad(
        "postgis",
        "PostGIS is not installed on the database server.",
        "数据库服务器上未安装 PostGIS。",
        mend=Mend(mend, mend),
    )


def _durable(conn: psycopg.Connection) -> Finding:
    rows = conn.execute(
        "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(_DURABLE)]
    ).fetchall()
    off = sorted(name for name, setting in rows if setting == "off")
    if not off:
        return finding.ok("durable", "Commits survive a crash.", "提交的数据断电不丢。")
    names = ", ".join(off)
    return finding.bad(
        "durable",
        f"A crash can lose confirmed alerts: {names} is off.",
        f"断电可能丢失已确认的通知：{names} 已关闭。",
        mend=Mend(f"Switch on in postgresql.conf: {names}", f"在 postgresql.conf 中打开：{names}"),
    )


def _schema(place: Installation) -> Finding:
    try:
        now = schema.standing(place.settings.database_url)
    except SQLAlchemyError as failure:
        text = str(failure).split("\n", 1)[0]
        return finding.bad("schema", text, "无法读取数据库结构版本。", mend=_UP)
    if now.missing is None:
        return finding.bad(
            "schema",
            f"The schema ({now.revision}) is newer than this program ({now.head}).",
            f"数据库结构（{now.revision}）比程序（{now.head}）更新。",
            mend=Mend("Install the newer program again", "请重新安装较新的程序版本"),
        )
    if now.missing:
        return finding.bad(
            "schema",
            f"The schema lacks {now.missing} steps: it is at {now.revision}, not {now.head}.",
            f"数据库结构缺少 {now.missing} 步：当前 {now.revision}，应为 {now.head}。",
            mend=Mend("golden migrate", "golden migrate"),
        )
    return finding.ok("schema", f"Schema: {now.revision}", f"数据库结构：{now.revision}")


def _redis(place: Installation) -> Finding:
    if place.has_own_redis and installation.running(place.lock_path) is None:
        return finding.skipped("redis_server", "Redis is not running.", "Redis 未运行。")
    try:
        policy = asyncio.run(_memory_policy(place.settings.redis_url))
    except away.REDIS_FAILS as failure:
        return finding.bad(
            "redis_server",
            f"Redis does not answer ({failure}). Alerts still go, up to a second later.",
            "Redis 无响应。通知仍会送达，但可能慢一秒。",
            mend=_UP,
        )
    if policy not in {"noeviction", None}:
        return finding.bad(
            "redis_server",
            f"Redis may throw positions away: maxmemory-policy is {policy}.",
            f"Redis 可能丢弃位置数据：maxmemory-policy 为 {policy}。",
            mend=Mend("Set it to noeviction", "将其设为 noeviction"),
        )
    return finding.ok("redis_server", "Redis answers.", "Redis 正常响应。")


async def _memory_policy(url: str) -> str | None:
    async with bus.connect(url, within_s=3) as client:
        found: str | None = (await client.config_get("maxmemory-policy")).get("maxmemory-policy")
    return found


def _routing_data(place: Installation) -> Finding:
    folder = place.settings.walking_dir
    cities = sorted(path.parent.name for path in folder.glob("[!.]*/manifest.json"))
    if cities:
        names = ", ".join(cities)
        return finding.ok("routing_data", f"Walking networks: {names}", f"步行路网：{names}")
    if not place.data_dir.exists():
        return finding.skipped("routing_data", "Never started yet.", "尚未启动过。")
    return finding.bad(
        "routing_data",
        "There is no walking network: every walking time is an estimate.",
        "没有步行路网：步行时间均为估计。",
        mend=Mend("golden import osm FILE", "golden import osm FILE"),
    )
