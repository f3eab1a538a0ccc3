"""`golden coverage`: the share of buildings near a usable AED, by hour of the week."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import coverage as geo_coverage
from geo import dataset, walking
from geo.coverage import Coverage
from geo.dataset import Dataset
from web.commands import database, installation
from web.commands.options import DataDir, Json, print_json
from web.commands.trouble import Trouble

_DAYS = ("Mon 周一", "Tue 周二", "Wed 周三", "Thu 周四", "Fri 周五", "Sat 周六", "Sun 周日")
_EVERY_HOURS = 3


def coverage(
    *,
    city: Annotated[str | None, typer.Option(help="Default: the first city. 城市。")] = None,
    within_s: Annotated[float, typer.Option(min=30, max=3600, help="Walk, one way. 秒。")] = 240.0,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Count the buildings within a walk of an AED that is usable, now and in each hour of the week.

    统计步行可及可用 AED 的建筑比例：当前时刻与一周每小时。
    """
    place = installation.find(data_dir)
    settings = place.settings
    network = walking.WalkingNetwork.load(settings.walking_dir, speed_mps=settings.walk_speed_mps)
    where, found = database.run(place, _count(network, city, within_s))
    if json:
        print_json(_answer(where, found))
    else:
        _print(where, found)


def _count(
    network: walking.WalkingNetwork, city: str | None, within_s: float
) -> Callable[[AsyncConnection, datetime], Awaitable[tuple[Dataset, Coverage]]]:
    async def work(conn: AsyncConnection, now: datetime) -> tuple[Dataset, Coverage]:
        try:
            where = await dataset.get(conn, city)
        except dataset.DatasetMissing:
            raise Trouble(
                "No such city is imported. First: golden import osm FILE",
                "尚未导入该城市。请先运行：golden import osm FILE",
            ) from None
        return where, await geo_coverage.hexagons(
            conn, network, where, within_s=within_s, with_week=True, at=now
        )

    return work


def _answer(where: Dataset, found: Coverage) -> dict[str, Any]:
    return {
        "dataset": where.name,
        "at": found.at,
        "within_s": found.within_s,
        "demand": found.demand,
        "buildings": found.weight,
        "covered": found.covered,
        "share": found.share,
        "week_begins": geo_coverage.week_begins(where, found.at),
        "week": found.week,
        "aeds_used": found.aeds_used,
        "aeds_known": found.aeds_known,
    }


def _print(where: Dataset, found: Coverage) -> None:
    typer.echo(
        f"{where.title_en} {where.title_zh}: {found.covered:.0f} of {found.weight:.0f} "
        f"({_percent(found.share or 0.0)}) within {found.within_s:.0f} s on foot of one of "
        f"{found.aeds_used} AEDs usable now (of {found.aeds_known}) 步行可及的建筑"
    )
    if found.week is None:
        return
    hours = range(0, 24, _EVERY_HOURS)
    typer.echo(" " * 9 + "".join(f"{hour:>7}h" for hour in hours))
    for number, day in enumerate(_DAYS):
        shares = (found.week[number * 24 + hour] for hour in hours)
        typer.echo(f"{day:<7}" + "".join(f"{_percent(share):>8}" for share in shares))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
