"""Addresses are found as people type them, Chinese or Latin, words in any order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import bourg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dispatch import db
from geo import aeds, osm_import, search
from geo.osm_import import Target
from geo.position import Position, distance_m

if TYPE_CHECKING:
    from conftest import Servers

ORG = UUID(int=7)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Avenue de Monte-Carlo", " avenue de monte carlo"),
        ("  AV. de  Monte Carlo ", " avenue de monte carlo"),
        ("Bd Hôpital", " boulevard hopital"),
        ("Weiße Straße", " weisse strasse"),
        ("中山大道12号", " 中 山 大 道 12 号"),
        ("中山大道１２号", " 中 山 大 道 12 号"),
        ("d'Ostende", " d ostende"),
        ("—!?", ""),
    ],
)
def test_text_is_folded(typed: str, folded: str) -> None:
    assert search.fold(typed) == folded


@pytest.fixture(scope="module")
async def engine(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AsyncEngine]:
    """A database that holds the small town and two more streets; tests leave it as it was."""
    place = bourg.small_town()
    place.way([(2, 11), (10, 11)], {"highway": "residential", "name": "Avenue de Monte-Carlo"})
    place.block(3, 11.2, {
        "building": "yes", "addr:street": "Avenue de Monte-Carlo", "addr:housenumber": "12",
    })  # fmt: skip
    place.block(5, 11.2, {
        "shop": "bar", "name": "Monte Carlo Bar", "building": "yes",
        "addr:street": "Avenue des Spélugues", "addr:housenumber": "14",
    })  # fmt: skip
    target = Target("bourg", "小镇", "Bourg", org_id=ORG)
    path = place.write(tmp_path_factory.mktemp("town") / "town.osm")
    with servers.clone() as url:
        osm_import.import_osm(
            url, path, target, progress=lambda _stage, _share: None, now=datetime.now(UTC)
        )
        engine = db.make_engine(url)
        yield engine
        await engine.dispose()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("avenue de monte carlo 12", "12 Avenue de Monte-Carlo"),
        ("12 av de monte-carlo", "12 Avenue de Monte-Carlo"),
        ("monte-carlo", "Avenue de Monte-Carlo"),
        ("carl", "Avenue de Monte-Carlo"),
        ("hopital saint eloi", "Hôpital Saint-Éloi"),
        ("中山大道12", "中山大道12号"),
        ("中山大道", "中山大道"),
        ("中山", "中山大道"),
        ("zhongshan ave", "中山大道"),
        ("9 grande rue", "9 Grande Rue"),
        ("au pain", "Au Pain, Grande Rue"),
        ("bourg", "Bourg"),
        ("mairie", "Mairie, Place Centrale"),
    ],
)
async def test_the_first_answer_is_the_one_meant(
    conn: AsyncConnection, now: datetime, typed: str, first: str
) -> None:
    facts = {"name": "Mairie", "address": "Place Centrale", "position": bourg.at(9, 10)}
    await aeds.add(conn, ORG, facts, now=now)
    found = await search.find(conn, typed, near=bourg.at(9, 10))
    assert found[0].text == first


async def test_a_number_that_nobody_recorded_gives_the_street(conn: AsyncConnection) -> None:
    found = await search.find(conn, "14 avenue de monte carlo")
    assert (found[0].text, found[0].kind) == ("Avenue de Monte-Carlo", "street")


@pytest.mark.parametrize("typed", ["grnade rue", "grande ru", "hopitall saint eloi"])
async def test_typing_errors_are_forgiven(conn: AsyncConnection, typed: str) -> None:
    found = await search.find(conn, typed)
    assert found
    assert {"grande", "hopital"} & set(search.fold(found[0].text).split())


@pytest.mark.parametrize("typed", ["", "   ", "!!", "%", "_", "'; drop table address; --"])
async def test_nothing_is_found_for_nothing(conn: AsyncConnection, typed: str) -> None:
    assert await search.find(conn, typed) == []


async def test_near_ones_come_first_among_equals(conn: AsyncConnection) -> None:
    await conn.execute(
        text(
            "insert into address (dataset_id, text, folded, kind, rank, position)"
            " select dataset_id, text, folded, kind, rank,"
            " ST_Translate(position::geometry, 1, 0)::geography"
            " from address where text = 'Grande Rue'"
        )
    )
    for near in (Position(8.0, 43.0), Position(7.0, 43.0)):
        found = await search.find(conn, "grande rue", near=near)
        streets = [place for place in found if place.kind == "street"]
        assert len(streets) == 2
        assert distance_m(near, streets[0].position) < distance_m(near, streets[1].position)


async def test_withdrawn_devices_are_not_found(conn: AsyncConnection, now: datetime) -> None:
    facts = {"name": "Mairie", "position": bourg.at(9, 10)}
    aed = await aeds.add(conn, ORG, facts, now=now)
    await aeds.withdraw(conn, aed.id, actor_id=None, now=now)
    assert await search.find(conn, "mairie") == []
