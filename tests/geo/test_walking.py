"""Walking times: what they promise, on a town by hand and on towns that chance lays out."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from town import Town, at, grid

from geo import position, walking_build
from geo.position import Position
from geo.walking import SNAP_M, EtaSource, Travel, WalkingNetwork

MPS = 1.0
FAR_S = 5_000.0

on_grid = st.tuples(st.integers(0, 40), st.integers(0, 4), st.booleans())
anywhere = st.builds(at, st.floats(-150, 550), st.floats(-150, 550))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> WalkingNetwork:
    """Load a grid of 5 x 5 crossings, 100 m apart, with a stair across one block."""
    folder = tmp_path_factory.mktemp("walking")
    town = grid(5)
    town.way("n1_1 n2_2", "steps")
    walking_build.build(town.write(folder / "town.osm"), folder / "w", "town")
    return WalkingNetwork.load(folder / "w", speed_mps=MPS)


@pytest.fixture(scope="module")
def random_town(tmp_path_factory: pytest.TempPathFactory) -> WalkingNetwork:
    """Load a crooked town: 120 nodes where chance put them, each joined to its nearest four."""
    rng = np.random.default_rng(7)
    spots = rng.uniform(0, 1000, (120, 2))
    town = Town()
    for i, (east, north) in enumerate(spots.tolist()):
        town.node(f"s{i}", east, north)
    for i, spot in enumerate(spots):
        for j in np.argsort(((spots - spot) ** 2).sum(axis=1))[1:5].tolist():
            town.way(f"s{i} s{j}", "steps" if (i + j) % 7 == 0 else "footway")
    folder = tmp_path_factory.mktemp("crooked")
    walking_build.build(town.write(folder / "town.osm"), folder / "w", "crooked")
    return WalkingNetwork.load(folder / "w", speed_mps=MPS)


def walk(network: WalkingNetwork, a: Position, b: Position, within_s: float = FAR_S) -> Travel:
    [travel] = network.times(a, [b], within_s=within_s)
    assert travel is not None
    return travel


def spot(where: tuple[int, int, bool]) -> tuple[float, float]:
    """Give a place on the grid's streets: 10 m steps along one of five streets either way."""
    along, street, is_east = where
    return (along * 10.0, street * 100.0) if is_east else (street * 100.0, along * 10.0)


