"""/a/{code}: the short link of a message, where a person answers without signing in.

The code is the proof: it opens one alert, coarsely until the accept, and ends with it. Nothing here
needs a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import accounts, alert_codes, alerts, errors, gateway_receipts, mission, orgs, states
from web import aed_page, auth, built, headers, language
from web.dependencies import Database, Now, Policy

#: Unknown codes from one address; known ones always pass.
TRIES_MOST = 30
TRIES_WINDOW = timedelta(minutes=15)
#: Who has accepted opens the page again for so long.
OPEN_FOR = timedelta(minutes=30)

router = APIRouter(prefix="/a", include_in_schema=False)

_loader = PackageLoader("web", "templates")
_pages = Environment(
    loader=_loader, autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=StrictUndefined,
)  # fmt: skip
_WORDS: Mapping[str, Mapping[str, Any]] = orjson.loads(
    _loader.get_source(_pages, "alert_words.json")[0]
)
#: Forms go to this site only, and no other site learns the code from a referrer.
_HEADERS = {
    "Content-Security-Policy": headers.CONTENT_SECURITY_POLICY.replace(
        "form-action 'none'", "form-action 'self'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
Lang = Annotated[str, Form(max_length=5)]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a code opened."""

    code: alert_codes.Code
    ask: mission.Ask
    time_zone: str


@router.get("/{code}")
async def show(request: Request, code: str, database: Database, now: Now) -> Response:
    """Show what is asked, or the way once it was accepted."""
    async with database.transaction() as conn:
        opened = await _open(conn, code, now)
        if opened is None:
            return await _unknown(request, conn, now)
        if "prefetch" not in request.headers.get("sec-purpose", ""):
            await gateway_receipts.opened(conn, opened.code, now=now)
    return _page(request, _state(opened, now), code, opened, now)


@router.post("/{code}/accept")
async def accept(
    request: Request, code: str, *, database: Database, policy: Policy, now: Now, lang: Lang = ""
) -> Response:
    """Take the alert, and show the way."""
    async with database.transaction() as conn:
        opened = await _open(conn, code, now)
        if opened is None:
            return await _unknown(request, conn, now)
        try:
            await alerts.accept(
                conn, opened.ask.alert.id, via=opened.code.channel, policy=policy,
                by=opened.ask.alert.responder_id, now=now,
            )  # fmt: skip
        except errors.AlertOver:
            return _page(request, "over", code, opened, now, status=409)
        await alert_codes.extend(conn, code, until=now + OPEN_FOR)
    return _back(code, lang)


@router.post("/{code}/decline")
async def decline(
    request: Request, code: str, *, database: Database, policy: Policy, now: Now, lang: Lang = ""
) -> Response:
    """Say no."""
    async with database.transaction() as conn:
        opened = await _open(conn, code, now)
        if opened is None:
            return await _unknown(request, conn, now)
        try:
            await alerts.decline(
                conn, opened.ask.alert.id, via=opened.code.channel, policy=policy,
                by=opened.ask.alert.responder_id, now=now,
            )  # fmt: skip
        except errors.AlertOver:
            return _page(request, "over", code, opened, now, status=409)
    return _back(code, lang)


@router.post("/{code}/open")
async def open_app(request: Request, code: str, database: Database, now: Now) -> Response:
    """Sign in who has accepted, by a link that works once."""
    async with database.transaction() as conn:
        opened = await _open(conn, code, now)
        if opened is None:
            return await _unknown(request, conn, now)
        if _state(opened, now) != "going":
            return _page(request, _state(opened, now), code, opened, now, status=409)
        secret = await accounts.add_link(conn, opened.ask.alert.responder_id, now=now)
    # After the # it is sent to nobody and stands in no log.
    return RedirectResponse(f"/sign-in#{secret}", 303, headers=_HEADERS)


async def _open(conn: AsyncConnection, text: str, now: datetime) -> Opened | None:
    code = await alert_codes.find(conn, text, now=now)
    if code is None:
        return None
    ask = await mission.get(conn, code.alert_id)
    org = await orgs.find_org(conn, ask.incident.org_code)
    return Opened(code, ask, "Asia/Shanghai" if org is None else org.timezone)


