"""Cities as Poisson fields for bench/plan.py: people and AEDs around one patient."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dispatch.joint import Options, Scene

DETOUR = 1.3
REPLY, VERTICAL, PICKUP, SETUP = 40 / 60 + 30 / 60, 0.7, 0.75, 1.25


@dataclass(frozen=True, slots=True)
class Case:
    """One patient, and who and what is around."""

    options: Options
    scene: Scene


def case(seed: int, *, people: int, aeds: int, per_km2: float = 10.0) -> Case:
    """Draw one case: people at a density, 4 AEDs to 10 people, times of field studies."""
    draw = np.random.default_rng(seed)
    walkers, cabinets = _disc(draw, people, per_km2), _disc(draw, aeds, 0.4 * per_km2)
    speed = 60.0 * draw.lognormal(math.log(2.5), 0.45, people) / DETOUR
    to_aed = np.hypot(*(walkers[:, :, None] - cabinets[:, None, :])) / speed[:, None]
    back = np.hypot(*cabinets)[None, :] / speed[:, None]
    direct = np.hypot(*walkers) / speed + REPLY + VERTICAL
    fetch = to_aed + back + REPLY + PICKUP + VERTICAL
    fetch[:, draw.random(aeds) > 0.7] = np.inf
    ambulance = max(2.0, float(draw.lognormal(math.log(10.4), 0.35)) - 3.0)
    options = Options(
        direct=direct,
        fetch=fetch,
        accept=draw.beta(2.0, 5.0, people),
        works=0.6 * draw.choice([0.95, 0.85, 0.7, 0.6], aeds, p=[0.4, 0.2, 0.1, 0.3]),
    )
    helped = float(draw.random()) < 0.5
    scene = Scene(
        t0=3.0, t_e=ambulance, t_ed=ambulance + 1.5, setup=SETUP,
        t_by=2.5 if helped else None, theta=0.6,
    )  # fmt: skip
    return Case(options, scene)


def _disc(draw: np.random.Generator, many: int, per_km2: float) -> np.ndarray:
    """Place so many points around the patient at a density, in metres: (2, n)."""
    radius = 1000.0 * math.sqrt(many / per_km2 / math.pi)
    far, angle = radius * np.sqrt(draw.random(many)), 2.0 * math.pi * draw.random(many)
    return np.stack([far * np.cos(angle), far * np.sin(angle)])
