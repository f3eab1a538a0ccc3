"""PURE. How the simulated world behaves: every number that is not the policy's.

The defaults are the base case of the literature behind docs/simulation.md.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Density:
    """Volunteers and AEDs to the square kilometre."""

    people_km2: float
    aeds_km2: float

    @property
    def label(self) -> str:
        """Name it as a district of the Poisson world."""
        return f"{self.people_km2:g} + {self.aeds_km2:g} AED/km²"


BASE = Density(10.0, 4.0)


@dataclass(frozen=True, slots=True)
class World:
    """People, AEDs and the ambulance; seconds, metres, shares.

    A Poisson field has `densities`, one district each; a real place has none.
    """

    densities: tuple[Density, ...] = (BASE,)
    # Fields end so far from the patient; nobody from beyond comes in time.
    radius_m: float = 2_000.0
    # Walk by straight line, and the pace by which ways are counted, as an installation does.
    detour: float = 1.3
    counted_mps: float = 2.5
    # Real pace: lognormal.
    speed_mps: float = 2.5
    speed_sigma: float = 0.45

    # Whether everybody's pace is known when people are chosen; an installation does not know it.
    pace_known: bool = False

    # Answers: a Beta share of each person, lognormal time; some never answer at all.
    accept: float = 0.29
    accept_weight: float = 6.0
    silent: float = 0.2
    reply_s: float = 40.0
    reply_sigma: float = 0.45
    mobilise_s: float = 30.0
    # Of those who accept, so many never come.
    never_arrives: float = 0.0
    # Earlier answers that are known of each person; 0: acceptance is known on average only.
    answers_known: int = 0

    vertical_s: float = 42.0
    pickup_s: float = 45.0
    setup_s: float = 75.0
    # Of the AEDs so many are open, and of these so many are there and work.
    open: float = 0.7
    works: float = 0.95
    # Of the people at an open AED that works so many do not get it.
    fetch_fails: float = 0.0
    # Whether opening hours are written down; else a shut AED looks like an open one.
    hours_known: bool = True

    # Collapse, call, alert, ambulance: the alert goes out so long after the call.
    call_after_s: float = 0.0
    alert_after_call_s: float = 180.0
    ambulance_s: float = 624.0
    ambulance_sigma: float = 0.45
    ambulance_vertical_s: float = 0.0
    ambulance_shock_s: float = 180.0
    # Whether the time at which the ambulance comes is known when people are chosen.
    ambulance_known: bool = True

    # A bystander begins so long after the collapse, worth `theta` of trained compressions.
    bystander: float = 0.5
    bystander_s: float = 150.0
    theta: float = 0.6

    # For the load of volunteers; of a real place: incidents a year in all of it.
    incidents_km2_year: float = 5.0

    def document(self) -> dict[str, Any]:
        """Write it as plain JSON values."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        densities = [[one.people_km2, one.aeds_km2] for one in self.densities]
        return {**plain, "densities": densities}


#: Few bystanders who help, a slower ambulance, longer ways, higher buildings.
CHINA = replace(
    World(),
    bystander=0.045,
    ambulance_s=720.0,
    detour=1.5,
    vertical_s=90.0,
    ambulance_vertical_s=126.0,
)
SETTINGS = {"base": World(), "china": CHINA}
