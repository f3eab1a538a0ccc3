"""`golden simulate`: compare alert policies on a seed, in a Poisson world or on the real place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, matching, orgs
from dispatch.simulation import jobs, page, places, report, run
from dispatch.simulation.world import SETTINGS, Density, World
from web.commands import database, installation, options
from web.commands.trouble import Trouble

_COLUMNS = (
    ("first\n先到 %", "volunteer_first", 100.0, 1),
    ("AED\n先到 %", "aed_first", 100.0, 1),
    ("< 5 min\n%", "under_5_min", 100.0, 1),
    ("alerts\n通知", "alerts", 1.0, 1),
    ("late\n晚到", "late", 1.0, 2),
    ("nobody\n无人 %", "nobody_came", 100.0, 1),
)


def simulate(
    *,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="Shipped policy or FILE.json; repeatable. Default: all shipped. 策略。"),
    ] = None,
    incidents: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Incidents. 事件数。")
    ] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same numbers. 随机种子。")] = 1,
    world: Annotated[jobs.World, typer.Option(help="Where it is played. 模拟地点。")] = (
        jobs.World.POISSON
    ),
    setting: Annotated[str, typer.Option(help="base or china. 参数组。")] = "base",
    density: Annotated[
        list[str] | None,
        typer.Option(help="PEOPLE,AEDS to the km²; repeated: districts. 每平方公里人数与AED数。"),
    ] = None,
    org: Annotated[str, typer.Option(help="Organisation of the real place. 机构代码。")] = "demo",
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes. 进程数。")] = 2,
    as_json: options.Json = False,
    html: Annotated[Path | None, typer.Option(help="Write the report here. 报告文件。")] = None,
    data_dir: options.DataDir = None,
) -> None:
    """Play the same incidents under several policies and compare. 用同样的模拟事件比较各策略。"""
    known, policies = _world(setting, density or ()), _policies(policy or ())
    request = run.Request(policies, known, run.Fields(), seed, incidents)
    place = "Poisson " + "; ".join(one.label for one in known.densities)
    if world is not jobs.World.POISSON:
        request, place = _on_site(request, org, data_dir, is_replay=world is jobs.World.PAST)
    results = _play(request, processes)
    found = report.body(
        request, results, place=place, load_per_alert=places.load_per_alert(request)
    )
    if html is not None:
        html.write_text(page.render(found), encoding="utf-8")
    if as_json:
        options.print_json(found)
    else:
        _show(found)


def _policies(names: Sequence[str]) -> tuple[matching.Policy, ...]:
    return tuple(_policy(name) for name in names or matching.SHIPPED)


def _policy(name: str) -> matching.Policy:
    if name in matching.SHIPPED:
        return matching.SHIPPED[name]
    every = ", ".join(matching.SHIPPED)
    try:
        return matching.Policy.from_document(orjson.loads(Path(name).read_bytes()))
    except errors.BadPolicy as wrong:
        raise Trouble(f"{name}: {wrong}", f"{name}：策略有误（{wrong}）。") from None
    except (OSError, ValueError):
        raise Trouble(
            f"{name} is no shipped policy and no file with one. There are: {every}.",
            f"{name} 既不是内置策略，也不是策略文件。内置：{every}。",
        ) from None


def _world(setting: str, densities: Sequence[str]) -> World:
    if setting not in SETTINGS:
        raise Trouble(
            f"--setting must be one of {', '.join(SETTINGS)}.",
            f"--setting 可选：{'、'.join(SETTINGS)}。",
        )
    if not densities:
        return SETTINGS[setting]
    return replace(SETTINGS[setting], densities=tuple(_density(word) for word in densities))


def _density(word: str) -> Density:
    try:
        people, aeds = (float(part) for part in word.split(","))
    except ValueError:
        people, aeds = -1.0, -1.0
    if not (0 < people <= 1_000 and 0 <= aeds <= 1_000):
        raise Trouble(
            f"--density {word}: write two numbers, volunteers and AEDs to the km²: --density 10,4",
            f"--density {word}：请写两个数，例如 --density 10,4（每平方公里志愿者数、AED 数）。",
        )
    return Density(people, aeds)


def _on_site(
    request: run.Request, org: str, data_dir: Path | None, *, is_replay: bool
) -> tuple[run.Request, str]:
    """Put a request on the streets of this installation."""
    place = installation.find(data_dir)
    known = place.settings

    async def work(conn: AsyncConnection, now: datetime) -> tuple[run.Request, str]:
        found = await orgs.find_org(conn, org)
        if found is None:
            raise Trouble(f"There is no organisation {org}.", f"没有机构 {org}。")
        registry = await places.read(
            conn, found.path, walking_dir=known.walking_dir, speed_mps=known.walk_speed_mps,
            is_replay=is_replay, now=now,
        )  # fmt: skip
        world = places.world_of(request.world, registry)
        count = min(request.incidents, len(registry.spots)) if is_replay else request.incidents
        moved = replace(request, source=registry, world=world, incidents=count)
        return moved, f"{found.name_zh} {found.name_en}"

    try:
        return database.run(place, work)
    except places.NoPlace as nothing:
        raise Trouble(str(nothing), "没有可用于模拟的人员、街道或历史事件。") from None


def _play(request: run.Request, processes: int) -> run.Results:
    with _progress(Console(stderr=True, highlight=False)) as bar:
        task = bar.add_task("incidents 事件", total=request.incidents)
        return run.simulate(
            request, processes=processes, on_progress=lambda done: bar.update(task, completed=done)
        )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip


def _show(found: Mapping[str, Any]) -> None:
    title = f"{found['place']} · {found['incidents']} incidents 事件 · seed {found['seed']}"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("policy 策略", no_wrap=True)
    table.add_column("index 指数 %\n± s.e.", justify="right", no_wrap=True)
    for heading, *_ in _COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for policy in found["policies"]:
        figures = policy["figures"]
        index = figures[f"index_{found['models'][0]}"]
        cells = [
            f"{factor * figures[name]['value']:.{digits}f}" for _, name, factor, digits in _COLUMNS
        ]
        error = 100 * (index["se"] or 0.0)
        table.add_row(policy["name"], f"{100 * index['value']:.2f} ±{error:.2f}", *cells)
    console = Console(highlight=False)
    console.print(table)
    console.print(found["caveat"]["en"])
    console.print(found["caveat"]["zh"])
