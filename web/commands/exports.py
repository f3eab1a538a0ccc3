"""`golden export`: an organisation's lists as files, and the empty sheets to fill in."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_export
from web.commands import database, import_lists, installation, osm_changes
from web.commands.import_lists import Org
from web.commands.options import DataDir
from web.commands.trouble import Trouble
from web.imports import aed_files

app = typer.Typer(help="Export lists. 导出名册。", no_args_is_help=True)

TEMPLATES = Path(aed_files.__file__).parent / "templates"
_WRITERS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    ".csv": aed_files.as_csv,
    ".geojson": aed_files.as_geojson,
    ".json": aed_files.as_geojson,
}


class Kind(StrEnum):
    """The lists that have a sheet to fill in."""

    AEDS = "aeds"
    RESPONDERS = "responders"
    STOCK = "stock"


NewFile = Annotated[Path, typer.Argument(dir_okay=False, help="File to write. 要写入的文件。")]


app.command("osm")(osm_changes.export)


@app.callback()
def _app() -> None:
    """Export lists.

    导出名册。
    """


@app.command("aeds")
def aeds(file: NewFile, *, org: Org = "demo", data_dir: DataDir = None) -> None:
    """Write an organisation's AEDs as .csv or .geojson, without codes and custodians.

    Importing the file again changes nothing. 不含柜门密码和管护人信息，重新导入不产生变化。
    """
    writer = _WRITERS.get(file.suffix.lower())
    if writer is None:
        raise Trouble(
            f"{file.name} must end in .csv or .geojson",
            f"文件名 {file.name} 须以 .csv 或 .geojson 结尾。",
        )

    async def work(conn: AsyncConnection, _now: datetime) -> list[dict[str, Any]]:
        return await aed_export.rows(conn, await import_lists.owner(conn, org))

    rows = database.run(installation.find(data_dir), work)
    _write(file, writer(rows))
    typer.echo(f"{file}: {len(rows)} AED")


@app.command("template")
def template(
    kind: Annotated[Kind, typer.Argument(help="Which list. 名册种类。")], file: NewFile
) -> None:
    """Write the empty sheet of a list, with Chinese headers, as .csv.

    导出空白名册模板。
    """
    _write(file, (TEMPLATES / f"{kind}.csv").read_bytes())
    typer.echo(str(file))


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Trouble(
            f"{file} cannot be written: {error.strerror}", f"无法写入 {file}：{error.strerror}"
        ) from error