def by_hand(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Walk a grid of 100 m blocks: Manhattan, but for two parallel streets of one block."""
    (ax, ay), (bx, by) = a, b
    direct = abs(ax - bx) + abs(ay - by)
    for u, v in ((ax, bx), (ay, by)):
        is_between = u % 100 and v % 100 and u // 100 == v // 100
        if is_between and (ay != by if u == ax and v == bx else ax != bx):
            return direct + 2 * min(u % 100, v % 100, 100 - u % 100, 100 - v % 100)
    return direct


@given(on_grid, on_grid)
def test_a_grid_is_walked_as_by_hand(
    network: WalkingNetwork, a: tuple[int, int, bool], b: tuple[int, int, bool]
) -> None:
    here, there = spot(a), spot(b)
    travel = walk(network, at(*here), at(*there))
    # The stair is 141.4 m long and counts for 198: less than the 200 m round the corner.
    assert travel.travel_s <= by_hand(here, there) + 0.5
    assert travel.travel_s >= by_hand(here, there) - 2.5
    assert travel.source is EtaSource.NETWORK


def test_a_place_is_put_on_the_street_not_on_its_nearest_crossing(network: WalkingNetwork) -> None:
    travel = walk(network, at(50, 20), at(50, 300))
    # 20 m to the street below, 50 m to the corner, 300 m up, 50 m back.
    assert travel.travel_s == pytest.approx(20 + 50 + 300 + 50, abs=0.5)
    assert travel.distance_m == pytest.approx(travel.travel_s, abs=0.01)


def test_two_places_on_one_street_walk_along_it(network: WalkingNetwork) -> None:
    assert walk(network, at(110, 0), at(190, 0)).travel_s == pytest.approx(80, abs=0.1)


def test_two_places_in_one_block_may_go_straight(network: WalkingNetwork) -> None:
    a, b = at(145, 40), at(155, 40)
    assert walk(network, a, b).travel_s == pytest.approx(13.5, abs=0.1)
    assert walk(network, a, a).travel_s == 0
    # Across the block the way along the streets is the longer part: no going straight.
    assert walk(network, at(150, 20), at(150, 80)).travel_s > 200


@given(anywhere, anywhere)
def test_walking_is_symmetric(network: WalkingNetwork, a: Position, b: Position) -> None:
    there, back = walk(network, a, b), walk(network, b, a)
    assert there.travel_s == pytest.approx(back.travel_s, abs=1e-3)
    assert there.source is back.source


@given(st.data())
def test_no_way_round_is_quicker(random_town: WalkingNetwork, data: st.DataObject) -> None:
    """The triangle inequality, exactly for places on streets."""
    place = st.integers(0, 10_000).map(lambda n: _street_place(random_town, n))
    a, b, c = data.draw(place), data.draw(place), data.draw(place)
    direct = walk(random_town, a, b).travel_s
    assert direct <= walk(random_town, a, c).travel_s + walk(random_town, c, b).travel_s + 0.01


def _street_place(network: WalkingNetwork, n: int) -> Position:
    """Pick a place on the line of some walk through the town."""
    way = network.way(at(500, 500), at(n % 1000, n // 10), within_s=FAR_S)
    assert way is not None
    return way.line[1 + n % (len(way.line) - 2)] if len(way.line) > 2 else way.line[0]


@given(anywhere, anywhere)
def test_no_walk_is_shorter_than_the_line(
    network: WalkingNetwork, a: Position, b: Position
) -> None:
    travel = walk(network, a, b)
    assert travel.distance_m >= position.distance_m(a, b) - 0.05
    assert travel.travel_s >= travel.distance_m / MPS - 1e-6


@given(st.floats(-400, 800), st.floats(-400, 800))
def test_places_far_from_any_street_are_estimated(
    network: WalkingNetwork, east: float, north: float
) -> None:
    off = math.hypot(max(-east, 0, east - 400), max(-north, 0, north - 400))
    assume(abs(off - SNAP_M) > 0.5)
    travel = walk(network, at(150, 0), at(east, north))
    assert travel.source is (EtaSource.ESTIMATE if off > SNAP_M else EtaSource.NETWORK)
    if travel.source is EtaSource.ESTIMATE:
        line = position.distance_m(at(150, 0), at(east, north))
        assert travel.distance_m == pytest.approx(1.35 * line)


def test_without_any_city_everything_is_an_estimate(tmp_path: Path) -> None:
    empty = WalkingNetwork.load(tmp_path / "none", speed_mps=MPS)
    assert empty.generation == ""
    a, b = Position(114.3, 30.6), Position(114.31, 30.6)
    line = position.distance_m(a, b)
    travel = walk(empty, a, b, line * 1.36)
    assert travel.source is EtaSource.ESTIMATE
    assert (travel.travel_s, travel.distance_m) == pytest.approx((line * 1.35, line * 1.35))
    assert walk(empty, a, a) == Travel(0.0, 0.0, EtaSource.ESTIMATE)
    assert empty.times(a, [b], within_s=line) == [None]
    assert empty.times(a, [], within_s=line) == []
    assert empty.way(a, b, within_s=line) is None
    assert np.isinf(empty.reach([a], [b], line)).all()


@given(anywhere, st.lists(anywhere, max_size=8), st.floats(1, 900))
def test_beyond_the_limit_there_is_no_answer(
    network: WalkingNetwork, origin: Position, targets: list[Position], within_s: float
) -> None:
    far = network.times(origin, targets, within_s=FAR_S)
    near = network.times(origin, targets, within_s=within_s)
    for whole, bounded in zip(far, near, strict=True):
        assert whole is not None
        if abs(whole.travel_s - within_s) > 1e-6:
            assert bounded == (whole if whole.travel_s <= within_s else None)


@given(anywhere, anywhere, st.floats(0.5, 4.0))
def test_speed_only_divides(
    network: WalkingNetwork, a: Position, b: Position, speed_mps: float
) -> None:
    [level] = network.times(a, [b], within_s=FAR_S)
    [other] = network.times(a, [b], within_s=FAR_S * 3, speed_mps=speed_mps)
    assert level is not None
    assert other is not None
    assert other.travel_s == pytest.approx(level.travel_s * MPS / speed_mps)
    assert other.distance_m == pytest.approx(level.distance_m)


@given(st.lists(anywhere, max_size=6), st.lists(anywhere, max_size=6), st.floats(50, 900))
def test_reach_is_the_least_of_all_walks(
    network: WalkingNetwork, sources: list[Position], targets: list[Position], within_s: float
) -> None:
    reached = network.reach(sources, targets, within_s)
    assert reached.dtype == np.float32
    for i, target in enumerate(targets):
        walks = [t for t in network.times(target, sources, within_s=within_s) if t is not None]
        least = min((t.travel_s for t in walks), default=math.inf)
        if abs(least - within_s) < 1e-3:
            continue
        # Going straight is asked of the source that is nearest along the streets.
        assert reached[i] >= least - 0.01
        off = 2 * 2 * SNAP_M
        assert reached[i] <= least + 0.01 or least < off


@given(anywhere, anywhere)
def test_the_line_of_a_walk_is_as_long_as_the_walk(
    network: WalkingNetwork, a: Position, b: Position
) -> None:
    way = network.way(a, b, within_s=FAR_S)
    assert way is not None
    assert (way.line[0], way.line[-1]) == (a, b)
    assert way.travel == walk(network, a, b)
    metres = sum(position.distance_m(p, q) for p, q in pairwise(way.line))
    straight = position.distance_m(a, b)
    if way.travel.distance_m > 1.36 * straight or len(way.line) > 2:
        assert metres == pytest.approx(way.travel.distance_m, abs=0.2)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_lines_follow_streets_in_a_crooked_town(
    random_town: WalkingNetwork, m: int, n: int
) -> None:
    a, b = _street_place(random_town, m), _street_place(random_town, n)
    way = random_town.way(a, b, within_s=FAR_S)
    assert way is not None
    if len(way.line) > 2:
        metres = sum(position.distance_m(p, q) for p, q in pairwise(way.line))
        assert metres == pytest.approx(way.travel.distance_m, abs=0.2)


def test_threads_ask_side_by_side(random_town: WalkingNetwork) -> None:
    rng = np.random.default_rng(3)
    places = [at(*xy) for xy in rng.uniform(0, 1000, (60, 2)).tolist()]
    alone = [random_town.times(place, places, within_s=FAR_S) for place in places]
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda p: random_town.times(p, places, within_s=FAR_S), places * 4)
        assert list(together) == alone * 4


def test_warm_up_changes_nothing(network: WalkingNetwork) -> None:
    before = network.times(at(0, 0), [at(400, 400)], within_s=FAR_S)
    network.warm_up()
    assert network.times(at(0, 0), [at(400, 400)], within_s=FAR_S) == before
