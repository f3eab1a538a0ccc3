"""The writes of a list of AEDs: thousands of devices in a few statements, each with its history."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy
from sqlalchemy import Row, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_entries, aeds, dataset, tables
from geo.aed_beside import Beside
from geo.dataset import Dataset
from geo.position import Position

Progress = Callable[[float], None]

_BATCH = 500
_REASON = "list import"


@dataclass(frozen=True, slots=True)
class AedRow:
    """One usable row: the columns that its list speaks of, among them `name` and `position`.

    `source_ref` is the list's own number of the device. `aed_id` and `source` are said only by
    lists that were exported here; `beside` is what is kept apart from the record.
    """

    number: int
    source_ref: str | None
    facts: Mapping[str, Any]
    aed_id: UUID | None = None
    source: str | None = None
    beside: Beside = field(default=Beside(), repr=False)


@dataclass(frozen=True, slots=True)
class Job:
    """Whose list it is, where it comes from, who brings it, and when."""

    org_id: UUID
    source: str
    actor_id: UUID | None
    now: datetime
    progress: Progress


def said(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write facts as JSON keeps them, the position as degrees."""
    return dict(_plain(facts))


def _plain(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, Position):
            yield from (("lon", value.lon), ("lat", value.lat))
        else:
            yield name, value.isoformat() if isinstance(value, date) else value


def source_data(row: AedRow) -> dict[str, Any]:
    """Write what the list says now, to be compared with what it says next time."""
    facts = row.facts
    return {"lon": facts.get("raw_lon"), "lat": facts.get("raw_lat"), "tags": said(facts)}


def untold(_share: float) -> None:
    """Tell nobody how far it is."""


Changed = Sequence[tuple[Row[Any], Mapping[str, Any]]]


async def update(conn: AsyncConnection, job: Job, changed: Changed) -> None:
    """Write the changes of all devices, each with its former row in the history."""
    if not changed:
        return
    ids = [device.id for device, _ in changed]
    kept = {"ids": ids, "actor": job.actor_id, "reason": _REASON, "at": job.now}
    await conn.execute(aeds.KEEP_FORMER, kept)
    table = tables.aed
    # Two devices may swap their numbers: for a moment neither has one.
    await conn.execute(
        sqlalchemy.update(table)
        .where(table.c.id == aed_entries.one_of(ids))
        .values(source_ref=None)
    )
    names = sorted({name for _, values in changed for name in values} | {"source_ref", "moved_at"})
    statement = (
        sqlalchemy.update(table)
        .where(table.c.id == bindparam("device"))
        .values(
            {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
            | {"folded": bindparam("folded_words")}
            | {"version": table.c.version + 1, "updated_at": job.now}
        )
    )
    binds = [_binds(device, values, names, job.now) for device, values in changed]
    await _in_batches(conn, statement, binds, job.progress)


def _binds(
    device: Row[Any], values: Mapping[str, Any], names: Sequence[str], now: datetime
) -> dict[str, Any]:
    whole = {**device._asdict(), **({"moved_at": now} if "position" in values else {}), **values}
    place = whole["position"]
    whole["position"] = (place if isinstance(place, Position) else Position.from_wkb(place)).ewkb()
    new = {f"new_{name}": whole[name] for name in names}
    return {**new, "device": device.id, "folded_words": aeds.folded(whole)}


async def add(
    conn: AsyncConnection, job: Job, added: Sequence[tuple[AedRow, str | None]]
) -> list[UUID]:
    """Enter the new devices, by our own id where an export says one that is free; give the ids."""
    wanted = [row.aed_id for row, _ in added if row.aed_id is not None]
    table = tables.aed
    used = set(
        (
            await conn.execute(select(table.c.id).where(table.c.id == aed_entries.one_of(wanted)))
        ).scalars()
    )
    zones = _Zones(await dataset.list_all(conn))
    names = {name for row, _ in added for name in row.facts}
    values = [
        {
            **{name: _DEFAULTS.get(name) for name in names},
            "moved_at": job.now,
            "time_zone": zones.at(row.facts["position"]),
            **_stored(row, job, ref),
            "id": row.aed_id if row.aed_id is not None and row.aed_id not in used else uuid4(),
        }
        for row, ref in added
    ]
    await _in_batches(conn, insert(table), values, job.progress)
    return [each["id"] for each in values]


async def _in_batches(
    conn: AsyncConnection,
    statement: sqlalchemy.Executable,
    binds: Sequence[dict[str, Any]],
    progress: Progress,
) -> None:
    """Run a statement for many devices, none of them for longer than a statement may take."""
    for start in range(0, len(binds), _BATCH):
        progress(start / len(binds))
        await conn.execute(statement, binds[start : start + _BATCH])


async def remember(conn: AsyncConnection, data: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
    """Keep what the list said of devices; nothing that anybody sees changes by that."""
    table = tables.aed
    statement = (
        sqlalchemy.update(table)
        .where(table.c.id == bindparam("device"))
        .values(source_data=bindparam("now_said", type_=table.c.source_data.type))
    )
    binds = [{"device": aed_id, "now_said": said_now} for aed_id, said_now in data]
    await _in_batches(conn, statement, binds, untold)


_DEFAULTS: Mapping[str, object] = {
    "access": "unknown",
    "cabinet": "unknown",
    "status": "in_service",
    "is_invented": False,
}


def _stored(row: AedRow, job: Job, ref: str | None) -> dict[str, Any]:
    return {
        **row.facts,
        "position": row.facts["position"].ewkb(),
        "org_id": job.org_id,
        "source": row.source or job.source,
        "source_ref": ref,
        "source_data": None if row.aed_id else source_data(row),
        "folded": aeds.folded(row.facts),
        "created_at": job.now,
        "updated_at": job.now,
    }


class _Zones:
    """The time zones of places: that of the smallest city around, else of the nearest big place."""

    def __init__(self, cities: Sequence[Dataset]) -> None:
        self._cities = sorted(
            cities, key=lambda city: (city.box[2] - city.box[0]) * (city.box[3] - city.box[1])
        )
        self._guessed: dict[tuple[int, int], str] = {}

    def at(self, place: Position) -> str:
        """Name the time zone of a place."""
        for city in self._cities:
            west, south, east, north = city.box
            if west <= place.lon <= east and south <= place.lat <= north:
                return city.time_zone
        cell = round(place.lon * 5), round(place.lat * 5)
        if cell not in self._guessed:
            self._guessed[cell] = dataset.guess_time_zone(place)
        return self._guessed[cell]
