"""Tiles are rebuilt while the routing service runs: who asks gets an answer at any moment."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from town import Town, at, grid

from geo import routing
from geo.routing import Route
from geo.walking import EtaSource
from web.commands import routing_service, routing_watch, supervise, valhalla

pytestmark = pytest.mark.skipif(
    not routing_service.is_installed(), reason="the routing engine is not installed"
)


def town(*, has_short_cut: bool) -> Town:
    made = grid(12)
    if has_short_cut:
        made.way("n0_0 n11_11", "footway", name="Diagonale")
    return made


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


async def ask(client: httpx.AsyncClient, url: str) -> Route:
    return await routing.route(client, url, [at(0, 0), at(1100, 1100)])


async def test_WLK_7_tiles_are_swapped_under_a_running_service(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    folder = tmp_path / "valhalla"
    service = routing_service.Service.reserve(folder)
    assert service is not None
    supervisor = supervise.Supervisor(tmp_path, lambda _text: None)
    watch = asyncio.create_task(routing_watch.watch(supervisor, service, every_s=0.05))
    try:
        before = await ask(client, service.url)
        assert before.source is EtaSource.ESTIMATE  # no tiles yet, and no error
        for has_short_cut, least_m in ((False, 2150), (True, 1500)):
            source = town(has_short_cut=has_short_cut).write(tmp_path / "town.osm")
            build = asyncio.to_thread(valhalla.build, folder, name="town", source=source)
            building = asyncio.create_task(build)
            async with asyncio.timeout(60):
                # Any answer will do until the new tiles serve; an error would end the test.
                while not is_of(await ask(client, service.url), least_m):
                    pass
            await building
        found = await ask(client, service.url)
        assert found.turns[0][0].zh.startswith("出发")
        assert "Diagonale" in {turn.street for turn in found.turns[0]}
        [child] = supervisor.children()
        assert child.restarts == 0  # it was meant
        assert len(list(folder.glob(".tiles.*"))) == 2  # these, and the ones before
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await supervisor.stop()


def is_of(found: Route, metres: float) -> bool:
    """Tell whether the service answered, and by which tiles."""
    return found.source is EtaSource.NETWORK and abs(found.distance_m - metres) < 100
