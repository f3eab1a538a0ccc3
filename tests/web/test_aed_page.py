"""The public AED page as the server writes it: what it says, and what it must never say."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import factories
import httpx
import pytest
from callers import Enrol, key
from fastapi import FastAPI
from PIL import Image

from dispatch import db
from geo import aeds, usability
from web import aed_page, aed_texts

HERE = factories.HARBOUR
PLACE = {"place": f"{HERE.lon},{HERE.lat},the harbour"}
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MONACO = ZoneInfo("Europe/Monaco")
WORDS = aed_page.WORDS["en"]


async def add(store: db.Database, org_id: UUID, metres: float, **facts: object) -> str:
    place = factories.north_of(HERE, metres)
    said = {"name": f"{metres:.0f} m", "access": "public", "hours": "24/7", "position": place}
    async with store.transaction() as conn:
        return str((await aeds.add(conn, org_id, {**said, **facts}, now=datetime.now(UTC))).id)


async def _listing(client: httpx.AsyncClient, *names: str) -> httpx.Response:
    """Ask until these devices are listed: what is nearest is read up to a second later."""
    async with asyncio.timeout(30):
        while True:
            page = await client.post("/aed?lang=en", data=PLACE)
            assert page.status_code == 200
            if all(f">{name}</a>" in page.text for name in names):
                return page


async def test_PUB_1_usable_ones_stand_first_and_the_others_apart(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    org_id = (await enrol()).org.id
    for metres, facts in (
        (50, {"hours": None}),
        (60, {"access": "private"}),
        (300, {}),
        (100, {}),
        (70, {"status": "out_of_service"}),
    ):
        await add(store, org_id, metres, **facts)
    page = await _listing(stranger, "50 m", "60 m", "100 m", "300 m")
    assert "the harbour" in page.text
    shown = re.findall(r'id="group-(\w+)"|>(\d+ m)</a>', page.text)
    assert ["".join(found) for found in shown] == [
        "yes", "100 m", "300 m", "unknown", "50 m", "no", "60 m",
    ]  # fmt: skip
    assert "2</b>" in page.text
    assert WORDS["estimate"] in page.text


async def test_PUB_1_a_place_is_never_in_an_address_nor_kept(stranger: httpx.AsyncClient) -> None:
    page = await stranger.post("/aed?lang=en", data=PLACE)
    links = re.findall(r'(?:href|action|src)="([^"]*)"', page.text)
    assert not [link for link in links if str(HERE.lon)[:5] in link]
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("place", ["", "1", "x,y,z", "400,0,far", "nan,0,no", "1e400,1,no"])
async def test_PUB_1_what_is_no_place_is_asked_for_again(
    stranger: httpx.AsyncClient, place: str
) -> None:
    page = await stranger.post("/aed?lang=en", data={"place": place})
    assert page.status_code == 200
    assert WORDS["nothing_asked"] in page.text


async def test_PUB_1_words_are_never_markup(stranger: httpx.AsyncClient) -> None:
    page = await stranger.post("/aed", data={"q": "<script>alert(1)</script>"})
    assert "<script>alert" not in page.text
    page = await stranger.post("/aed", data={"place": "7,43,<b>here</b>"})
    assert "<b>here" not in page.text


async def test_PUB_1_forms_may_go_to_this_site_and_nothing_else_is_loosened(
    stranger: httpx.AsyncClient,
) -> None:
    page = (await stranger.get("/aed")).headers
    other = (await stranger.get("/livez")).headers
    loosened = page["content-security-policy"].replace("form-action 'self'", "form-action 'none'")
    assert loosened == other["content-security-policy"]
    assert (page["referrer-policy"], other["referrer-policy"]) == ("same-origin", "no-referrer")
    assert page["x-frame-options"] == "DENY"


async def test_PUB_1_the_call_button_stands_while_the_database_is_away(
    app: FastAPI, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state, "database", db.Database(db.make_engine(
        "postgresql://nobody@/none?host=/nowhere"), None))  # fmt: skip
    page = await stranger.post("/aed?lang=en", data=PLACE)
    assert page.status_code == 200
    assert 'href="tel:120"' in page.text


async def test_PUB_2_one_device_has_a_page_in_both_languages(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    member = await enrol()
    aed = await add(store, member.org.id, 100, name="City Library", floor="1", entrance="east gate")
    page = await stranger.get(f"/aed/{aed}", headers={"Accept-Language": "en"})
    assert (page.status_code, page.headers["content-language"]) == (200, "en")
    assert "City Library" in page.text
    assert "Floor 1 · east gate" in page.text
    assert 'lang="zh-CN"' in (await stranger.get(f"/aed/{aed}?lang=zh")).text
    walk = await stranger.post(f"/aed/{aed}?lang=en", data={"q": "City Library"})
    assert '<b class="served-minutes">1</b>' in walk.text
    # Whoever is signed in sees no more than everybody.
    own = await member.http.get(f"/aed/{aed}?lang=en")
    keys = re.compile(r'name="key" value="[^"]*"')
    assert keys.sub("", own.text) == keys.sub("", page.text)


async def test_PUB_2_the_photo_of_the_surroundings_stands_before_that_of_the_cabinet(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    member = await enrol("admin")
    aed = await add(store, member.org.id, 100)
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(picture, "JPEG")
    made = []
    for kind in ("cabinet", "surroundings"):
        answer = await member.http.post(
            f"/api/v1/aeds/{aed}/photos?kind={kind}",
            content=picture.getvalue(),
            headers={"Content-Type": "image/jpeg", **key()},
        )
        assert answer.status_code == 201, answer.text
        made.append(f"/api/v1/aeds/{aed}/photos/{answer.json()['id']}")
    page = await stranger.get(f"/aed/{aed}?lang=en")
    assert re.findall(r'<img src="([^"]*)"', page.text) == made[::-1]
    assert (await stranger.get(made[0])).headers["content-type"] == "image/jpeg"


async def test_PUB_2_a_report_without_a_kind_is_asked_for_again(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    aed = await add(store, (await enrol()).org.id, 100)
    page = await stranger.post(f"/aed/{aed}/report?lang=en", data={"note": "by the gate"})
    assert page.status_code == 422
    assert WORDS["report_kind_missing"] in page.text
    assert "by the gate" in page.text


async def test_PUB_2_a_repeated_form_is_one_report(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    member = await enrol()
    aed = await add(store, member.org.id, 100)
    form = {"kind": "moved", "note": "at the gate", "key": str(uuid4())}
    for _ in range(3):
        page = await stranger.post(f"/aed/{aed}/report?lang=en", data=form)
        assert (page.status_code, page.headers["location"]) == (
            303, f"/aed/{aed}?lang=en&reported=yes",
        )  # fmt: skip
    said = (await member.http.get(f"/api/v1/aeds/{aed}/reports")).json()["items"]
    assert [report["note"] for report in said] == ["at the gate"]
    assert WORDS["reported"] in (await stranger.get(page.headers["location"])).text


async def test_PUB_3_the_sixth_report_in_a_minute_is_told_to_wait(
    enrol: Enrol, store: db.Database, stranger: httpx.AsyncClient
) -> None:
    aed = await add(store, (await enrol()).org.id, 100)
    for number in range(6):
        form = {"kind": "other", "note": f"{number}", "key": str(uuid4())}
        page = await stranger.post(f"/aed/{aed}/report?lang=en", data=form)
    assert page.status_code == 429
    assert "Too many reports" in page.text


async def test_PUB_2_no_device_is_said_in_words(stranger: httpx.AsyncClient) -> None:
    page = await stranger.get(f"/aed/{uuid4()}?lang=en")
    assert page.status_code == 404
    assert WORDS["not_found"] in page.text
    assert 'href="tel:120"' in page.text


def _keys(words: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _keys(value) if isinstance(value, Mapping) else re.findall(r"{\w+}", value)
        for name, value in words.items()
    }


def test_PUB_7_both_languages_say_the_same_things() -> None:
    assert _keys(aed_page.WORDS["zh"]) == _keys(aed_page.WORDS["en"])


def _facts(**facts: object) -> dict[str, object]:
    return {
        "status": "in_service", "access": "public", "usable": "yes", "usable_reason": "open",
        "usable_until": None, **facts,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "state", "said"),
    [
        ({}, "usable", "Usable now"),
        ({"usable_reason": "always_open"}, "usable", "Usable now, open 24 h"),
        ({"usable_until": "2026-11-22T09:40:00Z"}, "soon", "Usable now, closes 10:40"),
        ({"usable_until": "2026-11-22T22:00:00Z"}, "usable", "Usable now, closes 23:00"),
        ({"access": "members"}, "soon", "Usable now"),
        (
            {"usable": "no", "usable_reason": "closed", "usable_until": "2026-11-23T07:00:00Z"},
            "closed",
            "Closed, opens Mon 08:00",
        ),
        (
            {
                "usable": "no",
                "usable_reason": "closed_temporarily",
                "usable_until": "2027-01-07T07:00:00Z",
            },
            "closed",
            "Closed for now, until 2027-01-07 08:00",
        ),
        ({"usable": "unknown", "usable_reason": "reported"}, "unknown", None),
        ({"usable": "unknown", "usable_reason": "brand new"}, "unknown", "Unknown"),
        (
            {"status": "out_of_service", "usable": "no", "usable_reason": "out_of_service"},
            "out",
            "Out of service",
        ),
    ],
)
def test_PUB_1_each_state_has_its_words(
    facts: dict[str, object], state: str, said: str | None
) -> None:
    known = _facts(**facts)
    assert aed_texts.state(known, NOW) == state
    expected = said or WORDS["reasons"][str(facts["usable_reason"])]
    assert aed_texts.now_text(known, WORDS, zone=MONACO, now=NOW) == expected


def test_PUB_1_a_way_is_never_shown_shorter_than_it_is() -> None:
    way = aed_texts.way({"travel_s": 61, "distance_m": 994, "eta_source": "network"}, WORDS)
    assert (way.minutes, way.way, way.is_estimate) == (2, "990 m", False)
    far = aed_texts.way({"travel_s": 0, "distance_m": 1249, "eta_source": "estimate"}, WORDS)
    assert (far.minutes, far.way, far.is_estimate) == (1, "1.2 km", True)


def test_PUB_1_every_reason_has_words() -> None:
    assert {reason.value for reason in usability.Reason} <= set(WORDS["reasons"])
