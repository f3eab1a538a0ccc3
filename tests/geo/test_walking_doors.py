"""Who is in a building leaves it by a door."""

from pathlib import Path

import numpy as np
import pytest
from town import Town, at

from geo import doors, walking_build
from geo.position import Position
from geo.walking import Travel, WalkingNetwork


def block() -> Town:
    """Lay out a street in the south, one in the north 120 m away, and a house between.

    The house is 100 m wide and 60 m high, 10 m from the southern street, 50 m from the northern.
    """
    town = Town()
    corners = {"a": (0, 0), "b": (200, 0), "c": (0, 120), "d": (200, 120)}
    house = {"sw": (50, 10), "se": (150, 10), "ne": (150, 70), "nw": (50, 70)}
    for name, (east, north) in (corners | house).items():
        town.node(name, east, north)
    town.way("a b")
    town.way("c d")
    town.way("a c")
    return town


def network_of(town: Town, tmp_path: Path) -> WalkingNetwork:
    walking_build.build(town.write(tmp_path / "town.osm"), tmp_path / "w", "town")
    return WalkingNetwork.load(tmp_path / "w", speed_mps=1.0)


def seconds(network: WalkingNetwork, a: Position, b: Position) -> float:
    """Walk from a to b, asked every way that there is; all must agree."""
    [there] = network.times(a, [b], within_s=2000)
    [back] = network.times(b, [a, at(0, 0)], within_s=2000, inbound=True)[:1]
    [row] = network.matrix([a], [b, at(10, 0), b], within_s=2000)
    [[_], [second], _] = network.matrix([at(10, 0), a, a], [b], within_s=2000)
    [reached] = network.reach([a, a], [b], 2000.0)
    way = network.way(a, b, within_s=2000)
    assert there is not None
    assert back is not None
    assert way is not None
    others = [back.travel_s, row[0], row[2], second, float(reached), way.travel.travel_s]
    assert others == pytest.approx([there.travel_s] * 6, abs=0.01)
    return there.travel_s


def test_WLK_15_one_leaves_by_the_door_not_through_the_nearest_wall(tmp_path: Path) -> None:
    town = block()
    town.node("door", 100, 70, entrance="main")  # in the north wall
    town.way("sw se ne door nw sw", None, building="yes")
    network = network_of(town, tmp_path)
    here, south, north = at(100, 20), at(100, 0), at(100, 120)
    assert seconds(network, here, north) == pytest.approx(50 + 50, abs=0.1)
    assert seconds(network, here, south) == pytest.approx(50 + 50 + 100 + 120 + 100, abs=0.1)
    way = network.way(here, north, within_s=2000)
    assert way is not None
    assert any(abs(p.lat - at(0, 70).lat) < 1e-7 for p in way.line)
    # Outside nothing changes.
    assert seconds(network, at(100, 5), south) == pytest.approx(5, abs=0.1)


def test_WLK_15_of_several_doors_the_quickest_counts_for_each_walk(tmp_path: Path) -> None:
    town = block()
    town.node("front", 100, 10, entrance="main")
    town.node("rear", 100, 70, entrance="service")
    town.way("sw front se ne rear nw sw", None, building="yes")
    network = network_of(town, tmp_path)
    here = at(100, 30)
    assert seconds(network, here, at(150, 0)) == pytest.approx(20 + 10 + 50, abs=0.1)
    assert seconds(network, here, at(150, 120)) == pytest.approx(40 + 50 + 50, abs=0.1)
    # Within the house one goes straight.
    assert seconds(network, here, at(100, 50)) == pytest.approx(20 * 1.35, abs=0.1)


def test_WLK_15_a_door_on_a_footway_is_where_one_stands(tmp_path: Path) -> None:
    town = block()
    town.node("door", 100, 70, entrance="yes")
    town.node("gate", 100, 120)
    town.way("sw se ne door nw sw", None, building="yes")
    town.way("door gate d", "footway")
    network = network_of(town, tmp_path)
    assert seconds(network, at(100, 60), at(100, 100)) == pytest.approx(10 + 30, abs=0.1)
    [[snap]] = [
        network._cities[0]
        .snap(*(np.array([v]) for v in (at(100, 60).lon, at(0, 60).lat)))
        .off.tolist()
    ]
    assert snap == pytest.approx(10, abs=0.05)


