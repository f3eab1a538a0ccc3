"""PURE. A bare case in a file: the proposal without a running system, in the contract's format."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from dispatch.supply.program import Lot, Need, solve

#: Of a need that does not say how urgent it is.
LEAST_URGENT = 4


class BadCase(ValueError):
    """The file does not hold what it should; says where and what to do."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a file holds."""

    lots: Sequence[Lot]
    needs: Sequence[Need]
    travel_s: Mapping[Hashable, Mapping[Hashable, float]]
    most_depots: int | None


def read(document: object) -> Case:
    """Read a file that was parsed already; BadCase on the first thing that is wrong.

    `now` and `expires` are RFC 3339 times; a day alone is good until its end, null for ever. Where
    `travel_s` has no number there is no way. `need_by` of a need is a time, and may be missing.
    """
    if not isinstance(document, dict):
        raise BadCase('the file must be an object with "now", "lots", "needs" and "travel_s"')
    now = _time(document.get("now"), "now", None)
    lots = [_lot(raw, f"lot {_name(raw, n)!r}", now) for n, raw in _list(document, "lots")]
    needs = [_need(raw, f"need {_name(raw, n)!r}", now) for n, raw in _list(document, "needs")]
    for what, ids in (("lot", [lot.id for lot in lots]), ("need", [need.id for need in needs])):
        twice = {one for one in ids if ids.count(one) > 1} if len(set(ids)) < len(ids) else ()
        if twice:
            raise BadCase(f"{what} {min(twice, key=str)!r} is there twice; each needs its own id")
    return Case(lots, needs, _travel(document.get("travel_s")), _most_depots(document))


def answer(case: Case) -> dict[str, Any]:
    """Give what the program prints."""
    began = time.perf_counter()
    found = solve(case.lots, case.needs, case.travel_s, most_depots=case.most_depots)
    flows = [{"lot": one.lot, "need": one.need, "quantity": one.quantity} for one in found.flows]
    return {
        "flows": flows,
        "short": found.short,
        "unit_minutes": round(found.unit_minutes, 6),
        "gap": found.gap,
        "seconds": round(time.perf_counter() - began, 6),
    }


def _lot(raw: Any, where: str, now: datetime) -> Lot:
    if not isinstance(raw, dict):
        raise BadCase(f"{where}: must be an object")
    expires = raw.get("expires")
    left_s = math.inf
    if expires is not None:
        left_s = (_time(expires, f"{where}: expires", now) - now).total_seconds()
    return Lot(
        _key(raw, "id", where), _key(raw, "depot", where), _key(raw, "item", where),
        _whole(raw, "quantity", where), left_s,
    )  # fmt: skip


def _need(raw: Any, where: str, now: datetime) -> Need:
    if not isinstance(raw, dict):
        raise BadCase(f"{where}: must be an object")
    by = raw.get("need_by")
    within_s = math.inf
    if by is not None:
        within_s = (_time(by, f"{where}: need_by", now) - now).total_seconds()
    margin_s = raw.get("use_by_margin_s", 0)
    if not _is_number(margin_s) or margin_s < 0:
        raise BadCase(f"{where}: use_by_margin_s must be seconds, 0 or more")
    return Need(
        _key(raw, "id", where), _key(raw, "item", where), _whole(raw, "quantity", where),
        _whole(raw, "priority", where, LEAST_URGENT), float(margin_s), within_s,
    )  # fmt: skip


def _travel(raw: object) -> dict[Hashable, dict[Hashable, float]]:
    if not isinstance(raw, dict):
        raise BadCase('"travel_s" must be an object: {depot: {need: seconds}}')
    found: dict[Hashable, dict[Hashable, float]] = {}
    for depot, ways in raw.items():
        if not isinstance(ways, dict):
            raise BadCase(f"travel_s of {depot!r} must be an object: {{need: seconds}}")
        for need, seconds in ways.items():
            if seconds is not None and (not _is_number(seconds) or seconds < 0):
                raise BadCase(f"travel_s of {depot!r} to {need!r} must be seconds, 0 or more")
        found[depot] = {need: float(s) for need, s in ways.items() if s is not None}
    return found


def _most_depots(document: Mapping[str, Any]) -> int | None:
    options = document.get("options") or {}
    if not isinstance(options, dict):
        raise BadCase('"options" must be an object')
    if options.get("max_depots_per_need") is None:
        return None
    most = _whole(options, "max_depots_per_need", "options")
    if most < 1:
        raise BadCase("options: max_depots_per_need must be 1 or more; leave it out for no limit")
    return most


def _list(document: Mapping[str, Any], name: str) -> list[tuple[int, Any]]:
    found = document.get(name)
    if not isinstance(found, list):
        raise BadCase(f'"{name}" must be a list')
    return list(enumerate(found))


def _name(raw: object, number: int) -> object:
    return raw.get("id", number) if isinstance(raw, dict) else number


def _key(raw: Mapping[str, Any], name: str, where: str) -> str:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadCase(f"{where}: {name} must be a text")
    return str(value)


def _whole(raw: Mapping[str, Any], name: str, where: str, otherwise: int | None = None) -> int:
    """Read units: goods are counted in whole ones."""
    value = raw.get(name, otherwise)
    if not _is_number(value) or value != int(cast("float", value)) or cast("float", value) < 0:
        raise BadCase(f"{where}: {name} must be a whole number, 0 or more, not {value!r}")
    return int(cast("float", value))


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(cast("float", value))


def _time(value: object, where: str, now: datetime | None) -> datetime:
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            zone = UTC if now is None else now.tzinfo
            if len(value) == len("2026-11-23"):
                found = datetime.combine(
                    date.fromisoformat(value) + timedelta(days=1), datetime.min.time()
                )
            return found.replace(tzinfo=zone) if found.tzinfo is None else found
    raise BadCase(f"{where} must be a time such as 2026-11-23T04:00:00Z, not {value!r}")
