"""Whom a plan considers when more people are within reach than could make it better.

Everybody within reach is on record. The nearest who could be asked are weighed; the others are set
aside, each for one reason. docs/planning.md says what that can cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import matching, states, whereabouts
from geo import position

#: So many of the nearest who can be asked are weighed, or so many for each whom a wave may ask.
MOST = 500
MOST_PER_ASKED = 4
#: Where fewer of them could be asked and walk there, the look is so many times as wide.
LEAST = 125
LEAST_PER_ASKED = 2
WIDER = 4
#: To find them so many times as many of the nearest are looked up; people who are off duty or busy
#: take nobody's place before they are two in three.
LOOKED_AT = 3
#: Of those who cannot be asked so many of the nearest are shown in full, to say why they are not;
#: and people who have an AED at hand are weighed from so far away.
HELD_MOST = 60
CARRIERS_MOST = 100
#: A skill of people who have an AED at hand.
CARRIES_AED = "carries_aed"


class Scene(Protocol):
    """Where help is wanted and for whose people; an incident is one."""

    @property
    def id(self) -> UUID:
        """Name it; whoever was asked for it already is not asked again."""

    @property
    def org_path(self) -> str:
        """Name the organisation at and below which people are looked for."""

    @property
    def position(self) -> position.Position:
        """Say where."""


class Emergency(Scene, Protocol):
    """A scene for which people are asked, so that it counts what kind it is."""

    @property
    def kind(self) -> states.Kind:
        """Say what kind of emergency it is."""

    @property
    def exercise(self) -> bool:
        """Say whether it is an exercise; its alerts have a budget of their own."""


def most_of(policy: matching.Policy) -> int:
    """Return how many who can be asked are weighed: never few beside what a wave may ask."""
    return max(MOST, MOST_PER_ASKED * policy.wave_size)


def is_enough(
    policy: matching.Policy,
    candidates: tuple[matching.Candidate, ...],
    aside: Mapping[UUID, matching.Reason],
) -> bool:
    """Say whether enough were weighed who can be asked and walk there, or all there are."""
    if matching.Reason.MANY_NEARER not in aside.values():
        return True
    able = sum(person.blocked is None and person.direct_s is not None for person in candidates)
    return able >= max(LEAST, LEAST_PER_ASKED * policy.wave_size)


# ix_last_position_position and ix_place_position; on the sphere, which is within 5 m. A place
# counts where no fix says better. The four lanes: who was asked for this already, who cannot be
# asked, who has an AED at hand (ix_responder_carries_aed), and the others; of each so many of the
# nearest, ties by id. Only they are looked up one by one; of all the others only whether they are
# of this organisation, where there are others.
_NEAREST = sa.text("""
with patient as (select cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography) as point)
, near as materialized (
    select responder_id as id, ST_Distance(position, point, false) as metres,
           at >= :fresh_since and coalesce(accuracy_m, 0) <= :accuracy_most_m as is_sure
    from last_position, patient
    where ST_DWithin(position, point, :near_m, false)
    union all
    select place.responder_id, ST_Distance(place.position, point, false), true
    from place, patient
    where ST_DWithin(place.position, point, :near_m, false)
      and not exists (select from last_position as last
                      where last.responder_id = place.responder_id and last.at >= :fresh_since
                        and coalesce(last.accuracy_m, 0) <= :accuracy_most_m)
), nearest as materialized (
    select * from near order by metres, id limit :looked_at
), asked as materialized (
    select distinct responder_id as id from alert
    where incident_id = :incident_id
      and notified_at >= coalesce(
          (select reopened_at from incident where id = :incident_id), '-infinity')
), bound as materialized (
    select alert.responder_id as id from alert
    join incident on incident.id = alert.incident_id
    where alert.status in ('pending','notified','delivered','seen')
      and incident.practice_of is null and incident.exercise <= :is_exercise
    union
    select assignment.responder_id from assignment
    join incident on incident.id = assignment.incident_id
    where assignment.ended_at is null
      and incident.practice_of is null and incident.exercise <= :is_exercise
), special as materialized (
    select id from asked
    union
    select id from responder where skills @> array['carries_aed']
), looked as (
    select id, min(metres) as metres, bool_or(is_sure) as is_sure
    from (select * from nearest
          union all
          select * from near where id in (select id from special)) as mixed
    group by id
), standing as (
    select looked.id, looked.metres, 'carries_aed' = any(responder.skills) as carries,
           looked.id in (select id from asked) as was_asked,
           case when responder.duty = 'suspended' then 'suspended'
                when case when responder.duty_until is null or responder.duty_until > :now
                          then responder.duty = 'off_duty' else responder.duty = 'available' end
                    then 'off_duty'
                when responder.rest_until > :now
                     or responder.duty = 'resting'
                        and (responder.duty_until is null or responder.duty_until > :now)
                    then 'resting'
                when looked.id in (select id from bound) then 'busy'
                when not looked.is_sure then 'position_stale'
                else 'many_nearer' end as reason
    from looked
    join responder on responder.id = looked.id
    join org on org.id = responder.org_id and starts_with(org.path, :path)
), lane as (
    select id, metres, reason, case when was_asked then 'asked'
               when reason <> 'many_nearer' then 'held'
               when carries then 'carries' else 'free' end as lane
    from standing
), placed as materialized (
    select *, row_number() over (partition by lane order by metres, id)
              <= case lane when 'held' then :held_most when 'carries' then :carriers_most
                           when 'free' then :most end as is_near
    from lane
), rest as materialized (
    select id from near
    where metres <= :within_m
      and (metres, id) > (select metres, id from nearest order by metres desc, id desc limit 1)
), alone as materialized (
    select not exists (select from org where not starts_with(path, :path)) as is_alone
)
select placed.id, ST_X(last.position::geometry) as lon, ST_Y(last.position::geometry) as lat,
       cast(last.accuracy_m as float8) as accuracy_m, last.at, null as reason, null as ids
