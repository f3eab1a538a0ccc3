"""What a list says of devices beside their records: who answers for them, the codes of their locks.

Neither belongs to the record, whose history shows what each list said. So what the list said last
is kept as digests: while it says the same, what was corrected or forgotten here stays so.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_entries, tables
from geo.aed_custodians import Custodian

_BATCH = 1000
_CODE = "code"

#: A custodian, or the code.
Part = Custodian | str


@dataclass(frozen=True, slots=True)
class Beside:
    """What a row says; nothing of what it leaves out. The code is a secret."""

    custodians: tuple[Custodian, ...] = ()
    code: str | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        """Tell whether anything is said."""
        return bool(self.custodians) or self.code is not None

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Give each thing that is said under its name."""
        for custodian in self.custodians:
            yield str(custodian.rank), custodian
        if self.code is not None:
            yield _CODE, self.code


async def take_over(
    conn: AsyncConnection,
    said: Mapping[UUID, Beside],
    *,
    actor_id: UUID | None,
    now: datetime,
) -> set[UUID]:
    """Take over what the list says differently from last time, or first; give the changed devices.

    What is known here and the list never spoke of stays. The devices are locked.
    """
    if not said:
        return set()
    last, present = await _last(conn, said), await _present(conn, said)
    fresh: dict[UUID, dict[str, str]] = {}
    people: list[dict[str, Any]] = []
    codes: dict[UUID, str] = {}
    for aed_id, beside in said.items():
        before = last.get(aed_id, {})
        digests = {name: _digest(aed_id, part) for name, part in beside.parts()}
        if not digests.items() <= before.items():
            fresh[aed_id] = before | digests
        for part in _news(beside, digests, before, present.get(aed_id, {})):
            if isinstance(part, Custodian):
                people.append({"aed_id": aed_id, "updated_at": now, **asdict(part)})
            else:
                codes[aed_id] = part
    await _put_custodians(conn, people)
    await put_codes(conn, codes, actor_id=actor_id, now=now)
    await _remember(conn, fresh)
    return {each["aed_id"] for each in people} | codes.keys()


def _news(
    beside: Beside, digests: Mapping[str, str], before: Mapping[str, str], here: Mapping[str, Part]
) -> Iterator[Part]:
    """Give what is said otherwise than last time, and what nobody has said so far."""
    for name, part in beside.parts():
        is_new = before[name] != digests[name] if name in before else name not in here
        if is_new and here.get(name) != part:
            yield part


def _digest(aed_id: UUID, part: Part) -> str:
    text = part if isinstance(part, str) else repr(asdict(part))
    return hashlib.blake2b(text.encode(), key=aed_id.bytes, digest_size=16).hexdigest()


async def _last(conn: AsyncConnection, said: Mapping[UUID, Beside]) -> dict[UUID, dict[str, str]]:
    table = tables.aed_listed
    query = select(table).where(table.c.aed_id == aed_entries.one_of(said))
    return {row.aed_id: row.said for row in await conn.execute(query)}


async def _present(
    conn: AsyncConnection, said: Mapping[UUID, Beside]
) -> dict[UUID, dict[str, Part]]:
    found: dict[UUID, dict[str, Part]] = {}
    people, codes = tables.aed_custodian, tables.aed_code
    for row in await conn.execute(
        select(people).where(people.c.aed_id == aed_entries.one_of(said))
    ):
        custodian = Custodian(row.rank, row.unit, row.name, row.phone, row.email)
        found.setdefault(row.aed_id, {})[str(row.rank)] = custodian
    for row in await conn.execute(select(codes).where(codes.c.aed_id == aed_entries.one_of(said))):
        found.setdefault(row.aed_id, {})[_CODE] = row.code
    return found


async def _put_custodians(conn: AsyncConnection, people: Sequence[dict[str, Any]]) -> None:
    insert = pg.insert(tables.aed_custodian)
    names = ("unit", "name", "phone", "email", "updated_at")
    statement = insert.on_conflict_do_update(
        index_elements=["aed_id", "rank"], set_={name: insert.excluded[name] for name in names}
    )
    for start in range(0, len(people), _BATCH):
        await conn.execute(statement, people[start : start + _BATCH])


async def put_codes(
    conn: AsyncConnection, codes: Mapping[UUID, str], *, actor_id: UUID | None, now: datetime
) -> None:
    """Keep the codes of devices' locks in place of former ones."""
    insert = pg.insert(tables.aed_code)
    statement = insert.on_conflict_do_update(
        index_elements=["aed_id"],
        set_={name: insert.excluded[name] for name in ("code", "actor_id", "updated_at")},
    )
    binds = [
        {"aed_id": aed_id, "code": code, "actor_id": actor_id, "updated_at": now}
        for aed_id, code in codes.items()
    ]
    for start in range(0, len(binds), _BATCH):
        await conn.execute(statement, binds[start : start + _BATCH])


async def _remember(conn: AsyncConnection, fresh: Mapping[UUID, Mapping[str, str]]) -> None:
    insert = pg.insert(tables.aed_listed)
    statement = insert.on_conflict_do_update(
        index_elements=["aed_id"], set_={"said": insert.excluded.said}
    )
    binds = [{"aed_id": aed_id, "said": dict(said)} for aed_id, said in fresh.items()]
    for start in range(0, len(binds), _BATCH):
        await conn.execute(statement, binds[start : start + _BATCH])
