"""The phone's service worker in Chromium: a push is shown once, confirmed, and quiet when over.

The browser's own debugging interface delivers the message, as no push service can be reached.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gateways.double import Double, Reply, Request
from playwright.sync_api import Browser, CDPSession, Page

pytestmark = [pytest.mark.system, pytest.mark.browser]

#: GOLDEN_TEST_WORKER names another file than the one that was built.
_BUILT = Path(__file__).resolve().parents[2] / "web" / "ui" / "dist" / "go-worker.js"
WORKER = Path(os.environ.get("GOLDEN_TEST_WORKER", _BUILT))
_PAGE = b"<!doctype html><title>x</title>"


class Site(Double):
    """Serves an empty page and the worker, and takes its confirmations."""

    def __init__(self) -> None:
        super().__init__()
        self.confirmed: list[str] = []
        #: What is said of a code: whether its call is over; unknown codes are 404.
        self.codes: dict[str, bool] = {}

    def take(self, request: Request) -> Reply:
        if request.path == "/go-worker.js":
            return Reply(200, WORKER.read_bytes(), {"content-type": "text/javascript"})
        if request.path != "/api/v1/gateways/push/received":
            # The worker keeps the app's files at its installation.
            return Reply(200, _PAGE, {"content-type": "text/html"})
        code = request.json()["code"]
        self.confirmed.append(code)
        if code not in self.codes:
            return Reply(404)
        return Reply.of({"is_over": self.codes[code]})


class Phone:
    """A browser with the worker; `push` delivers a message to it."""

    def __init__(self, page: Page, session: CDPSession, site: Site) -> None:
        self._page, self._session, self._site = page, session, site
        self._registration = ""
        session.on("ServiceWorker.workerRegistrationUpdated", self._learn)
        session.send("ServiceWorker.enable")

    def _learn(self, event: dict[str, Any]) -> None:
        for registration in event["registrations"]:
            self._registration = registration["registrationId"]

    def register(self) -> None:
        self._page.goto(self._site.url)
        self._page.evaluate(
            "async () => { await navigator.serviceWorker.register('/go-worker.js');"
            " await navigator.serviceWorker.ready; }"
        )
        self._page.wait_for_timeout(0)

    def push(self, content: dict[str, Any]) -> None:
        before = len(self._site.confirmed)
        self._session.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": self._site.url, "registrationId": self._registration,
                "data": json.dumps(content),
            },
        )  # fmt: skip
        for _ in range(200):
            if len(self._site.confirmed) > before:
                return
            self._page.wait_for_timeout(50)
        raise AssertionError("the worker confirmed nothing")

    def shown(self, *, count: int) -> list[dict[str, Any]]:
        """Give what stands on the screen, once there are so many."""
        read = (
            "async () => (await (await navigator.serviceWorker.ready).getNotifications())"
            ".map(({tag, title, silent}) => ({tag, title, silent}))"
        )
        found: list[dict[str, Any]] = [{}] * (count + 1)
        for _ in range(100):
            before, found = found, self._page.evaluate(read)
            if len(found) == len(before) == count:
                return found
            self._page.wait_for_timeout(100)
        raise AssertionError(found)


@contextmanager
def _phone(browser: Browser) -> Iterator[tuple[Phone, Site]]:
    site = Site()
    with site.running():
        context = browser.new_context(permissions=["notifications"])
        page = context.new_page()
        phone = Phone(page, context.new_cdp_session(page), site)
        phone.register()
        yield phone, site
        context.close()


def _message(code: str, *, tag: str = "alert-1", **more: Any) -> dict[str, Any]:
    notification = {
        "title": "急救呼叫", "body": "能否前往？", "lang": "zh-CN", "tag": tag,
        "navigate": "/go", "silent": more.pop("silent", False),
    }  # fmt: skip
    return {
        "web_push": 8030, "purpose": "alert", "code": code, "notification": notification, **more,
    }  # fmt: skip


def test_CHN_19_the_phone_shows_a_message_once_and_confirms_it(browser: Browser) -> None:
    with _phone(browser) as (phone, site):
        site.codes = {"first": False, "again": False}
        phone.push(_message("first"))
        assert phone.shown(count=1) == [{"tag": "alert-1", "title": "急救呼叫", "silent": False}]
        phone.push(_message("again"))
        assert len(phone.shown(count=1)) == 1
        assert site.confirmed == ["first", "again"]


@pytest.mark.long
def test_CHN_19_what_is_over_does_not_stay_on_the_phone(browser: Browser) -> None:
    with _phone(browser) as (phone, site):
        site.codes = {"over": True}
        for code in ("over", "unknown"):
            phone.push(_message(code))
            assert phone.shown(count=0) == []


@pytest.mark.long
def test_CHN_14_a_check_leaves_nothing_on_the_screen(browser: Browser) -> None:
    with _phone(browser) as (phone, site):
        site.codes = {"probe": False}
        phone.push(_message("probe", tag="device", purpose="probe", silent=True))
        assert phone.shown(count=0) == []
        assert site.confirmed == ["probe"]
