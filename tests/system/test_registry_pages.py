"""The registry inside the console in a real Chromium: AEDs, volunteers, lists sent in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.screens import axe_finds_nothing, map_is_drawn, picture, signed_in
from tests.system.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.browser]

PHONE, DESK = (360, 640), (1440, 900)
#: Off the quay, where no other test looks for an AED.
EAST, NORTH = 7.4360, 43.7330


@contextmanager
def _registry(browser: Browser, whole: Whole, **look: Any) -> Iterator[Page]:
    """Open the registry as an office does: from the board, with its key."""
    with signed_in(browser, whole, "admin", "/console", **look) as page:
        map_is_drawn(page)
        page.keyboard.press("r")
        expect(page.locator(".reg-row").first).to_be_visible()
        yield page


@pytest.fixture
def listed(whole: Whole) -> Iterator[str]:
    """Give a name for AEDs of this test, and withdraw what has it afterwards."""
    name = f"海堤 {uuid4().hex[:6]}"
    yield name
    with whole.client("admin") as office:
        found = office.get("/aeds", params={"own": True, "q": "海堤"}).json()["items"]
        for aed in found:
            office.delete(f"/aeds/{aed['id']}").raise_for_status()


def _hang(whole: Whole, name: str) -> str:
    body = {"name": name, "position": {"lon": EAST, "lat": NORTH}, "access": "public"}
    with whole.client("admin") as office:
        made = office.post("/aeds", json=body, headers={"Idempotency-Key": str(uuid4())})
        return str(made.raise_for_status().json()["id"])


def _list(name: str) -> str:
    """Make a list of three devices of this name, the last of them without a place.

    Each name has places of its own: a device nearby would be taken for the same one.
    """
    lon = EAST + int(name[-6:], 16) % 3000 * 1e-5
    return f"""名称,地址,经度,纬度,开放时间
{name} 一号,Quai {name} 1,{lon:.5f},{NORTH},24/7
{name} 二号,Quai {name} 2,{lon:.5f},{NORTH + 0.001},Mo-Fr 08:00-18:00
{name} 三号,Quai {name} 3,,,24/7
"""


def _row(page: Page, name: str) -> Any:
    return page.locator(".reg-row", has_text=name)


def test_UIR_1_an_aed_is_entered_by_keys_and_one_click_on_the_map(
    whole: Whole, browser: Browser, listed: str
) -> None:
    with _registry(browser, whole) as page:
        page.keyboard.press("n")
        expect(page.locator("[name=name]")).to_be_focused()
        page.keyboard.type(listed)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".reg-side [role=alert]")).to_contain_text("纬度")
        page.locator(".maplibregl-canvas").click(position={"x": 560, "y": 620})
        expect(page.locator("[name=lat]")).not_to_have_value("")
        page.fill("[name=hours]", "sometimes")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".reg-trouble")).to_contain_text("开放时间")
        expect(page.locator("[name=hours]")).to_be_focused()
        expect(page.locator("[name=name]")).to_have_value(listed)
        page.fill("[name=hours]", "24/7")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".reg-head h1")).to_have_text(listed)
        expect(_row(page, listed)).to_have_attribute("aria-current", "true")
        map_is_drawn(page)
        picture(page, "registry-aed-light-zh")
        page.keyboard.press("/")
        page.keyboard.type(listed)
        expect(page.locator(".reg-row")).to_have_count(1)


def test_UIR_2_a_report_of_the_public_is_settled(
    whole: Whole, browser: Browser, listed: str
) -> None:
    with _registry(browser, whole) as page:
        aed = _hang(whole, listed)
        expect(_row(page, listed)).to_be_visible()
        said = {"kind": "broken", "note": "屏幕不亮"}
        httpx.post(
            f"{whole.url}/api/v1/aeds/{aed}/reports",
            json=said,
            headers={"Idempotency-Key": str(uuid4())},
        ).raise_for_status()
        expect(_row(page, listed)).to_contain_text("存疑")
        page.locator(".reg-parts button").nth(1).click()
        _row(page, listed).click()
        expect(page.locator(".reg-report")).to_contain_text("屏幕不亮")
        page.fill(".reg-report [name=note]", "已送修")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".reg-report")).to_have_count(0)
        expect(_row(page, listed)).to_have_count(0)
        expect(page.locator(".reg-log")).to_contain_text("已送修")
        expect(page.locator(".reg-chips")).to_contain_text("停用")


@pytest.mark.long
def test_UIR_3_a_certificate_that_was_handed_in_is_reviewed(whole: Whole, browser: Browser) -> None:
    number = f"HX-{uuid4().hex[:6]}"
    proof = {"kind": "first_aid", "number": number, "expires_on": "2031-05-01"}
    with whole.client("responder-12") as volunteer:
        key = {"Idempotency-Key": number}
        volunteer.post("/me/certificates", json=proof, headers=key).raise_for_status()
        name = volunteer.get("/me").json()["person"]["name"]
    with _registry(browser, whole) as page:
        page.keyboard.press("2")
        page.locator(".reg-filter select").nth(2).select_option("pending")
        expect(page.locator(".reg-row")).to_have_count(1)
        expect(_row(page, name)).to_contain_text("待审核")
        _row(page, name).click()
        paper = page.locator(".reg-paper", has_text=number)
        paper.get_by_role("button", name="通过").click()
        expect(paper).to_contain_text("有效")
        expect(page.locator(".reg-row")).to_have_count(0)


def test_UIR_4_a_list_is_tried_and_taken_over(
    whole: Whole, browser: Browser, listed: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{listed}.csv"
    path.write_text(_list(listed), encoding="gb18030")
    with _registry(browser, whole) as page:
        page.keyboard.press("3")
        page.set_input_files("input[type=file]", str(path))
        expect(page.locator("[data-outcome=added]")).to_have_text("2")
        expect(page.locator("[data-outcome=rejected]")).to_have_text("1")
        expect(page.locator(".reg-table .number").nth(1)).to_have_text("4")
        expect(page.locator(".reg-samples li")).to_have_count(2)
        with whole.client("admin") as office:
            known = office.get("/aeds", params={"own": True, "q": listed}).json()
            assert known["items"] == []
        page.get_by_label("详细地址").select_option("")
        expect(page.locator(".reg-mapping", has_text="Quai")).to_have_count(0)
        expect(page.locator("[data-outcome=added]")).to_have_text("2")
        map_is_drawn(page)
        expect(page.locator(".reg-head [role=status]")).to_contain_text("GB18030")
        picture(page, "registry-import-light-zh")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".reg-head .gm-chip")).to_have_text("已导入")
        expect(_row(page, listed)).to_contain_text("新增 2")
        page.keyboard.press("1")
        second = _row(page, f"{listed} 二号")
        expect(second).to_be_visible()
        second.click()
        expect(page.locator("[name=hours]")).to_have_value("Mo-Fr 08:00-18:00")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.long
def test_UIR_6_a_wrong_layout_is_mended_by_keys_and_kept(
    whole: Whole, browser: Browser, listed: str, tmp_path: Path, language: str
) -> None:
    path, kept = tmp_path / f"{listed}.csv", f"镇表 {listed[-6:]}"
    rows = (f"镇政府,{listed} {n}号,{EAST + n / 500:.5f},{NORTH},0042" for n in (1, 2, 3))
    head = "场所名称,楼名,经度,纬度,箱柜密码"
    path.write_text("\n".join((head, *rows)), encoding="utf-8")
    layout, name = {"zh": ("版式", "场所名称"), "en": ("Layout", "Place")}[language]
    theme = "light" if language == "zh" else "dark"
    with _registry(browser, whole, language=language, theme=theme) as page:
        page.keyboard.press("3")
        page.set_input_files("input[type=file]", str(path))
        expect(page.locator("[data-outcome=added]")).to_have_text("3")
        expect(page.locator(".reg-samples")).to_contain_text("镇政府")
        page.get_by_label(layout, exact=True).focus()
        page.get_by_label(layout, exact=True).press("ArrowDown")
        expect(page.get_by_label(layout, exact=True)).not_to_have_value("")
        page.get_by_label(name, exact=True).focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_label(name, exact=True)).to_have_value("楼名")
        expect(page.locator(".reg-samples")).to_contain_text(listed)
        assert "0042" not in page.locator(".reg-mapping").first.inner_text()
        _keep_layout(page, kept)
        expect(page.get_by_label(layout, exact=True)).to_have_value(kept)
        expect(page.locator(".reg-samples")).to_contain_text(listed)
        page.locator(".reg-layout").scroll_into_view_if_needed()
        axe_finds_nothing(page, "import")
        picture(page, f"registry-layout-{theme}-{language}")


def _keep_layout(page: Page, name: str) -> None:
    page.locator("[name=layout_name]").focus()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    map_is_drawn(page)


@pytest.mark.long
def test_IMP_13_a_long_list_reaches_an_open_console(
    whole: Whole, browser: Browser, listed: str
) -> None:
    lines = (f"{listed} {n}号,{EAST + n / 1000:.5f},{NORTH + 0.01}" for n in range(22))
    content = "\n".join(("场所名称,经度,纬度", *lines)).encode()
    with _registry(browser, whole) as page, whole.client("admin") as office:
        page.keyboard.press("/")
        page.keyboard.type(listed)
        expect(page.locator(".reg-row")).to_have_count(0)
        key = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/octet-stream"}
        sent = office.post("/imports/aeds", params={"name": "a.csv"}, content=content, headers=key)
        path = f"/imports/{sent.raise_for_status().json()['id']}/apply"
        office.post(path, headers={"Idempotency-Key": str(uuid4())}).raise_for_status()
        expect(page.locator(".reg-row")).to_have_count(22)


LOOKS = [
    {"language": "zh", "theme": "light", "size": DESK},
    {"language": "en", "theme": "dark", "size": PHONE},
]


@pytest.mark.parametrize("look", LOOKS, ids=["desk", "phone"])
def test_UIR_5_no_page_shuts_anybody_out(
    whole: Whole, browser: Browser, look: dict[str, Any]
) -> None:
    with _registry(browser, whole, **look) as page:
        # The strip that asks for sound goes with the first touch.
        page.locator(".reg-pages button").first.click()
        for place in ("aeds", "people", "people/teams", "import"):
            page.evaluate("place => { location.hash = place; }", place)
            _settled(page)
            axe_finds_nothing(page, place)
        page.evaluate("() => { location.hash = 'aeds'; }")
        page.locator(".reg-row").first.click()
        for tab in ("record", "keeping", "checks", "reports", "uses", "history"):
            page.evaluate(
                "tab => { location.hash = location.hash.split('?')[0] + '?tab=' + tab; }", tab
            )
            _settled(page)
            axe_finds_nothing(page, tab)
        page.evaluate("() => { location.hash = 'people'; }")
        page.locator(".reg-row").first.click()
        _settled(page)
        axe_finds_nothing(page, "person")
        picture(page, f"registry-person-{look['language']}-{look['theme']}")


def _settled(page: Page) -> None:
    expect(page.locator(".bars")).to_have_count(0)
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, f"{width} px too wide"
