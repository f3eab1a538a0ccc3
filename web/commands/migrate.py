"""`golden migrate`: bring the schema of the database up to this code."""

import typer

from web.commands import installation, keys, schema
from web.commands.options import DataDir, Json, print_json


def migrate(*, json: Json = False, data_dir: DataDir = None) -> None:
    """Bring the schema up to the newest revision; does nothing where it is there already.

    把数据库结构升级到最新版本。
    """
    place = installation.find(data_dir)
    url = place.settings.database_url
    before = schema.standing(url)
    schema.upgrade(url)
    keys.ensure(place)
    if json:
        print_json({"from": before.revision, "to": before.head, "applied": before.missing})
    else:
        typer.echo(f"Schema 数据库结构: {before.revision or '-'} → {before.head}")
