"""The invented AEDs of the demo: of every kind of hours, access and state that there is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aeds
from geo.position import Position
from web import demo
from web.demo import spots

COUNT = 25
_APART_M = 180.0
_HOURS = (
    "24/7",
    "24/7",
    "Mo-Su 06:00-23:00",
    "Mo-Fr 08:00-19:00; Sa 09:00-13:00",
    "Mo-Fr 09:00-17:30",
    None,
)
_ACCESS = ("public", "public", "public", "public", "staff", "unknown", "private")
_CABINETS = ("none", "alarmed", "alarmed", "code", "key")
_WHERE = (
    ("大厅入口左侧", "in the hall, left of the entrance"),
    ("一楼服务台", "at the desk on the ground floor"),
    ("门外墙上", "on the wall outside"),
    ("保安室内", "in the guards' room"),
)


async def add_aeds(
    conn: AsyncConnection,
    org_id: UUID,
    dataset_id: int,
    positions: list[Position],
    *,
    now: datetime,
) -> int:
    """Enter the invented AEDs at buildings well apart from each other; give how many."""
    random = demo.random("devices")
    places = spots.scatter(positions, COUNT, apart_m=_APART_M, random=random)
    for number, position in enumerate(places, start=1):
        spot = await spots.at_address(conn, dataset_id, position)
        zh, en = random.choice(_WHERE)
        facts: dict[str, object] = {
            "name": f"AED {number:02} · 演示 Demo",
            "address": spot.address,
            "position": position,
            "location_note": f"{zh} {en}",
            "indoor": zh != "门外墙上",
            "hours": random.choice(_HOURS),
            "access": random.choice(_ACCESS),
            "cabinet": random.choice(_CABINETS),
            "status": "out_of_service" if number % 12 == 0 else "in_service",
        }
        await aeds.add(
            conn,
            org_id,
            facts,
            source="demo",
            source_ref=f"demo-{number:02}",
            is_invented=True,
            now=now,
        )
    return len(places)
