"""PURE. What a played incident comes to: one row of numbers, the same for every policy."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dispatch.joint import survival
from dispatch.simulation.case import Case
from dispatch.simulation.play import Played
from dispatch.simulation.world import World

#: Survival indices are counted by each of these.
MODELS = (survival.VALENZUELA, survival.WAALEWIJN)
UNDER_S = 300.0

#: Columns of a row, in order. Seconds to CPR and shock count from the collapse, the first arrival
#: from the alert (infinite: nobody came); the others are counts, or 1 and 0.
COLUMNS = (
    *(f"index_{model.name}" for model in MODELS),
    "volunteer_first",
    "aed_first",
    "under_5_min",
    "nobody_called",
    "nobody_came",
    "alerts",
    "accepts",
    "late",
    "cpr_s",
    "shock_s",
    "first_arrival_s",
)


def row(played: Played, case: Case, world: World) -> tuple[float, ...]:
    """Return the numbers of `COLUMNS`."""
    luck = case.luck
    first = min((at for at, _ in played.arrivals), default=math.inf)
    first_aed = min((at for at, has_aed in played.arrivals if has_aed), default=math.inf)
    ambulance = luck.ambulance_s
    cpr = luck.collapsed_s + min(first, ambulance)
    shock_at = min(first_aed + world.setup_s, ambulance + world.ambulance_shock_s)
    shock = max(cpr, luck.collapsed_s + shock_at)
    als = luck.collapsed_s + ambulance
    return (
        *(index(model, (cpr, shock, als), luck.bystander_s, world.theta) for model in MODELS),
        float(first < ambulance),
        float(first_aed < ambulance),
        float(first <= UNDER_S),
        float(played.alerts == 0),
        float(not played.arrivals),
        float(played.alerts),
        float(played.accepts),
        float(sum(at > ambulance for at, _ in played.arrivals)),
        cpr,
        shock,
        first,
    )


def index(
    model: survival.Model, times_s: Sequence[float], bystander_s: float | None, theta: float
) -> float:
    """Return the survival index for seconds from collapse to CPR, shock and ambulance.

    Compressions by a bystander before that are worth a share of trained ones.
    """
    cpr, shock, als = (seconds / 60 for seconds in times_s)
    trained = survival.index(model, cpr, shock, als)
    if bystander_s is None:
        return trained
    helped = survival.index(model, min(cpr, bystander_s / 60), shock, als)
    return (1 - theta) * trained + theta * helped
