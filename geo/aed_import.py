"""Merge a list of AEDs into the registry of one organisation, as a whole or not at all.

A device keeps its identity over later lists, renumbered or renamed (`aed_matching`). Only what the
list says differently from last time is taken over, so that corrections made here survive; a second
import of the same list changes nothing. What a list no longer names is left as it is.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_beside, aed_bulk, aed_entries, aed_matching, tables
from geo.aed_bulk import AedRow, Job, Progress
from geo.aed_matching import Traits
from geo.position import Position, distance_m
from geo.usability import Status

#: No other import may run in an organisation meanwhile; the number only has to be ours.
_LOCK_SPACE = 4_712_013
_ALIKE_M = 50.0
_MARGIN_DEG = 0.002
_FAR_M = 500.0


class Outcome(StrEnum):
    """What became of a row."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge did with each row, by its number.

    `devices` are the rows' devices. `missing` counts devices of the source that the list does not
    name; `alike` are rows that were added although another source already has such a device
    there, `moved` are rows whose device lay half a kilometre away or more before.
    """

    outcomes: Mapping[int, Outcome] = field(default_factory=dict)
    devices: Mapping[int, UUID] = field(default_factory=dict)
    missing: int = 0
    alike: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """Count the rows with that outcome."""
        return sum(value is outcome for value in self.outcomes.values())

    def touched(self) -> list[UUID]:
        """List the devices that were added or changed."""
        kept = Outcome.UNCHANGED
        return [aed for row, aed in self.devices.items() if self.outcomes[row] is not kept]


async def merge(
    conn: AsyncConnection,
    org_id: UUID,
    rows: Sequence[AedRow],
    *,
    source: str,
    actor_id: UUID | None,
    progress: Progress = aed_bulk.untold,
    now: datetime,
) -> Merge:
    """Bring the registry up to the list, in the caller's transaction.

    `source` names the registry that the list comes from: only devices of the same source are
    recognised, except by our own ids.
    """
    job = Job(org_id, source, actor_id, now, progress)
    await _prepare(conn, org_id)
    present = await _present(conn, job, rows)
    pairs = _recognise(rows, present)
    refs = _refs(rows, present, pairs, source)
    news = {
        number: _compare(rows[number], present[device], refs[number])
        for number, device in pairs.items()
    }
    changed = {number for number, new in news.items() if new.columns}
    await aed_bulk.update(
        conn, job, [(present[pairs[number]], news[number].columns) for number in sorted(changed)]
    )
    await aed_bulk.remember(
        conn, [(present[pairs[n]].id, new.said) for n, new in news.items() if new.said is not None]
    )
    added = [number for number in range(len(rows)) if number not in pairs]
    alike = await _alike(conn, job, [rows[number] for number in added])
    new_ids = await aed_bulk.add(conn, job, [(rows[n], refs[n]) for n in added])
    ids = {n: present[device].id for n, device in pairs.items()}
    ids |= dict(zip(added, new_ids, strict=True))
    said = {aed_id: rows[n].beside for n, aed_id in ids.items() if rows[n].beside}
    kept_apart = await aed_beside.take_over(conn, said, actor_id=actor_id, now=now)
    outcomes = {row.number: Outcome.ADDED for row in rows}
    outcomes |= {
        rows[n].number: Outcome.CHANGED if n in changed or ids[n] in kept_apart
        else Outcome.UNCHANGED
        for n in pairs
    }  # fmt: skip
    moved = (n for n in sorted(changed) if _is_far_off(news[n].columns, present[pairs[n]]))
    return Merge(
        outcomes,
        {rows[n].number: ids[n] for n in range(len(rows))},
        _missing(present, pairs, source),
        alike,
        tuple(rows[n].number for n in moved),
    )


def _missing(present: Sequence[Row[Any]], pairs: Mapping[int, int], source: str) -> int:
    """Count the devices of the source that no row names."""
    paired = {present[device].id for device in pairs.values()}
    return sum(
        device.source == source and device.id not in paired and device.status != Status.WITHDRAWN
        for device in present
    )


def _is_far_off(columns: Mapping[str, Any], device: Row[Any]) -> bool:
    now: Position | None = columns.get("position")
    return now is not None and distance_m(now, Position.from_wkb(device.position)) >= _FAR_M


async def _prepare(conn: AsyncConnection, org_id: UUID) -> None:
    # Comparing two long lists takes seconds in which the session is idle.
    await conn.execute(text("set local idle_in_transaction_session_timeout = '5min'"))
    await conn.execute(text("set local lock_timeout = '30s'"))
    await conn.execute(text("set local statement_timeout = '2min'"))
    await conn.execute(
        text("select pg_advisory_xact_lock(:space, hashtext(:org))"),
        {"space": _LOCK_SPACE, "org": str(org_id)},
    )


async def _present(conn: AsyncConnection, job: Job, rows: Sequence[AedRow]) -> Sequence[Row[Any]]:
    """Lock the organisation's devices of these sources, and those that rows name by our id."""
    table = tables.aed
    ids = [row.aed_id for row in rows if row.aed_id is not None]
    sources = {job.source, *(row.source for row in rows if row.source)}
    query = (
        select(table)
        .where(
            table.c.org_id == job.org_id,
            table.c.source.in_(sources) | (table.c.id == aed_entries.one_of(ids)),
        )
        .order_by(table.c.id)
        .with_for_update(key_share=True)
    )
    return (await conn.execute(query)).all()


