"""What the commands that take a map file share: its options, the city's name, bars of progress."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from web.commands.trouble import Trouble

Tell = Callable[[str, float], None]

_STAGES = {
    "walking": "Walking network 步行路网",
    "read": "Reading the map 读取地图",
    "write": "Base map and addresses 底图与地址",
    "routing": "Routing tiles 路径数据",
}

File = Annotated[
    Path,
    typer.Argument(
        exists=True, dir_okay=False, help=".osm.pbf, .osm, .osm.gz; changes: .osc, .osc.gz 地图文件"
    ),
]
Name = Annotated[
    str | None, typer.Option(help="Short name of the city; default from the file. 城市简称。")
]


def short_name(text: str) -> str:
    """Make the short name of a city out of a name or a file name. Raises Trouble."""
    stem = re.sub(r"\.(osm(\.pbf|\.gz|\.bz2)?|pbf)$", "", text.lower())
    short = re.sub(r"[^a-z0-9_]+", "-", stem).strip("-_")
    if not short:
        raise Trouble(
            f"{text!r} gives no short name of small letters and digits; say --name",
            f"无法由 {text!r} 得出城市简称，请用 --name 指定。",
        )
    return short


def is_change_file(file: Path) -> bool:
    """Tell a change file from an extract by its name."""
    return file.name.endswith((".osc", ".osc.gz"))


def unreadable(file: Path, error: object) -> Trouble:
    """Say that a file cannot be imported."""
    return Trouble(
        f"{file.name} cannot be imported: {error}", f"无法导入 {file.name}：不是可用的地图文件。"
    )


@contextmanager
def bars() -> Iterator[Tell]:
    """Show one bar for each stage on a terminal; say nothing elsewhere."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def tell(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(_STAGES.get(stage, stage), total=1.0)
            bars.update(tasks[stage], completed=share)

        yield tell
