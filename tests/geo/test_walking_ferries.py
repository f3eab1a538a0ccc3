"""Ferries carry people on foot: how long one waits and sails, and who may board."""

from pathlib import Path

import pytest
from town import Town, at

from geo import ferries, walking_build
from geo.walking import EtaSource, Travel, WalkingNetwork


def harbour() -> Town:
    """Lay out two shores, 1,000 m apart, each with a street of 200 m to its pier."""
    town = Town()
    for name, east in (("west", 0), ("pier", 200), ("buoy", 500), ("quay", 1200), ("east", 1400)):
        town.node(name, east, 0)
    town.way("west pier")
    town.way("quay east")
    return town


def network_of(town: Town, tmp_path: Path) -> WalkingNetwork:
    walking_build.build(town.write(tmp_path / "town.osm"), tmp_path / "w", "town")
    return WalkingNetwork.load(tmp_path / "w", speed_mps=1.0)


def across(network: WalkingNetwork, *, speed_mps: float = 1.0, back: bool = False) -> Travel:
    ends = (at(1400, 0), at(0, 0)) if back else (at(0, 0), at(1400, 0))
    [travel] = network.times(ends[0], [ends[1]], within_s=10_000, speed_mps=speed_mps)
    assert travel is not None
    [[cell]] = network.matrix([ends[0]], [ends[1]], within_s=10_000, speed_mps=speed_mps)
    assert cell == pytest.approx(travel.travel_s)
    return travel


@pytest.mark.parametrize(
    ("tags", "ferry_s"),
    [
        ({"duration": "00:04", "interval": "20"}, 240 + 600),
        ({"duration": "PT15M", "interval": "00:30"}, 900 + 900),
        ({"duration": "6"}, 360 + ferries.BOARDING_S),
        ({"duration": "soon"}, 1000 / ferries.SPEED_MPS + ferries.BOARDING_S),
        ({"foot": "yes", "access": "private"}, 1000 / ferries.SPEED_MPS + ferries.BOARDING_S),
    ],
)
def test_WLK_16_a_ferry_takes_its_time_however_fast_one_walks(
    tmp_path: Path, tags: dict[str, str], ferry_s: float
) -> None:
    town = harbour()
    town.way("pier buoy quay", None, route="ferry", **tags)
    network = network_of(town, tmp_path)
    for speed in (1.0, 2.5):
        for back in (False, True):
            travel = across(network, speed_mps=speed, back=back)
            assert travel.source is EtaSource.NETWORK
            assert travel.travel_s == pytest.approx(400 / speed + ferry_s, abs=0.5)
            assert travel.distance_m == pytest.approx(400, abs=0.5)  # nobody walks on the water
    way = network.way(at(0, 0), at(1400, 0), within_s=10_000)
    assert way is not None
    assert len(way.line) >= 5


@pytest.mark.parametrize("tags", [{"foot": "no"}, {"access": "private"}, {"foot": "private"}])
def test_WLK_16_a_ferry_that_takes_nobody_on_foot_joins_nothing(
    tmp_path: Path, tags: dict[str, str]
) -> None:
    town = harbour()
    town.way("pier quay", None, route="ferry", duration="1", **tags)
    assert across(network_of(town, tmp_path)).source is EtaSource.ESTIMATE


def test_WLK_16_one_waits_once_for_a_line_and_again_for_the_next(tmp_path: Path) -> None:
    town = harbour()
    town.way("pier buoy", None, route="ferry", duration="1")
    town.way("buoy quay", None, route="ferry", duration="1")  # the same line goes on
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    assert across(network_of(town, one)).travel_s == pytest.approx(400 + 120 + 600, abs=0.5)
    town.node("stage", 520, 0)
    town.way("buoy stage", "footway")  # now it is a pier, where one changes
    two.mkdir()
    assert across(network_of(town, two)).travel_s == pytest.approx(400 + 120 + 1200, abs=0.5)


def test_WLK_16_nobody_stands_on_a_ferry_and_no_area_lies_along_it(tmp_path: Path) -> None:
    town = harbour()
    town.way("pier buoy quay", None, route="ferry", duration="1")
    network = network_of(town, tmp_path)
    way = network.way(at(350, 0), at(0, 0), within_s=1000)
    assert way is not None
    assert way.travel.travel_s == pytest.approx(150 + 200, abs=0.5)
    [area] = network.isochrone(at(0, 0), [840.0])
    west, _, east, _ = area.shape.bounds
    assert east < at(250, 0).lon
    [area] = network.isochrone(at(0, 0), [200 + 660 + 100.0])
    assert area.shape.bounds[2] > at(1290, 0).lon
    assert len(area.shape.geoms) == 2  # both shores, not the water
    assert west < at(0, 0).lon


@pytest.mark.parametrize("text", ["", None, "0", "often", "-5", "99:99:99", "PT", "10000000"])
def test_times_that_say_nothing_are_left_out(text: str | None) -> None:
    assert ferries.seconds(text) is None
