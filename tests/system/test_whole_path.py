"""From call to close in a real browser: one console, three phones, real sockets."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.screens import at_home, map_is_drawn, other_pictures, picture, signed_in
from tests.system.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.browser]

PHONES = ("responder-01", "responder-02", "responder-03")
WHERE = "Rue Grimaldi"


def _around(whole: Whole) -> list[tuple[float, float]]:
    """Give three places near the address: two a few steps away, the third a little farther."""
    lon, lat = whole.place_of(WHERE)
    return [(lon + 0.0004, lat), (lon - 0.0006, lat + 0.0003), (lon + 0.0010, lat - 0.0006)]


def _type_the_incident(console: Page) -> int:
    """Open an incident and send the plan by keys alone; return how many keys were commands."""
    commands = 0

    def press(key: str) -> None:
        nonlocal commands
        commands += 1
        console.keyboard.press(key)

    press("n")
    expect(console.locator("input[name=where]")).to_be_focused()
    console.keyboard.type(WHERE)
    press("Enter")
    expect(console.locator("input[name=phone]")).to_be_focused()
    press("Tab")
    console.keyboard.type("xt")
    press("Enter")
    press("Control+Enter")
    expect(console.locator(".plan-row").first).to_be_visible()
    press("Enter")
    return commands


def _fetches(phone: Page) -> bool:
    return "先取" in phone.get_by_test_id("alert").inner_text()


def test_the_demo_plays_one_incident_from_call_to_close(whole: Whole) -> None:
    if whole.process is None:
        pytest.skip("the system was started by somebody else, who read what it said")
    whole.wait_said("closed 结案")
    assert any("opened → alerted → accepted" in line for line in whole.said)
    links = [line.split()[0] for line in whole.said if "/sign-in#" in line]
    assert links[:2] == ["operator", "responder-01"]


def test_UI_1_the_first_incident_needs_no_mouse_and_few_keys(
    whole: Whole, browser: Browser
) -> None:
    whole.leave_on_duty(())
    with signed_in(browser, whole, "operator", "/console") as console:
        map_is_drawn(console)
        assert _type_the_incident_without_people(console) <= 8
        card = console.locator("aside[data-incident]")
        expect(card).to_have_attribute("data-status", "received")
        _close(console, disposition="4")


def _type_the_incident_without_people(console: Page) -> int:
    commands = 0
    for key in ("n", WHERE, "Enter", "Tab", "xt", "Enter", "Control+Enter", "Escape"):
        if key in {WHERE, "xt"}:
            console.keyboard.type(key)
            continue
        if key == "Tab":
            expect(console.locator("input[name=phone]")).to_be_focused()
        console.keyboard.press(key)
        commands += 1
        if key == "n":
            expect(console.locator("input[name=where]")).to_be_focused()
        if key == "Control+Enter":
            expect(console.locator("aside[data-incident]").first).to_be_visible()
    return commands


def _close(console: Page, *, disposition: str) -> None:
    incident = console.locator("aside[data-incident]").get_attribute("data-incident")
    console.keyboard.press("x")
    expect(console.locator("form.drawer input").first).to_be_focused()
    console.keyboard.press(disposition)
    expect(console.locator("form.drawer input").nth(int(disposition) - 1)).to_be_checked()
    console.keyboard.press("Enter")
    expect(console.locator(f".queue-row[data-incident='{incident}']")).to_have_count(0)


def test_UI_2_from_call_to_close_with_three_phones(whole: Whole, browser: Browser) -> None:
    whole.close_everything()
    whole.leave_on_duty(PHONES)
    whole.hang_aed(_around(whole)[2])
    with ExitStack() as stack:
        phones = [
            stack.enter_context(
                signed_in(
                    browser, whole, name, "/go", size=(390, 844), position=place, theme="light"
                )
            )
            for name, place in zip(PHONES, _around(whole), strict=True)
        ]
        for phone in phones:
            at_home(phone)
        console = stack.enter_context(signed_in(browser, whole, "operator", "/console"))
        map_is_drawn(console)
        assert _type_the_incident(console) <= 8

        for phone in phones:
            expect(phone.get_by_test_id("alert")).to_be_visible()
            assert WHERE not in phone.content(), "the address shows before accepting"
        # The alert is out: the keyboard stands at what comes next, not at the top of the page.
        expect(console.locator(".side [data-door=ambulance]")).to_be_focused()
        picture(phones[0], "go-alert-zh")
        expect(console.locator(".person[data-responder]")).to_have_count(3)

        straight = [phone for phone in phones if not _fetches(phone)]
        assert len(straight) == 2, "one fetches the AED, the others go straight"
        straight[1].get_by_test_id("decline").click()
        going = [phone for phone in phones if phone is not straight[1]]
        for phone in going:
            phone.get_by_test_id("accept").click()
            expect(phone.get_by_test_id("mission")).to_contain_text(WHERE)
        expect(console.locator(".person[data-status=accepted]")).to_have_count(2)

        other_pictures(browser, whole)
        _walk(console, going)
        _ambulance(console)
        _close(console, disposition="1")
        expect(straight[1].get_by_test_id("duty")).to_be_visible()
        expect(going[1].get_by_test_id("stand-down")).to_be_visible()
        picture(going[1], "go-stand-down-zh")
        at_home(going[1])
        _check_record(whole)


def _walk(console: Page, going: list[Page]) -> None:
    """Press every step on both phones; the console sees each."""
    collected = 0
    for phone in going:
        step = "en_route"
        while step != "handed_over":
            button = phone.get_by_test_id("next-step")
            expect(button).to_be_visible()
            step = button.get_attribute("data-step") or ""
            if step == "handed_over":
                break
            collected += step == "aed_collected"
            if step == "on_scene":
                picture(phone, "go-mission-zh")
                map_is_drawn(console)
                picture(console, "console-light-zh")
            button.click()
            expect(console.locator(f".person[data-status={step}]").first).to_be_visible()
    assert collected == 1, "somebody fetches the AED, the other goes straight"
    going[0].get_by_test_id("next-step").click()
    expect(console.locator(".person[data-status=handed_over]")).to_have_count(1)


def _ambulance(console: Page) -> None:
    """Record by keys that the ambulance crew is there."""
    console.keyboard.press("s")
    expect(console.locator(".drawer :focus")).to_be_visible()
    console.keyboard.press("4")
    console.keyboard.press("Enter")
    expect(console.locator(".ambulance-row [aria-checked=true]")).to_have_text("已到场")


def _check_record(whole: Whole) -> None:
    """Every second is on record: the closed incident's timeline has each step."""
    with whole.client("operator") as client:
        closed = client.get("/incidents", params={"status": "closed", "limit": 1}).json()["items"]
        lines = client.get(f"/incidents/{closed[0]['id']}/timeline").json()["items"]
    kinds = [line["kind"] for line in lines]
    wanted = [
        "opened", "wave_sent", "alert_accepted", "alert_declined", "en_route", "aed_collected",
        "on_scene", "with_patient", "handed_over", "ambulance", "closed",
    ]  # fmt: skip
    assert not set(wanted) - set(kinds), kinds
    assert closed[0]["status"] == "closed"
    assert closed[0]["disposition"] == "completed"
