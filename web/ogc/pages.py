"""The pages under /ogc: landing page, conformance, collections, features, and what describes them.

Errors are the problem documents of everywhere; what the standard asks of a bad parameter is a 400.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import PlainTextResponse

from dispatch import errors
from web import auth, problems, tiles
from web.dependencies import Now, database_of
from web.ogc import access, collections, definition, query, render
from web.ogc.collections import About, Reader


async def _open(request: Request, now: Now) -> AsyncIterator[Reader]:
    """Open one look at everything; the copy in memory first, while no connection is held."""
    database = database_of(request)
    await tiles.tiles_of(request).refresh(request)
    caller = await access.caller_of(request)
    async with database.snapshot() as conn:
        yield Reader(request, conn, caller, now)


Open = Annotated[Reader, Depends(_open, scope="function")]
router = APIRouter(prefix="/ogc", include_in_schema=False)

_CONF = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
CONFORMS_TO = [_CONF + name for name in ("core", "oas30", "html", "geojson")]
_METHODS = ["GET", "HEAD"]


@router.api_route("", methods=_METHODS)
@router.api_route("/", methods=_METHODS)
async def landing(request: Request) -> Response:
    """Say what is here and where to go on."""
    query.check(request)
    base = render.base_of(request)
    links = [
        *render.both(request),
        render.link(f"{base}/api?f=json", "service-desc", render.OPENAPI, "OpenAPI 3.0"),
        render.link(f"{base}/api?f=html", "service-doc", render.HTML, "接口说明 · API"),
        render.link(f"{base}/conformance", "conformance", render.JSON, "符合性 · Conformance"),
        render.link(f"{base}/collections", "data", render.JSON, "数据集 · Collections"),
    ]
    body = {
        "title": "Golden Minutes 黄金时间",
        "description": "公开的急救数据，供地图软件读取（OGC API – Features）。"
        " Public rescue data for map programs (OGC API – Features).",
        "links": links,
    }
    return render.send(request, body, "landing")


@router.api_route("/conformance", methods=_METHODS)
async def conformance(request: Request) -> Response:
    """Name the conformance classes that are kept."""
    query.check(request)
    body = {"conformsTo": CONFORMS_TO, "links": render.both(request)}
    return render.send(request, body, "conformance")


@router.api_route("/api", methods=_METHODS)
async def api(request: Request) -> Response:
    """Describe everything here in OpenAPI 3.0."""
    query.check(request)
    body = definition.write(render.base_of(request))
    return render.send(request, body, "api", kind=render.OPENAPI)


@router.api_route("/style.css", methods=_METHODS)
async def style() -> Response:
    """Dress the pages."""
    return PlainTextResponse(_STYLE, media_type="text/css")


@router.options("/{path:path}")
async def preflight() -> Response:
    """Tell browsers that pages of other sites may read, with a token."""
    allow = {
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Accept",
        "Access-Control-Max-Age": "86400",
    }
    return Response(status_code=204, headers={**render.CORS, **allow})


@router.api_route("/collections", methods=_METHODS)
async def list_collections(request: Request, reader: Open) -> Response:
    """List the collections that the caller may read."""
    query.check(request)
    shown = [await _about(reader, about) for about in collections.visible(reader.caller)]
    return render.send(
        request, {"links": render.both(request), "collections": shown}, "collections"
    )


@router.api_route("/collections/{name}", methods=_METHODS)
async def show_collection(request: Request, name: str, reader: Open) -> Response:
    """Describe one collection."""
    query.check(request)
    about = _found(name)
    if refusal := _refusal(reader, about):
        return refusal
    body = await _about(reader, about)
    body["links"] = [*render.both(request), *body["links"]]
    return render.send(request, body, "collection")


@router.api_route("/collections/{name}/items", methods=_METHODS)
async def list_items(request: Request, name: str, reader: Open) -> Response:
    """List features, in pages."""
    about = _found(name)
    asked = query.read(request, about.filters)
    if refusal := _refusal(reader, about):
        return refusal
    found = await collections.items(reader, about, asked)
    links = [*render.both(request, render.GEOJSON), _collection_link(request, about)]
    if found.next is not None:
        links.append(render.next_page(request, found.next, render.GEOJSON))
    body = {
        "type": "FeatureCollection",
        "features": found.items,
        "links": links,
        "timeStamp": reader.now,
        "numberMatched": found.matched,
        "numberReturned": len(found.items),
    }
    return _send_features(request, body, "items")


@router.api_route("/collections/{name}/items/{fid}", methods=_METHODS)
async def show_item(request: Request, name: str, fid: str, reader: Open) -> Response:
    """Show one feature."""
    query.check(request, ("crs",))
    about = _found(name)
    if refusal := _refusal(reader, about):
        return refusal
    found = await collections.item(reader, about, fid)
    if found is None:
        raise errors.NotFound
    links = [*render.both(request, render.GEOJSON), _collection_link(request, about)]
    return _send_features(request, {**found, "links": links}, "item")


def _send_features(request: Request, body: dict[str, Any], template: str) -> Response:
    crs = {"Content-Crs": f"<{query.CRS84}>"}
    return render.send(request, body, template, kind=render.GEOJSON, extra=crs)


def _found(name: str) -> About:
    about = collections.find(name)
    if about is None:
        raise errors.NotFound
    return about


def _refusal(reader: Reader, about: About) -> Response | None:
    """Ask for a token in a way that map programs understand."""
    try:
        collections.require(about, reader.caller)
    except auth.NotSignedIn as error:
        extra = {"WWW-Authenticate": access.CHALLENGE, **render.CORS}
        return problems.answer(reader.request, error.code, extra=extra)
    return None


async def _about(reader: Reader, about: About) -> dict[str, Any]:
    items = f"{render.base_of(reader.request)}/collections/{about.id}/items"
    return {
        "id": about.id,
        "title": about.title,
        "description": about.description,
        "itemType": "feature",
        "crs": [query.CRS84],
        "extent": await collections.extent(reader, about),
        "links": [
            render.link(f"{items}?f=json", "items", render.GEOJSON, "GeoJSON"),
            render.link(f"{items}?f=html", "items", render.HTML, "HTML"),
        ],
    }


def _collection_link(request: Request, about: About) -> dict[str, str]:
    href = f"{render.base_of(request)}/collections/{about.id}"
    return render.link(href, "collection", render.JSON, about.title)


_STYLE = """
body { font: 16px/1.5 system-ui, "Noto Sans SC", "WenQuanYi Micro Hei", sans-serif; margin: 0 auto;
  max-width: 72rem; padding: 1rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.5rem; } nav a, li a { margin-right: 0.75rem; } a { color: #0b5cad; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem 0.35rem 0;
  border-bottom: 1px solid #ccc; }
.wide { overflow-x: auto; } code { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #16181b; } a { color: #8cc2ff; } th, td { border-color: #444; }
}
"""