def _recognise(rows: Sequence[AedRow], present: Sequence[Row[Any]]) -> dict[int, int]:
    """Pair indexes of rows with indexes of devices: by our own id, else by what they are like."""
    by_id = {device.id: index for index, device in enumerate(present)}
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for number, row in enumerate(rows):
        if row.aed_id in by_id and by_id[row.aed_id] not in taken:
            pairs[number] = by_id[row.aed_id]
            taken.add(pairs[number])
    open_rows = [number for number in range(len(rows)) if number not in pairs]
    free = [index for index in range(len(present)) if index not in taken]
    prints = _fingerprints([rows[n].facts for n in open_rows])
    likes = aed_matching.match(
        [_row_traits(rows[n], prints[i]) for i, n in enumerate(open_rows)],
        [_device_traits(present[n]) for n in free],
    )
    return pairs | {open_rows[row]: free[device] for row, device in likes.items()}


def _fingerprints(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name each row by its words; rows with the same words by what else they say too."""
    alike: defaultdict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(facts):
        words = (str(each.get(key) or "") for key in ("name", "address", "location_note"))
        folded = "\n".join(aed_matching.key(word) for word in words)
        alike["words:" + hashlib.sha256(folded.encode()).hexdigest()[:20]].append(index)
    prints = [""] * len(facts)
    for name, indexes in alike.items():
        # Not by their order: a list may be sorted otherwise next time.
        ordered = sorted(
            indexes, key=lambda index: repr(sorted(aed_bulk.said(facts[index]).items()))
        )
        for place, index in enumerate(ordered, start=1):
            prints[index] = name if place == 1 else f"{name}.{place}"
    return prints


def _row_traits(row: AedRow, fingerprint: str) -> Traits:
    facts = row.facts
    words = facts["name"], facts.get("address"), facts.get("location_note")
    place = facts["position"]
    ref, told = _split(row.source_ref)
    return aed_matching.traits(ref, told or fingerprint, words, place.lon, place.lat)


def _split(source_ref: str | None) -> tuple[str | None, str | None]:
    """Give the number that a list gave, or the words by which a device without one goes."""
    is_words = source_ref is not None and source_ref.startswith("words:")
    return (None, source_ref) if is_words else (source_ref, None)


def _device_traits(device: Row[Any]) -> Traits:
    """Take what the list said last where it is known: a correction here hides no device."""
    said = (device.source_data or {}).get("tags", {})
    present = {
        "name": device.name,
        "address": device.address,
        "location_note": device.location_note,
    }
    now = {**present, **{key: said[key] for key in present if key in said}}
    place = Position.from_wkb(device.position)
    lon, lat = said.get("lon", place.lon), said.get("lat", place.lat)
    words = now["name"], now["address"], now["location_note"]
    ref, fingerprint = _split(device.source_ref)
    return aed_matching.traits(ref, fingerprint or str(device.id), words, lon, lat)


def _refs(
    rows: Sequence[AedRow], present: Sequence[Row[Any]], pairs: Mapping[int, int], source: str
) -> list[str | None]:
    """Give each row a reference that no other device has: the list's number, else its words."""
    giving = {index for number, index in pairs.items() if rows[number].aed_id is None}
    held = [device for index, device in enumerate(present) if index not in giving]
    taken = {(device.source, device.source_ref) for device in held}
    prints = _fingerprints([row.facts for row in rows])
    refs: list[str | None] = []
    for row, words in zip(rows, prints, strict=True):
        home = row.source or source
        choices = [row.source_ref, words, f"{words}.{row.number}", f"words:{uuid4()}"]
        if row.aed_id is not None:  # an export says it all, even that there is none
            choices = [row.source_ref]
        free = (choice for choice in choices if choice and (home, choice) not in taken)
        ref = next(free, None)
        taken.add((home, ref))
        refs.append(ref)
    return refs


@dataclass(frozen=True, slots=True)
class _News:
    """What a row says that is new: columns to write, and what to remember that the list said."""

    columns: Mapping[str, Any]
    said: Mapping[str, Any] | None = None


def _compare(row: AedRow, device: Row[Any], ref: str | None) -> _News:
    is_ours = row.aed_id is not None
    told = aed_bulk.said(row.facts)
    new = _ours(row, device, told) if is_ours else _since_last_time(row, device, told)
    if device.status == Status.WITHDRAWN:
        # Withdrawn is for good, whatever a list still says.
        new.pop("status", None)
    if is_ours:
        return _News(new)
    if device.source_ref != ref:
        new["source_ref"] = ref
    last = (device.source_data or {}).get("tags", {})
    return _News(new, aed_bulk.source_data(row) if new or set(told) - set(last) else None)


def _ours(row: AedRow, device: Row[Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Take over from our own export whatever is not so now."""
    present = {**device._asdict(), "position": Position.from_wkb(device.position)}
    now = aed_bulk.said({name: present[name] for name in row.facts})
    return _chosen(row.facts, {key for key, value in told.items() if _differs(value, now[key])})


def _since_last_time(row: AedRow, device: Row[Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Take over what the list said otherwise last time, and what nobody has said so far."""
    last = (device.source_data or {}).get("tags", {})
    changed = set()
    for key, value in told.items():
        if key in last:
            is_new = _has_moved(value, last[key]) if key in _DEGREES else value != last[key]
        else:
            is_new = value is not None and getattr(device, key, None) in {None, "unknown"}
        if is_new:
            changed.add(key)
    return _chosen(row.facts, changed)


_DEGREES = frozenset({"lon", "lat", "raw_lon", "raw_lat"})
_PLACE = ("position", "source_crs", "raw_lon", "raw_lat", "position_method")


def _has_moved(degrees: float | None, before: float | None) -> bool:
    """Tell whether a place is another one: more than a tenth of a metre, not just rounded."""
    return abs(degrees - before) > 1e-6 if degrees and before else degrees != before


def _chosen(facts: Mapping[str, Any], changed: Set[str]) -> dict[str, Any]:
    """Give the facts that changed; what belongs to the position changes as one."""
    new = {name: value for name, value in facts.items() if name in changed and name not in _PLACE}
    if changed & {"lon", "lat", *_PLACE}:
        new |= {name: facts[name] for name in _PLACE if name in facts}
    return new


_SPACES = " \t\r\n\u00a0\u3000\u200b\ufeff"


def _differs(new: object, old: object) -> bool:
    """Compare with what is in the registry, where spaces and line ends may be as people type."""
    if isinstance(old, str):
        old = old.replace("\r\n", "\n").replace("\r", "\n").strip(_SPACES) or None
    return new != old


# Served by ix_aed_position_plane.
_OTHERS = text("""
select name, address, location_note,
       ST_X(position::geometry) as lon, ST_Y(position::geometry) as lat
from aed
where org_id = :org and source <> :source and status <> 'withdrawn'
  and position::geometry && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
order by id
""")


async def _alike(conn: AsyncConnection, job: Job, rows: Sequence[AedRow]) -> tuple[int, ...]:
    """Number the new rows that look like a device of another source at the same place."""
    if not rows:
        return ()
    lons = [row.facts["position"].lon for row in rows]
    lats = [row.facts["position"].lat for row in rows]
    west, south = min(lons) - _MARGIN_DEG, min(lats) - _MARGIN_DEG
    east, north = max(lons) + _MARGIN_DEG, max(lats) + _MARGIN_DEG
    box = {"west": west, "south": south, "east": east, "north": north}
    found = await conn.execute(_OTHERS, {"org": job.org_id, "source": job.source, **box})
    others = [
        aed_matching.traits(None, str(n), (o.name, o.address, o.location_note), o.lon, o.lat)
        for n, o in enumerate(found)
    ]
    pairs = aed_matching.match([_row_traits(row, "") for row in rows], others)
    near = (
        rows[row].number
        for row, other in pairs.items()
        if aed_matching.distance_m(_row_traits(rows[row], ""), others[other]) <= _ALIKE_M
    )
    return tuple(sorted(near))
