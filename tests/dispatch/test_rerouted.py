"""Another AED for those who cannot get theirs, or none; seconds from now."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dispatch import matching, states

POLICY = matching.Policy()
#: The ambulance's own shock comes after 600 s, ours 75 s after the arrival.
SCENE = matching.Scene(ambulance_s=510, ambulance_shock_s=600, lead_s=70, vertical_s=0)
A, B = UUID(int=1), UUID(int=2)
NEAR, FAR = UUID(int=101), UUID(int=102)


def _ways(
    people: list[matching.Candidate],
    aeds: list[matching.AedOption],
    taken: frozenset[UUID] = frozenset(),
) -> dict[UUID, tuple[UUID | None, float | None]]:
    under = matching.Under(room=9, aeds_taken=taken)
    plan = matching.reroute(
        POLICY, states.Kind.CARDIAC_ARREST, people, aeds, under=under, scene=SCENE
    )
    assert all((c.role is states.Role.VIA_AED) == (c.aed_id is not None) for c in plan.chosen)
    return {choice.id: (choice.aed_id, choice.arrives_s) for choice in plan.chosen}


def test_WAV_6_the_soonest_by_each_one_person_each_and_direct_who_would_be_late() -> None:
    going = matching.Candidate(A, 200, {NEAR: 60, FAR: 100}, accept=1.0)
    asked = matching.Candidate(B, 150, {NEAR: 60, FAR: 100})
    aeds = [
        matching.AedOption(NEAR, 100, pickup_s=30),
        matching.AedOption(FAR, 200, pickup_s=30),
    ]
    # Whoever has accepted is on the way already; the other has yet to answer and to set out.
    assert _ways([going, asked], aeds) == {A: (NEAR, 190), B: (FAR, 400)}
    assert _ways([going, asked], aeds, frozenset({NEAR})) == {A: (FAR, 330), B: (None, 220)}
    late = [matching.AedOption(NEAR, 400, pickup_s=30)]
    assert _ways([going, asked], late) == {A: (NEAR, 490), B: (None, 220)}
    shut = [matching.AedOption(NEAR, 100, usable_until_s=150, pickup_s=30)]
    assert _ways([going], shut) == {A: (None, 200)}
    assert _ways([matching.Candidate(A, None)], aeds) == {A: (None, None)}


people = st.lists(
    st.builds(
        matching.Candidate,
        st.integers(1, 6).map(lambda number: UUID(int=number)),
        st.none() | st.floats(0, 900),
        st.dictionaries(st.sampled_from([NEAR, FAR]), st.floats(0, 900)),
        accept=st.sampled_from([0.287, 1.0]),
    ),
    unique_by=lambda person: person.id,
)
options = st.lists(
    st.builds(
        matching.AedOption, st.sampled_from([NEAR, FAR]), st.floats(0, 900), st.floats(0, 300),
        st.floats(0, 900),
    ),
    unique_by=lambda aed: aed.id,
)  # fmt: skip


@given(people, options, st.frozensets(st.sampled_from([NEAR, FAR])))
def test_WAV_6_everybody_has_a_way_and_no_aed_is_shut_or_fetched_twice(
    people: list[matching.Candidate],
    options: list[matching.AedOption],
    taken: frozenset[UUID],
) -> None:
    ways = _ways(people, options, taken)
    assert ways.keys() == {person.id for person in people}
    given_out = [aed for aed, _ in ways.values() if aed is not None]
    assert len(given_out) == len(set(given_out))
    assert not taken & set(given_out)
    known = {aed.id: aed for aed in options}
    for person in people:
        aed_id, _ = ways[person.id]
        if aed_id is not None:
            lead_s = 0 if person.accept == 1 else SCENE.lead_s
            assert known[aed_id].is_usable_at(lead_s + person.aed_s[aed_id])
