"""The nearest AEDs from memory: what changed is known within a second, rare wishes are found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import psycopg
import pytest
from nearest_registry import FIRST_DAY, HERE, SPEED, Registry, north, point, read_registry, write

from dispatch import db
from geo import aed_feed, nearest_index
from geo.usability import Usable


@pytest.fixture
async def registry(database: str) -> AsyncIterator[Registry]:
    async for made in read_registry(database):
        yield made


async def test_NEA_3_every_change_is_known_after_a_second(registry: Registry) -> None:
    first, second = registry.add(1, 100), registry.add(2, 200)
    assert await registry.ids() == [1, 2]
    registry.run("update aed set position = %s where id = %s", north(300), first)
    assert await registry.ids() == [2, 1]
    registry.run("update aed set suspect_since = now() where id = %s", second)
    assert [near.usable.reason for near in await registry.found()] == ["reported", "always_open"]
    assert await registry.ids(only_usable=True) == [1]
    registry.run("update aed set status = 'out_of_service' where id = %s", first)
    assert await registry.ids() == [2]
    registry.run("update aed set status = 'in_service' where id = %s", first)
    registry.run("delete from aed where id = %s", second)
    assert await registry.ids() == [1]


async def test_NEA_3_what_a_long_transaction_changed_is_known_once_it_commits(
    registry: Registry,
) -> None:
    registry.add(1, 100)
    with psycopg.connect(registry.url) as long:
        long.execute("update aed set name = 'long' where id = %s", [UUID(int=1)])
        for number in range(2, 5):  # others begin and commit meanwhile
            registry.add(number, 100 * number)
            assert (await registry.found())[0].aed.name == "AED"
        long.commit()
    assert [near.aed.name for near in await registry.found()] == ["long", "AED", "AED", "AED"]


async def test_NEA_3_within_the_second_the_database_is_not_asked(registry: Registry) -> None:
    registry.add(1, 100)
    await registry.ids()
    registry.add(2, 50)
    registry.clock.now -= nearest_index.OLDEST_S  # no time has passed since the last look
    assert await registry.ids() == [1]
    assert await registry.ids() == [2, 1]


async def test_NEA_3_many_changes_are_put_in_order_beside(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest_index, "MOST_APART", 20)
    for number in range(1, 60):
        registry.add(number, 10 * number)
        if number % 7 == 0:
            registry.run("update aed set position = %s where id = %s", north(1), UUID(int=number))
        await registry.engine.index.settle()
        exact = sorted(range(1, number + 1), key=lambda n: (1 if n % 7 == 0 else 10 * n, n))
        assert await registry.ids(limit=200) == exact


async def test_NEA_3_after_an_import_everything_is_read_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest_index, "MOST_NEWS", 10)
    registry.add(1, 100)
    assert await registry.ids() == [1]
    write(registry.url, [{"id": UUID(int=n), "position": north(n)} for n in range(200, 240)])
    assert await registry.ids(limit=3) == [1, 200, 201]  # whoever answers, the index or SQL


async def test_NEA_4_a_rare_one_is_found_behind_thousands(registry: Registry) -> None:
    rng = np.random.default_rng(1)
    shut = [
        {
            "id": UUID(int=n), "position": point(HERE.lon + x, HERE.lat + y),
            "hours": ("Mo-Fr 01:00-02:00", None)[n % 2],
        }
        for n, (x, y) in enumerate(rng.normal(0, 0.02, (3_000, 2)).tolist(), 1)
    ]  # fmt: skip
    write(registry.url, shut)
    registry.add(10_000, 9_000)
    registry.add(10_001, 9_500)
    ask = {"within_s": 7_200.0, "limit": 5, "only_usable": True, "at": FIRST_DAY}
    assert await registry.ids(**ask, speed_mps=SPEED * 2) == [10_000, 10_001]
    assert await registry.ids(**ask, speed_mps=SPEED) == []


async def test_NEA_4_ties_stand_in_the_order_of_their_ids(registry: Registry) -> None:
    numbers = [(number * 2**101 + 17) % 2**128 for number in range(1, 60)]
    write(registry.url, [{"id": UUID(int=n), "position": north(50)} for n in numbers])
    for limit in (1, 7, 59, 200):
        assert await registry.ids(limit=limit) == sorted(numbers)[:limit]


async def test_NEA_3_a_judgement_ends_when_the_hours_do(registry: Registry) -> None:
    registry.add(1, 100, hours="Mo-Su 08:00-18:00", pads_expire_on="2026-11-04")
    opens = datetime(2026, 11, 3, 0, 0, tzinfo=UTC)  # 08:00 there
    for minutes, state in (
        (-5, Usable.NO),
        (0, Usable.YES),
        (595, Usable.YES),
        (599, Usable.NO),
        (601, Usable.NO),
        (-3, Usable.NO),
        (1, Usable.YES),
    ):
        found = await registry.found(at=opens + timedelta(minutes=minutes))
        assert found[0].usable.state == state, minutes
        assert found[0].usable == nearest_index.usability.judge(
            found[0].aed.conditions, found[0].arrival(opens + timedelta(minutes=minutes))
        )
    expired = await registry.found(at=opens + timedelta(days=2))
    assert expired[0].usable.reason == "expired"


async def test_NEA_8_every_change_gives_the_registry_another_mark(registry: Registry) -> None:
    database = db.make_engine(registry.url)

    async def mark() -> str:
        async with database.connect() as conn:
            return await aed_feed.registry_mark(conn)

    marks = [await mark()]
    first, second = registry.add(1, 100), registry.add(2, 200)
    marks.append(await mark())
    with psycopg.connect(registry.url) as early, psycopg.connect(registry.url) as late:
        for open_one, aed_id in ((early, first), (late, second)):
            open_one.execute("update aed set floor = '1' where id = %s", [aed_id])
        assert await mark() == await mark() == marks[-1]
        late.commit()
        marks.append(await mark())
        early.commit()
    marks.append(await mark())
    registry.run("delete from aed where id = %s", first)
    marks.append(await mark())
    assert await mark() == marks[-1]
    assert len(set(marks)) == len(marks)
    await database.dispose()
