"""The public AED page in a real Chromium: without scripts, with one tap, for everybody."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from live_processes import IS_LONG
from PIL import Image
from playwright.sync_api import Browser, Page, Response, Route, expect

from tests.system.screens import WITHIN_MS, axe_finds_nothing, map_is_drawn, picture
from tests.system.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.browser]

PHONE, DESK = (360, 640), (1280, 800)
WHERE = "Rue Grimaldi"
#: Those that the docs keep.
PICTURED = {
    *("aed-list-en", "aed-phone-light-en", "aed-phone-dark-zh", "aed-desk-light-zh"),
    *("aed-report-phone-light-en", "aed-one-phone-light-zh", "aed-desk-dark-en"),
}
#: Of a first visit, as it comes over the wire, before the map's library is asked for.
FIRST_LOAD_BYTES = 200_000


@contextmanager
def _visitor(
    browser: Browser,
    whole: Whole,
    *,
    size: tuple[int, int] = PHONE,
    language: str = "en",
    theme: str = "light",
    scripts: bool = True,
) -> Iterator[Page]:
    """Be somebody who is not signed in; fail on any error of the page."""
    lon, lat = whole.place_of(WHERE)
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=1 if size[0] > 600 else 2,
        has_touch=size[0] < 600,
        locale={"zh": "zh-CN", "en": "en-GB"}[language],
        timezone_id="Europe/Monaco",
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        java_script_enabled=scripts,
        permissions=["geolocation"],
        geolocation={"longitude": lon, "latitude": lat},
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security" in said.text else None,
    )
    page.set_default_timeout(WITHIN_MS)
    try:
        yield page
    finally:
        context.close()
    assert not faults, faults


def _small_targets(page: Page) -> list[str]:
    """List what a finger would miss: controls of less than 44 px, hidden ones left out."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), textarea")]
        .filter((one) => one.offsetParent && !one.matches(".map-credit a, footer a, .grabber"))
        .map((one) => [one, (one.closest("label, .search") ?? one).getBoundingClientRect(),
                       parseFloat(getComputedStyle(one, "::after").inset) || 0])
        .filter(([, box, more]) => box.width && (box.height - 2 * more < 43.5 || box.width < 43.5))
        .map(([one, box]) => `${one.outerHTML.slice(0, 90)} ${box.width}x${box.height}`)"""
    )
    return found


def _keep(page: Page, name: str) -> None:
    if name in PICTURED:
        picture(page, name)


def _ask(page: Page, words: str) -> None:
    page.locator("#q").fill(words)
    page.locator("#q").press("Enter")


def _reports(whole: Whole) -> int:
    with psycopg.connect(whole.database_url()) as conn:
        found = conn.execute("select count(*) from aed_report").fetchone()
    assert found is not None
    return int(found[0])


def _forget_reports(whole: Whole) -> None:
    """Undo what tests reported, so that each begins with the same devices and no tries."""
    with psycopg.connect(whole.database_url()) as conn:
        conn.execute("delete from report_attempt")
        conn.execute("delete from aed_report")
        conn.execute("update aed set suspect_since = null where suspect_since is not null")


def test_PUB_1_without_scripts_the_list_stands_and_no_place_in_an_address(
    whole: Whole, browser: Browser
) -> None:
    with _visitor(browser, whole, scripts=False) as page:
        page.goto(f"{whole.url}/aed")
        first = page.locator("a, button, input").first
        expect(first).to_have_attribute("href", "tel:120")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        _ask(page, WHERE)
        expect(page.locator(".served-from")).to_contain_text(WHERE)
        assert page.url == f"{whole.url}/aed?lang=en"
        groups = page.locator("h2[id^=group-]").evaluate_all("all => all.map((one) => one.id)")
        assert groups == [name for name in ("group-yes", "group-unknown", "group-no")
                          if name in groups]  # fmt: skip
        minutes = page.locator("section[aria-labelledby=group-yes] .chosen-time b")
        shown = [int(text) for text in minutes.all_inner_texts()]
        assert shown == sorted(shown) != []
        _keep(page, "aed-list-en")
        page.get_by_role("button", name="中文").click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        expect(page.locator(".served-from")).to_contain_text(WHERE)
        _ask(page, "qqqqqqqq")
        expect(page.get_by_role("alert")).to_contain_text("没有找到")
        page.locator("button[name=place]").first.click()
        expect(page.locator(".served-aed").first).to_be_visible()
        assert page.url == f"{whole.url}/aed?lang=zh"


def test_PUB_2_without_scripts_a_change_is_reported_once(whole: Whole, browser: Browser) -> None:
    _forget_reports(whole)
    before = _reports(whole)
    with _visitor(browser, whole, scripts=False) as page:
        page.goto(f"{whole.url}/aed?lang=en")
        page.locator(".served-aed h3 a").last.click()
        name = page.locator("h1").inner_text()
        labels = page.locator("dt").all_inner_texts()
        assert labels[:3] == ["On foot", "Now", "Where"]
        assert labels[-2:] == ["Phone", "Last check"]
        _ask(page, WHERE)
        expect(page.locator(".served-minutes")).to_be_visible()
        page.get_by_label("Moved elsewhere").check()
        page.locator("textarea").fill("now at the gate")
        key = page.locator("input[name=key]").input_value()
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("status")).to_contain_text("Received")
        expect(page.locator("h1")).to_have_text(name)
        address = page.url.split("?")[0]
        again = page.request.post(
            f"{address}/report", form={"kind": "moved", "note": "now at the gate", "key": key}
        )
        assert again.ok
    assert _reports(whole) == before + 1
    _forget_reports(whole)


def test_PUB_3_the_sixth_report_in_a_minute_is_told_to_wait(whole: Whole, browser: Browser) -> None:
    _forget_reports(whole)
    with _visitor(browser, whole, scripts=False) as page:
        page.goto(f"{whole.url}/aed?lang=en")
        page.locator(".served-aed h3 a").last.click()
        for _ in range(6):
            page.get_by_label("Something else").check()
            page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_contain_text("Too many reports")
        expect(page.get_by_label("Something else")).to_be_checked()
    _forget_reports(whole)


def test_PUB_4_one_tap_finds_the_nearest_before_the_map_is_here(
    whole: Whole, browser: Browser
) -> None:
    with _visitor(browser, whole) as page:
        # The map's library never comes: the answer must not wait for it.
        page.route("**/assets/map_panel-*.js", lambda route: route.abort())
        page.goto(f"{whole.url}/aed")
        page.get_by_test_id("nearest").click()
        expect(page.get_by_test_id("minutes")).to_be_visible()
        expect(page.get_by_test_id("chosen").locator(".find-chips .good")).to_be_visible()
        assert page.url == f"{whole.url}/aed"
        assert page.evaluate("() => history.length") <= 2
        with whole.client("operator") as client:
            lon, lat = whole.place_of(WHERE)
            query = {"lon": lon, "lat": lat, "within_s": 7200, "limit": 1, "usable": "yes"}
            wanted = client.get("/nearest/aeds", params=query).json()["features"][0]
        expect(page.get_by_test_id("chosen")).to_have_attribute("data-aed", wanted["id"])


def test_PUB_5_the_first_load_is_light(whole: Whole, browser: Browser) -> None:
    with _visitor(browser, whole) as page:
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  # Playwright marks it
        page.goto(f"{whole.url}/aed")
        expect(page.get_by_test_id("nearest")).to_be_visible()
        expect(page.get_by_test_id("others")).to_be_visible()
        map_is_drawn(page)
        late = next(n for n, answer in enumerate(answers) if "/map_panel-" in answer.url)
        sizes = {
            answer.url: answer.request.sizes()["responseBodySize"] for answer in answers[:late]
        }
        fonts = [answer for answer in answers[late:] if answer.url.endswith(".woff2")]
        sizes |= {answer.url: answer.request.sizes()["responseBodySize"] for answer in fonts}
        assert any(url.endswith(".js") for url in sizes)
        assert sum(sizes.values()) < FIRST_LOAD_BYTES, sizes


@pytest.mark.long
def test_PUB_6_a_moved_aed_is_put_on_the_map_by_keys_alone(whole: Whole, browser: Browser) -> None:
    _forget_reports(whole)
    with _visitor(browser, whole, size=DESK) as page:
        page.goto(f"{whole.url}/aed?lang=en")
        map_is_drawn(page)
        _press_until(page, "nearest")
        expect(page.get_by_test_id("chosen")).to_be_visible()
        _press_until(page, "report")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        page.get_by_label("Moved elsewhere").focus()
        page.keyboard.press("Space")
        page.get_by_role("button", name="On the map").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Use this place")).to_be_focused()
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("status")).to_have_text("Place chosen")
        page.get_by_role("button", name="Send").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("reported")).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    with psycopg.connect(whole.database_url()) as conn:
        last = conn.execute(
            "select kind, position is not null from aed_report order by at desc limit 1"
        ).fetchone()
    assert last == ("moved", True)
    _forget_reports(whole)


def _press_until(page: Page, test_id: str) -> None:
    """Walk by Tab to a control, which must show its focus, and press Enter."""
    wanted = page.get_by_test_id(test_id)
    expect(wanted).to_be_visible()
    for _ in range(60):
        if wanted.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()
    assert wanted.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Enter")


#: With GOLDEN_TEST_LONG=1 every look; else three that hold each language, theme and size.
LOOKS = (
    list(itertools.product(("en", "zh"), ("light", "dark"), (PHONE, DESK)))
    if IS_LONG
    else [("zh", "light", PHONE), ("en", "dark", DESK), ("en", "light", PHONE)]
)


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS)
def test_PUB_7_everybody_can_use_it(
    whole: Whole, browser: Browser, language: str, theme: str, size: tuple[int, int]
) -> None:
    _forget_reports(whole)
    look = {"language": language, "theme": theme, "size": size}
    name = f"{'phone' if size == PHONE else 'desk'}-{theme}-{language}"
    with _visitor(browser, whole, scripts=True, **look) as page:  # type: ignore[arg-type]  # of one look
        _the_map(page, whole, name)
    with _visitor(browser, whole, **look) as page:  # type: ignore[arg-type]  # of one look
        _the_list(page, whole, name)


def _the_map(page: Page, whole: Whole, name: str) -> None:
    page.goto(f"{whole.url}/aed")
    map_is_drawn(page)
    expect(page.get_by_test_id("others")).to_be_visible()
    _keep(page, f"aed-start-{name}")
    axe_finds_nothing(page)
    page.get_by_test_id("nearest").click()
    expect(page.get_by_test_id("minutes")).to_be_visible()
    map_is_drawn(page)
    page.wait_for_timeout(600)
    _keep(page, f"aed-{name}")
    axe_finds_nothing(page)
    assert not _small_targets(page)
    page.get_by_test_id("report").click()
    page.locator("dialog input[type=radio]").nth(2).check()
    expect(page.locator("dialog .new-place")).to_be_visible()
    _keep(page, f"aed-report-{name}")
    axe_finds_nothing(page)
    assert not _small_targets(page)


def _the_list(page: Page, whole: Whole, name: str) -> None:
    """The server's pages, with the script kept away so that axe can look at them."""
    page.route("**/assets/aed-*.js", lambda route: route.abort())
    page.goto(f"{whole.url}/aed")
    _ask(page, WHERE)
    expect(page.locator(".served-aed").first).to_be_visible()
    _keep(page, f"aed-list-{name}")
    axe_finds_nothing(page)
    assert not _small_targets(page)
    page.locator(".served-aed h3 a").first.click()
    expect(page.locator(".served-report")).to_be_visible()
    _keep(page, f"aed-one-{name}")
    axe_finds_nothing(page)
    assert not _small_targets(page)


