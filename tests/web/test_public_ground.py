"""What public maps are drawn on: in the mainland of China a licensed map, or none."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import bourg
import httpx
import psycopg
import pytest
from callers import Enrol
from fastapi import FastAPI

from dispatch import db
from dispatch.settings import Settings
from geo import aeds, osm_import
from geo.osm_import import Target
from geo.position import Position
from web import headers, public_ground
from web.commands import check_machine, installation
from web.commands.finding import State

#: The tile of zoom 14 in which most of the small town lies.
TILE = "14/8510/6019"
LICENSED = "https://t0.example.cn/vec/{z}/{x}/{y} https://t1.example.cn/cva?x={x}&y={y}&z={z}"
NUMBER = "GS(2000)0000号"
WUHAN = (114.2, 30.5, 114.4, 30.7)


def _tell(app: FastAPI, **values: str) -> None:
    """Let the app have been told something else."""
    changed = app.state.settings.model_copy(update=values)
    app.state.settings = changed
    app.state.tiles._settings = changed
    _forget(app)


def _forget(app: FastAPI) -> None:
    """Let the second pass for which a process goes by what it read last."""
    app.state.tiles._looked_at = -math.inf
    app.state.tiles.aeds._read_at = None


def _move_to_china(settings: Settings) -> None:
    """Let the town's box lie in Wuhan, and everything that is drawn where it was."""
    with psycopg.connect(settings.database_url) as conn:
        conn.execute("update dataset set west = %s, south = %s, east = %s, north = %s", WUHAN)


@pytest.fixture
def town(app: FastAPI, settings: Settings, tmp_path: Path) -> None:
    """Import the small town."""
    target = Target("bourg", "小镇", "Bourg", time_zone="Europe/Paris", org_id=None)
    osm_import.import_osm(
        settings.database_url, bourg.small_town().write(tmp_path / "town.osm"), target,
        progress=lambda _stage, _share: None, now=datetime.now(UTC),
    )  # fmt: skip


async def _ground(client: httpx.AsyncClient) -> dict[str, object]:
    body = (await client.get("/tiles/base.json")).json()
    return {name: body[name] for name in ("public_ground", "licensed_tiles", "map_review_number")}


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("told", [{"country": "CN"}, {"public_base_map": LICENSED},
                                  {"public_base_map": "none"}])  # fmt: skip
async def test_PUB_8_our_own_map_is_for_those_who_are_signed_in(
    app: FastAPI, enrol: Enrol, stranger: httpx.AsyncClient, told: dict[str, str]
) -> None:
    member, address = await enrol("responder"), f"/tiles/base/{TILE}.mvt"
    assert (await stranger.get(address)).headers["Cache-Control"].startswith("public")
    _tell(app, **told)
    shown = await stranger.get(address)
    assert (shown.status_code, shown.content) == (204, b"")
    assert shown.headers["Cache-Control"] == "no-store"
    version = (await stranger.get("/tiles/base.json")).json()["data_version"]
    for named in (address, f"{address}?v={version}"):
        own = await member.http.get(named)
        assert (own.status_code, own.headers["Cache-Control"].split(",")[0]) == (200, "private")


@pytest.mark.usefixtures("town")
async def test_PUB_8_a_city_of_the_mainland_needs_no_setting(
    app: FastAPI, settings: Settings, stranger: httpx.AsyncClient
) -> None:
    assert (await _ground(stranger))["public_ground"] == "own"
    _move_to_china(settings)
    _forget(app)
    assert (await _ground(stranger))["public_ground"] == "none"
    held = app.state.tiles.withheld
    for z, x, y in ((8, 209, 105), (14, 13387, 6727), (16, 53550, 26909)):
        assert held.covers(public_ground.tiles.cell(z, x, y))
    assert not held.covers(public_ground.tiles.cell(14, 8510, 6019))
    assert (await stranger.get(f"/tiles/base/{TILE}.mvt")).status_code == 200


