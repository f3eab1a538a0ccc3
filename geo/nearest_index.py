"""Where all AEDs in service are, in memory: asked in microseconds, never older than a second.

Positions are held for every device, records only for those that were asked for lately. What
changed is read from the change feed (`aed_feed`) when somebody asks, so an idle process reads
nothing. Belongs to one event loop.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_feed, nearest_kernel, nearest_tier, trust, usability
from geo.aeds import Aed
from geo.nearest_records import Records
from geo.nearest_tier import Found, Search, Tier
from geo.position import Position
from geo.usability import Conditions, Reason, Usability, Usable

_logger = logging.getLogger(__name__)

#: No answer rests on older positions or records.
OLDEST_S = 1.0
#: From this age on what changed is read beside, while answers go on.
REFRESH_AFTER_S = 0.4
#: Longer than this nobody waits to learn that the database is away.
WAIT_S = 3.0
#: So many records are kept, some 100 MB.
MOST_RECORDS = 50_000
#: When so many devices lie apart from the others, all are put in order again.
MOST_APART = 4_096
#: When more than this changed at once, as by an import, everything is read again.
MOST_NEWS = 20_000
# So many records at once; others get their turn between.
_PIECE = 500

Look = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

_STATES = {state: number for number, state in enumerate((Usable.YES, Usable.NO, Usable.UNKNOWN), 1)}


@dataclass(slots=True)
class Device:
    """A record with the last judgement of it, which holds from `since` until `until`."""

    aed: Aed
    conditions: Conditions
    xid: int
    usable: Usability | None = None
    since: float = 0.0
    until: float = 0.0


class Near(NamedTuple):
    """What the index says of one device near a place."""

    number: int  # the id
    metres: float
    tier: Tier
    row: int

    @property
    def position(self) -> Position:
        """Give where it is."""
        return Position(float(self.tier.lon[self.row]), float(self.tier.lat[self.row]))


class Index:
    """The positions of the devices in service, kept up to date."""

    def __init__(
        self, look: Look, records: Records, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look, self._records, self._clock = look, records, clock
        self._base = nearest_tier.build(nearest_tier.points([]))
        self._apart = nearest_tier.build(nearest_tier.points([]), sign=-1)
        #: What changed since the base was put in order; None: no longer in service.
        self._changed: dict[int, tuple[int, float, float, int] | None] = {}
        self._mark: aed_feed.Mark | None = None
        self._read_at = self._doubted_at = -math.inf
        self._reading: asyncio.Task[None] | None = None
        self._merging: asyncio.Task[None] | None = None
        self._filling: asyncio.Task[None] | None = None
        self._devices: dict[int, Device] = {}

    # ---- freshness

    @property
    def age_s(self) -> float:
        """Say how old what is held is at most."""
        return math.inf if self._read_at < self._doubted_at else self._clock() - self._read_at

    def doubt(self) -> None:
        """Let the next answer know of everything that is committed by now."""
        self._doubted_at = self._clock()

    async def is_fresh(self) -> bool:
        """See to it that what is held is at most a second old; False while all is being read.

        What it raises when the database is away comes from there.
        """
        # The second time for a look that had begun before somebody doubted.
        for _ in range(2):
            age = self.age_s
            if age <= REFRESH_AFTER_S:
                return True
            reading = self.read_beside()
            if age > OLDEST_S and self._mark is not None:
                await asyncio.wait_for(asyncio.shield(reading), WAIT_S)
        return self.age_s <= OLDEST_S

    def read_beside(self) -> asyncio.Task[None]:
        """Begin to read what changed, or everything, unless that goes on already."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="nearest index")
            self._reading.add_done_callback(_heard)
        return self._reading

    async def _read(self) -> None:
        if self._mark is None:
            await self.load()
            return
        began = self._clock()
        try:
            async with self._look() as conn:
                news = await aed_feed.news(conn, self._mark, most=MOST_NEWS)
        except aed_feed.TooMuch:
            self._mark = None
            await self.load()
            return
        self._apply(news)
        self._read_at = began

    async def settle(self) -> None:
        """Wait until nothing is read or put in order any more."""
        while not all(task.done() for task in self._tasks()):
            await asyncio.gather(*self._tasks())

    async def stop(self) -> None:
        """End what goes on beside."""
        for task in self._tasks():
            task.cancel()
        await asyncio.gather(*self._tasks(), return_exceptions=True)

    def _tasks(self) -> list[asyncio.Task[None]]:
        every = (self._reading, self._merging, self._filling)
        return [task for task in every if task is not None]

    async def load(self) -> None:
        """Read the positions of all devices; a second or two for a million."""
        began = self._clock()
        async with self._look() as conn:
            mark = await aed_feed.begin(conn)
            content = await _copy(conn)
        base = await asyncio.to_thread(_build, content)
        if self._merging is not None:
            self._merging.cancel()  # what it puts in order is of before
        self._base, self._mark, self._read_at = base, mark, began
        self._changed = {}
        self._set_apart()
        if len(base.lon) <= MOST_RECORDS // 2:
            self._filling = asyncio.create_task(self._fill(), name="nearest index records")
            self._filling.add_done_callback(_heard)

    async def _fill(self) -> None:
        """Read every record before somebody asks, where there are not too many."""
        tier = self._base
        ids = zip(tier.high.tolist(), tier.low.tolist(), strict=True)
        await self.read(
            [Near(high << 64 | low, 0.0, tier, row) for row, (high, low) in enumerate(ids)]
        )

    # ---- what is near

    def nearest(self, search: Search, *, most: int) -> list[Near]:
        """List the nearest by the spheroid, ties in order of id."""
        found, size = nearest_tier.make_room(most), 0
        for tier in (self._base, self._apart):
            if len(tier.lon):
                size = nearest_kernel.pick(tier, search, found, size)
        nearest_kernel.arrange(found, size)
        return self._near(found, size)

    def _near(self, found: Found, size: int) -> list[Near]:
        base, apart = self._base, self._apart
        columns = (column[:size].tolist() for column in found)
        return [
            Near(high << 64 | low, metres, base if row > 0 else apart, abs(row) - 1)
            for metres, high, low, row in zip(*columns, strict=True)
        ]

    # ---- records

    def device(self, near: Near) -> Device | None:
        """Give the record of a device; None when it has to be read first."""
        held = self._devices.get(near.number)
        if held is None or held.xid != near.tier.xid[near.row]:
            return None
        return held

    def judge(self, near: Near, device: Device, moment: float) -> Usability:
        """Say whether the device can be taken at a time, from the last judgement if that holds.

        `moment` is in seconds of the epoch.
        """
        if device.usable is not None and device.since <= moment < device.until:
            return device.usable
        at = datetime.fromtimestamp(moment, UTC)
        judged = usability.judge(device.conditions, at)
        # Microseconds are lost on the way to a datetime.
        device.usable, device.since = judged, moment - 1e-5
        device.until = _holds_until(device, judged, moment)
        # For the search the state alone is noted, which may hold longer than its reason.
        tier, row = near.tier, near.row
        tier.state[row], tier.since[row] = _STATES[judged.state], device.since
        end = at + usability.LOOK_AHEAD if judged.until is None else judged.until
        tier.until[row] = end.timestamp()
        return judged

    async def read(self, missing: Sequence[Near]) -> None:
        """Read the records of these devices."""
        if len(self._devices) > MOST_RECORDS:
            for number in list(islice(self._devices, MOST_RECORDS // 8)):
                del self._devices[number]
        for first in range(0, len(missing), _PIECE):
            piece = missing[first : first + _PIECE]
            for aed, xid in await self._records.read([UUID(int=near.number) for near in piece]):
                self._devices[aed.id.int] = Device(aed, aed.conditions, xid)
        if any(self.device(near) is None for near in missing):
            # The record is newer than the position: read what changed before anybody is told.
            self.doubt()

    # ---- changes

    def _apply(self, news: aed_feed.News) -> None:
        for aed_id, row in news.rows.items():
            number = aed_id.int
            is_here = row is not None and row.status == usability.Status.IN_SERVICE
            self._changed[number] = (
                (number, row.lon, row.lat, row.xid) if row is not None and is_here else None
            )
            _take_out(self._base, number)
            self._devices.pop(number, None)
        self._mark = news.mark
        if news.rows:
            self._set_apart()
        if len(self._changed) > MOST_APART and (self._merging is None or self._merging.done()):
            self._merging = asyncio.create_task(self._merge(), name="nearest index merge")

    def _set_apart(self) -> None:
        rows = [row for row in self._changed.values() if row is not None]
        self._apart = nearest_tier.build(nearest_tier.points(rows), sign=-1)

    async def _merge(self) -> None:
        """Put all in order beside; what changes meanwhile stays apart."""
        merged = dict(self._changed)
        base = await asyncio.to_thread(nearest_tier.merge, self._base, self._apart)
        self._changed = {
            number: row
            for number, row in self._changed.items()
            if number not in merged or merged[number] is not row
        }
        for number in self._changed:
            _take_out(base, number)
        self._base = base
        self._set_apart()


# The transaction is the number of the record: another one, another record.
_COPY = """
copy (
  select id, ST_X(position::geometry), ST_Y(position::geometry), coalesce(xid, 0)
  from aed left join aed_change on aed_id = id where is_in_service
) to stdout (format binary)
"""


async def _copy(conn: AsyncConnection) -> bytes:
    raw = await conn.get_raw_connection()
    if raw.driver_connection is None:
        raise ConnectionError("not connected")
    async with raw.driver_connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        return b"".join([bytes(part) async for part in copy])


def _build(content: bytes) -> Tier:
    return nearest_tier.build(nearest_tier.read_copy(content))


_LOW = (1 << 64) - 1


def _take_out(tier: Tier, number: int) -> None:
    row = nearest_kernel.locate(tier, np.uint64(number >> 64), np.uint64(number & _LOW))
    if row >= 0:
        tier.is_there[row] = False


# These may follow one another without a change of the state.
_UNSTEADY = frozenset({Reason.HOURS_CONDITIONAL, Reason.HOLIDAY_UNCLEAR})
#: An end that comes in sight (seven days ahead) is told so late at most.
_HOLDS_S = 3_600.0


def _holds_until(device: Device, usable: Usability, moment: float) -> float:
    """Say until when both the state and its reason surely stay, and the trust in the record."""
    if usable.reason in _UNSTEADY:
        return (moment // 60 + 1) * 60
    turns = [*usability.turns(device.conditions), usable.until]
    if device.aed.verified_at is not None:
        turns.append(device.aed.verified_at + trust.FRESH_FOR)
    later = (turn.timestamp() for turn in turns if turn is not None)
    return min(moment + _HOLDS_S, *(turn for turn in later if turn > moment), math.inf)


def _heard(reading: asyncio.Task[None]) -> None:
    """Take note of what went wrong where nobody waits for it; the next who asks tries again."""
    if not reading.cancelled() and (error := reading.exception()) is not None:
        _logger.warning("nearest index not read: %s", type(error).__name__)
