"""PURE  Draws AEDs that are in memory as a vector tile: one by one, or counted.

The state comes from `usability.judge`: once for all devices of one kind, and again when the answer
says that it ends; so a door that opens at nine is open on the map at nine.
"""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from geo import aed_register, mvt, mvt_kernel, usability
from geo.aed_register import Devices, Kind, Register
from geo.mvt import Frame
from geo.usability import Access, Reason, Status, Usability, Usable

#: From this zoom every device is drawn; before, whole tiles of them would be megabytes.
SINGLE_FROM_ZOOM = 12
#: More in one tile are counted there too.
SINGLE_MOST = 20_000
#: `until` looks seven days ahead; this often an answer without a near end is asked for again.
_ASK_AGAIN = timedelta(hours=6)
_CLUSTER_ZOOMS = 4  # sixteen by sixteen clusters a tile at most

_KEYS = ("id", "name", "usable", "reason", "until", "status", "access", "invented")
_COUNT_KEYS = ("count", "usable", "unknown")
_END_KEY = mvt.varint(_KEYS.index("until"))
#: The same table of values begins every tile, so that a kind's tags are written once.
_WORDS: tuple[mvt.Value, ...] = (
    *dict.fromkeys(word.value for words in (Usable, Reason, Status, Access) for word in words),
    True,
)
_WORDS_WRITTEN = b"".join(mvt.value(word) for word in _WORDS)
_STATES = {state: number for number, state in enumerate(Usable)}

