"""How the channels do, read now and then for the metrics of this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import NoReturn

import psycopg
import sqlalchemy.exc
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dispatch import channel_health, db
from realtime import deadline

_logger = logging.getLogger(__name__)

EVERY_S = 15.0
WITHIN_S = 3.0


class ChannelWatch(Collector):
    """The last look at the channels; `run` looks again and again."""

    def __init__(self, database: db.Database) -> None:
        self._database = database
        self._seen: list[channel_health.Health] = []

    async def look(self) -> None:
        """Read how the channels do."""
        async with self._database.snapshot() as conn:
            self._seen = await channel_health.list_all(conn)

    async def run(self) -> NoReturn:
        """Look while the app runs; while the database is away the last look stands."""
        while True:
            try:
                await deadline.within(WITHIN_S, self.look())
            except (OSError, psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
                _logger.debug("channels not read: %s", type(error).__name__)
            await asyncio.sleep(EVERY_S)

    def collect(self) -> Iterator[Metric]:
        """Give each channel's counts of the last ten minutes."""
        silent = GaugeMetricFamily(
            "golden_channel_silent",
            "1 when a channel sends and delivers nothing.",
            labels=["channel"],
        )
        messages = GaugeMetricFamily(
            "golden_channel_messages", "Messages of the last ten minutes, by how they ended.",
            labels=["channel", "end"],
        )  # fmt: skip
        for one in self._seen:
            if one.is_on:
                silent.add_metric([one.name], float(one.flagged_at is not None))
                for end in ("sent", "delivered", "failed"):
                    messages.add_metric([one.name, end], getattr(one, end))
        yield silent
        yield messages