from placed left join last_position as last on last.responder_id = placed.id
where is_near is not false
union all
select null, null, null, null, null, reason, array_agg(id order by id)
from placed where is_near is false and metres <= :within_m
group by reason
union all
select null, null, null, null, null, 'many_nearer', array_agg(id)
from rest where (select is_alone from alone)
union all
select null, null, null, null, null, 'many_nearer', array_agg(rest.id)
from rest
join responder on responder.id = rest.id
join org on org.id = responder.org_id and starts_with(org.path, :path)
where not (select is_alone from alone)
""")


async def near(
    conn: AsyncConnection,
    scene: Emergency,
    policy: matching.Policy,
    *,
    within_m: float,
    most: int | None,
    now: datetime,
) -> whereabouts.Near:
    """Look up who may be near a scene by what is stored; beyond `most` the others are set aside."""
    found = await whereabouts.stored_near(conn, scene.position, within_m=within_m, most=most)
    if found is not None or most is None:
        return whereabouts.Near(found or {})
    values = {
        "lon": scene.position.lon, "lat": scene.position.lat, "path": scene.org_path,
        "near_m": within_m + whereabouts.LAG_M, "within_m": within_m, "incident_id": scene.id,
        "is_exercise": scene.exercise, "fresh_since": now - timedelta(seconds=policy.last_for_s),
        "accuracy_most_m": policy.accuracy_most_m, "now": now,
        "looked_at": LOOKED_AT * most, "most": most, "held_most": HELD_MOST,
        "carriers_most": CARRIERS_MOST,
    }  # fmt: skip
    stored: dict[UUID, whereabouts.Stored] = {}
    aside: dict[UUID, matching.Reason] = {}
    for person, lon, lat, accuracy_m, at, reason, ids in await conn.execute(_NEAREST, values):
        if person is not None:
            stored[person] = whereabouts.stored_fix(lon, lat, accuracy_m, at)
        elif ids is not None:
            # Somebody who has two places near is held to the nearer one, which comes first.
            aside = {**dict.fromkeys(ids, matching.Reason(reason)), **aside}
    return whereabouts.Near(stored, without(aside, stored.keys()))


def without(
    aside: Mapping[UUID, matching.Reason], people: Set[UUID]
) -> dict[UUID, matching.Reason]:
    """Leave out some; to look at each of thousands of ids takes longer than the choice."""
    left = dict(aside)
    for person in left.keys() & people:
        del left[person]
    return left


def cut(free: Mapping[UUID, float], most: int | None) -> dict[UUID, matching.Reason]:
    """Name those beyond the `most` nearest by their metres, ties by id."""
    if most is None or len(free) <= most:
        return {}
    order = sorted((metres, person) for person, metres in free.items())
    return {person: matching.Reason.MANY_NEARER for _, person in order[most:]}