TILES = "https://maps.example.cn/base/{z}/{x}/{y}.png https://maps.example.cn/names/{z}/{x}/{y}.png"


def _on_ground(page: Page, whole: Whole, ground: str) -> list[str]:
    """Let the server have been told of another ground; give the tiles that the page asks for."""
    asked: list[str] = []
    told = {
        "public_ground": ground,
        "licensed_tiles": TILES.split(),
        "licensed_attribution": "Maps Example",
        "map_review_number": "GS(2000)0000号" if ground == "licensed" else None,
    }

    def describe(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), **told})

    def first_page(route: Route) -> None:
        answer = route.fetch()
        policy = answer.headers["content-security-policy"]
        widened = policy.replace("connect-src 'self'", "connect-src 'self' https://maps.example.cn")
        route.fulfill(
            response=answer, headers={**answer.headers, "content-security-policy": widened}
        )

    def licensed(route: Route) -> None:
        asked.append(route.request.url)
        picture = io.BytesIO()
        Image.new("RGBA", (256, 256), (90, 120, 160, 60)).save(picture, "PNG")
        route.fulfill(
            body=picture.getvalue(),
            content_type="image/png",
            headers={"Access-Control-Allow-Origin": "*"},
        )

    page.route("**/tiles/base.json", describe)
    page.route(f"{whole.url}/aed", first_page)
    page.route("https://maps.example.cn/**", licensed)
    page.on("request", lambda one: asked.append(one.url) if "/tiles/base/" in one.url else None)
    return asked


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("ground", ["licensed", "none"])
@pytest.mark.long
def test_PUB_9_the_page_draws_on_a_licensed_map_or_on_none(
    whole: Whole, browser: Browser, ground: str, size: tuple[int, int]
) -> None:
    with _visitor(browser, whole, size=size, language="zh") as page:
        asked = _on_ground(page, whole, ground)
        page.goto(f"{whole.url}/aed")
        page.get_by_test_id("nearest").click()
        expect(page.get_by_test_id("chosen")).to_be_visible()
        map_is_drawn(page)
        credit = page.get_by_test_id("credit")
        said = (
            ["Maps Example", "审图号：GS(2000)0000号"] if ground == "licensed" else ["不显示底图"]
        )
        for text in said:
            expect(credit).to_contain_text(text)
        assert not [url for url in asked if "/tiles/base/" in url]
        assert {url.split("/")[3] for url in asked} == (
            {"base", "names"} if ground == "licensed" else set()
        )
        expect(page.get_by_test_id("others").locator("li").first).to_be_attached()
        axe_finds_nothing(page)
        picture(page, f"aed-ground-{ground}-{size[0]}")