@pytest.mark.parametrize(
    ("box", "is_chinese"),
    [
        (WUHAN, True),
        ((114.1, 22.24, 114.25, 22.35), False),
        ((113.85, 22.15, 114.4, 22.6), True),
        ((113.54, 22.18, 113.56, 22.2), False),
        ((121.45, 25.0, 121.65, 25.2), False),
        ((7.40, 43.72, 7.44, 43.75), False),
    ],
    ids=["Wuhan", "Hong Kong", "with Shenzhen", "Macau", "Taipei", "Monaco"],
)
def test_PUB_8_nine_points_of_its_box_tell_where_a_city_lies(
    box: public_ground.Box, is_chinese: bool
) -> None:
    assert public_ground.is_chinese(box) == is_chinese


@pytest.mark.usefixtures("town")
async def test_PUB_9_a_licensed_map_is_described_and_may_be_asked_for(
    app: FastAPI, stranger: httpx.AsyncClient
) -> None:
    plain = await stranger.get("/aed")
    _tell(app, public_base_map=LICENSED, map_review_number=NUMBER)
    assert await _ground(stranger) == {
        "public_ground": "licensed",
        "licensed_tiles": LICENSED.split(),
        "map_review_number": NUMBER,
    }
    policy = (await stranger.get("/aed")).headers["Content-Security-Policy"]
    for what in ("connect-src", "img-src"):
        assert f"{what} 'self' " in policy
        assert "https://t0.example.cn https://t1.example.cn" in policy.partition(what)[2]
    assert "example.cn" not in plain.headers["Content-Security-Policy"]
    other = await stranger.get("/console")
    assert other.headers["Content-Security-Policy"] == headers.CONTENT_SECURITY_POLICY


async def test_PUB_9_a_missing_review_number_is_told_and_never_made_up(
    app: FastAPI, stranger: httpx.AsyncClient, settings: Settings
) -> None:
    _tell(app, public_base_map=LICENSED, country="CN")
    body = (await stranger.get("/tiles/base.json")).json()
    assert (body["map_review_number"], body["needs_review_number"]) == (None, True)
    _tell(app, map_review_number=NUMBER)
    assert (await stranger.get("/tiles/base.json")).json()["needs_review_number"] is False


def test_PUB_9_the_doctor_asks_for_the_review_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state() -> State:
        place = installation.find(tmp_path)
        return next(f.state for f in check_machine.check(place) if f.code == "map_number")

    assert state() is State.OK
    monkeypatch.setenv("GOLDEN_PUBLIC_BASE_MAP", LICENSED)
    assert state() is State.BAD
    monkeypatch.setenv("GOLDEN_MAP_REVIEW_NUMBER", NUMBER)
    assert state() is State.OK


@pytest.mark.parametrize(
    "wrong",
    ["http://a.example/{z}/{x}/{y}", "https://a.example/{z}/{x}", "own", f"none {LICENSED}",
     "https://a.example;script-src/{z}/{x}/{y}"],
)  # fmt: skip
def test_PUB_9_a_wrong_address_is_refused_with_what_to_write(wrong: str) -> None:
    with pytest.raises(ValueError, match="https addresses with"):
        Settings(public_base_map=wrong)


@pytest.mark.usefixtures("town")
async def test_PUB_8_markers_and_list_work_without_ground(
    app: FastAPI, enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    org = (await enrol()).org.id
    place = Position(bourg.WEST + 0.001, bourg.SOUTH + 0.001)
    facts = {"name": "Mairie", "access": "public", "hours": "24/7", "position": place}
    async with store.transaction() as conn:
        await aeds.add(conn, org, facts, now=datetime.now(UTC))
    _tell(app, country="CN")
    assert (await stranger.get("/tiles/aeds/0/0/0.mvt")).status_code == 200
    shown = await stranger.get("/api/v1/aeds")
    assert [one["name"] for one in shown.json()["items"]] == ["Mairie"]
    assert (await stranger.get("/aed?lang=zh")).status_code == 200
