"""PURE  Which rows of a list are which devices of the registry, whatever was renumbered or renamed.

First what is certain (the list's own number with the same name, the same words), then pairs that
are alike in name, address and place, the best first, each device once.
"""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_M_PER_DEGREE = 111_195.0
_CELL_DEG = 0.002  # about 200 m: pairs farther apart need the same name or address
_NEAR_M = 100.0
_SPOT_M = 10.0


@dataclass(frozen=True, slots=True)
class Traits:
    """What a device is recognised by; `ref` is the number that its list gives it."""

    ref: str | None
    fingerprint: str
    name: str
    address: str
    note: str
    lon: float
    lat: float
    name_pairs: frozenset[str]
    address_pairs: frozenset[str]


def traits(
    ref: str | None,
    fingerprint: str,
    words: tuple[str | None, str | None, str | None],
    lon: float,
    lat: float,
) -> Traits:
    """Fold the words (name, address, where exactly) of a device for comparison."""
    name, address, note = (key(word or "") for word in words)
    return Traits(ref, fingerprint, name, address, note, lon, lat, _pairs(name), _pairs(address))


def key(text: str) -> str:
    """Fold a text: width, case, spaces, punctuation and spellings of one sign do not matter."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("臺", "台").replace("ヶ", "ケ")
    return re.sub(r"[\W_]+", "", plain)


def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1)) or frozenset((text,))


def match(rows: Sequence[Traits], present: Sequence[Traits]) -> dict[int, int]:
    """Pair indexes of rows with indexes of devices, one to one; what has no pair is left out."""
    found = _certain(rows, present)
    free_rows = [index for index in range(len(rows)) if index not in found]
    taken = set(found.values())
    free = [index for index in range(len(present)) if index not in taken]
    alike = []
    for row, device in _candidates(rows, free_rows, present, free):
        score = _likeness(rows[row], present[device])
        if score > 0:
            alike.append((-score, row, device))
    for _score, row, device in sorted(alike):
        if row not in found and device not in taken:
            found[row] = device
            taken.add(device)
    return found


def _certain(rows: Sequence[Traits], present: Sequence[Traits]) -> dict[int, int]:
    by_ref = {(device.ref, device.name): n for n, device in enumerate(present) if device.ref}
    by_words = {device.fingerprint: n for n, device in enumerate(present)}
    found: dict[int, int] = {}
    taken: set[int] = set()
    for known in (
        [by_ref.get((row.ref, row.name)) if row.ref else None for row in rows],
        [by_words.get(row.fingerprint) for row in rows],
    ):
        for index, device in enumerate(known):
            if device is not None and index not in found and device not in taken:
                found[index] = device
                taken.add(device)
    return found


def _candidates(
    rows: Sequence[Traits], free_rows: Iterable[int], present: Sequence[Traits], free: Iterable[int]
) -> Iterator[tuple[int, int]]:
    """Yield the pairs that share a number, a name, an address or a neighbourhood, once each."""
    by_trait: defaultdict[object, list[int]] = defaultdict(list)
    for device in free:
        for trait in _shared(present[device]):
            by_trait[trait].append(device)
        by_trait[_cell(present[device])].append(device)
    for row in free_rows:
        x, y = _cell(rows[row])
        cells = [(x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        near = {device for trait in (*_shared(rows[row]), *cells) for device in by_trait[trait]}
        yield from ((row, device) for device in near)


def _shared(one: Traits) -> Iterator[tuple[str, str]]:
    yield "name", one.name
    if one.ref:
        yield "ref", one.ref
    if one.address:
        yield "address", one.address


def _cell(one: Traits) -> tuple[int, int]:
    return math.floor(one.lon / _CELL_DEG), math.floor(one.lat / _CELL_DEG)


def _likeness(row: Traits, device: Traits) -> float:
    """Score a pair, 0 when the two are hardly the same device."""
    away_m = distance_m(row, device)
    name = alike(row.name, device.name, row.name_pairs, device.name_pairs)
    address = alike(row.address, device.address, row.address_pairs, device.address_pairs)
    has_ref = row.ref is not None and row.ref == device.ref
    if not _is_same(away_m, name, address, has_ref=has_ref):
        return 0.0
    near = max(0.0, 1.0 - away_m / 500.0)
    same_note = 1.0 if row.note == device.note else 0.0
    return 3 * name + 2 * address + 2 * near + same_note + (2.0 if has_ref else 0.0)


def _is_same(away_m: float, name: float, address: float, *, has_ref: bool) -> bool:
    if has_ref:
        return name >= 0.5 or (away_m <= _NEAR_M and max(name, address) >= 0.3)
    return (
        (name >= 0.85 and (away_m <= 5 * _NEAR_M or address >= 0.8))
        or (name >= 0.5 and away_m <= _NEAR_M)
        or (away_m <= _SPOT_M and (address >= 0.5 or name >= 0.3))
    )


def alike(one: str, other: str, pairs: frozenset[str], others: frozenset[str]) -> float:
    """Say how alike two folded texts are, 0 to 1 (Dice of their pairs of signs)."""
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if len(short) >= 4 and short in long:
        return 0.9
    return 2 * len(pairs & others) / (len(pairs) + len(others))


def distance_m(one: Traits, other: Traits) -> float:
    """Measure on the plane; good enough to tell neighbours."""
    east = (one.lon - other.lon) * math.cos(math.radians(one.lat))
    return math.hypot(east, one.lat - other.lat) * _M_PER_DEGREE
