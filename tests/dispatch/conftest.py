"""What tests of alarms and of messages share: runners whose clock the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import redis.asyncio
from gateways import all_of_them

from dispatch import (
    channels,
    db,
    delivering,
    firing,
    runner,
)
from tests import alarms
from tests import factories as f
from tests.post import Clock, Post


@pytest.fixture
async def means(database: str, now: datetime) -> AsyncIterator[firing.Means]:
    """Give the means of a runner whose clock the test moves with `dataclasses.replace`."""
    engine = db.make_engine(database, pool_size=6)
    yield firing.Means(db.Database(engine, None), alarms.EAGER, lambda: f.NETWORK, lambda: now)
    await engine.dispose()


@pytest.fixture
def doubles() -> Iterator[all_of_them.Doubles]:
    """Give all gateways, running."""
    with all_of_them.running() as running:
        yield running


@pytest.fixture
async def post(
    *, database: str, redis: redis.asyncio.Redis, redis_url: str, tmp_path: Path, now: datetime,
    doubles: all_of_them.Doubles,
) -> AsyncIterator[Post]:  # fmt: skip
    """Give a runner's means on a fresh database, every channel on."""
    clock = Clock(now)
    settings = all_of_them.read(doubles, database, redis_url, tmp_path)
    engine = db.make_engine(database)
    async with channels.gateways(settings, clock) as gateways:
        means = delivering.Means(
            db.Database(engine, None), gateways, redis, settings.base_url, clock
        )
        await runner.watch_channels(means, {c: g.is_test for c, g in gateways.items()})
        yield Post(means, clock)
    await engine.dispose()
