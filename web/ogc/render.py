"""Writes one answer as JSON or as a page to read; both say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from web.ogc import query

JSON = "application/json"
GEOJSON = "application/geo+json"
HTML = "text/html"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"

#: Whoever reads is not known by cookie to another site's page: open to all, without credentials.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Crs, Link",
}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_pages = Environment(
    loader=PackageLoader("web", "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)


def base_of(request: Request) -> str:
    """Give the address of the landing page as the client reached it."""
    return f"{str(request.base_url).rstrip('/')}/ogc"


def wants_html(request: Request) -> bool:
    """Tell which representation is wanted: by `f`, else by `Accept`, else JSON."""
    asked = request.query_params.get("f")
    if asked not in {None, "json", "html"}:
        raise query.BadParameter("f must be json or html")
    if asked is not None:
        return asked == "html"
    accepted = [
        (_weight(part), part.split(";")[0].strip())
        for part in request.headers.get("accept", "*/*").split(",")
    ]
    best = {kind: weight for weight, kind in reversed(accepted)}
    data = max(best.get(kind, 0.0) for kind in (JSON, GEOJSON, OPENAPI.split(";", maxsplit=1)[0]))
    return best.get(HTML, 0.0) > data


def _weight(part: str) -> float:
    for parameter in part.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def link(href: str, rel: str, kind: str, title: str = "") -> dict[str, str]:
    """Write a link."""
    said = {"href": href, "rel": rel, "type": kind}
    return {**said, "title": title} if title else said


def both(request: Request, kind: str = JSON) -> list[dict[str, str]]:
    """Link to this page itself and to its other representation."""
    is_html = wants_html(request)
    as_json = link(_here(request, "json"), "alternate" if is_html else "self", kind, "JSON")
    as_html = link(_here(request, "html"), "self" if is_html else "alternate", HTML, "HTML")
    return [as_html, as_json] if is_html else [as_json, as_html]


def _here(request: Request, form: str, **changes: str) -> str:
    kept = {name: value for name, value in request.query_params.items() if name != "f"}
    words = urlencode({**kept, **changes, "f": form})
    return f"{str(request.base_url).rstrip('/')}{request.url.path}?{words}"


def next_page(request: Request, cursor: str, kind: str) -> dict[str, str]:
    """Link to the page after this one, in the same representation."""
    form = "html" if wants_html(request) else "json"
    kind = HTML if form == "html" else kind
    return link(_here(request, form, cursor=cursor), "next", kind, "下一页 · Next page")


def send(
    request: Request,
    body: Mapping[str, Any],
    template: str,
    *,
    kind: str = JSON,
    extra: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a body, as JSON of the kind given or as a page from the template."""
    headers = {**CORS, "Vary": "Accept, Authorization, Cookie", **(extra or {})}
    for said in body.get("links", ()):
        if said["rel"] in {"next", "service-desc", "conformance", "data", "collection"}:
            headers["Link"] = ", ".join(filter(None, (headers.get("Link"), _header(said))))
    if not wants_html(request):
        content = orjson.dumps(body, option=orjson.OPT_UTC_Z)
        return Response(content, headers=headers, media_type=kind)
    page = _pages.get_template(f"ogc_{template}.html")
    headers |= {"Content-Security-Policy": _PAGE_POLICY}
    return Response(
        page.render(body=orjson.loads(orjson.dumps(body, option=orjson.OPT_UTC_Z)),
                    base=base_of(request)),
        headers=headers, media_type=HTML,
    )  # fmt: skip


def _header(said: Mapping[str, str]) -> str:
    return f'<{said["href"]}>; rel="{said["rel"]}"; type="{said["type"]}"'
