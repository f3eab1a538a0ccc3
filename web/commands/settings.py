"""`golden settings`: every setting with its value, its default and its meaning."""

import re

import typer

from dispatch.settings import PREFIX, Meaning, Settings
from web.commands import installation
from web.commands.options import DataDir, Json, print_json


def settings(*, json: Json = False, data_dir: DataDir = None) -> None:
    """List every setting: the environment variable, its value now, its default, its meaning.

    列出所有设置：环境变量、当前值、默认值、含义。
    """
    rows = list_settings(installation.find(data_dir).settings)
    if json:
        print_json(rows)
        return
    for row in rows:
        default = row["default"] or '""'
        typer.echo(f"{row['name']}={row['value']}  (default 默认 {default})")
        typer.echo(f"    {row['en']}\n    {row['zh']}")


def list_settings(now: Settings) -> list[dict[str, str]]:
    """Give name, value, default and meaning of every setting; no password is shown."""
    rows = []
    for name, info in Settings.model_fields.items():
        meaning = next(part for part in info.metadata if isinstance(part, Meaning))
        rows.append(
            {
                "name": PREFIX + name.upper(),
                "value": _shown(getattr(now, name)),
                "default": _shown(info.default),
                "en": meaning.en,
                "zh": meaning.zh,
            }
        )
    return rows


def _shown(value: object) -> str:
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", text)
