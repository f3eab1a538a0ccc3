"""Whom a plan considers when more people are within reach than could make it better.

Everybody within reach is on record. The nearest who could be asked are weighed; the others are set
aside, each for one reason. docs/planning.md says what that can cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import matching, states, store, whereabouts
from geo import earth, position

Floats = NDArray[np.float64]
#: An id as its 16 bytes.
KEY = np.dtype("V16")
_NO_KEYS = np.zeros(0, KEY)

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
    aside: Aside,
) -> bool:
    """Say whether enough were weighed who can be asked and walk there, or all there are."""
    if not aside.has_many_nearer:
        return True
    able = sum(person.blocked is None and person.direct_s is not None for person in candidates)
    return able >= max(LEAST, LEAST_PER_ASKED * policy.wave_size)


class Aside(Mapping[UUID, matching.Reason]):
    """Who is set aside, each for one reason; to make thousands of ids takes longer than choosing.

    They are made when somebody asks for them.
    """

    def __init__(
        self, few: Mapping[UUID, matching.Reason], many_nearer: NDArray[np.void] = _NO_KEYS
    ) -> None:
        self._few, self._many = few, many_nearer

    @cached_property
    def _all(self) -> dict[UUID, matching.Reason]:
        many = (UUID(bytes=key) for key in self._many.tolist())
        return {**dict.fromkeys(many, matching.Reason.MANY_NEARER), **self._few}

    @property
    def has_many_nearer(self) -> bool:
        """Say whether anybody is aside because so many are nearer."""
        return len(self._many) > 0 or matching.Reason.MANY_NEARER in self._few.values()

    def __getitem__(self, person: UUID) -> matching.Reason:
        """Give the reason."""
        return self._all[person]

    def __iter__(self) -> Iterator[UUID]:
        """Name everybody."""
        return iter(self._all)

    def __len__(self) -> int:
        """Count them."""
        return len(self._few) + len(self._many)


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """Who may be near by what is stored: the 16 bytes of each id, with the row of the metres.

    `asked` were asked for the incident already, `carry` have an AED at hand, wherever they are. Of
    the `unplaced` nobody knows where they are.
    """

    row_of: Mapping[bytes, int]
    away_m: Floats
    asked: Sequence[bytes]
    carry: Sequence[bytes]
    unplaced: Sequence[UUID]


# ix_last_position_position and ix_place_position; on the sphere, which is within 5 m. A place
# counts where no fix says better. Of thousands each list comes as two strings of bytes: ids of 16,
# metres of 8. The box of the index holds half as many again as the circle; to leave these out is
# quicker in memory. People are looked up one by one only where there are other organisations.
_NEAR = sa.text("""
with patient as materialized (
    select point, _ST_Expand(point, :near_m) as box
    from (select cast(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) as geography) as point) as at
), alone as materialized (
    select not exists (select from org where not starts_with(path, :path)) as is_alone
)
select 'seen' as list, string_agg(uuid_send(responder_id), '') as ids,
       string_agg(float8send(ST_Distance(position, point, false)), '') as metres
from last_position, patient
where position && box
  and ((select is_alone from alone)
       or exists (select from responder
                  join org on org.id = responder.org_id and starts_with(org.path, :path)
                  where responder.id = last_position.responder_id))
union all
select 'housed', string_agg(uuid_send(responder_id), ''),
       string_agg(float8send(ST_Distance(position, point, false)), '')
from place, patient
where position && box
  and not exists (select from last_position as last
                  where last.responder_id = place.responder_id and last.at >= :fresh_since
                    and coalesce(last.accuracy_m, 0) <= :accuracy_most_m)
  and ((select is_alone from alone)
       or exists (select from responder
                  join org on org.id = responder.org_id and starts_with(org.path, :path)
                  where responder.id = place.responder_id))
