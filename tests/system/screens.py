"""People at screens: a console and phones in a real Chromium, with pictures when asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.system.whole import Whole

AXE = Path(__file__).parents[2] / "web" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
#: Where pictures go; unset, none are taken. docs/images holds those of the README.
PICTURES = os.environ.get("GOLDEN_PICTURES")
#: Faults that axe calls moderate, and that leave somebody who listens without a way to tell apart.
ALSO_GRAVE = {"landmark-unique"}
WITHIN_MS = 60_000
expect.set_options(timeout=WITHIN_MS)


def _enter(page: Page, whole: Whole, name: str, path: str) -> None:
    """Come by a one-time link at the first time, with the same session afterwards."""
    if name in whole.cookies:
        page.context.add_cookies(whole.cookies[name])
        page.goto(f"{whole.url}{path}")
        return
    page.goto(whole.link(name))
    page.wait_for_url(f"**{path}**")
    whole.cookies[name] = page.context.cookies()


@contextmanager
def signed_in(
    browser: Browser,
    whole: Whole,
    name: str,
    path: str,
    *,
    language: str = "zh",
    theme: str = "light",
    size: tuple[int, int] = (1440, 900),
    position: tuple[float, float] | None = None,
) -> Iterator[Page]:
    """Open a page as somebody who signed in; fail on any error of the page."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=1 if size[0] > 600 else 2,
        has_touch=size[0] < 600,
        locale={"zh": "zh-CN", "en": "en-GB"}[language],
        timezone_id="Europe/Monaco",
        color_scheme="dark" if theme == "dark" else "light",
        permissions=["geolocation", "notifications"] if position else [],
        geolocation={"longitude": position[0], "latitude": position[1]} if position else None,
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_default_timeout(WITHIN_MS)
    # Not on every load: a page may be told of another language or theme meanwhile.
    chosen = json.dumps({"golden.language": language, "golden.theme": theme})
    page.add_init_script(
        f"for (const [name, value] of Object.entries({chosen}))"
        " if (!localStorage.getItem(name)) localStorage.setItem(name, value);"
    )
    _enter(page, whole, name, path)
    try:
        yield page
    finally:
        context.close()
    assert not faults, faults


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page where pictures are wanted."""
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def map_is_drawn(page: Page) -> None:
    """Wait until the map has nothing more to load or to move."""
    page.wait_for_selector("[data-map=idle]")


def other_pictures(browser: Browser, whole: Whole) -> None:
    """Keep pictures of the other screens, themes and the other language."""
    if not PICTURES:
        return
    dark = {"language": "en", "theme": "dark"}
    with signed_in(browser, whole, "operator", "/console", language="en", theme="dark") as page:
        map_is_drawn(page)
        page.wait_for_selector(".queue-row[data-incident]")
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("aside[data-incident] .person")
        page.keyboard.press("m")
        map_is_drawn(page)
        picture(page, "console-dark-en")
    with signed_in(browser, whole, "planner", "/planner") as page:
        map_is_drawn(page)
        page.wait_for_selector("[data-testid=share]")
        picture(page, "planner-light-zh")
    size = (360, 640)
    with signed_in(
        browser, whole, "responder-04", "/go", size=size, position=(7.42, 43.735), **dark
    ) as page:
        page.wait_for_selector("[data-testid=duty]")
        picture(page, "go-home-dark-en")
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    page = context.new_page()
    page.goto(f"{whole.url}/aed?lang=en")
    map_is_drawn(page)
    picture(page, "aed-light-en")
    context.close()


def at_home(phone: Page) -> None:
    """Confirm a stand-down, if one still stands there, and be at the duty page."""
    read, duty = phone.get_by_test_id("stand-down-read"), phone.get_by_test_id("duty")
    expect(read.or_(duty)).to_be_visible()
    if read.is_visible():
        read.click()
    expect(duty).to_be_visible()


def axe_finds_nothing(page: Page, place: str = "") -> None:
    """Find nothing serious or critical on what the page shows, and no two landmarks of one name."""
    session = page.context.new_cdp_session(page)
    session.send("Page.setBypassCSP", {"enabled": True})
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    grave = [
        (fault["id"], [node["html"][:160] for node in fault["nodes"]][:5])
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"} or fault["id"] in ALSO_GRAVE
    ]
    assert not grave, (place, grave)


def small_targets(phone: Page) -> list[str]:
    """List what a thumb would miss: visible controls of less than 44 px."""
    found: list[str] = phone.evaluate(
        """() => [...document.querySelectorAll("a, button, label.phone-button")]
        .filter((one) => one.offsetParent && !one.closest(".map-credit, .gm-map"))
        .map((one) => [one, one.getBoundingClientRect()])
        .filter(([, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
        .map(([one, box]) => `${one.outerHTML.slice(0, 90)} ${box.width}x${box.height}`)"""
    )
    return found
