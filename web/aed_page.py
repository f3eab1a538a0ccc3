"""/aed for everybody: a list that needs no script, which the map replaces where scripts run.

Every answer comes from the public API. A place that somebody asks from travels in the body of a
POST, never in an address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
import orjson
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from geo import districts
from geo.position import BadPosition, Position
from web import aed_texts, built, fields, headers, language, own_api, public_ground
from web.dependencies import Network, Now, View

WITHIN_S = 1_800
AT_MOST_S = 7_200
SHOWN = 30
#: As many devices around a city's centre stand on the page before anybody has asked.
SHOWN_FIRST = 12
CANDIDATES = 6
DEFAULT_ZONE = "Asia/Shanghai"

router = APIRouter(prefix="/aed", include_in_schema=False)

_pages = Environment(
    loader=PackageLoader("web", "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
WORDS: Mapping[str, Mapping[str, Any]] = orjson.loads(
    (_pages.loader or PackageLoader("web")).get_source(_pages, "aed_words.json")[0]
)
#: Forms go to this site, and a browser must name it with them: `no-referrer` would hide it.
_POLICY = headers.CONTENT_SECURITY_POLICY.replace("form-action 'none'", "form-action 'self'")
_HEADERS = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin"}

Typed = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Origin:
    """A place to walk from; `value` is how a form carries it."""

    text: str
    position: Position

    @property
    def value(self) -> str:
        """Write it as longitude, latitude and its name."""
        return f"{self.position.lon:.6f},{self.position.lat:.6f},{self.text}"


@router.get("/districts", summary="Places to choose from")
async def list_districts(conn: View) -> Response:
    """List towns and districts that have an AED. Public."""
    items = [
        {"text": found.name, "position": found.position.geojson()}
        for found in await districts.list_districts(conn)
    ]
    return fields.send({"items": items}, headers={"Cache-Control": "public, max-age=300"})


@router.api_route("", methods=["GET", "HEAD"])
@router.api_route("/", methods=["GET", "HEAD"])
async def first_page(request: Request, now: Now) -> Response:
    """Show the form, the places to choose from, and what hangs around the first city's centre."""
    return await _list_page(request, now, origin=None)


@router.post("")
@router.post("/")
async def look(request: Request, now: Now, q: Typed = "", place: Typed = "") -> Response:
    """List what is nearest to a place that was typed or chosen."""
    words = _words(request)
    asked = q.strip()[:200]
    origin, others = _read(place), list[Origin]()
    problem = "" if origin or asked else words["nothing_asked"]
    if origin is None and asked:
        found = await _search(request, asked)
        problem = words["unavailable"] if found is None else ""
        if found == []:
            problem = words["nothing_found"].format(asked=asked)
        origin, others = next(iter(found or ()), None), (found or [])[1:CANDIDATES]
    return await _list_page(
        request, now, origin=origin, asked=asked, others=others, problem=problem
    )


@router.get("/{aed_id}")
async def one_page(request: Request, aed_id: UUID, now: Now, reported: str = "") -> Response:
    """Show one device with all that everybody may know."""
    said = _words(request)["reported"] if reported else ""
    return await _one_page(request, aed_id, now, said=said)


@router.post("/{aed_id}")
async def walk_to(
    request: Request, aed_id: UUID, network: Network, now: Now, q: Typed = ""
) -> Response:
    """Show one device with the walk to it from a place that was typed."""
    words, asked = _words(request), q.strip()[:200]
    found = await _search(request, asked) if asked else []
    answer = await own_api.get(request, f"/api/v1/aeds/{aed_id}")
    if not found or not answer.is_success:
        problem = words["nothing_found"].format(asked=asked) if asked else words["nothing_asked"]
        return await _one_page(request, aed_id, now, asked=asked, problem=problem)
    goal = Position.from_geojson(answer.json()["position"])
    (travel,) = network.times(found[0].position, [goal], within_s=AT_MOST_S)
    if travel is None:
        return await _one_page(request, aed_id, now, asked=asked, problem=words["walk_far"])
    properties = {
        "travel_s": travel.travel_s,
        "distance_m": travel.distance_m,
        "eta_source": travel.source,
    }
    origin = words["from"].format(place=found[0].text)
    walk = aed_texts.way(properties, words, origin)
    return await _one_page(request, aed_id, now, asked=asked, walk=walk)