union all
select 'asked', string_agg(uuid_send(responder_id), ''), null
from alert
where incident_id = :incident_id
  and notified_at >= coalesce(
      (select reopened_at from incident where id = :incident_id), '-infinity')
union all
-- ix_responder_carries_aed.
select 'carry', string_agg(uuid_send(id), ''), null
from responder where skills @> array['carries_aed']
""")


async def near(
    conn: AsyncConnection,
    scene: Scene,
    policy: matching.Policy,
    *,
    within_m: float,
    now: datetime,
) -> Near:
    """Look up who may be near a scene by what is stored, and who is on duty and nowhere."""
    near_m = within_m + whereabouts.LAG_M
    values = {
        "lon": scene.position.lon, "lat": scene.position.lat, "path": scene.org_path,
        "near_m": near_m, "incident_id": scene.id,
        "fresh_since": now - timedelta(seconds=policy.last_for_s),
        "accuracy_most_m": policy.accuracy_most_m,
    }  # fmt: skip
    lists = {
        name: (ids or b"", metres or b"") for name, ids, metres in await conn.execute(_NEAR, values)
    }
    (keys, away_m), (placed, place_m) = (
        _inside(*lists[name], near_m=near_m) for name in ("seen", "housed")
    )
    row_of = {key: row for row, key in enumerate(keys)}
    for key, metres in zip(placed, place_m, strict=True):
        row = row_of.setdefault(key, len(row_of))
        if row < len(away_m):
            away_m[row] = min(metres, away_m[row])
        else:
            away_m.append(metres)
    asked, carry = (np.frombuffer(lists[name][0], KEY).tolist() for name in ("asked", "carry"))
    unplaced = await whereabouts.unplaced(conn, scene.org_path)
    return Near(row_of, np.array(away_m), asked, carry, unplaced)


def _inside(ids: bytes, metres: bytes, *, near_m: float) -> tuple[list[bytes], list[float]]:
    """Read a list, and leave out who is in the corners of the box."""
    away_m = np.frombuffer(metres, ">f8")
    is_near = away_m <= near_m
    return np.frombuffer(ids, KEY)[is_near].tolist(), away_m[is_near].tolist()


def in_order(
    near: Near, live: Mapping[UUID, store.Fix], origin: position.Position
) -> whereabouts.Order:
    """Put in order who may be near; where Redis says where somebody is, that counts. Ties by id."""
    many, row_of = len(near.row_of), near.row_of
    rows = np.array([row_of.get(person.bytes, -1) for person in live], np.intp)
    now_m, is_new = _metres(origin, [fix.position for fix in live.values()]), rows < 0
    new = [person.bytes for person in live if person.bytes not in row_of]
    keys = np.array([*row_of, *new], KEY)
    metres = np.concatenate([near.away_m, now_m[is_new]])
    metres[rows[~is_new]] = now_m[~is_new]
    halves = keys.view(">u8").reshape(-1, 2).astype(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0], metres))
    is_wanted = np.arange(len(keys)) >= many
    is_wanted[[row_of[key] for key in near.asked if key in row_of]] = True
    carry = np.array([row_of[key] for key in near.carry if key in row_of], np.intp)
    nearest = np.argsort(metres[carry], kind="stable")[: WIDER * CARRIERS_MOST]
    is_wanted[carry[nearest]] = True
    return whereabouts.Order(keys[order], metres[order], is_wanted[order], near.unplaced)


def _metres(origin: position.Position, places: Sequence[position.Position]) -> Floats:
    """Measure the great circles, as `position.distance_m` does."""
    lon = np.radians([place.lon for place in places]) - math.radians(origin.lon)
    lat, from_lat = np.radians([place.lat for place in places]), math.radians(origin.lat)
    chord = (
        np.sin((lat - from_lat) / 2) ** 2 + math.cos(from_lat) * np.cos(lat) * np.sin(lon / 2) ** 2
    )
    metres: Floats = 2 * earth.RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(chord)))
    return metres