def _state(opened: Opened, now: datetime) -> str:
    alert, assignment = opened.ask.alert, opened.ask.assignment
    if assignment is not None:
        return "going" if assignment.is_live else "over"
    if alert.status is states.Alert.DECLINED:
        return "declined"
    return "asked" if alert.is_live and now < alert.expires_at else "over"


def _back(code: str, lang: str) -> Response:
    asked = f"?lang={lang}" if lang in _WORDS else ""
    return RedirectResponse(f"/a/{code}{asked}", 303, headers=_HEADERS)


async def _unknown(request: Request, conn: AsyncConnection, now: datetime) -> Response:
    """Count a code that opens nothing; nobody tries them in masses."""
    subject = f"a|{auth.subject_of(request)}"
    tries, _ = await accounts.count_try(conn, subject, window=TRIES_WINDOW, now=now)
    if tries > TRIES_MOST:
        return _page(request, "many", "", None, now, status=429)
    return _page(request, "none", "", None, now, status=404)


def _page(
    request: Request,
    state: str,
    code: str,
    opened: Opened | None,
    now: datetime,
    *,
    status: int = 200,
) -> Response:
    spoken = language.of(request)
    other = "en" if spoken == "zh" else "zh"
    frame_words, said = aed_page.WORDS[spoken], _WORDS[spoken]
    text = _pages.get_template("alert_page.html").render(
        words=frame_words, said=said, lang=spoken, other=other,
        other_tag=aed_page.WORDS[other]["tag"], here=f"/a/{code}", attribution="",
        emergency=request.app.state.settings.emergency_number, built=built.page("aed"),
        state=state, code=code, ask=None if opened is None else _facts(opened, state, said, now),
    )  # fmt: skip
    return HTMLResponse(text, status, headers={**_HEADERS, "Content-Language": frame_words["tag"]})


def _facts(opened: Opened, state: str, said: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Put what may be known now into words: no place before the accept, nothing when it is over."""
    ask = opened.ask
    shown = mission.alert_out(ask, now=now)
    facts: dict[str, Any] = {"exercise": ask.incident.exercise, "kind": ask.incident.kind.value}
    if state not in {"asked", "going"}:
        return facts
    facts["ambulance"] = said["ambulance"][shown["incident"]["ambulance"] or "unknown"]
    if state == "going":
        return facts | {"facts": _way(ask, said)}
    distance_m = (shown["place"] or {}).get("distance_m")
    until = ask.alert.expires_at.astimezone(ZoneInfo(opened.time_zone))
    return facts | {
        "distance": said["distance"].format(n=distance_m) if distance_m else said["nearby"],
        "walk": _walk(shown["travel_s"], said),
        "role": _role(shown, said),
        "until": said["until"].format(time=f"{until:%H:%M:%S}"),
    }


def _walk(travel_s: float | None, said: Mapping[str, Any]) -> str:
    return "" if travel_s is None else str(said["walk"].format(n=max(1, round(travel_s / 60))))


def _role(shown: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    if shown["aed"] is not None:
        return str(said["via_aed"].format(name=shown["aed"]["name"]))
    return str(said.get(shown["role"], said["direct"]))


def _way(ask: mission.Ask, said: Mapping[str, Any]) -> list[tuple[str, str]]:
    shown = mission.mission_out(ask)
    incident, aed = shown["incident"], shown["aed"]
    place = incident["position"]["coordinates"]
    address = incident["address"] or f"{place[1]:.5f}, {place[0]:.5f}"
    facts = [(said["address"], address)]
    facts += [(said[name], incident[name]) for name in ("entrance", "floor", "note")]
    if aed is not None:
        parts = (aed["name"], aed["address"], aed["floor"], aed["access_note"])
        facts.insert(0, (said["aed"], " · ".join(part for part in parts if part)))
    return [(name, value) for name, value in facts if value]
