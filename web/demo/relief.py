"""The invented relief stock of the demo: three depots, eight kinds of goods, lots with dates."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import depots, stock
from geo.position import Position
from web import demo
from web.demo import spots

_DEPOTS = (
    ("D1", "演示中心仓库", "Demo central depot", "24/7"),
    ("D2", "演示东部仓库", "Demo eastern depot", "Mo-Fr 08:00-18:00"),
    ("D3", "演示西部仓库", "Demo western depot", "Mo-Sa 08:00-20:00"),
)


def _item(code: str, name: tuple[str, str], unit: tuple[str, str]) -> dict[str, str]:
    return {
        "code": code, "name_zh": name[0], "name_en": name[1],
        "unit_zh": unit[0], "unit_en": unit[1],
    }  # fmt: skip


_PIECE = ("件", "piece")
_CRATE = ("箱", "crate")
#: The item, how much of it a lot holds at most, and for how many days it keeps.
_ITEMS = (
    (_item("quilt", ("棉被", "Quilt"), ("条", "piece")), 400, None),
    (_item("tent", ("帐篷", "Tent"), ("顶", "piece")), 60, None),
    (_item("bed", ("折叠床", "Folding bed"), ("张", "piece")), 120, None),
    (_item("blanket", ("毛毯", "Blanket"), ("条", "piece")), 300, None),
    (_item("water", ("饮用水", "Drinking water"), _CRATE), 500, 540),
    (_item("food", ("方便食品", "Ready meals"), _CRATE), 300, 300),
    (_item("kit", ("急救包", "First aid kit"), _PIECE), 200, 1400),
    (_item("family", ("家庭箱", "Family box"), ("套", "set")), 80, None),
)
_APART_M = 600.0


async def add_stock(
    conn: AsyncConnection,
    org_id: UUID,
    dataset_id: int,
    positions: list[Position],
    *,
    now: datetime,
) -> None:
    """Add depots and items, and receive two lots of nearly every item in every depot."""
    random = demo.random("relief")
    places = spots.scatter(positions, len(_DEPOTS), apart_m=_APART_M, random=random)
    items = [
        (await depots.add_item(conn, org_id, **names), most, days) for names, most, days in _ITEMS
    ]
    for (code, zh, en, hours), position in zip(_DEPOTS, places, strict=False):
        spot = await spots.at_address(conn, dataset_id, position)
        depot = await depots.add_depot(
            conn, org_id, code=code, name=zh, name_en=en, position=position,
            address=spot.address, hours=hours, is_invented=True,
        )  # fmt: skip
        for number, (item, most, days) in enumerate(items):
            if random.random() < 0.15:
                continue
            for lot in (1, 2):
                await stock.receive(
                    conn, depot, item, quantity=random.randint(most // 5, most),
                    expires_on=_expiry(days, random.random(), now.date()),
                    donor="演示捐赠 Demo donation" if lot == 2 else None,
                    code=f"{code}-{number + 1}-{lot}", by=None, now=now,
                )  # fmt: skip


def _expiry(days: int | None, share: float, today: date) -> date | None:
    return None if days is None else today + timedelta(days=10 + int(days * share))
