"""`golden token` and `golden link`: secrets by which a person signs in, each shown once."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts
from web import rights
from web.commands import database, installation
from web.commands.options import DataDir, Json, print_json
from web.commands.trouble import Trouble

Name = Annotated[str, typer.Argument(help="Sign-in name. 登录名。")]


def token(
    name: Name,
    *,
    scope: Annotated[
        list[str] | None, typer.Option(help="Only this right; may be repeated. 权限范围。")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: 12h, 30d or 2027-01-31. 有效期。")
    ] = None,
    label: Annotated[str, typer.Option(help="What it is for. 用途说明。")] = "golden token",
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Make an API token of a person; it is printed once and never again.

    为用户生成接口令牌；只显示这一次。
    """
    check_scopes(scope or ())

    async def work(conn: AsyncConnection, now: datetime) -> tuple[str, datetime | None]:
        ends = parse_end(expires, now=now) if expires else None
        secret = await accounts.add_token(
            conn, await _person(conn, name), name=label, scopes=tuple(scope or ()),
            expires_at=ends, now=now,
        )  # fmt: skip
        return secret, ends

    secret, ends = database.run(installation.find(data_dir), work)
    if json:
        print_json({"token": secret, "username": name, "expires_at": ends, "scopes": scope or []})
    else:
        typer.echo(secret)


def link(
    names: Annotated[list[str], typer.Argument(help="Sign-in names. 登录名。")],
    *,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Make links by which people sign in, each good once and for half an hour.

    生成一次性登录链接，半小时内有效。
    """
    place = installation.find(data_dir)

    async def work(conn: AsyncConnection, now: datetime) -> list[str]:
        people = [await _person(conn, name) for name in names]
        return [await accounts.add_link(conn, person, now=now) for person in people]

    secrets = database.run(place, work)
    links = [sign_in_address(place.settings.base_url, secret) for secret in secrets]
    if json:
        pairs = zip(names, links, strict=True)
        print_json([{"username": name, "link": address} for name, address in pairs])
        return
    width = max(len(name) for name in names)
    for name, address in zip(names, links, strict=True):
        typer.echo(address if len(names) == 1 else f"  {name:<{width}}  {address}")


def sign_in_address(base_url: str, secret: str) -> str:
    """Write the address of a one-time link; the secret stands where no log sees it."""
    return f"{base_url}/sign-in#{secret}"


def check_scopes(scopes: Iterable[str]) -> None:
    """Refuse a scope that no right goes by: it would make a token that may do nothing."""
    for scope in scopes:
        if not rights.is_scope(scope):
            known = ", ".join(("read", *rights.Action))
            raise Trouble(f"No such scope: {scope}. Known: {known}",
                          f"没有此权限范围：{scope}。可用：{known}")  # fmt: skip


def parse_end(text: str, *, now: datetime) -> datetime:
    """Read the end of a token's life: `12h`, `30d` or a date. Raises Trouble."""
    if found := re.fullmatch(r"(\d{1,5})([hd])", text):
        amount = int(found[1])
        return now + (timedelta(hours=amount) if found[2] == "h" else timedelta(days=amount))
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        raise Trouble(
            f"{text!r} is no time: write 12h, 30d or a date such as 2027-01-31.",
            f"无法识别的时间 {text!r}：请写 12h、30d 或日期，例如 2027-01-31。",
        ) from None
    return day if day.tzinfo else day.replace(tzinfo=UTC)


async def _person(conn: AsyncConnection, name: str) -> UUID:
    person_id = await accounts.find_person(conn, name)
    if person_id is None:
        raise Trouble(
            f"Nobody is called {name}. First: golden user add {name} --role ROLE --org CODE",
            f"没有名为 {name} 的用户。请先运行：golden user add {name} --role ROLE --org CODE",
        )
    return person_id