Box = tuple[float, float, float, float]
_Units = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A tile; empty when nothing lies in it. It looks the same until `until`, a POSIX time."""

    content: bytes
    tag: str
    until: float


class Moment:
    """What was judged of each kind: for now, again and again; for another time, once.

    `tags` and `ends` are what tiles say of a kind: all but the end of the state, as written.
    """

    def __init__(self, at: datetime | None) -> None:
        self._at = at
        self._lock = threading.Lock()
        self.tags: list[bytes] = []
        self.ends: list[str | None] = []
        self.states = np.empty(0, dtype=np.int8)
        self.until = np.empty(0, dtype=np.float64)

    def bring(self, kinds: Sequence[Kind], wanted: NDArray[np.intp], now: datetime) -> None:
        """Judge those of the wanted kinds whose answer is missing or has ended."""
        with self._lock:
            if len(self.until) < len(kinds):
                self._grow(len(kinds) - len(self.until))
            due = wanted[self.until[wanted] <= now.timestamp()]
            for kind in due.tolist():
                self._judge(kind, kinds[kind], now)

    def bring_all(self, kinds: Sequence[Kind], now: datetime) -> None:
        """Judge every kind whose answer is missing or has ended."""
        self.bring(kinds, np.arange(len(kinds)), now)

    def is_settled(self, kinds: Sequence[Kind], now: datetime) -> bool:
        """Tell whether nothing would have to be judged, whichever kinds are wanted."""
        until = self.until
        return len(until) == len(kinds) and (not len(until) or until.min() > now.timestamp())

    def _grow(self, more: int) -> None:
        self.tags += [b""] * more
        self.ends += [None] * more
        self.states = np.concatenate((self.states, np.zeros(more, dtype=np.int8)))
        self.until = np.concatenate((self.until, np.full(more, -np.inf)))

    def _judge(self, number: int, kind: Kind, now: datetime) -> None:
        verdict = usability.judge(kind.conditions, self._at or now)
        again = now + _ASK_AGAIN
        self.tags[number] = _tags(kind, verdict)
        self.ends[number] = None if verdict.until is None else _instant(verdict.until)
        self.states[number] = _STATES[verdict.state]
        self.until[number] = np.inf if self._at else min(verdict.until or again, again).timestamp()


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A tile to be drawn, from one state of the registry."""

    frame: Frame
    devices: Devices
    register: Register
    moment: Moment

    def inside(self) -> Devices:
        """Give the devices of the tile, without those in its margin."""
        return self.devices.take(self.devices.within(*self.frame))

    def is_single(self, count: int) -> bool:
        """Tell whether so many devices in the tile are drawn one by one."""
        return self.frame.z >= SINGLE_FROM_ZOOM and count <= SINGLE_MOST

    def draw(self, now: datetime) -> Drawn:
        """Draw each device near, and counts far out or where too many stand together."""
        near, draw = self.inside(), _clusters
        if self.is_single(len(near)):
            near, draw = self._with_margin(), _singles
        if not len(near):
            return _finished(b"", np.inf)
        until = self._judged(near, now)
        return _finished(draw(self, near), until)

    def _judged(self, near: Devices, now: datetime) -> float:
        """Judge what is about to be drawn; give until when no state of it changes."""
        if len(near) > len(self.register.kinds) and self.moment.is_settled(
            self.register.kinds, now
        ):
            # The first change of all is early enough, and quicker than asking who is among them.
            return float(self.moment.until.min())
        wanted = kinds_of(near)
        self.moment.bring(self.register.kinds, wanted, now)
        return float(self.moment.until[wanted].min())

    def ids(self, state: Usable, box: Box | None, now: datetime) -> NDArray[np.bytes_]:
        """List the ids of all devices that are in a state, sorted; with a box, those near it."""
        found = self.devices if box is None else self.devices.take(_touches(self.devices, box))
        if not len(found):
            return found.ids
        self.moment.bring(self.register.kinds, kinds_of(found), now)
        return np.sort(found.ids[self.moment.states[found.kinds] == _STATES[state]])

    def _with_margin(self) -> Devices:
        """Give those in the margin too: symbols at an edge are whole in both tiles."""
        z, column, line = self.frame
        side = 1 << z
        around = [
            self.devices.within(z, x, y)
            for y in range(max(0, line - 1), min(side, line + 2))
            for x in range(max(0, column - 1), min(side, column + 2))
        ]
        found = np.concatenate([np.arange(part.start, part.stop) for part in around])
        x, y = self.units(self.devices.x[found], self.devices.y[found])
        low, high = -mvt.MARGIN, mvt.EXTENT + mvt.MARGIN
        is_near = (x >= low) & (x <= high) & (y >= low) & (y <= high)
        return self.devices.take(found[is_near])

    def units(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[_Units, _Units]:
        """Turn shares of the world into units of the tile."""
        side, (_z, column, line) = 1 << self.frame.z, self.frame
        return (
            np.floor((x * side - column) * mvt.EXTENT + 0.5).astype(np.int64),
            np.floor((y * side - line) * mvt.EXTENT + 0.5).astype(np.int64),
        )


def warm_up() -> None:
    """Load the compiled loops, or compile them: seconds that no map should wait for."""
    one = np.zeros(1, dtype=np.int64)
    byte = np.frombuffer(bytes(16), dtype=np.uint8)
    out = np.empty(2 * mvt_kernel.POINT_MOST_BYTES, dtype=np.uint8)
    mvt_kernel.write_points(out, one, one, mvt_kernel.Tags(0, one, byte, one + 1, one))
    mvt_kernel.write_numbers(out, one, one, one.reshape(1, 1))
    mvt_kernel.write_ids(out, byte.reshape(1, 16))


def _touches(devices: Devices, box: Box) -> NDArray[np.bool_]:
    west, south, east, north = box
    left, bottom = mvt.world(west, south)
    right, top = mvt.world(east, north)
    # A hair wider than the box: what is on its edge must not depend on rounding.
    hair = 1e-9
    is_right, is_left = devices.x >= left - hair, devices.x <= right + hair
    across = is_right & is_left if west <= east else is_right | is_left
    return across & (devices.y >= top - hair) & (devices.y <= bottom + hair)


def kinds_of(devices: Devices) -> NDArray[np.intp]:
    """Give each kind once; counting is quicker than sorting."""
    return np.flatnonzero(np.bincount(devices.kinds))


def _finished(content: bytes, until: float) -> Drawn:
    tag = hashlib.sha1(content, usedforsecurity=False).hexdigest()[:24]
    return Drawn(content, tag, until)


def _singles(sheet: Sheet, near: Devices) -> bytes:
    shown, ends = kinds_of(near), dict[str, int]()
    shared = [_shared(sheet.moment, kind, ends) for kind in shown.tolist()]
    names, name_at = np.unique(near.names, return_inverse=True)
    names_from = len(_WORDS) + len(ends)
    tags = mvt_kernel.Tags(
        ids_from=names_from + len(names),
        names=name_at + names_from,
        shared=np.frombuffer(b"".join(shared), dtype=np.uint8),
        ends=np.cumsum([len(each) for each in shared]),
        which=np.searchsorted(shown, near.kinds),
    )
    most = mvt_kernel.POINT_MOST_BYTES + max(len(each) for each in shared)
    out = np.empty(len(near) * most, dtype=np.uint8)
    size = mvt_kernel.write_points(out, *sheet.units(near.x, near.y), tags)
    written = sheet.register.names
    said = (*(mvt.value(end) for end in ends), *(written[name] for name in names.tolist()))
    entries = [_WORDS_WRITTEN, *said, _ids(near)]
    return mvt.pack("aeds", _KEYS, entries, out[:size].tobytes())


def _shared(moment: Moment, kind: int, ends: dict[str, int]) -> bytes:
    """Give what devices of a kind have in common, as tags; adds to the table of ends."""
    end = moment.ends[kind]
    if end is None:
        return moment.tags[kind]
    return moment.tags[kind] + _END_KEY + mvt.varint(len(_WORDS) + ends.setdefault(end, len(ends)))


def _tags(kind: Kind, verdict: Usability) -> bytes:
    facts = {
        "usable": verdict.state.value,
        "reason": verdict.reason.value,
        "status": kind.conditions.status.value,
        "access": kind.conditions.access.value,
        "invented": kind.is_invented or None,
    }
    return b"".join(
        mvt.varint(_KEYS.index(key)) + mvt.varint(_WORDS.index(fact))
        for key, fact in facts.items()
        if fact is not None
    )


def _ids(near: Devices) -> bytes:
    raw = np.frombuffer(near.ids.tobytes(), dtype=np.uint8).reshape(-1, 16)
    out = np.empty(len(raw) * mvt_kernel.ID_BYTES, dtype=np.uint8)
    return out[: mvt_kernel.write_ids(out, raw)].tobytes()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _clusters(sheet: Sheet, near: Devices) -> bytes:
    """Count by sixteenths of the tile's side; devices stand in the order of such cells."""
    cells = near.cells >> 2 * max(0, aed_register.CELL_ZOOM - sheet.frame.z - _CLUSTER_ZOOMS)
    begins = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]])
    count = np.diff(np.r_[begins, len(cells)])
    states = sheet.moment.states
    # Both counts in one number, so that the devices are gone through once.
    weights = (states == _STATES[Usable.YES]).astype(np.int64)
    weights += (states == _STATES[Usable.UNKNOWN]).astype(np.int64) << 32
    sums = np.add.reduceat(weights[near.kinds], begins)
    usable, unknown = sums & 0xFFFFFFFF, sums >> 32
    x, y = sheet.units(
        np.add.reduceat(near.x, begins) / count, np.add.reduceat(near.y, begins) / count
    )
    numbers, values = np.unique(np.stack((count, usable, unknown), axis=1), return_inverse=True)
    out = np.empty(len(x) * mvt_kernel.POINT_MOST_BYTES, dtype=np.uint8)
    size = mvt_kernel.write_numbers(out, x, y, values.reshape(-1, 3))
    entries = [_number(number) for number in numbers.tolist()]
    return mvt.pack("aed_clusters", _COUNT_KEYS, entries, out[:size].tobytes())


@lru_cache(maxsize=20_000)
def _number(of: int) -> bytes:
    return mvt.value(of)
