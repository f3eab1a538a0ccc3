"""`golden org add`: the first organisation of an installation, and any below it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import errors, orgs
from web.commands import database, installation
from web.commands.options import DataDir, Json, print_json
from web.commands.trouble import Trouble

org = typer.Typer(help="Add organisations. 管理组织。", no_args_is_help=True)


@org.callback()
def _org() -> None:
    """Add organisations.

    管理组织。
    """


@org.command()
def add(
    code: Annotated[str, typer.Argument(help="Short name in addresses and topics. 代码。")],
    *,
    name_zh: Annotated[str, typer.Option(help="Chinese name. 中文名称。")],
    name_en: Annotated[str, typer.Option(help="English name. 英文名称。")],
    level: Annotated[
        int, typer.Option(min=1, max=5, help="1 nation, 2 province, 3 city, 4 county, 5 station.")
    ] = 4,
    parent: Annotated[str | None, typer.Option(help="Code of the one above. 上级代码。")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone of the centre. 指挥中心电话。")] = None,
    timezone: Annotated[str, typer.Option(help="Time zone. 时区。")] = "Asia/Shanghai",
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Add an organisation; without a parent it is the root of a tree of its own.

    新增组织；不指定上级则为根组织。
    """

    async def work(conn: AsyncConnection, _now: datetime) -> UUID:
        above = None if parent is None else await orgs.find_org(conn, parent)
        if parent is not None and above is None:
            raise Trouble(f"There is no organisation {parent!r}.", f"没有代码为 {parent} 的组织。")
        return await orgs.add_org(
            conn, above, code=code, name_zh=name_zh, name_en=name_en, level=level, phone=phone,
            timezone=timezone,
        )  # fmt: skip

    try:
        org_id = database.run(installation.find(data_dir), work)
    except errors.NameTaken:
        raise Trouble(f"The code {code!r} is taken.", f"代码 {code} 已被使用。") from None
    if json:
        print_json({"id": org_id, "code": code})
    else:
        typer.echo(f"{code} added. 已新增。")
