"""The built pages and files: which are kept, which are asked for again, and what is not served."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from web import pages


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the build leaves it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    for page in pages.PAGES:
        (folder / page).mkdir()
        (folder / page / "index.html").write_text(f"<title>{page}</title>")
    (folder / "assets" / "main-abc.js").write_text("let a = 1;\n" * 500)
    (folder / "assets" / "main-abc.js.map").write_text("{}")
    (folder / "go-worker.js").write_text("self.b = 1;")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(pages, "DIST", folder)
    monkeypatch.setattr(pages, "_files", pages.Files(directory=folder))
    return folder


async def test_pages_are_asked_for_again_and_assets_are_kept(
    stranger: httpx.AsyncClient, dist: Path
) -> None:
    for page in pages.PAGES:
        for path in (f"/{page}", f"/{page}/"):
            answer = await stranger.get(path)
            assert (answer.status_code, page in answer.text) == (200, True)
            assert answer.headers["cache-control"] == "no-cache"
    asset = await stranger.get("/assets/main-abc.js", headers={"Accept-Encoding": "gzip"})
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-encoding"] == "gzip"
    worker = await stranger.get("/go-worker.js")
    assert (worker.status_code, worker.headers["cache-control"]) == (200, "no-cache")
    again = await stranger.get("/go-worker.js", headers={"If-None-Match": worker.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/assets/main-abc.js.map",
        "/assets/none.js",
        "/none",
        "/assets/..%2f..%2fsecret.txt",
        "/..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets",
        "/.git",
    ],
)
async def test_nothing_else_is_served(stranger: httpx.AsyncClient, dist: Path, path: str) -> None:
    answer = await stranger.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_before_the_build_a_page_says_what_to_do(
    stranger: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "DIST", tmp_path / "none")
    answer = await stranger.get("/console")
    assert answer.status_code == 503
    assert "scripts/start" in answer.text
