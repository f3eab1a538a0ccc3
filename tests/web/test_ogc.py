"""Each requirement of OGC 17-069r4 that a program can look at, class by class as we claim them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import factories
import httpx
import pytest
from callers import Enrol, Member, code_of
from fastapi import FastAPI

from dispatch import accounts, db, depots
from geo import aed_tiles, aeds
from geo.aeds import Aed
from geo.position import Position
from web.ogc import query

CONF = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
GEOJSON = "application/geo+json"
ITEMS = "/ogc/collections/aeds/items"
#: The day on which all but the newest device was changed.
LONG_AGO = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@dataclass
class Stock:
    """What stands in the collections."""

    keeper: Member
    aeds: list[Aed]
    depot_id: str


@pytest.fixture
async def stock(app: FastAPI, store: db.Database, enrol: Enrol) -> Stock:
    """Five devices in the harbour, one each side of 180 degrees, one of today; a depot."""
    keeper = await enrol("keeper", "red")
    places = [factories.north_of(factories.HARBOUR, metres) for metres in range(0, 50, 10)]
    places += [Position(179.9, -17.0), Position(-179.9, -17.0)]
    async with store.transaction() as conn:
        made = [
            await factories.make_aed(conn, keeper.org.id, position=place, now=LONG_AGO)
            for place in places
        ]
        facts = {"name": "新 100% Quai", "position": Position(0, 0), "phone": "+33 6 00 00 00 01"}
        made.append(await aeds.add(conn, keeper.org.id, facts, now=datetime.now(UTC)))
        depot_id = await depots.add_depot(
            conn, keeper.org.id, code="d1", name="库", position=factories.HARBOUR,
            phone="+377 93 00 00 02",
        )  # fmt: skip
    app.state.tiles.aeds._read_at = None
    return Stock(keeper, made, str(depot_id))


async def get(client: httpx.AsyncClient, path: str, **headers: str) -> dict[str, Any]:
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.text)
    body: dict[str, Any] = answer.json()
    return body


def rels(body: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(link["rel"], link["type"].split(";")[0]): link["href"] for link in body["links"]}


async def ids(client: httpx.AsyncClient, words: str) -> list[str]:
    body = await get(client, f"{ITEMS}?limit=1000&{words}")
    assert body["numberReturned"] == len(body["features"]) == body["numberMatched"]
    return [feature["id"] for feature in body["features"]]


async def test_OGC_1_the_landing_page_leads_everywhere(stranger: httpx.AsyncClient) -> None:
    for path in ("/ogc", "/ogc/"):
        found = rels(await get(stranger, path))
        assert {rel for rel, _ in found} >= {"self", "alternate", "service-desc", "service-doc",
                                             "conformance", "data"}  # fmt: skip
    for href in found.values():
        assert (await stranger.get(href)).status_code == 200, href


async def test_OGC_1_the_claims_are_named(stranger: httpx.AsyncClient) -> None:
    body = await get(stranger, "/ogc/conformance")
    assert body["conformsTo"] == [CONF + name for name in ("core", "oas30", "html", "geojson")]


async def test_OGC_2_the_description_is_openapi_3_0_and_complete(
    stranger: httpx.AsyncClient,
) -> None:
    answer = await stranger.get("/ogc/api")
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    body = answer.json()
    assert body["openapi"].startswith("3.0")
    limit = body["components"]["parameters"]["limit"]
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10}
    assert limit["style"] == body["components"]["parameters"]["bbox"]["style"] == "form"
    for path, operations in body["paths"].items():
        answers = operations["get"]["responses"]
        assert {"200", "400", "401", "404", "500"} <= answers.keys(), path
        names = [each.get("name", each.get("$ref")) for each in operations["get"]["parameters"]]
        for reference in (name for name in names if name.startswith("#")):
            assert reference.rpartition("/")[2] in body["components"]["parameters"]
    assert "usable" in str(body["paths"]["/collections/aeds/items"])


@pytest.mark.usefixtures("stock")
async def test_OGC_3_collections_say_what_they_are(
    stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aed_tiles, "FRESH_S", 0.0)  # the map may have been read just before
    body = await get(stranger, "/ogc/collections")
    assert {"self", "alternate"} <= {rel for rel, _ in rels(body)}
    assert [each["id"] for each in body["collections"]] == ["aeds", "orgs"]
    for each in body["collections"]:
        found = rels(each)
        assert {("items", GEOJSON), ("items", "text/html")} <= found.keys()
        assert each["crs"] == [query.CRS84]
        [box] = each["extent"]["spatial"]["bbox"]
        assert len(box) == 4
        alone = await get(stranger, f"/ogc/collections/{each['id']}")
        assert {"self", "alternate", "items"} <= {rel for rel, _ in rels(alone)}
        for same in ("id", "title", "description", "extent", "itemType"):
            assert alone[same] == each[same]
    aeds_box = body["collections"][0]["extent"]["spatial"]["bbox"][0]
    assert aeds_box == pytest.approx([-179.9, -17.0, 179.9, 43.7351], abs=1e-4)
    since = body["collections"][0]["extent"]["temporal"]["interval"][0]
    assert since == ["2026-01-15T12:00:00Z", None]


async def test_OGC_4_features_come_in_pages(stranger: httpx.AsyncClient, stock: Stock) -> None:
    seen: list[str] = []
    url: str | None = f"{ITEMS}?limit=3"
    while url is not None:
        answer = await stranger.get(url)
        assert answer.headers["Content-Type"] == GEOJSON
        assert answer.headers["Content-Crs"] == f"<{query.CRS84}>"
        body = answer.json()
        assert body["type"] == "FeatureCollection"
        assert (body["numberMatched"], body["numberReturned"]) == (8, len(body["features"]))
        age = datetime.now(UTC) - datetime.fromisoformat(body["timeStamp"])
        assert timedelta() <= age < timedelta(minutes=1)
        assert len(body["features"]) <= 3
        seen += [feature["id"] for feature in body["features"]]
        found = rels(body)
        assert {("self", GEOJSON), ("alternate", "text/html")} <= found.keys()
        url = found.get(("next", GEOJSON))
        assert ('rel="next"' in answer.headers["Link"]) == (url is not None)
    assert sorted(seen) == sorted(str(aed.id) for aed in stock.aeds)
    assert len((await get(stranger, f"{ITEMS}?limit=99999"))["features"]) == 8
    assert len((await get(stranger, ITEMS))["features"]) == 8, "the default is ten"


async def test_OGC_4_one_feature_is_the_same_as_in_the_list(
    stranger: httpx.AsyncClient, stock: Stock
) -> None:
    listed = (await get(stranger, f"{ITEMS}?limit=1"))["features"][0]
    answer = await stranger.get(f"{ITEMS}/{listed['id']}")
    assert answer.headers["Content-Type"] == GEOJSON
    alone = answer.json()
    assert {"self", "alternate", "collection"} <= {rel for rel, _ in rels(alone)}
    assert {**alone, "links": None} == {**listed, "links": None}
    for unknown in ("00000000-0000-0000-0000-000000000000", "x"):
        assert (await stranger.get(f"{ITEMS}/{unknown}")).status_code == 404
    assert (await stranger.get("/ogc/collections/nothing/items")).status_code == 404


async def test_OGC_5_a_box_may_have_heights_and_cross_180_degrees(
    stranger: httpx.AsyncClient, stock: Stock
) -> None:
    names = [str(aed.id) for aed in stock.aeds]
    assert sorted(await ids(stranger, "bbox=7,43,8,44")) == sorted(names[:5])
    assert sorted(await ids(stranger, "bbox=7,43,-100,8,44,9000")) == sorted(names[:5])
    assert sorted(await ids(stranger, "bbox=170,-20,-170,-10")) == sorted(names[5:7])
    lon, lat = factories.HARBOUR.lon, factories.HARBOUR.lat
    assert await ids(stranger, f"bbox={lon},{lat},{lon},{lat}") == [names[0]], "edges belong to it"
    assert await ids(stranger, f"bbox-crs={query.CRS84}&bbox=1,1,2,2") == []
    assert await ids(stranger, "bbox=170,-20,-170,-10&usable=yes&name=AED*") != []


async def test_OGC_5_times_are_instants_and_intervals(
    stranger: httpx.AsyncClient, stock: Stock
) -> None:
    new = [str(stock.aeds[-1].id)]
    old = sorted(str(aed.id) for aed in stock.aeds[:-1])
    at = "2026-01-15T12:00:00Z"
    for words in (at, f"{at}/{at}", f"../{at}", f"/{at}", "2026-01-15", "2026-01-15/2026-01-16",
                  "2026-01-15T13:00:00%2B01:00"):  # fmt: skip
        assert sorted(await ids(stranger, f"datetime={words}")) == old, words
    for words in ("2026-01-16/..", "2026-01-16T00:00:00Z/"):
        assert await ids(stranger, f"datetime={words}") == new, words
    assert await ids(stranger, "datetime=2020-01-01/2020-01-02") == []
    orgs = await get(stranger, "/ogc/collections/orgs/items?datetime=2020-01-01&bbox=0,0,1,1")
    assert orgs["numberMatched"] == 1, "what has neither time nor place is left in"


async def test_OGC_6_properties_narrow_the_list(stranger: httpx.AsyncClient, stock: Stock) -> None:
    new = [str(stock.aeds[-1].id)]
    assert await ids(stranger, "name=新 100%25 Quai") == new
    assert await ids(stranger, "name=*100%25 q*") == new
    assert await ids(stranger, "name=*_*") == []
    assert await ids(stranger, "usable=unknown") == new
    assert len(await ids(stranger, "usable=yes")) == 7
    assert len(await ids(stranger, "usable=yes&bbox=7,43,8,44")) == 5
    assert await ids(stranger, "status=out_of_service") == []
    page = await get(stranger, f"{ITEMS}?usable=yes&limit=4")
    rest = await get(stranger, rels(page)[("next", GEOJSON)])
    assert (page["numberMatched"], rest["numberReturned"]) == (7, 3)


@pytest.mark.parametrize(
    "words",
    [
        "colour=red", "limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=", "bbox=1,2,3",
        "bbox=1,2,3,4,5", "bbox=a,b,c,d", "bbox=0,10,1,5", "bbox=0,-91,1,5", "bbox=0,0,200,5",
        "bbox=0,0,nan,5", "bbox=0,0,1,1&bbox=0,0,1,1", "datetime=yesterday", "datetime=../..",
        "datetime=2026-01-02/2026-01-01", "datetime=2026-01-01T00:00:00", "datetime=1/2/3",
        "crs=http://www.opengis.net/def/crs/EPSG/0/3857", "bbox-crs=gcj02", "f=xml",
        "usable=perhaps", "status=withdrawn", "cursor=x", "name=a%00b",
    ],
)  # fmt: skip
async def test_OGC_7_unknown_or_wrong_parameters_are_refused(
    stranger: httpx.AsyncClient, words: str
) -> None:
    answer = await stranger.get(f"{ITEMS}?{words}")
    if words == "limit=":
        assert answer.status_code == 200, "an empty parameter is none"
        return
    assert code_of(answer) == (400, "bad_parameter")
    for path in ("", "/conformance", "/api", "/collections", "/collections/aeds"):
        assert code_of(await stranger.get(f"/ogc{path}?colour=red")) == (400, "bad_parameter")


@pytest.mark.usefixtures("stock")
async def test_OGC_8_every_page_is_there_to_read(stranger: httpx.AsyncClient, stock: Stock) -> None:
    paths = ["", "/conformance", "/api", "/collections", "/collections/aeds", "/collections/orgs",
             "/collections/aeds/items", "/collections/orgs/items",
             f"/collections/aeds/items/{stock.aeds[-1].id}"]  # fmt: skip
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    for path in paths:
        for answer in (
            await stranger.get(f"/ogc{path}", headers={"Accept": browser}),
            await stranger.get(f"/ogc{path}?f=html", headers={"Accept": "application/json"}),
        ):
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8", path
            assert "Accept" in answer.headers["Vary"]
            assert "Home" in answer.text
            assert "首页" in answer.text
        for accept in ("application/json", "*/*", f"{GEOJSON},text/html;q=0.5", "image/png"):
            answer = await stranger.get(f"/ogc{path}", headers={"Accept": accept})
            assert "json" in answer.headers["Content-Type"], (path, accept)
    assert "新 100% Quai" in answer.text
    assert (await stranger.get("/ogc/style.css")).headers["Content-Type"].startswith("text/css")
    empty = await stranger.get(f"{ITEMS}?f=html&bbox=1,1,2,2")
    assert "No feature matches" in empty.text


async def test_OGC_9_depots_are_for_those_who_see_stock(
    stranger: httpx.AsyncClient, stock: Stock, enrol: Enrol, store: db.Database
) -> None:
    path = "/ogc/collections/depots"
    for place in (path, f"{path}/items", f"{path}/items/{stock.depot_id}"):
        refused = await stranger.get(place)
        assert code_of(refused) == (401, "not_signed_in")
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    foreign = await enrol("keeper", "blue")
    assert (await get(foreign.http, f"{path}/items"))["numberMatched"] == 0
    assert code_of(await (await enrol("responder")).http.get(path)) == (403, "not_allowed")
    named = (await get(stock.keeper.http, "/ogc/collections"))["collections"]
    assert [each["id"] for each in named] == ["aeds", "depots", "orgs"]
    [found] = (await get(stock.keeper.http, f"{path}/items"))["features"]
    assert found["properties"]["code"] == "d1"
    assert (await get(stock.keeper.http, f"{path}/items/{stock.depot_id}"))["id"] == found["id"]
    async with store.transaction() as conn:
        token = await accounts.add_token(
            conn, stock.keeper.id, name="qgis", scopes=("stock:see",), now=datetime.now(UTC)
        )
    basic = {"Authorization": "Basic " + base64.b64encode(f"qgis:{token}".encode()).decode()}
    assert (await get(stranger, f"{path}/items", **basic))["numberMatched"] == 1
    for wrong in ("Basic " + base64.b64encode(b"keeper:password").decode(), "Basic x", "Basic"):
        answer = await stranger.get(path, headers={"Authorization": wrong})
        assert answer.status_code == 401, wrong


async def test_OGC_10_nothing_personal_is_in_it(stranger: httpx.AsyncClient, stock: Stock) -> None:
    text = (await stranger.get(f"{ITEMS}?limit=1000")).text
    text += (await stranger.get("/ogc/collections/orgs/items")).text
    text += (await stock.keeper.http.get("/ogc/collections/depots/items")).text
    for secret in ("+33 6 00", "+377 93", "+86 27", "custodian", "phone", "donor", "serial"):
        assert secret not in text, secret


async def test_OGC_11_pages_of_other_sites_may_read(stranger: httpx.AsyncClient) -> None:
    origin = {"Origin": "https://map.example"}
    answer = await stranger.get("/ogc/collections", headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    asked = {**origin, "Access-Control-Request-Method": "GET"}
    before = await stranger.options(ITEMS, headers=asked)
    assert before.status_code == 204
    assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
    head = await stranger.head("/ogc/conformance")
    assert (head.status_code, head.content) == (200, b"")
