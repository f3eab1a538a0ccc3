"""PURE. Which lots leave first: first expired, first out (docs/glossary.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one lot still offers, and how far its depot is."""

    lot_id: UUID
    depot_id: UUID
    travel_s: float
    expires_on: date | None
    received_at: datetime
    available: int


@dataclass(frozen=True, slots=True)
class Take:
    """How much to take from one lot."""

    lot_id: UUID
    quantity: int


def pick(shelves: Iterable[Shelf], quantity: int) -> tuple[list[Take], int]:
    """Return what to take from which lots, and how many units are missing.

    The nearest depot that has the whole quantity serves it alone, because one lorry beats two; if
    none has, depots are emptied from the nearest on. Inside a depot the lot that expires first
    leaves first, lots without an expiry last, ties by date received, then id.
    """
    depots = _by_depot(shelves)
    whole = [lots for lots in depots if sum(lot.available for lot in lots) >= quantity]
    takes: list[Take] = []
    missing = quantity
    for lot in whole[0] if whole else [lot for lots in depots for lot in lots]:
        if missing == 0:
            break
        part = min(lot.available, missing)
        if part > 0:
            takes.append(Take(lot.lot_id, part))
            missing -= part
    return takes, missing


def first(shelves: Iterable[Shelf]) -> Shelf | None:
    """Say which lot of one depot must leave first; None when nothing is left."""
    return min((shelf for shelf in shelves if shelf.available > 0), key=_leaves_first, default=None)


def _by_depot(shelves: Iterable[Shelf]) -> list[list[Shelf]]:
    depots: dict[UUID, list[Shelf]] = {}
    for shelf in shelves:
        depots.setdefault(shelf.depot_id, []).append(shelf)
    ordered = sorted(depots.values(), key=lambda lots: (lots[0].travel_s, str(lots[0].depot_id)))
    return [sorted(lots, key=_leaves_first) for lots in ordered]


def _leaves_first(shelf: Shelf) -> tuple[date, datetime, str]:
    return (shelf.expires_on or date.max, shelf.received_at, str(shelf.lot_id))
