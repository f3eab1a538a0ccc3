"""PURE. Poisson fields: volunteers and AEDs anywhere around the patient, equally likely."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch.simulation import case, draws
from dispatch.simulation.draws import Purpose
from dispatch.simulation.world import World

#: How surely an AED is thought to work: confirmed open of late, hours unknown by day.
_TRUST, _TRUST_UNKNOWN = 0.95, 0.6
_AT = datetime(2024, 1, 1, tzinfo=UTC)
#: Devices of one field are told from people by the upper half of their ids.
_DEVICE = 1 << 64


def case_of(world: World, seed: int, number: int) -> case.Case:
    """Return one incident of the fields; districts take turns."""
    density = world.densities[number % len(world.densities)]
    area_km2 = math.pi * (world.radius_m / 1000) ** 2
    people = draws.stream(seed, number, Purpose.PEOPLE)
    x, y = _disc(people, int(people.poisson(density.people_km2 * area_km2)), world.radius_m)
    devices = draws.stream(seed, number, Purpose.AEDS)
    ax, ay = _disc(devices, int(devices.poisson(density.aeds_km2 * area_km2)), world.radius_m)
    is_open = devices.random(len(ax)) < world.open
    line, aed_line = np.hypot(x, y), np.hypot(ax, ay)
    per_m = world.detour / world.counted_mps
    ever = np.tile((0.0, math.inf), (len(ax), 1))
    really = np.where(is_open[:, None], ever, 0.0)
    ground = case.Ground(
        district=density.label,
        alert_at=_AT,
        people=_ids(len(x), 1),
        line_m=line,
        direct_s=line * per_m,
        aeds=_ids(len(ax), _DEVICE),
        aed_line_m=aed_line,
        aed_s=aed_line * per_m,
        to_aed_s=np.hypot(x[:, None] - ax, y[:, None] - ay) * per_m,
        hours=really if world.hours_known else ever,
        really=really,
        trust=np.full(len(ax), _TRUST if world.hours_known else _TRUST_UNKNOWN),
        carries=np.zeros(len(x), np.bool_),
    )
    return case.Case(number, ground, case.luck(world, seed, number, ground))


def _disc(
    numbers: np.random.Generator, size: int, radius_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    away = radius_m * np.sqrt(numbers.random(size))
    angle = 2 * math.pi * numbers.random(size)
    return away * np.cos(angle), away * np.sin(angle)


def _ids(size: int, first: int) -> list[UUID]:
    return [_id(first + place) for place in range(size)]


@cache
def _id(number: int) -> UUID:
    return UUID(int=number)
