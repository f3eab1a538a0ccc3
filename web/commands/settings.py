"""`golden settings`: every setting with its value, its default and its meaning."""

import re

import typer

from dispatch.gateway_settings import GatewaySettings
from dispatch.meaning import Meaning
from dispatch.settings import PREFIX, Settings
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
    # The channels come last: few installations need them on the first day.
    fields = sorted(
        Settings.model_fields.items(), key=lambda item: item[0] in GatewaySettings.model_fields
    )
    for name, info in fields:
        meaning = next(part for part in info.metadata if isinstance(part, Meaning))
        rows.append(
            {
                "name": PREFIX + name.upper(),
                "value": _hidden(now, name) if meaning.is_secret else _shown(getattr(now, name)),
                "default": _shown(info.default),
                "en": meaning.en,
                "zh": meaning.zh,
            }
        )
    return rows


def _hidden(now: Settings, name: str) -> str:
    return "***" if getattr(now, name) else ""


def _shown(value: object) -> str:
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", text)
