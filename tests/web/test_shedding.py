"""What is turned away when a process has more under way than it can do."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from waiting import until

from web import shedding
from web.shedding import Rank


class Slow:
    """An app that answers nothing before it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.at_work = 0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.at_work += 1
        await self.may.wait()
        self.at_work -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def client(self) -> httpx.AsyncClient:
        app = Starlette(routes=[Mount("/", self)], middleware=[Middleware(shedding.Shedding)])
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    async def works_on(self, number: int) -> None:
        for _ in range(1_000):
            if self.at_work == number:
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{self.at_work} are at work, not {number}")


@pytest.mark.parametrize(
    ("method", "path", "how_long"),
    [
        ("GET", "/ogc/collections/aeds/items", Rank.STATISTICS),
        ("GET", "/api/v1/coverage", Rank.STATISTICS),
        ("GET", "/api/v1/aeds", Rank.STATISTICS),
        ("GET", "/api/v1/incidents", Rank.STATISTICS),
        ("GET", "/api/v1/openapi.json", Rank.STATISTICS),
        ("POST", "/api/v1/aeds", Rank.URGENT),
        ("GET", "/api/v1/aeds/7", Rank.URGENT),
        ("PUT", "/api/v1/me/position", Rank.POSITION),
        ("GET", "/api/v1/track/traccar", Rank.POSITION),
        ("POST", "/api/v1/incidents", Rank.URGENT),
        ("GET", "/api/v1/incidents/7", Rank.URGENT),
        ("GET", "/api/v1/incidents/7/review", Rank.STATISTICS),
        ("POST", "/api/v1/live/acks", Rank.URGENT),
        ("GET", "/readyz", Rank.URGENT),
    ],
)
def test_PRO_1_what_can_wait_is_known_by_its_address(
    method: str, path: str, how_long: Rank
) -> None:
    assert shedding.rank(method, path) is how_long


async def test_PRO_1_statistics_wait_their_turn_and_alarms_do_not() -> None:
    slow = Slow()
    async with slow.client() as client:
        most = shedding.AT_ONCE + shedding.WAITING_MOST
        asked = [asyncio.create_task(client.get("/api/v1/coverage")) for _ in range(most)]
        await slow.works_on(shedding.AT_ONCE)
        refused = await client.get("/api/v1/coverage")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert slow.at_work == shedding.AT_ONCE
        alarm = asyncio.create_task(client.post("/api/v1/incidents"))
        await slow.works_on(shedding.AT_ONCE + 1)
        slow.may.set()
        assert (await alarm).status_code == 200
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}


async def test_PRO_2_first_statistics_are_turned_away_then_positions_and_never_alarms() -> None:
    slow = Slow()
    async with slow.client() as client:
        asked: list[asyncio.Task[httpx.Response]] = []

        async def alarms(number: int) -> None:
            asked.extend(
                asyncio.create_task(client.post("/api/v1/incidents")) for _ in range(number)
            )
            await slow.works_on(len(asked))

        await alarms(shedding.BUSY)
        assert (await client.get("/api/v1/coverage")).status_code == 503
        await alarms(shedding.FLOODED - shedding.BUSY)
        assert (await client.put("/api/v1/me/position")).status_code == 503
        await alarms(10)
        slow.may.set()
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        assert (await client.get("/api/v1/coverage")).status_code == 200
        assert (await client.put("/api/v1/me/position")).status_code == 200


async def test_PRO_1_a_slow_reader_of_an_export_keeps_nobody_waiting() -> None:
    may_end = asyncio.Event()

    async def export(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        if scope["query_string"]:
            await may_end.wait()
        await send({"type": "http.response.body", "body": b""})

    app = Starlette(routes=[Mount("/", export)], middleware=[Middleware(shedding.Shedding)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        slow = [
            asyncio.create_task(client.get("/api/v1/aeds?slow")) for _ in range(shedding.AT_ONCE)
        ]
        assert (await client.get("/api/v1/aeds")).status_code == 200
        may_end.set()
        assert {answer.status_code for answer in await asyncio.gather(*slow)} == {200}


async def test_PRO_1_phones_that_wait_for_news_turn_nobody_away() -> None:
    slow = Slow()
    async with slow.client() as client:
        polls = [
            asyncio.create_task(client.post("/api/v1/live/poll")) for _ in range(shedding.FLOODED)
        ]
        await slow.works_on(shedding.FLOODED)
        asked = asyncio.create_task(client.get("/api/v1/coverage"))
        await slow.works_on(shedding.FLOODED + 1)
        slow.may.set()
        assert {answer.status_code for answer in await asyncio.gather(asked, *polls)} == {200}


async def test_PRO_4_a_list_lets_an_alarm_pass_but_not_for_long() -> None:
    slow = Slow()
    async with slow.client() as client:
        alarm = asyncio.create_task(client.post("/api/v1/incidents"))
        await slow.works_on(1)
        began = asyncio.get_running_loop().time()
        listing = asyncio.create_task(client.get("/api/v1/coverage"))
        await asyncio.sleep(shedding.YIELDS_S / 4)
        assert slow.at_work == 1
        await until(lambda: slow.at_work == 2)
        assert asyncio.get_running_loop().time() - began > shedding.YIELDS_S
        slow.may.set()
        assert {(await alarm).status_code, (await listing).status_code} == {200}
