"""What `golden doctor` checks without any server: programs, folders, disk, port, built files."""

import os
import pwd
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from web.commands import cluster, finding, installation, process, routing_service
from web.commands.finding import Finding, Mend
from web.commands.installation import Installation

_SETUP = Mend("scripts/setup", "scripts/setup")
#: Below this PostgreSQL may stop in the middle of a write-ahead log file.
_DISK_FLOOR_BYTES = 1_000_000_000


def check(place: Installation) -> Iterator[Finding]:
    """Make every check of the machine."""
    yield _postgres(place)
    yield _redis(place)
    yield _routing_engine()
    yield _front_ends()
    yield _map_number(place)
    yield from _data_folder(place)
    yield _disk(place)
    yield _sockets(place)
    yield _left_over(place)
    yield _port(place)


def _postgres(place: Installation) -> Finding:
    folder = cluster.postgres_binaries()
    if folder is not None or not place.has_own_database:
        found = folder or "elsewhere"
        return finding.ok("postgres", f"PostgreSQL with PostGIS: {found}", f"数据库软件：{found}")
    mend = "apt-get install --no-install-recommends postgresql-15 postgresql-15-postgis-3"
    return finding.bad(
        "postgres",
        "No PostgreSQL with PostGIS is installed.",
        "未安装带 PostGIS 的 PostgreSQL。",
        mend=Mend(mend, mend),
    )


def _redis(place: Installation) -> Finding:
    binary = cluster.redis_binary()
    if binary is not None or not place.has_own_redis:
        found = binary or "-"
        return finding.ok("redis", f"Redis: {found}", f"Redis 软件：{found}")
    mend = "apt-get install --no-install-recommends redis-tools"
    return finding.bad("redis", "No Redis is installed.", "未安装 Redis。", mend=Mend(mend, mend))


def _routing_engine() -> Finding:
    if routing_service.is_installed():
        return finding.ok("routing_engine", "Routing engine: installed", "路径引擎：已安装")
    return finding.bad(
        "routing_engine",
        "The routing engine is missing: route lines are estimates.",
        "缺少路径引擎：路线为直线估计。",
        mend=_SETUP,
    )


def _front_ends() -> Finding:
    pages = installation.ROOT / "web" / "ui" / "dist"
    missing = [
        name
        for name in ("console", "go", "planner", "aed", "sign-in")
        if not (pages / name / "index.html").exists()
    ]
    if not missing:
        return finding.ok("front_ends", "Front ends: built", "前端页面：已生成")
    names = ", ".join(missing)
    return finding.bad(
        "front_ends", f"Front ends not built: {names}", f"前端页面未生成：{names}", mend=_SETUP
    )


def _map_number(place: Installation) -> Finding:
    settings = place.settings
    is_china = settings.country in ("", "CN")
    if not is_china or settings.map_review_number or settings.public_base_map in ("", "none"):
        number = settings.map_review_number or "-"
        return finding.ok("map_number", f"Map review number: {number}", f"审图号：{number}")
    return finding.bad(
        "map_number",
        "A licensed map is shown in public without its review number.",
        "公众页面使用了有资质底图，但未填审图号。",
        mend=Mend(
            "set GOLDEN_MAP_REVIEW_NUMBER, or GOLDEN_COUNTRY if you are not in China",
            "设置 GOLDEN_MAP_REVIEW_NUMBER；不在中国时设置 GOLDEN_COUNTRY",
        ),
    )


def _data_folder(place: Installation) -> Iterator[Finding]:
    folder = place.data_dir
    yield finding.ok("data_folder", f"Data folder: {folder}", f"数据目录：{folder}")
    if not folder.exists():
        return
    if not os.access(folder, os.W_OK):
        yield finding.bad(
            "data_folder_owner",
            f"{folder} belongs to {_owner(folder)} and cannot be written.",
            f"{folder} 属于 {_owner(folder)}，无法写入。",
            mend=_give_back(folder, pwd.getpwuid(os.geteuid()).pw_name),
        )
        return
    yield from _database_folder(place)


