"""The console's plan, duplicates, values, reviews and office pages in a real Chromium, by keys."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.system.screens import axe_finds_nothing, map_is_drawn, picture, signed_in
from tests.system.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.browser]

LON, LAT = 7.4205, 43.7355
LOOKS = [("zh", "light"), ("en", "dark")]


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


@pytest.fixture
def desk(whole: Whole) -> Iterator[httpx.Client]:
    """Give an operator's client on a quiet board, with everybody's position fresh."""
    whole.close_everything()
    with psycopg.connect(whole.database_url()) as conn:
        conn.execute("update responder set duty = 'available' where duty = 'off_duty'")
        conn.execute("update last_position set at = now(), received_at = now()")
    with whole.client("operator") as client:
        yield client
    whole.close_everything()


def _incident(desk: httpx.Client, **change: Any) -> dict[str, Any]:
    body = {
        "kind": "cardiac_arrest",
        "position": {"lon": LON, "lat": LAT},
        "address": "12 Rue Grimaldi",
        "floor": "3",
        "ambulance": "dispatched",
        "eta_s": 840,
    }
    made = desk.post("/incidents", json=body | change, headers=_key()).raise_for_status()
    found: dict[str, Any] = made.json()
    return found


def _open(page: Page, incident: str) -> None:
    # A press on the strip that asks for sound ends it; it would move what is pressed later.
    page.locator(f".queue-row[data-incident='{incident}']").click()
    expect(page.locator(f"aside[data-incident='{incident}']")).to_be_visible()


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_UIC_1_the_plan_says_one_sentence_of_everybody(
    whole: Whole, browser: Browser, desk: httpx.Client, language: str, theme: str
) -> None:
    incident = _incident(desk)["id"]
    with signed_in(browser, whole, "operator", "/console", language=language, theme=theme) as page:
        _open(page, incident)
        with page.expect_response("**/plan") as asked:
            page.keyboard.press("d")
        plan = asked.value.json()
        assert plan["chosen"]
        assert plan["excluded"]
        rows = page.locator(".plan-row")
        expect(rows).to_have_count(len(plan["chosen"]))
        for person in plan["chosen"]:
            said = person["sentence"][language].removeprefix(_lead(person, language))
            expect(page.locator(".plan-row .sentence", has_text=said).first).to_be_attached()
        expect(page.locator("[data-outcome=plan]")).to_be_visible()
        map_is_drawn(page)
        picture(page, f"console-plan-{theme}-{language}")
        _open_every_fold(page)
        expect(page.locator(".left-out")).to_have_count(len(plan["excluded"]))
        axe_finds_nothing(page)


def _lead(person: dict[str, Any], language: str) -> str:
    """Name the person as the sentence begins; the row has the name already."""
    return f"{person['name']} " if language == "zh" else f"{person['name_en']}: "


def _open_every_fold(page: Page) -> None:
    """Walk down from the last tick by arrows and open each reason."""
    page.locator(".plan-row input").last.focus()
    folds = page.locator(".fold")
    for index in range(folds.count()):
        page.keyboard.press("ArrowDown")
        expect(folds.nth(index)).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(folds.nth(index)).to_have_attribute("aria-expanded", "true")
    for more in page.locator(".reason-group .link-button").all():
        more.click()


def test_UIC_2_a_second_call_is_merged_and_taken_apart_by_keys(
    whole: Whole, browser: Browser, desk: httpx.Client
) -> None:
    first = _incident(desk)["id"]
    second = _incident(desk, address="14 Rue Grimaldi", position={"lon": LON + 3e-4, "lat": LAT})
    with signed_in(browser, whole, "operator", "/console") as page:
        _open(page, second["id"])
        expect(page.locator("[data-notice=duplicate]")).to_be_visible()
        page.keyboard.press("j")
        expect(page.locator(f"aside[data-incident='{first}']")).to_be_visible()
        expect(page.locator(f".queue-row[data-incident='{second['id']}']")).to_have_count(0)
        expect(page.locator("[data-notice=values]")).to_contain_text("地址")
        page.keyboard.press("v")
        expect(page.locator(".choices input").first).to_be_focused()
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        expect(page.locator(".card-head .address")).to_contain_text("14 Rue Grimaldi")
        desk.post(f"/incidents/{second['id']}/unmerge").raise_for_status()
        expect(page.locator(f".queue-row[data-incident='{second['id']}']")).to_be_visible()


@pytest.mark.long
def test_UIC_3_what_belongs_to_an_incident_is_a_key_away(
    whole: Whole, browser: Browser, desk: httpx.Client
) -> None:
    incident = _incident(desk, exercise=True)["id"]
    photo = io.BytesIO()
    Image.new("RGB", (64, 48), (120, 140, 160)).save(photo, "JPEG")
    with signed_in(browser, whole, "operator", "/console", language="en") as page:
        _open(page, incident)
        expect(page.locator("aside [data-exercise]")).to_be_visible()
        page.keyboard.press("f")
        file: FilePayload = {
            "name": "door.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue(),
        }  # fmt: skip
        page.set_input_files(".drawer input[type=file]", files=file)
        expect(page.locator(".thumbs img")).to_have_count(1)
        page.keyboard.press("Escape")
        page.keyboard.press("b")
        page.locator("[name=disaster]").fill("Flood at the quay")
        page.keyboard.press("Enter")
        expect(page.locator("[data-disaster]")).to_contain_text("Flood at the quay")
        page.keyboard.press("h")
        expect(page.locator("[data-interval=call_to_on_scene_s]")).to_be_visible()
        axe_finds_nothing(page)
        page.keyboard.press("Escape")
        page.locator("[data-disaster]").click()
        expect(page.locator("[data-total=incidents]")).to_contain_text("1")
        axe_finds_nothing(page)


@pytest.mark.long
def test_UIC_4_a_policy_is_drafted_and_not_published_unsimulated(
    whole: Whole, browser: Browser
) -> None:
    with signed_in(browser, whole, "admin", "/console") as page:
        map_is_drawn(page)
        page.keyboard.press("r")
        page.keyboard.press("5")
        page.locator(".reg-row[data-id='shipped:expected-survival']").click()
        page.keyboard.press("n")
        expect(page.locator("[name=name]")).to_be_focused()
        page.fill("[name=name]", f"night-{uuid4().hex[:6]}")
        page.fill("[name=alerts_cap]", "20")
        axe_finds_nothing(page)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".numbers .changed")).to_have_count(1)
        expect(page.locator("[data-field=alerts_cap].changed")).to_contain_text("自带 30")
        page.get_by_role("button", name="发布").click()
        expect(page.locator(".reg-trouble")).to_contain_text("发布前必须模拟")
        axe_finds_nothing(page)
        page.keyboard.press("6")
        expect(page.locator(".reg-list-pane h2")).to_have_text("待办")
