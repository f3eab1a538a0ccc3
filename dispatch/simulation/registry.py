"""Incidents on a real place: its people's declared places, its AEDs with their hours, its streets.

Nothing of it goes into a report but the names of districts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch import aed_trust, eligibility, matching, store
from dispatch.simulation import case, draws
from dispatch.simulation.draws import Purpose
from dispatch.simulation.world import World
from geo import aeds, usability, walking
from geo.position import Position, distance_m

Floats = NDArray[np.float64]

#: AEDs of one incident that everybody is measured to; no policy uses more.
AEDS_MOST = 12
_WEEK_S = 7 * 86_400
_REACH_S = 1_800.0
_DEGREE_M = 111_195.0
#: Numbers by which a position counts as fresh are of no account here: nobody is live.
_POLICY = matching.Policy()


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who could be asked, with the declared places."""

    id: UUID
    places: tuple[store.Place, ...]
    time_zone: str
    carries: bool


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an incident may be, or was: then with its time, floor and ambulance, in seconds."""

    position: Position
    weight: float = 1.0
    at: datetime | None = None
    floor: str | None = None
    ambulance_s: float | None = None


@dataclass(frozen=True)
class Registry:
    """A real place as it was read; incidents are spread over one week.

    With past incidents as `spots` each is played at its own time, one after the other.
    """

    residents: Sequence[Resident]
    devices: Sequence[aeds.Aed]
    spots: Sequence[Spot]
    districts: Sequence[tuple[str, Position]]
    week: datetime
    walking_dir: Path
    speed_mps: float
    is_replay: bool = False
    # For the load of volunteers.
    incidents_year: float = 100.0

    def case_of(self, world: World, seed: int, number: int) -> case.Case:
        """Draw an incident, or take the past one of that number."""
        spot, at = self._spot(seed, number)
        network = _network(self.walking_dir, self.speed_mps)
        people = self._people(spot.position, at, world.radius_m)
        ground = self._ground(network, spot, at, people)
        return case.Case(number, ground, case.luck(world, seed, number, ground))

    def _spot(self, seed: int, number: int) -> tuple[Spot, datetime]:
        if self.is_replay:
            spot = self.spots[number % len(self.spots)]
            return spot, spot.at or self.week
        numbers = draws.stream(seed, number, Purpose.SPOT)
        place = int(np.searchsorted(self._shares, numbers.random(), side="right"))
        at = self.week + timedelta(seconds=int(numbers.integers(_WEEK_S)))
        return self.spots[min(place, len(self.spots) - 1)], at

    @cached_property
    def _shares(self) -> Floats:
        weights = np.cumsum([spot.weight for spot in self.spots])
        shares: Floats = weights / weights[-1]
        return shares

    @cached_property
    def _places(self) -> tuple[Floats, NDArray[np.intp]]:
        """Return every declared place, and whose it is."""
        owned = [
            (place.position.lon, place.position.lat, row)
            for row, resident in enumerate(self.residents)
            for place in resident.places
        ]
        table = np.array(owned, np.float64).reshape(-1, 3)
        return table[:, :2], table[:, 2].astype(np.intp)

    @cached_property
    def _device_places(self) -> Floats:
        return np.array([(aed.lon, aed.lat) for aed in self.devices]).reshape(-1, 2)

    def _people(
        self, patient: Position, at: datetime, within_m: float
    ) -> list[tuple[Resident, Position]]:
        """Say who is where at that hour, as planning says it, within a circle."""
        places, owner = self._places
        near = np.unique(owner[_near(places, patient, within_m)])
        found = []
        for row in near.tolist():
            resident = self.residents[row]
            _, spot, _ = eligibility.where(
                None, resident.places, resident.time_zone, _POLICY, now=at
            )
            if spot is not None and distance_m(spot, patient) <= within_m:
                found.append((resident, spot))
        return found

    def _ground(
        self,
        network: walking.WalkingNetwork,
        spot: Spot,
        at: datetime,
        people: Sequence[tuple[Resident, Position]],
    ) -> case.Ground:
        patient, where = spot.position, [place for _, place in people]
        devices, aed_s = self._reachable(network, patient, at)
        spots = [aed.position for aed in devices]
        hours = np.array([_hours(aed, at) for aed in devices]).reshape(-1, 2)
        return case.Ground(
            district=self._district(patient),
            alert_at=at,
            people=[resident.id for resident, _ in people],
            line_m=np.array([distance_m(place, patient) for place in where]),
            direct_s=_times(network, patient, where),
            aeds=[aed.id for aed in devices],
            aed_line_m=np.array([distance_m(place, patient) for place in spots]),
            aed_s=aed_s,
            to_aed_s=_matrix(network, where, spots),
            hours=hours,
            really=hours,
            trust=np.array([_trust(aed, at) for aed in devices]),
            carries=np.array([resident.carries for resident, _ in people], np.bool_),
            floor=spot.floor,
            ambulance_s=spot.ambulance_s,
        )

    def _reachable(
        self, network: walking.WalkingNetwork, patient: Position, at: datetime
    ) -> tuple[list[aeds.Aed], Floats]:
        """Return the AEDs that open in the alarm or are open, the nearest on foot first."""
        close = np.flatnonzero(_near(self._device_places, patient, _REACH_S))
        able = [aed for row in close.tolist() if _can_be_had(aed := self.devices[row], at)]
        seconds = _times(network, patient, [aed.position for aed in able])
        order = [row for row in np.argsort(seconds, kind="stable") if np.isfinite(seconds[row])]
        first = order[:AEDS_MOST]
        return [able[row] for row in first], seconds[first]

    def _district(self, patient: Position) -> str:
        if not self.districts:
            return "–"
        return min(self.districts, key=lambda one: distance_m(one[1], patient))[0]


@lru_cache(maxsize=1)
def _network(folder: Path, speed_mps: float) -> walking.WalkingNetwork:
    return walking.WalkingNetwork.load(folder, speed_mps=speed_mps)


def _near(places: Floats, patient: Position, within_m: float) -> NDArray[np.bool_]:
    """Say which places are within a circle, or a little beyond."""
    north = (places[:, 1] - patient.lat) * _DEGREE_M
    east = (places[:, 0] - patient.lon) * _DEGREE_M * np.cos(np.radians(patient.lat))
    within: NDArray[np.bool_] = np.hypot(north, east) <= 1.01 * within_m
    return within


def _times(
    network: walking.WalkingNetwork, patient: Position, places: Sequence[Position]
) -> Floats:
    found = network.times(patient, places, within_s=_REACH_S, inbound=True)
    return np.array([np.inf if way is None else way.travel_s for way in found], np.float64)


def _matrix(
    network: walking.WalkingNetwork, people: Sequence[Position], devices: Sequence[Position]
) -> Floats:
    if not people or not devices:
        return np.zeros((len(people), len(devices)))
    found = network.matrix(people, devices, within_s=_REACH_S)
    return np.where(np.isnan(found), np.inf, found)


def _can_be_had(aed: aeds.Aed, at: datetime) -> bool:
    begins, ends = _hours(aed, at)
    return ends > begins and begins < _REACH_S


def _hours(aed: aeds.Aed, at: datetime) -> tuple[float, float]:
    """Return the seconds between which an AED can be had; unknown hours count as open."""
    usable = aeds.usable(aed, at)
    if usable.state is usability.Usable.YES or usable.reason in aed_trust.HOURS_UNKNOWN:
        return 0.0, _seconds(usable.until, at)
    if usable.until is None:
        return 0.0, 0.0
    begins, later = usable.until, aeds.usable(aed, usable.until)
    if later.state is not usability.Usable.YES:
        return 0.0, 0.0
    return _seconds(begins, at), _seconds(later.until, at)


def _seconds(until: datetime | None, at: datetime) -> float:
    return np.inf if until is None else (until - at).total_seconds()


def _trust(aed: aeds.Aed, at: datetime) -> float:
    return aed_trust.works(aed, aeds.usable(aed, at), None, now=at)
