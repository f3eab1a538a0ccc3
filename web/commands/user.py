"""`golden user add`: people who sign in, with a role in an organisation."""

import sys
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts, orgs, responders
from dispatch.states import OrgRole
from web import auth
from web.commands import database, installation
from web.commands.options import DataDir, Json, print_json
from web.commands.trouble import Trouble

user = typer.Typer(help="Add people who sign in. 管理用户。", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Sign-in name. 登录名。")]


@user.callback()
def _user() -> None:
    """Add people who sign in.

    管理用户。
    """


@user.command()
def add(
    name: Name,
    *,
    role: Annotated[OrgRole, typer.Option(help="What the person may do. 角色。")],
    org: Annotated[str, typer.Option(help="Code of the organisation. 组织代码。")],
    full_name: Annotated[str | None, typer.Option(help="Shown to others. 姓名。")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password. 从标准输入读取密码。")
    ] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Add a person with a role in an organisation; one who is there gets role and password.

    新增用户并授予角色；用户已存在则增加角色、更新密码。
    """
    password_hash = _password(name) if password_stdin else None

    async def work(conn: AsyncConnection, _now: datetime) -> UUID:
        home = await orgs.find_org(conn, org)
        if home is None:
            raise _no_org(org)
        person_id = await accounts.find_person(conn, name)
        if person_id is None:
            person_id = await accounts.add_person(
                conn, home.id, name=full_name or name, username=name, password_hash=password_hash
            )
        elif password_hash is not None:
            await accounts.change_person(conn, person_id, {"password_hash": password_hash})
        await accounts.grant(conn, person_id, home.id, role)
        if role is OrgRole.RESPONDER:
            await responders.enrol(conn, person_id, org_id=home.id)
        return person_id

    person_id = database.run(installation.find(data_dir), work)
    if json:
        print_json({"id": str(person_id), "username": name, "role": role.value, "org": org})
    else:
        typer.echo(f"{name}: {role.value} @ {org}")


def _password(username: str) -> str:
    password = sys.stdin.readline().rstrip("\n")
    if wrong := auth.weakness(password, username):
        raise Trouble(f"This password will not do: {wrong}.", "密码强度不足，请换一个。")
    return auth.hash_password(password)


def _no_org(code: str) -> Trouble:
    return Trouble(f"No organisation has the code {code}.", f"没有代码为 {code} 的组织。")
