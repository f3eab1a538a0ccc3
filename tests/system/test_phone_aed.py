"""The AED on a responder's phone: found, opened, photographed, brought back, also offline."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.system.phones import (
    PHONE,
    WHERE,
    People,
    Place,
    ask,
    beside_patient,
    come,
    go_offline,
    go_online,
    hang,
    key,
    only_on_duty,
    sent,
    some_way_off,
)
from tests.system.screens import (
    at_home,
    axe_finds_nothing,
    map_is_drawn,
    picture,
    signed_in,
    small_targets,
)
from tests.system.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.browser]

NAMES = ("responder-01", "responder-02")
FETCHER = NAMES[1]
CODE = "4711#8"
STEPS = ("en_route", "aed_collected", "on_scene", "with_patient", "handed_over", "cleared")


@pytest.fixture(scope="module")
def people(whole: Whole) -> Iterator[People]:
    """Speak to the API as the operator and as two volunteers, who alone are on duty."""
    with only_on_duty(whole, NAMES) as found:
        yield found


def _jpeg(colour: str, size: tuple[int, int] = (800, 600)) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, "JPEG")
    return target.getvalue()


def _hang(operator: httpx.Client, place: Place) -> str:
    """Hang an AED with a code, photos and all that tells where it is."""
    aed = hang(
        operator,
        place,
        address="3 Rue Grimaldi",
        floor="2",
        entrance="Porte B",
        location_note="à gauche de l'ascenseur",
        cabinet="code",
        phone="+377 98 98 98 98",
    )
    sent(operator.put(f"/aeds/{aed}/code", json={"code": CODE}))
    for kind, colour in (("cabinet", "#2f6a94"), ("surroundings", "#9a8f7a")):
        photo = {"params": {"kind": kind}, "content": _jpeg(colour)}
        sent(operator.post(f"/aeds/{aed}/photos", **photo, headers=key()))  # type: ignore[arg-type]  # httpx types each of them
    return aed


def _places(whole: Whole) -> dict[str, Place]:
    """Give a place beside the patient, and one beside the AED."""
    return {NAMES[0]: beside_patient(whole), NAMES[1]: some_way_off(whole)}


def _ask(whole: Whole, people: People, aed: str) -> str:
    """Open an incident for which the volunteer beside the AED is asked to fetch it."""
    ids = {come(people[name], place): name for name, place in _places(whole).items()}
    incident, alerts = ask(whole, people["operator"], list(ids))
    [alert] = [one for one in alerts if one["aed"] is not None]
    assert (alert["aed"]["id"], ids[alert["responder"]]) == (aed, FETCHER)
    return incident


@contextmanager
def _fetching(
    browser: Browser,
    whole: Whole,
    people: People,
    *,
    language: str = "zh",
    theme: str = "light",
) -> Iterator[tuple[Page, str]]:
    """Be the volunteer who accepted to fetch an AED; give the phone and the AED."""
    place, operator = _places(whole)[FETCHER], people["operator"]
    look = {"language": language, "theme": theme}
    with signed_in(browser, whole, FETCHER, "/go", size=PHONE, position=place, **look) as phone:
        at_home(phone)
        aed = _hang(operator, place)
        incident = _ask(whole, people, aed)
        try:
            phone.get_by_test_id("accept").click()
            expect(phone.get_by_test_id("mission")).to_contain_text(WHERE)
            map_is_drawn(phone)
            yield phone, aed
        finally:
            operator.post(f"/incidents/{incident}/close", json={"disposition": "cancelled"})
            operator.delete(f"/aeds/{aed}").raise_for_status()


def _step(phone: Page, step: str) -> None:
    button = phone.get_by_test_id("next-step")
    expect(button).to_have_attribute("data-step", step)
    button.click()


def _kept(phone: Page) -> str:
    """Give everything that the browser keeps."""
    text: str = phone.evaluate(
        """async () => {
          const found = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys()) found.push(request.url);
          }
          return found.join();
        }"""
    )
    return text


def _uses(people: People, aed: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = sent(people["operator"].get(f"/aeds/{aed}/uses"))["items"]
    return items


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_PHN_1_the_phone_shows_where_it_hangs_and_opens_it(
    whole: Whole, browser: Browser, people: People, language: str, theme: str
) -> None:
    with _fetching(browser, whole, people, language=language, theme=theme) as (phone, _aed):
        picture(phone, f"go-aed-mission-{language}")
        phone.get_by_test_id("show-code").click()
        expect(phone.get_by_test_id("code")).to_contain_text(CODE)
        picture(phone, f"go-aed-code-{language}")
        axe_finds_nothing(phone)
        assert not small_targets(phone)
        assert CODE not in _kept(phone)
        phone.get_by_test_id("aed-details").click()
        sheet = phone.get_by_test_id("aed-sheet")
        for said in ("Porte B", "à gauche de l'ascenseur", "3 Rue Grimaldi", "+377 98 98 98 98"):
            expect(sheet).to_contain_text(said)
        alts = [one.get_attribute("alt") or "" for one in sheet.locator("img").all()]
        assert ["柜" in alt or "abinet" in alt for alt in alts] == [False, True]
        picture(phone, f"go-aed-sheet-{language}")
        axe_finds_nothing(phone)
        assert not small_targets(phone)


@pytest.mark.long
def test_PHN_2_the_code_goes_after_a_minute_and_nothing_keeps_it(
    whole: Whole, browser: Browser, people: People
) -> None:
    with _fetching(browser, whole, people) as (phone, _aed):
        phone.clock.install()
        phone.get_by_test_id("show-code").click()
        expect(phone.get_by_test_id("code")).to_contain_text(CODE)
        phone.clock.fast_forward(58_000)
        expect(phone.get_by_test_id("code")).to_be_visible()
        phone.clock.fast_forward(4_000)
        expect(phone.get_by_test_id("code")).to_have_count(0)
        assert CODE not in phone.content()
        assert CODE not in _kept(phone)
        go_offline(phone)
        phone.get_by_test_id("show-code").click()
        expect(phone.locator(".code")).to_contain_text("致电指挥中心")


@pytest.mark.long
def test_PHN_3_a_photo_waits_for_the_network(
    whole: Whole, browser: Browser, people: People
) -> None:
    with _fetching(browser, whole, people) as (phone, _aed):
        phone.get_by_test_id("aed-details").click()
        photos = phone.get_by_test_id("aed-sheet").locator("img")
        expect(photos).to_have_count(2)
        go_offline(phone)
        phone.get_by_test_id("photo-cabinet").set_input_files(
            {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": _jpeg("#555", (3200, 2400))}
        )
        expect(phone.get_by_test_id("photo-said")).to_contain_text("待发送 1 张")
        picture(phone, "go-aed-photo-waits-zh")
        go_online(phone)
        expect(photos).to_have_count(3)
        go_offline(phone)
        phone.get_by_test_id("photo-surroundings").set_input_files(
            {"name": "p.txt", "mimeType": "text/plain", "buffer": b"no picture"}
        )
        expect(phone.get_by_test_id("photo-said")).to_contain_text("读不出来")


def test_PHN_4_what_was_taken_is_brought_back(
    whole: Whole, browser: Browser, people: People
) -> None:
    with _fetching(browser, whole, people) as (phone, aed):
        for step in STEPS:
            _step(phone, step)
        card = phone.get_by_test_id("return")
        expect(card).to_contain_text("Mairie annexe")
        expect(phone.get_by_test_id("duty")).to_be_visible()
        picture(phone, "go-aed-return-zh")
        axe_finds_nothing(phone)
        assert not small_targets(phone)
        go_offline(phone)
        phone.get_by_test_id("returned-used").click()
        expect(card).to_have_count(0)
        phone.get_by_test_id("undo").click()
        expect(card).to_be_visible()
        phone.get_by_test_id("returned-used").click()
        expect(phone.get_by_test_id("undo")).to_have_count(0)
        go_online(phone)
        expect(phone.get_by_test_id("network")).to_have_count(0)
        assert sent(people[FETCHER].get("/me/aed-uses"))["items"] == []
        [use] = _uses(people, aed)
        assert (use["pads_used"], use["returned_at"] is None) == (True, False)
        phone.reload()
        expect(phone.get_by_test_id("duty")).to_be_visible()
        expect(card).to_have_count(0)


@pytest.mark.long
def test_PHN_4_a_whole_mission_without_network_ends_with_the_return(
    whole: Whole, browser: Browser, people: People
) -> None:
    with _fetching(browser, whole, people) as (phone, aed):
        go_offline(phone)
        for step in STEPS:
            _step(phone, step)
        phone.get_by_test_id("returned-unused").click()
        expect(phone.get_by_test_id("return")).to_have_count(0)
        expect(phone.get_by_test_id("undo")).to_have_count(0)
        picture(phone, "go-aed-return-offline-zh")
        go_online(phone)
        expect(phone.get_by_test_id("duty")).to_be_visible()
        expect(phone.get_by_test_id("network")).to_have_count(0)
        [use] = _uses(people, aed)
        assert (use["pads_used"], use["returned_at"] is None) == (False, False)
        expect(phone.get_by_test_id("return")).to_have_count(0)
