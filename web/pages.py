"""The built pages: /console /go /planner /sign-in, their assets, and where `/` leads.

`/aed` needs no script and stands in web/aed_page.py.

Assets carry a hash in their names and are kept for good; everything else is asked for again.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dispatch import states
from web.dependencies import MaybeCaller

DIST = Path(__file__).parent / "ui" / "dist"
PAGES = ("console", "go", "planner", "sign-in")

_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"

router = APIRouter(include_in_schema=False)

#: Where a signed-in person works, by the first of these roles that they have.
_PLACES = (
    (states.OrgRole.OPERATOR, "/console"),
    (states.OrgRole.ADMIN, "/console"),
    (states.OrgRole.RESPONDER, "/go"),
    (states.OrgRole.PLANNER, "/planner"),
)

_NOT_BUILT = """<!doctype html><html lang="zh"><meta charset="utf-8">
<title>Golden Minutes</title>
<h1>页面尚未构建</h1><p>请在代码目录运行 <code>scripts/start</code>，它会构建页面并启动系统。</p>
<h1>The pages are not built</h1>
<p>Run <code>scripts/start</code> in the clone: it builds them and starts the system.</p></html>
"""


class Files(StaticFiles):
    """The folder of built files, each with the right caching; unbuilt, it holds nothing."""

    async def check_config(self) -> None:
        """Let the app start before the pages are built."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one file, or raise 404; source maps stay at home."""
        if path.endswith(".map"):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOR_GOOD if path.startswith("assets/") else _ASK_AGAIN
        return response


_files = Files(directory=DIST, check_dir=False)


async def _page(request: Request) -> Response:
    name = request.url.path.strip("/")
    path = f"{name}/index.html"
    if not (DIST / path).is_file():
        return HTMLResponse(
            _NOT_BUILT, 503, headers={"Cache-Control": "no-store", "Retry-After": "30"}
        )
    return await _files.get_response(path, request.scope)


for _name in PAGES:
    router.add_api_route(f"/{_name}", _page, methods=["GET", "HEAD"], name=_name)
    # A page keeps its own places behind its address; the server knows only the page.
    router.add_api_route(f"/{_name}/", _page, methods=["GET", "HEAD"], name=f"{_name} slash")


@router.get("/")
async def front_door(caller: MaybeCaller) -> Response:
    """Lead people to where they work, and strangers to the door."""
    roles = set() if caller is None else set(caller.roles)
    place = next((place for role, place in _PLACES if role.value in roles), None)
    if caller is not None and place is None:
        place = "/console"
    return RedirectResponse(place or "/sign-in", 303, headers={"Cache-Control": "no-store"})


@router.get("/assets/{name}")
async def asset(request: Request, name: str) -> Response:
    """Answer a file whose name changes with its content."""
    return await _files.get_response(f"assets/{name}", request.scope)


@router.get("/{name}")
async def plain_file(request: Request, name: str) -> Response:
    """Answer a file that must keep its name: icons, the manifest, the service worker."""
    return await _files.get_response(name, request.scope)
