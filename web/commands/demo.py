"""`golden demo`: the demo organisation in a real city, made once and kept."""

import hashlib
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts, orgs
from dispatch.states import OrgRole
from geo import tables as geo_tables
from web.commands import cities, database, installation
from web.commands.cities import City
from web.commands.installation import Installation
from web.commands.options import DataDir
from web.commands.trouble import Trouble
from web.demo import devices, people, relief, spots

ORG = "demo"


def demo(
    *,
    city: Annotated[str, typer.Option(help="monaco or wuhan. 演示城市。")] = "monaco",
    data_dir: DataDir = None,
) -> None:
    """Load the demo city and fill the organisation `demo` with invented people and things.

    加载演示城市，并为组织 demo 生成虚构的人员和物资。
    """
    place = installation.find(data_dir)
    wanted = cities.city_named(city)

    async def ensure_org(conn: AsyncConnection, _now: datetime) -> UUID:
        return await add_org(conn, wanted)

    org_id = database.run(place, ensure_org)
    file = cities.fetch(wanted, place.data_dir / "download")
    if not database.run(place, _is_loaded(place, wanted, file)):
        _load(place, wanted, file)

    async def fill(conn: AsyncConnection, now: datetime) -> bool:
        return await seed(conn, org_id, city=wanted.name, now=now)

    if database.run(place, fill):
        typer.echo("Invented people, AEDs and stock added. 已生成虚构的人员、AED 和物资。")
    else:
        typer.echo("The demo's people stay where they are. 演示人员保持不变。")


async def seed(conn: AsyncConnection, org_id: UUID, *, city: str, now: datetime) -> bool:
    """Fill the demo organisation at the buildings of a city; False when it is filled already."""
    if await accounts.find_person(conn, OrgRole.OPERATOR.value) is not None:
        return False
    dataset_id: int = (
        await conn.execute(
            sa.select(geo_tables.dataset.c.id).where(geo_tables.dataset.c.name == city)
        )
    ).scalar_one()
    positions = await spots.read_positions(conn, dataset_id)
    await people.add_staff(conn, org_id)
    volunteers = people.invent(positions, today=now.date())
    responders = await people.add_responders(conn, org_id, volunteers)
    await people.add_teams(conn, org_id, responders)
    await devices.add_aeds(conn, org_id, dataset_id, positions, now=now)
    await relief.add_stock(conn, org_id, dataset_id, positions, now=now)
    return True


async def add_org(conn: AsyncConnection, city: City) -> UUID:
    """Add the demo organisation, which keeps the time of its first city; give its id."""
    found = await orgs.find_org(conn, ORG)
    if found is not None:
        return found.id
    return await orgs.add_org(
        conn, None, code=ORG, name_zh="演示红十字会", name_en="Demo Red Cross Society",
        level=4, phone="+000 000 120", timezone=city.time_zone, is_demo=True,
    )  # fmt: skip


def _is_loaded(place: Installation, city: City, file: Path) -> Callable[..., Awaitable[bool]]:
    """Ask whether the city is whole: its map in the database, its networks in their folders."""
    dataset = geo_tables.dataset.c
    query = sa.select(dataset.sha256).where(dataset.name == city.name)
    folders = (place.settings.walking_dir / city.name, place.settings.valhalla_dir / "tiles")
    have_networks = all(folder.exists() for folder in folders)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()

    async def work(conn: AsyncConnection, _now: datetime) -> bool:
        return have_networks and await conn.scalar(query) == sha256

    return work


def _load(place: Installation, city: City, file: Path) -> None:
    """Import in a process of its own: its memory is given back, and a later start needs none."""
    command = [
        sys.executable, "-m", "web.commands", "import", "osm", str(file),
        "--name", city.name, "--title-zh", city.title_zh, "--title-en", city.title_en,
        "--time-zone", city.time_zone, "--org", ORG, "--data-dir", str(place.data_dir),
        *(["--derived"] if city.is_derived else []),
    ]  # fmt: skip
    if subprocess.run(command, check=False).returncode != 0:
        raise Trouble(
            f"The demo city {city.title_en} could not be imported.",
            f"无法导入演示城市{city.title_zh}。",
        )
