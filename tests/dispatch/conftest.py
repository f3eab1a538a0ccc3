"""What tests of alarms share: a runner whose clock the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from dispatch import (
    db,
    firing,
)
from tests import alarms
from tests import factories as f


@pytest.fixture
async def means(database: str, now: datetime) -> AsyncIterator[firing.Means]:
    """Give the means of a runner whose clock the test moves with `dataclasses.replace`."""
    engine = db.make_engine(database, pool_size=6)
    yield firing.Means(db.Database(engine, None), alarms.EAGER, lambda: f.NETWORK, lambda: now)
    await engine.dispose()
