"""Route lines: from the service while it answers, from our own streets otherwise."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from town import at, grid

from geo import manoeuvres, position, routing, walking_build
from geo.routing import Mode
from geo.walking import EtaSource, WalkingNetwork

MPS = 1.0
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> WalkingNetwork:
    folder = tmp_path_factory.mktemp("routing")
    walking_build.build(grid(4).write(folder / "town.osm"), folder / "w", "town")
    network = WalkingNetwork.load(folder / "w", speed_mps=MPS)
    network.warm_up()
    return network


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@asynccontextmanager
async def service(answer: Answer, asked: list[bytes]) -> AsyncIterator[str]:
    """Listen on the loopback interface and answer every request the same way."""

    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if line.startswith(b"content-length")
        )
        asked.append(await reader.readexactly(length))
        await answer(reader, writer)
        writer.close()
        await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        if asked:
            await asyncio.wait_for(served.wait(), 10)


def saying(body: bytes, status: int = 200) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return answer


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the other side gives up


def encoded(points: list[tuple[float, float]]) -> str:
    """Write a polyline of millionths of a degree, latitude first."""
    letters, before = [], (0, 0)
    for lon, lat in points:
        here = round(lat * 1e6), round(lon * 1e6)
        for step in (here[0] - before[0], here[1] - before[1]):
            value = ~(step << 1) if step < 0 else step << 1
            while value >= 32:
                letters.append(chr((value & 31 | 32) + 63))
                value >>= 5
            letters.append(chr(value + 63))
        before = here
    return "".join(letters)


LEGS = [[(7.42, 43.731), (-7.421, 43.7325)], [(-7.421, 43.7325), (179.999999, -43.74)]]
TRIP = json.dumps(
    {
        "trip": {
            "legs": [{"shape": encoded(leg), "summary": {}} for leg in LEGS],
            "summary": {"time": 321.5, "length": 0.4321},
        }
    }
).encode()


async def test_the_service_s_line_is_read(client: httpx.AsyncClient) -> None:
    asked: list[bytes] = []
    stops = [at(0, 0), at(100, 100), at(300, 300)]
    async with service(saying(TRIP), asked) as url:
        found = await routing.route(client, url, stops, mode=Mode.RUN)
    assert [list(leg) for leg in found.legs] == LEGS
    assert found.line == [*LEGS[0], LEGS[1][1]]
    assert (found.travel_s, found.distance_m) == pytest.approx((321.5, 432.1))
    assert found.source is EtaSource.NETWORK
    body = json.loads(asked[0])
    assert body["locations"] == [{"lon": stop.lon, "lat": stop.lat} for stop in stops]
    assert body["costing"] == "pedestrian"
    assert body["costing_options"]["pedestrian"] == {"walking_speed": 9.0}


@pytest.mark.parametrize(
    ("mode", "costing"), [(Mode.WALK, "pedestrian"), (Mode.BIKE, "bicycle"), (Mode.CAR, "auto")]
)
async def test_each_mode_has_its_costing(
    client: httpx.AsyncClient, mode: Mode, costing: str
) -> None:
    asked: list[bytes] = []
    async with service(saying(TRIP), asked) as url:
        await routing.route(client, url, [at(0, 0), at(100, 0)], mode=mode)
    assert json.loads(asked[0])["costing"] == costing


@pytest.mark.parametrize(
    "answer",
    [
        saying(b'{"error_code":171,"error":"No suitable edges near location"}', 400),
        saying(b"", 503),
        saying(b"<html>", 200),
        saying(b'{"trip":{"legs":[]}}', 200),
        saying(b'{"trip":{"legs":[],"summary":{"time":1,"length":1}}}', 200),
        silence,
    ],
)
async def test_without_an_answer_our_own_streets_give_the_line(
    client: httpx.AsyncClient, network: WalkingNetwork, answer: Answer
) -> None:
    async with service(answer, []) as url:
        found = await routing.route(
            client, url, [at(0, 0), at(300, 300)], network=network, deadline_s=0.2
        )
    assert found.source is EtaSource.NETWORK
    assert found.travel_s == pytest.approx(600, abs=0.5)


async def test_a_service_that_is_away_is_no_error(client: httpx.AsyncClient) -> None:
    async with service(silence, []) as url:
        pass  # the port is free again
    found = await routing.route(client, url, [at(0, 0), at(300, 0)])
    assert found.source is EtaSource.ESTIMATE


async def test_our_own_line_passes_every_stop(
    client: httpx.AsyncClient, network: WalkingNetwork
) -> None:
    stops = [at(0, 0), at(200, 100), at(0, 300)]
    found = await routing.route(client, None, stops, network=network)
    assert found.source is EtaSource.NETWORK
    assert (found.travel_s, found.distance_m) == pytest.approx((700, 700), abs=0.5)
    assert len(found.legs) == 2
    for stop in stops:
        assert (stop.lon, stop.lat) in found.line


async def test_a_run_takes_less_time_on_the_same_line(
    client: httpx.AsyncClient, network: WalkingNetwork
) -> None:
    walk, run = [
        await routing.route(client, None, [at(0, 0), at(300, 0)], mode=mode, network=network)
        for mode in (Mode.WALK, Mode.RUN)
    ]
    assert run.legs == walk.legs
    assert run.travel_s == pytest.approx(walk.travel_s / 2.5, rel=1e-6)


@pytest.mark.parametrize("mode", list(Mode))
async def test_without_anything_the_line_is_straight_and_says_so(
    client: httpx.AsyncClient, network: WalkingNetwork, mode: Mode
) -> None:
    a, b = at(0, 0), at(300, 400)
    known = network if mode in (Mode.BIKE, Mode.CAR) else None  # our streets know no wheels
    found = await routing.route(client, None, [a, b], mode=mode, network=known)
    metres = 1.35 * position.distance_m(a, b)
    assert found.source is EtaSource.ESTIMATE
    assert found.line == [(a.lon, a.lat), (b.lon, b.lat)]
    assert found.distance_m == pytest.approx(metres)
    assert found.travel_s == pytest.approx(metres / routing.SPEED_MPS[mode])


async def test_one_estimated_leg_makes_the_route_an_estimate(
    client: httpx.AsyncClient, network: WalkingNetwork
) -> None:
    stops = [at(0, 0), at(300, 0), at(3000, 0)]
    found = await routing.route(client, None, stops, network=network)
    assert found.source is EtaSource.ESTIMATE


async def test_a_route_needs_two_stops(client: httpx.AsyncClient) -> None:
    with pytest.raises(ValueError, match="two stops"):
        await routing.route(client, None, [at(0, 0)])


async def test_WLK_12_one_place_that_cannot_be_joined_spoils_no_other(
    client: httpx.AsyncClient,
) -> None:
    """The service refuses every question with the bad place in it."""
    origin, bad = at(0, 0), at(200, 0)
    targets = [at(100, 0), bad, at(300, 0), at(400, 0)]
    asked: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        places = [place["lon"] for place in body["targets"]]
        asked.append(len(places))
        if bad.lon in places:
            await saying(b'{"error_code":170}', 400)(reader, writer)
        else:
            answer = {"durations": [[60.0] * len(places)], "distances": [[0.5] * len(places)]}
            await saying(json.dumps({"sources_to_targets": answer}).encode())(reader, writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found = await routing.times(client, url, origin, targets, mode=Mode.CAR)
    sources = [travel.source for travel in found]
    assert sources == [EtaSource.NETWORK, EtaSource.ESTIMATE, *[EtaSource.NETWORK] * 2]
    assert (found[0].travel_s, found[0].distance_m) == (60, 500)
    line = 1.35 * position.distance_m(origin, bad)
    assert found[1].travel_s == pytest.approx(line / routing.SPEED_MPS[Mode.CAR])
    assert asked == [4, 2, 1, 1, 2]


@pytest.mark.parametrize("answer", [saying(b"", 503), saying(b"{}"), silence])
async def test_WLK_12_a_service_that_is_away_makes_estimates(
    client: httpx.AsyncClient, network: WalkingNetwork, answer: Answer
) -> None:
    here, there = at(0, 0), at(300, 0)
    async with service(answer, []) as url:
        [found] = await routing.times(client, url, here, [there], mode=Mode.BIKE, deadline_s=0.2)
    assert found.source is EtaSource.ESTIMATE
    seconds, is_guess = await routing.matrix(
        client, None, [here], [there], mode=Mode.BIKE, network=network, within_s=900
    )
    assert is_guess.all()
    assert seconds[0, 0] == pytest.approx(found.travel_s)
    [area] = await routing.areas(client, None, here, [5], mode=Mode.CAR, network=network)
    assert area.is_estimate


@pytest.mark.parametrize(
    ("number", "street", "zh", "en"),
    [
        (1, "解放大道", "出发，沿解放大道前行", "Start along 解放大道"),
        (8, None, "继续前行", "Continue"),
        (7, "A", "继续，沿A前行", "Continue along A"),
        (10, "Rua Dom João IV", "右转，进入Rua Dom João IV", "Turn right onto Rua Dom João IV"),
        (40, None, "走楼梯", "Take the steps"),
        (4, "解放大道", "到达目的地", "You have arrived"),
        (9999, None, "继续前行", "Continue"),
    ],
)
def test_WLK_13_turns_are_said_in_two_languages(
    number: int, street: str | None, zh: str, en: str
) -> None:
    turn = manoeuvres.Turn(manoeuvres.kind_of(number), street, (7.0, 43.0), 10, 14)
    assert (turn.zh, turn.en) == (zh, en)


async def test_WLK_13_the_service_s_turns_stand_on_the_line(client: httpx.AsyncClient) -> None:
    turn = {"type": 15, "time": 5, "length": 0.01, "begin_shape_index": 1, "street_names": ["A"]}
    legs = [{"shape": encoded(LEGS[0]), "maneuvers": [turn]}]
    trip = json.dumps({"trip": {"legs": legs, "summary": {"time": 9, "length": 1}}}).encode()
    async with service(saying(trip), []) as url:
        found = await routing.route(client, url, [at(0, 0), at(100, 100)])
    assert [(t.kind, t.position, t.street) for t in found.turns[0]] == [("left", LEGS[0][1], "A")]
