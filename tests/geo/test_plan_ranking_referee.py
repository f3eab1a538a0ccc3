"""Every walking time, and the order of plans, beside a second opinion: `walking_referee`."""

import os
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import factories
import numpy as np
import pytest
import walking_referee
import walking_referee_map
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import planning, states
from geo import walking, walking_build
from geo.position import Position

pytestmark = pytest.mark.real_data

SEED = 20261122
INCIDENTS = 200
RESPONDERS = 150
TIE_S = 0.1


@dataclass(frozen=True)
class City:
    """Monaco twice: as the product holds it, and as the referee does."""

    network: walking.WalkingNetwork
    referee: walking_referee.Referee


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    given = os.environ.get("GOLDEN_TEST_DATA")
    if not given:
        pytest.skip("GOLDEN_TEST_DATA is not set")
    pbf, folder = Path(given) / "osm" / "monaco.osm.pbf", tmp_path_factory.mktemp("monaco")
    walking_build.build(pbf, folder, "monaco")
    parse = walking_referee_map.read(pbf)
    return City(
        walking.WalkingNetwork.load(folder, speed_mps=walking_referee_map.SPEED_MPS),
        walking_referee.Referee(parse),
    )


def test_walking_times_and_their_order_equal_an_independent_dijkstra(city: City) -> None:
    """200 incidents, 150 people: every time within a second, the order the same but for ties."""
    rng = np.random.default_rng(SEED)
    people = walking_referee.places_in(city.referee.parse, rng, RESPONDERS)
    standing = [(place, city.referee.stand(place)) for place in people]
    compared = estimates = 0
    for incident in walking_referee.places_in(city.referee.parse, rng, INCIDENTS):
        answers = city.network.times(incident, people, within_s=walking_referee.WITHIN_S)
        expected = city.referee.times(incident, standing)
        for answer, seconds in zip(answers, expected, strict=True):
            if answer is None:
                assert seconds > walking_referee.WITHIN_S - 1
                continue
            assert abs(answer.travel_s - seconds) <= 1.0
            compared += 1
            estimates += answer.source is walking.EtaSource.ESTIMATE
        ranked = sorted(
            (answer.travel_s, i) for i, answer in enumerate(answers) if answer is not None
        )
        # All whom the referee does not call a tie stand in the referee's order.
        for (_, earlier), (_, later) in pairwise(ranked):
            assert expected[earlier] <= expected[later] + TIE_S
    assert compared > 10_000
    assert 100 < estimates < compared / 2
    print(f"{compared} walks compared, {estimates} of them estimates")


async def test_plans_rank_people_as_an_independent_dijkstra_does(
    city: City, conn: AsyncConnection, now: datetime
) -> None:
    """The same through `planning.make`: who is chosen or left out, in which order, how far."""
    rng = np.random.default_rng(SEED + 1)
    parse, referee = city.referee.parse, city.referee
    org = await factories.make_org(conn)
    at = {
        await factories.make_responder(conn, org, position=place, now=now): place
        for place in walking_referee.places_in(parse, rng, RESPONDERS // 3)
    }
    standing = [(place, referee.stand(place)) for place in at.values()]
    ranked = 0
    for place in walking_referee.places_in(parse, rng, INCIDENTS):
        incident = await factories.make_incident(
            conn, org, kind=states.Kind.OTHER, position=place, now=now
        )
        plan = await planning.make(
            conn, incident.id, policy=factories.POLICY, network=city.network, now=now
        )
        expected = dict(zip(at, referee.times(place, standing, inbound=True), strict=True))
        found = {c.person.id: c.direct for c in (*plan.chosen, *plan.excluded)}
        for person, seconds in expected.items():
            walk = found.get(person)
            if walk is None:
                assert seconds > factories.POLICY.reach_s - 1
            else:
                assert abs(walk.travel_s - seconds) <= 1.0
        everyone = sorted(
            (c for c in (*plan.chosen, *plan.excluded) if c.rank is not None), key=by_rank
        )
        for earlier, later in pairwise(everyone):
            assert expected[earlier.person.id] <= expected[later.person.id] + TIE_S
        ranked += len(everyone)
    assert ranked > 2_000
    print(f"{ranked} people ranked in {INCIDENTS} plans")


def by_rank(considered: planning.Considered) -> int:
    assert considered.rank is not None
    return considered.rank


def test_WLK_15_walks_between_buildings_equal_an_independent_dijkstra(city: City) -> None:
    """From amid and beside every building with doors to all of them: times, ways and matrix."""
    rng = np.random.default_rng(SEED + 2)
    houses = [house.shape.representative_point() for house in city.referee.parse.houses]
    spots = np.array([walking_referee_map.degrees(point) for point in houses])
    spots = np.vstack([spots, spots + rng.normal(0, 2e-4, spots.shape)])
    places = [Position(lon, lat) for lon, lat in spots.tolist()]
    standing = [(place, city.referee.stand(place)) for place in places]
    within_s = walking_referee.WITHIN_S
    matrix = city.network.matrix(places, places, within_s=within_s)
    for row, origin in enumerate(places[::3]):
        expected = city.referee.times(origin, standing)
        answers = city.network.times(origin, places, within_s=within_s)
        for column, (answer, seconds) in enumerate(zip(answers, expected, strict=True)):
            if answer is None:
                assert seconds > within_s - 1
                continue
            assert answer.travel_s == pytest.approx(seconds, abs=1.0)
            assert matrix[3 * row, column] == pytest.approx(answer.travel_s, abs=0.1)
            if column % 10 == 0 and answer.source is walking.EtaSource.NETWORK:
                way = city.network.way(origin, places[column], within_s=within_s)
                assert way is not None
                assert way.travel.travel_s == pytest.approx(answer.travel_s, abs=0.1)
    assert sum(len(doors) > 1 for _, doors in standing) > 5