@router.post("/{aed_id}/report")
async def report(
    request: Request,
    aed_id: UUID,
    *,
    now: Now,
    kind: Typed = "",
    note: Typed = "",
    key: Typed = "",
) -> Response:
    """Pass a report on, once per key; then show the device again."""
    words, spoken = _words(request), language.of(request)
    kept = {"report_kind": kind, "report_note": note[:1000], "key": key or str(uuid4())}
    if kind not in words["kinds"]:
        return await _one_page(
            request, aed_id, now, 422, report_problem=words["report_kind_missing"], **kept
        )
    body = {"kind": kind, "note": note.strip()[:1000] or None}
    answer = await own_api.post(request, f"/api/v1/aeds/{aed_id}/reports", body, kept["key"])
    if answer.is_success:
        return RedirectResponse(f"/aed/{aed_id}?lang={spoken}&reported=yes", 303, headers=_HEADERS)
    return await _one_page(
        request, aed_id, now, answer.status_code, report_problem=_refusal(answer, words), **kept
    )


def _refusal(answer: httpx.Response, words: aed_texts.Words) -> str:
    """Say in plain words why a report was not taken."""
    if answer.status_code != 429:
        return str(words["report_failed"])
    seconds = int(answer.headers.get("retry-after", "60"))
    is_short = seconds <= 90
    pattern = words["seconds" if is_short else "minutes_wait"]
    wait = pattern.format(n=seconds if is_short else -(-seconds // 60))
    return str(words["report_too_many"].format(wait=wait))


# ---- pages


async def _list_page(
    request: Request,
    now: datetime,
    *,
    origin: Origin | None,
    asked: str = "",
    others: Sequence[Origin] = (),
    problem: str = "",
) -> Response:
    words = _words(request)
    cities = await _items(request, "/tiles/base.json", "datasets")
    start = origin or (None if asked else _centre(cities, language.of(request)))
    found = await _nearest(request, start, SHOWN if origin else SHOWN_FIRST) if start else []
    zone = _zone_at(cities, start)
    groups = [] if found is None else _groups(found, words, zone=zone, now=now)
    places = await _items(request, "/aed/districts", "items")
    page = {
        "origin": origin,
        "asked": asked,
        "others": others,
        "problem": problem or _doubt(found, words, origin),
        "heading": _heading(words, origin, start),
        "groups": groups,
        "districts": [_origin_of(item) for item in places],
        "attribution": next((city["attribution"] for city in cities), ""),
    }
    return _send(request, "aed_list.html", page)


def _doubt(
    found: Sequence[Mapping[str, Any]] | None, words: aed_texts.Words, origin: Origin | None
) -> str:
    """Say what is wrong with a list, if anything is."""
    if found is None:
        return str(words["unavailable"])
    if origin is None:
        return ""
    if not found:
        return str(words["none_near"])
    near = [one["properties"] for one in found if one["properties"]["usable"] == "yes"]
    is_near = any(one["travel_s"] <= WITHIN_S for one in near)
    return "" if is_near else str(words["far"])


def _heading(words: aed_texts.Words, origin: Origin | None, start: Origin | None) -> str:
    if origin is not None:
        return str(words["from"].format(place=origin.text))
    return "" if start is None else str(words["around"].format(place=start.text))


def _groups(
    found: Sequence[Mapping[str, Any]],
    words: aed_texts.Words,
    *,
    zone: ZoneInfo,
    now: datetime,
) -> list[dict[str, Any]]:
    """Part what can be taken from what nobody knows and from what is closed."""
    rows = [_row(feature, words, zone=zone, now=now) for feature in found]
    return [
        {"usable": usable, "aeds": chosen}
        for usable in words["groups"]
        if (chosen := [row for row in rows if row["usable"] == usable])
    ]


def _row(
    feature: Mapping[str, Any], words: aed_texts.Words, *, zone: ZoneInfo, now: datetime
) -> dict[str, Any]:
    properties = feature["properties"]
    facts = {**properties, "id": feature["id"], "position": feature["geometry"]}
    shown = aed_texts.show(facts, words, zone=zone, now=now)
    walk = aed_texts.way(properties, words)
    names = (*aed_texts.Shown.__slots__, *aed_texts.Way.__slots__)
    return {name: getattr(shown, name, getattr(walk, name, None)) for name in names}


async def _one_page(
    request: Request, aed_id: UUID, now: datetime, status: int = 200, **more: Any
) -> Response:
    words = _words(request)
    answer = await own_api.get(request, f"/api/v1/aeds/{aed_id}")
    if not answer.is_success:
        is_gone = answer.status_code == 404
        title, detail = ("not_found", words["not_found_more"]) if is_gone else ("unavailable", "")
        page = {"title": words[title], "more": detail, "attribution": ""}
        return _send(request, "aed_none.html", page, answer.status_code)
    facts = answer.json()
    cities = await _items(request, "/tiles/base.json", "datasets")
    zone = _zone_at(cities, Origin("", Position.from_geojson(facts["position"])))
    shown = aed_texts.show(facts, words, zone=zone, now=now)
    page = {"said": "", "asked": "", "problem": "", "walk": None}
    form = {"report_problem": "", "report_kind": "", "report_note": "", "key": str(uuid4())}
    link = _map_link(request.headers.get("user-agent", ""), shown)
    fixed = {"aed": shown, "map_link": link, "attribution": ""}
    return _send(request, "aed_one.html", {**page, **form, **fixed, **more}, status)


def _map_link(agent: str, aed: aed_texts.Shown) -> str:
    """Hand the way over to a map outside: phones have apps that answer, desks a web page."""
    place = f"{aed.lat:.6f},{aed.lon:.6f}"
    if any(name in agent for name in ("iPhone", "iPad", "Macintosh")):
        return f"https://maps.apple.com/?daddr={place}&dirflg=w"
    if "Mobi" in agent or "Android" in agent:
        return f"geo:{place}?q={place}({quote(aed.name)})"
    return f"https://www.openstreetmap.org/directions?to={quote(place)}"


def _send(request: Request, template: str, page: Mapping[str, Any], status: int = 200) -> Response:
    spoken = language.of(request)
    other = "en" if spoken == "zh" else "zh"
    frame = {
        "words": WORDS[spoken],
        "lang": spoken,
        "other": other,
        "other_tag": WORDS[other]["tag"],
        "here": request.url.path.removesuffix("/report"),
        "emergency": request.app.state.settings.emergency_number,
        "built": built.page("aed"),
    }
    text = _pages.get_template(template).render({**frame, **page})
    sent = {**_HEADERS, "Content-Language": WORDS[spoken]["tag"], "Vary": "Accept-Language"}
    if hosts := public_ground.hosts(request.app.state.settings):
        # The browser fetches the tiles of a licensed map from where they are.
        sent["Content-Security-Policy"] = _POLICY.replace(
            "connect-src 'self'", f"connect-src 'self' {hosts}"
        ).replace("img-src 'self'", f"img-src 'self' {hosts}")
    return HTMLResponse(text, status, headers=sent)


def _words(request: Request) -> aed_texts.Words:
    return WORDS[language.of(request)]


# ---- what the API says


async def _items(request: Request, path: str, name: str) -> list[Any]:
    """Read a list; an empty one when it cannot be had: the call button has to stand anyway."""
    answer = await own_api.get(request, path)
    return list(answer.json()[name]) if answer.is_success else []


async def _search(request: Request, asked: str) -> list[Origin] | None:
    """Find places by words, best first; None when the search is away."""
    answer = await own_api.get(request, "/api/v1/search", q=asked, limit=CANDIDATES)
    if not answer.is_success:
        return None
    return [_origin_of(item) for item in answer.json()["items"]]


async def _nearest(request: Request, origin: Origin, limit: int) -> list[Any] | None:
    """List devices by walking time; farther ones when none near can be taken."""
    place = {"lon": origin.position.lon, "lat": origin.position.lat, "limit": limit}
    for within_s in (WITHIN_S, AT_MOST_S):
        answer = await own_api.get(request, "/api/v1/nearest/aeds", **place, within_s=within_s)
        if not answer.is_success:
            return None
        found: list[Any] = answer.json()["features"]
        if any(feature["properties"]["usable"] == "yes" for feature in found):
            break
    return found


def _origin_of(item: Mapping[str, Any]) -> Origin:
    return Origin(item["text"], Position.from_geojson(item["position"]))


def _read(value: str) -> Origin | None:
    """Read a place that a form carried; None for anything else."""
    lon, _, rest = value.partition(",")
    lat, _, name = rest.partition(",")
    try:
        return Origin(name[:200], Position(float(lon), float(lat)))
    except (ValueError, BadPosition):
        return None


def _centre(cities: Sequence[Mapping[str, Any]], spoken: str) -> Origin | None:
    for city in cities:
        return Origin(city[f"title_{spoken}"], Position(*city["centre"]))
    return None


def _zone_at(cities: Sequence[Mapping[str, Any]], origin: Origin | None) -> ZoneInfo:
    """Give the time zone of the smallest city around a place, else that of China."""
    if origin is None:
        return ZoneInfo(DEFAULT_ZONE)
    lon, lat = origin.position.lon, origin.position.lat
    around = [
        ((east - west) * (north - south), city["time_zone"])
        for city in cities
        for west, south, east, north in [city["bounds"]]
        if west <= lon <= east and south <= lat <= north
    ]
    return ZoneInfo(min(around)[1] if around else DEFAULT_ZONE)
