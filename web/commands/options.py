"""The options that many commands share."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines. 输出 JSON。")]
DataDir = Annotated[
    Path | None, typer.Option(help="Folder of data instead of the default. 数据目录。")
]


def print_json(answer: object) -> None:
    """Print one JSON document."""
    typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
