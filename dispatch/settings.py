"""Every setting of the program: typed, with its unit in its name and its meaning in two languages.

A setting is read from the environment (`GOLDEN_` before its name in capitals) or from a file of the
same lines. Only web/app.py, dispatch/runner.py and the `golden` program read settings; the
libraries below them take arguments.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from dispatch import addresses
from dispatch.gateway_settings import GatewaySettings
from dispatch.meaning import Meaning

PREFIX = "GOLDEN_"


Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[float, Field(gt=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


class Settings(GatewaySettings):
    """What a running system was told; frozen once read."""

    # A value that is refused may be a secret.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: Annotated[
        str,
        Meaning(
            "Address of PostgreSQL with PostGIS, or of a primary and its replicas "
            "(postgresql://user@a,b/name); empty: the private one in the data folder.",
            "带 PostGIS 的 PostgreSQL 地址，主库与备库可一并写出（postgresql://user@a,b/name）；"
            "留空则使用数据目录中的私有数据库。",
        ),
    ] = ""
    redis_url: Annotated[
        str,
        Meaning(
            "Address of Redis, of a cluster (redis+cluster://a:6379,b:6379) or of sentinels "
            "(redis+sentinel://a,b/name); empty: the private one in the data folder.",
            "Redis 地址，也可为集群（redis+cluster://a:6379,b:6379）或哨兵"
            "（redis+sentinel://a,b/name）；留空则使用数据目录中的私有 Redis。",
        ),
    ] = ""
    data_dir: Annotated[
        Path,
        Meaning(
            "Folder of the private database, routing data, downloads and logs.",
            "存放私有数据库、路网数据、下载文件和日志的目录。",
        ),
    ] = Path(".golden")
    host: Annotated[
        str,
        Meaning(
            "Address to listen on; 0.0.0.0 for every interface.",
            "监听地址；0.0.0.0 表示所有网卡。",
        ),
    ] = "127.0.0.1"
    port: Annotated[Port, Meaning("TCP port of the web server.", "网页服务的 TCP 端口。")] = 8000
    metrics_port: Annotated[
        int,
        Field(ge=0, le=65535),
        Meaning(
            "First TCP port for /metrics, on the loopback interface, one a process; 0: none.",
            "/metrics 在本机回环上的起始端口，每个进程一个；0 表示不开放。",
        ),
    ] = 0
    watch_every_s: Annotated[
        Positive,
        Meaning(
            "Seconds between two test events that each app process sends itself, all the way.",
            "每个应用进程自检（发送一条内部测试事件并等其返回）的间隔秒数。",
        ),
    ] = 10
    processes: Annotated[
        AtLeastOne,
        Meaning("How many app processes `golden up` starts.", "golden up 启动的应用进程数。"),
    ] = 3
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meaning("How much is logged.", "日志的详细程度。"),
    ] = "info"
    public_url: Annotated[
        str,
        Meaning(
            "Address under which people reach the system; empty: http://localhost and the port.",
            "用户访问系统的网址；留空则为 http://localhost 加端口。",
        ),
    ] = ""
    allowed_origins: Annotated[
        tuple[str, ...],
        NoDecode,
        Meaning(
            "Further origins that may use the system from a browser, separated by commas.",
            "除本站外允许从浏览器访问的来源，用逗号分隔。",
        ),
    ] = ()
    valhalla_url: Annotated[
        str,
        Meaning(
            "Address of the Valhalla routing service; empty: lines are straight estimates.",
            "Valhalla 路线服务地址；留空则路线为直线估计。",
        ),
    ] = ""
    tile_cache_mb: Annotated[
        int,
        Field(ge=0, le=4096),
        Meaning(
            "Memory for finished map tiles in each app process, in MiB; 0: every tile is drawn.",
            "每个应用进程缓存地图瓦片的内存（MiB）；0 表示每次重新绘制。",
        ),
    ] = 48
    country: Annotated[
        str,
        Field(pattern=r"^([A-Z]{2})?$"),
        Meaning(
            "Country served (ISO 3166, two letters); with CN no public map shows our own base map. "
            "Empty: none of the mainland of China.",
            "部署所在国家（ISO 3166 两位代码）；CN 时公众页面一律不用自带底图；"
            "留空则仅中国大陆不用自带底图。",
        ),
    ] = ""
    public_base_map: Annotated[
        str,
        Meaning(
            "Licensed map of public pages: https addresses with {z}, {x}, {y}, lowest layer first, "
            "separated by spaces; none: no base map; empty: our own where that is allowed.",
            "公众页面使用的有资质底图：含 {z}、{x}、{y} 的 https 瓦片地址，底层在前，空格分隔；"
            "none 表示不用底图；留空则在允许的地方用自带底图。",
        ),
    ] = ""
    public_base_map_credit: Annotated[
        str,
        Field(max_length=200),
        Meaning(
            "Whose the licensed map is, shown beside it.",
            "有资质底图的版权说明，显示在地图角上。",
        ),
    ] = ""
    map_review_number: Annotated[
        str,
        Field(max_length=60),
        Meaning(
            "Map review number, shown in the corner of every map; only one that was really given.",
            "审图号，显示在每幅地图角上；只填实际取得的号码。",
        ),
    ] = ""
    emergency_number: Annotated[
        str,
        Field(pattern=r"^[0-9+*#]{2,15}$"),
        Meaning(
            "Number of the ambulance service, as the public AED page dials it.",
            "公众 AED 页面拨打的急救电话号码。",
        ),
    ] = "120"
    language_default: Annotated[
        Literal["zh", "en"],
        Meaning("Language where a person has chosen none.", "用户未选择时使用的语言。"),
    ] = "zh"
    session_hours: Annotated[
        Positive, Meaning("Hours until a sign-in ends.", "登录会话的有效小时数。")
    ] = 12
    walk_speed_mps: Annotated[
        float,
        Field(ge=0.3, le=7),
        Meaning(
            "Walking speed in metres a second (5.1 km/h).", "步行速度，米每秒（5.1 公里/小时）。"
        ),
    ] = 1.4167
    reach_s: Annotated[
        Positive,
        Meaning(
            "Nobody farther away than this many seconds on foot is alerted.",
            "步行超过此秒数的志愿者不予通知。",
        ),
    ] = 900
    aed_pickup_s: Annotated[
        float,
        Field(ge=0),
        Meaning("Seconds to take an AED out of its cabinet.", "取出 AED 所需的秒数。"),
    ] = 30
    wave_size: Annotated[
        AtLeastOne, Meaning("Most responders in one wave.", "每一批最多通知的人数。")
    ] = 8
    alerts_cap: Annotated[
        AtLeastOne, Meaning("Most alerts for one incident.", "一次事件最多通知的总人数。")
    ] = 30
    wave_wait_s: Annotated[
        Positive,
        Meaning("Seconds from one wave to the next look.", "一批通知后到下一次判断的秒数。"),
    ] = 30
    alert_expires_s: Annotated[
        Positive,
        Meaning("Seconds until an unanswered alert times out.", "通知无人应答而超时的秒数。"),
    ] = 60
    position_max_age_s: Annotated[
        Positive,
        Meaning("Seconds for which a live position is used as live.", "实时位置的有效秒数。"),
    ] = 300
    no_movement_after_s: Annotated[
        Positive,
        Meaning(
            "Seconds after accepting without a step until the operator is told.",
            "接受任务后多少秒没有动作便提示调度员。",
        ),
    ] = 180

    @field_validator("database_url")
    @classmethod
    def _name_all_servers(cls, value: str) -> str:
        return addresses.database(value)

    @field_validator("redis_url")
    @classmethod
    def _check_redis(cls, value: str) -> str:
        return addresses.redis(value)

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("public_base_map")
    @classmethod
    def _check_base_map(cls, value: str) -> str:
        tiles = value.split()
        if tiles == ["none"] or all(_is_tile_address(address) for address in tiles):
            return " ".join(tiles)
        raise ValueError(
            "write none, or https addresses with {z}, {x} and {y}, separated by spaces; "
            "填 none，或含 {z}、{x}、{y} 的 https 地址，以空格分隔"
        )

    @property
    def base_url(self) -> str:
        """Give the address under which people reach the system, without a slash at its end."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def walking_dir(self) -> Path:
        """Name the folder of the walking networks, one folder a city."""
        return self.data_dir / "routing" / "walking"

    @property
    def valhalla_dir(self) -> Path:
        """Name the folder of Valhalla's tiles and configuration."""
        return self.data_dir / "routing" / "valhalla"


def _is_tile_address(address: str) -> bool:
    # What ends a directive of the content security policy may not stand in a host.
    host = address.removeprefix("https://").partition("/")[0]
    is_host = bool(re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?", host))
    holes = all(hole in address for hole in ("{z}", "{x}", "{y}"))
    return address.startswith("https://") and is_host and holes


def read(env_file: Path | None = None) -> Settings:
    """Read the settings from the environment and, lower in rank, from a file of the same lines."""
    return Settings(_env_file=env_file)  # type: ignore[call-arg]  # mypy sees the fields only
