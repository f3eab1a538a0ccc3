"""The AEDs of one database in memory, never older than a second when they are asked for.

Maps are drawn from it, and lists can be made of who is usable without asking for every row.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from geo import aed_feed, aed_register, mvt
from geo.aed_drawing import Box, Drawn, Moment, Sheet
from geo.aed_register import Register
from geo.mvt import Frame
from geo.usability import Usable

#: How old the copy may be when a tile is drawn from it.
FRESH_S = 1.0
#: More changes than this at once, and the whole registry is read again.
_NEWS_MOST = 5_000
#: More devices than this are worked on in a thread: alerts must not wait for a map.
_MANY_DEVICES = 5_000
_MANY_DRAWN = 3_000
_MANY_COUNTED = 150_000
_MOMENTS_KEPT = 8

View = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class AedTiles:
    """The copy and what was judged of it; one for each database that a process uses."""

    def __init__(self) -> None:
        self._register = Register()
        self._devices = self._register.made()
        self._mark: aed_feed.Mark | None = None
        self._read_at: float | None = None
        self._reading = asyncio.Lock()
        self._now = Moment(None)
        self._others: OrderedDict[datetime, Moment] = OrderedDict()
        #: Another number whenever a device or a fact is drawn that was not drawn before.
        self.generation = 0

    def __len__(self) -> int:
        return len(self._devices)

    def is_fresh(self) -> bool:
        """Tell whether the copy was compared with the registry within the last second."""
        return self._read_at is not None and time.monotonic() - self._read_at < FRESH_S

    async def refresh(self, view: View) -> None:
        """Take in what changed, unless that was done within the last second.

        `view` opens a connection that shows one instant; it is asked for only when needed.
        """
        if self.is_fresh():
            return
        async with self._reading:
            if self.is_fresh():
                return
            began = time.monotonic()
            async with view() as conn:
                await self.read(conn)
            self._read_at = began

    async def read(self, conn: AsyncConnection) -> None:
        """Take in what changed since the last reading; the first time, everything."""
        if self._mark is None or self._register.is_wasteful(self._devices):
            await self._read_all(conn)
            return
        try:
            news = await aed_feed.news(conn, self._mark, most=_NEWS_MOST)
        except aed_feed.TooMuch:
            await self._read_all(conn)
            return
        if news.rows:
            self._register.add(row for row in news.rows.values() if row is not None)
            await self._replace(list(news.rows))
        self._mark = news.mark

    async def _replace(self, ids: Sequence[UUID]) -> None:
        added = self._register.made()
        if len(self._devices) > _MANY_DEVICES:
            self._devices = await asyncio.to_thread(aed_register.changed, self._devices, ids, added)
        else:
            self._devices = aed_register.changed(self._devices, ids, added)
        self.generation += 1

    async def _read_all(self, conn: AsyncConnection) -> None:
        register = Register()
        mark = await aed_feed.begin(conn)
        async for rows in aed_feed.everything(conn):
            register.add(rows)
        devices = await asyncio.to_thread(register.made)
        self._register, self._devices, self._mark = register, devices, mark
        self._now, self._others = Moment(None), OrderedDict()
        self.generation += 1

    async def tile(self, z: int, x: int, y: int, *, at: datetime | None, now: datetime) -> Drawn:
        """Draw the devices of a tile as usable `at`, or now; withdrawn ones never."""
        sheet = Sheet(Frame(z, x, y), self._devices, self._register, self._moment(at))
        count = len(sheet.inside())
        most = _MANY_DRAWN if sheet.is_single(count) else _MANY_COUNTED
        if at is None and not sheet.moment.is_settled(sheet.register.kinds, now):
            await asyncio.to_thread(sheet.moment.bring_all, sheet.register.kinds, now)
        is_long = count > most or at is not None
        return await asyncio.to_thread(sheet.draw, now) if is_long else sheet.draw(now)

    async def ids(
        self, state: Usable, *, box: Box | None = None, now: datetime
    ) -> NDArray[np.bytes_]:
        """Give the ids of all devices that are in a state now, as 16 bytes each, in their order.

        With a box, west, south, east, north, at least all that lie in it.
        """
        whole = Sheet(Frame(0, 0, 0), self._devices, self._register, self._now)
        return await asyncio.to_thread(whole.ids, state, box, now)

    def extent(self) -> Box | None:
        """Give the box round all devices in degrees; None without any."""
        x, y = self._devices.x, self._devices.y
        if not len(x):
            return None
        low = mvt.degrees(float(x.min()), float(y.max()))
        high = mvt.degrees(float(x.max()), float(y.min()))
        return (*low, *high)

    def _moment(self, at: datetime | None) -> Moment:
        if at is None:
            return self._now
        moment = self._others.setdefault(at, Moment(at))
        self._others.move_to_end(at)
        if len(self._others) > _MOMENTS_KEPT:
            self._others.popitem(last=False)
        return moment
