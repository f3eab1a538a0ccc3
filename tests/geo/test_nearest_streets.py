"""The nearest AEDs along real streets equal scipy's Dijkstra over the uncontracted graph.

The referee of walking times (tests/walking_referee.py), which shares no code with `geo/`,
measures every device for every question.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
import pytest
import walking_referee
import walking_referee_map

from dispatch import db
from geo import nearest_records, walking, walking_build
from geo.nearest import Engine, NearAed

pytestmark = pytest.mark.real_data

AEDS, QUERIES = 400, 500
TIE_S, CLOSE_S = 0.1, 1.0
#: So much do sphere and spheroid differ.
SPHERE = 0.006
AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
#: Every third cannot be counted on.
HOURS = ("24/7", "24/7", None)

FILL = """
insert into aed (id, org_id, name, position, access, hours, source, created_at, updated_at)
values (%s, gen_random_uuid(), 'AED', ST_MakePoint(%s, %s)::geography, 'public', %s, 't', now(),
        now())
"""


@asynccontextmanager
async def engine_on(database: str) -> AsyncIterator[Engine]:
    pool, records = db.make_engine(database), nearest_records.Records(database)
    await records.open()
    engine = Engine(db.Database(pool, None).snapshot, records)
    await engine.start()
    await engine.index.settle()
    yield engine
    await engine.index.stop()
    await records.close()
    await pool.dispose()


async def test_NEA_7_five_hundred_answers_along_streets_equal_scipy(
    database: str, tmp_path: Path
) -> None:
    pbf = Path(os.environ["GOLDEN_TEST_DATA"]) / "osm" / "monaco.osm.pbf"
    walking_build.build(pbf, tmp_path, "monaco")
    network = walking.WalkingNetwork.load(tmp_path, speed_mps=walking_referee_map.SPEED_MPS)
    parse = walking_referee_map.read(pbf)
    rng, judge = np.random.default_rng(7), walking_referee.Referee(parse)
    places = walking_referee.places_in(parse, rng, AEDS)
    with psycopg.connect(database) as conn:
        rows = [(UUID(int=n), p.lon, p.lat, HOURS[n % 3]) for n, p in enumerate(places)]
        conn.cursor().executemany(FILL, rows)
    standing = [(place, judge.stand(place)) for place in places]
    sources = []
    async with engine_on(database) as engine:
        for origin in walking_referee.places_in(parse, rng, QUERIES):
            limit, within_s = int(rng.integers(1, 31)), float(rng.uniform(60, 900))
            strict = bool(rng.random() < 0.5)
            found = await engine.find(
                network, origin, within_s=within_s, limit=limit, only_usable=strict, at=AT
            )
            expected = dict(enumerate(judge.times(origin, standing)))
            wanted = {n: s for n, s in expected.items() if not strict or n % 3 != 2}
            check(found, wanted, limit=limit, within_s=within_s)
            sources += [near.travel.source for near in found]
    assert len(sources) > 4_000
    assert sources.count(walking.EtaSource.ESTIMATE) > 50


def slack(near: NearAed) -> float:
    """Give the seconds by which the two may differ: their estimates measure on the sphere."""
    return SPHERE * near.travel.travel_s if near.travel.source == "estimate" else TIE_S


def check(found: list[NearAed], expected: dict[int, float], *, limit: int, within_s: float) -> None:
    """Compare every time, the order, and that nobody who is quicker was left out."""
    for near in found:
        theirs = expected[near.aed.id.int]
        assert near.travel.travel_s == pytest.approx(theirs, abs=CLOSE_S + slack(near))
        assert near.travel.travel_s <= within_s
    for earlier, later in pairwise(found):
        assert earlier.travel.travel_s <= later.travel.travel_s
        gap = expected[earlier.aed.id.int] - expected[later.aed.id.int]
        assert gap <= slack(earlier) + slack(later)
    last = found[-1].travel.travel_s if len(found) == limit else within_s
    left_out = expected.keys() - {near.aed.id.int for near in found}
    assert all(expected[number] >= last * (1 - SPHERE) - TIE_S for number in left_out)