@pytest.mark.parametrize(
    ("tags", "is_used"),
    [
        ({"entrance": "staircase"}, True),
        ({"door": "sliding"}, True),
        ({"door": "no"}, False),
        ({"entrance": "exit"}, False),
        ({"entrance": "exit", "door": "yes"}, False),
        ({"entrance": "main", "access": "private"}, False),
        ({"entrance": "main", "access": "no", "emergency": "yes"}, True),
        ({"entrance": "main", "access": "no", "foot": "yes"}, True),
        ({"entrance": "home", "access": "customers"}, True),
    ],
)
def test_WLK_15_tags_decide_what_is_a_door(
    tmp_path: Path, tags: dict[str, str], *, is_used: bool
) -> None:
    town = block()
    town.node("door", 100, 70, **tags)
    town.way("sw se ne door nw sw", None, building="yes")
    expected = 50 + 50 if is_used else 20 + 100 + 120 + 100  # through the wall in the south
    found = seconds(network_of(town, tmp_path), at(100, 20), at(100, 120))
    assert found == pytest.approx(expected, abs=0.1)
    assert doors.is_door(tags) is is_used


def test_WLK_15_the_smallest_building_and_its_outline_count(tmp_path: Path) -> None:
    town = block()
    town.node("door", 100, 70, entrance="main")
    town.node("kiosk", 110, 30, entrance="main")
    town.node("ke", 120, 30)
    town.node("kn", 115, 40)
    town.way("sw se ne door nw sw", None, building="yes")
    town.way("kiosk ke kn kiosk", None, building="kiosk")
    network = network_of(town, tmp_path)
    # In the kiosk: by its own door, then to the street in the south.
    assert seconds(network, at(115, 32), at(150, 0)) == pytest.approx(5.4 + 30 + 40, abs=0.2)
    # On the outline of the house: by its door.
    assert seconds(network, at(100, 10), at(100, 120)) == pytest.approx(60 + 50, abs=0.1)


def test_WLK_15_a_memo_of_places_keeps_all_their_doors(tmp_path: Path) -> None:
    town = block()
    town.node("front", 100, 10, entrance="main")
    town.node("rear", 100, 70, entrance="service")
    town.way("sw front se ne rear nw sw", None, building="yes")
    network = network_of(town, tmp_path)
    targets = [at(100, 30), at(10, 0), at(100, 50), at(100, 30), at(5, 115)]
    first = [network.times(at(150, 120), targets, within_s=900) for _ in range(2)]
    assert first[0] == first[1]
    alone = [network.times(at(150, 120), [place], within_s=900)[0] for place in targets]
    assert alone == first[0]
    assert all(isinstance(travel, Travel) for travel in alone)
    [area] = network.isochrone(at(100, 40), [120.0])
    assert not area.is_estimate


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("is_turned", [False, True])
def test_WLK_31_places_with_several_doors_are_in_a_matrix_by_the_best(
    tmp_path: Path, threads: int, is_turned: bool
) -> None:
    town = block()
    for name, north in (("north", 70), ("south", 10)):
        town.node(name, 100, north, entrance="yes")
    town.way("sw south se ne north nw sw", None, building="yes")
    network = network_of(town, tmp_path)
    rng = np.random.default_rng(6)
    inside = [at(x, y) for x, y in rng.uniform((55, 15), (145, 65), (150, 2)).tolist()]
    streets = [at(x, y) for x in range(0, 200, 5) for y in (0, 120)] * 5
    sides = (streets, inside) if is_turned else (inside, streets)
    found = network.matrix(*sides, within_s=200, threads=threads)
    for row, origin in zip(found, sides[0], strict=True):
        walks = network.times(origin, sides[1], within_s=200)
        expected = [np.nan if walk is None else walk.travel_s for walk in walks]
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-6)
