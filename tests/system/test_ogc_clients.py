"""Programs that planners use read /ogc of a server that really listens: GDAL and OWSLib."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import factories
import live_processes
import pytest
from owslib.ogcapi.features import Features

from dispatch import accounts, db, depots, states
from geo.position import Position

pytestmark = pytest.mark.system
OGRINFO = shutil.which("ogrinfo")
COUNT = 23


@pytest.fixture(name="served", scope="module")
async def serve(
    servers: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, str]]:
    """Serve what programs read; give the address and a keeper's token."""
    folder = tmp_path_factory.mktemp("app")
    with servers.clone() as database:
        token = await _fill(database)
        async with live_processes.app(database, servers.redis_url, folder) as app:
            yield f"{app.url}/ogc", token


async def _fill(database: str) -> str:
    """Add 23 devices in a row and one depot; give a keeper's token."""
    engine = db.make_engine(database)
    now = datetime.now(UTC)
    async with db.Database(engine, None).transaction() as conn:
        org_id = await factories.make_org(conn, code="red")
        for number in range(COUNT):
            place = Position(7.40 + number / 1000, 43.73)
            await factories.make_aed(conn, org_id, position=place, now=now)
        await depots.add_depot(conn, org_id, code="d1", name="库", position=factories.HARBOUR)
        keeper = await accounts.add_person(conn, org_id, name="库管", username="keeper")
        await accounts.grant(conn, keeper, org_id, states.OrgRole.KEEPER)
        token = await accounts.add_token(conn, keeper, name="qgis", now=now)
    await engine.dispose()
    return token


def ogrinfo(url: str, *words: str, token: str = "") -> str:
    assert OGRINFO is not None
    login = ["--config", "GDAL_HTTP_USERPWD", f"qgis:{token}"] if token else []
    argv = [OGRINFO, "-ro", *login, f"OAPIF:{url}", *words]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.skipif(OGRINFO is None, reason="gdal-bin is not installed")
async def test_OGC_12_gdal_reads_every_page(served: tuple[str, str]) -> None:
    url, token = served
    assert "aeds" in await asyncio.to_thread(ogrinfo, url)
    paged = ("-oo", "PAGE_SIZE=5")
    everything = await asyncio.to_thread(ogrinfo, url, "aeds", *paged)
    assert everything.count("OGRFeature(aeds)") == COUNT
    assert "name (String)" in everything
    assert "POINT (7.4 43.73)" in everything
    box = ("-spat", "7.3999", "43.7", "7.4045", "43.8")
    some = await asyncio.to_thread(ogrinfo, url, "aeds", *paged, *box)
    assert some.count("OGRFeature(aeds)") == 5
    assert "Feature Count: 23" in await asyncio.to_thread(ogrinfo, url, "-so", "aeds")
    stock = await asyncio.to_thread(ogrinfo, url, "depots", token=token)
    assert stock.count("OGRFeature(depots)") == 1


async def test_OGC_12_owslib_reads_it(served: tuple[str, str]) -> None:
    url, _token = served
    body = await asyncio.to_thread(_by_owslib, url)
    assert body["collections"] == ["aeds", "orgs"]
    assert body["paths"] >= 10
    assert body["numbers"] == [COUNT, 7]
    assert body["inside"] == 5
    assert body["one"] == body["first"]


def _by_owslib(url: str) -> dict[str, Any]:
    features = Features(url)
    page = features.collection_items("aeds", limit=7)
    inside = features.collection_items("aeds", bbox=[7.3999, 43.7, 7.4045, 43.8])
    first = page["features"][0]
    one = features.collection_item("aeds", first["id"])
    assert "core" in json.dumps(features.conformance())
    return {
        "collections": features.feature_collections(),
        "paths": len(features.api()["paths"]),
        "numbers": [page["numberMatched"], page["numberReturned"]],
        "inside": inside["numberMatched"],
        "first": first["properties"]["name"],
        "one": one["properties"]["name"],
    }