def _database_folder(place: Installation) -> Iterator[Finding]:
    owner, folder = process.server_owner(), place.postgres.folder
    if not place.has_own_database or not folder.exists():
        return
    if folder.stat().st_uid != owner.uid:
        yield finding.bad(
            "database_owner",
            f"{folder} belongs to {_owner(folder)}; the database runs as {owner.name}.",
            f"{folder} 属于 {_owner(folder)}；数据库以 {owner.name} 运行。",
            mend=_give_back(folder, owner.name),
        )
    elif not owner.can_pass(place.data_dir):
        yield finding.bad(
            "database_path",
            f"{owner.name} may not walk through every folder down to {place.data_dir}.",
            f"用户 {owner.name} 无法进入 {place.data_dir} 的上级目录。",
            mend=Mend("Choose a folder elsewhere: --data-dir", "用 --data-dir 另选目录"),
        )
    else:
        yield finding.ok(
            "database_owner", f"Database files: {owner.name}", f"数据库文件属主：{owner.name}"
        )


def _disk(place: Installation) -> Finding:
    folder = next(path for path in (place.data_dir, *place.data_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB"
    if free >= _DISK_FLOOR_BYTES:
        return finding.ok("disk", f"Disk: {text} free", f"磁盘剩余：{text}")
    return finding.bad(
        "disk",
        f"Only {text} free on the disk of {folder}; the database needs 1 GB to be safe.",
        f"{folder} 所在磁盘仅剩 {text}；数据库至少需要 1 GB。",
        mend=Mend("Free some space, or move: --data-dir", "清理磁盘，或用 --data-dir 换目录"),
    )


def _sockets(place: Installation) -> Finding:
    path = place.postgres.sockets / ".s.PGSQL.5432.lock"
    if len(str(path)) < cluster.SOCKET_PATH_LIMIT:
        return finding.ok("sockets", f"Sockets: {path.parent}", f"套接字目录：{path.parent}")
    return finding.bad(
        "sockets",
        f"The path of the sockets is too long for the system (107 bytes): {path.parent}",
        f"套接字路径超过系统上限（107 字节）：{path.parent}",
        mend=Mend("Set a shorter TMPDIR or --data-dir", "缩短 TMPDIR 或 --data-dir"),
    )


def _left_over(place: Installation) -> Finding:
    if installation.running(place.lock_path) is not None:
        return finding.ok("left_over", "The system is running.", "系统正在运行。")
    pid = place.postgres.left_over() if place.has_own_database else None
    if pid is None:
        return finding.ok("left_over", "No left-over processes.", "没有遗留进程。")
    return finding.bad(
        "left_over",
        f"A PostgreSQL (process {pid}) is left over from a start that was killed.",
        f"上次被强制终止后遗留了 PostgreSQL（进程 {pid}）。",
        mend=Mend(f"golden up stops it, or: kill -INT {pid}", f"golden up 或 kill -INT {pid}"),
    )


def _port(place: Installation) -> Finding:
    host, port = place.settings.host, place.settings.port
    if installation.running(place.lock_path) is not None:
        return finding.ok("port", f"Port {port}: ours", f"端口 {port}：由本系统使用")
    try:
        socket.create_server((host, port)).close()
    except OSError as failure:
        return finding.bad(
            "port",
            f"Port {port} on {host} cannot be had: {os.strerror(failure.errno or 0)}.",
            f"无法使用 {host} 的端口 {port}：{os.strerror(failure.errno or 0)}。",
            mend=Mend("Choose another: --port", "用 --port 另选端口"),
        )
    return finding.ok("port", f"Port {port}: free", f"端口 {port}：可用")


def _owner(folder: Path) -> str:
    try:
        return folder.owner()
    except KeyError:  # a user of another machine or container
        return f"user {folder.stat().st_uid}"


def _give_back(folder: Path, name: str) -> Mend:
    command = f"sudo chown -R {name} {folder}"
    return Mend(command, command)
