"""The best proposal by trying everything; for very small cases."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence

from dispatch.supply import Lot, Need

Travel = Mapping[Hashable, Mapping[Hashable, float]]
#: Units lacking by urgency, unit-seconds, shipments.
Cost = tuple[tuple[int, ...], float, int]
#: What each need still lacks, and the depots that it has had units from.
State = tuple[tuple[int, ...], tuple[frozenset[Hashable], ...]]


def best(
    lots: Sequence[Lot], needs: Sequence[Need], travel_s: Travel, most_depots: float = math.inf
) -> Cost:
    """Give the cost of the best proposal: every lot is handed out in every way, one by one."""
    start = tuple(need.quantity for need in needs), tuple(frozenset[Hashable]() for _ in needs)
    states: dict[State, float] = {start: 0.0}
    for lot in lots:
        found: dict[State, float] = {}
        for (lacking, served), seconds in states.items():
            for share in _shares(lot, lacking, needs, travel_s):
                left = tuple(a - b for a, b in zip(lacking, share, strict=True))
                by = tuple(
                    had | {lot.depot} if units else had
                    for had, units in zip(served, share, strict=True)
                )
                if all(len(depots) <= most_depots for depots in by):
                    more = sum(
                        units * travel_s[lot.depot][need.id]
                        for units, need in zip(share, needs, strict=True)
                        if units
                    )
                    state = left, by
                    found[state] = min(found.get(state, math.inf), seconds + more)
        states = found
    return min(_cost(state, seconds, needs) for state, seconds in states.items())


def _cost(state: State, seconds: float, needs: Sequence[Need]) -> Cost:
    lacking, served = state
    urgencies = sorted({need.priority for need in needs})
    by_urgency = tuple(
        sum(units for units, need in zip(lacking, needs, strict=True) if need.priority == one)
        for one in urgencies
    )
    return by_urgency, round(seconds, 6), sum(map(len, served))


def _shares(
    lot: Lot, lacking: Sequence[int], needs: Sequence[Need], travel_s: Travel
) -> Iterator[tuple[int, ...]]:
    def rest(nth: int, left: int) -> Iterator[tuple[int, ...]]:
        if nth == len(needs):
            yield ()
            return
        most = min(left, lacking[nth]) if _may_serve(lot, needs[nth], travel_s) else 0
        for units in range(most + 1):
            for more in rest(nth + 1, left - units):
                yield (units, *more)

    yield from rest(0, lot.quantity)


def _may_serve(lot: Lot, need: Need, travel_s: Travel) -> bool:
    way = travel_s.get(lot.depot, {}).get(need.id, math.inf)
    in_time = way <= need.within_s and way + need.margin_s <= lot.expires_s
    return lot.item == need.item and math.isfinite(way) and in_time
