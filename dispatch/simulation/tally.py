"""PURE. Sum up what was played: figures with standard errors, paired differences, districts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatch import matching
from dispatch.simulation import outcome
from dispatch.simulation.run import Request, Results

Floats = NDArray[np.float64]

#: The column of a quantile, and which.
_QUANTILES = {
    "cpr_s_median": ("cpr_s", 0.5),
    "cpr_s_p90": ("cpr_s", 0.9),
    "shock_s_median": ("shock_s", 0.5),
    "shock_s_p90": ("shock_s", 0.9),
    "first_arrival_s_median": ("first_arrival_s", 0.5),
    "first_arrival_s_p90": ("first_arrival_s", 0.9),
}
_MEANS = tuple(name for name in outcome.COLUMNS if name != "first_arrival_s")
#: Seconds at which the share of incidents with somebody there is given.
CURVE_S = tuple(range(0, 901, 15))
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its standard error; None where there is none, as of a median never reached."""

    value: float | None
    error: float | None

    def document(self) -> dict[str, float | None]:
        """Write it as JSON."""
        return {"value": _rounded(self.value), "se": _rounded(self.error)}


def mean(values: Floats) -> Figure:
    """Return the mean."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else None
    return Figure(float(np.mean(values)), error)


def quantile(values: Floats, share: float) -> Figure:
    """Return a quantile; its error from the order statistics one deviation of the rank away."""
    ordered, size = np.sort(values), len(values)
    spread = math.sqrt(size * share * (1 - share))
    low, at, high = (
        min(size - 1, max(0, round(rank)))
        for rank in (size * share - spread, size * share - 0.5, size * share + spread)
    )
    value = float(ordered[at])
    if not math.isfinite(value):
        return Figure(None, None)
    error = float(ordered[high] - ordered[low]) / 2
    return Figure(value, error if math.isfinite(error) else None)


def tally(request: Request, results: Results, *, load_per_alert: float) -> list[dict[str, Any]]:
    """Sum up each policy; differences are to the first one, incident by incident.

    `load_per_alert`: alerts a volunteer and year for one alert an incident.
    """
    reference = results.numbers[0]
    return [
        _policy(policy, results.numbers[row], reference, results.districts, load_per_alert)
        for row, policy in enumerate(request.policies)
    ]


def _policy(
    policy: matching.Policy,
    numbers: Floats,
    reference: Floats,
    districts: Sequence[str],
    load_per_alert: float,
) -> dict[str, Any]:
    figures = _figures(numbers)
    load = figures["alerts"]
    figures["alerts_per_volunteer_year"] = Figure(
        _times(load.value, load_per_alert), _times(load.error, load_per_alert)
    )
    first = numbers[:, outcome.COLUMNS.index("first_arrival_s")]
    return {
        "name": policy.name,
        "version": policy.version,
        "digest": policy.digest(),
        "figures": _documents(figures),
        "difference": _documents(
            {name: mean(_differ(numbers, reference, name)) for name in _MEANS}
        ),
        "arrival_curve": [_rounded(float(np.mean(first <= at))) for at in CURVE_S],
        "districts": [
            {
                "name": name,
                "incidents": int(np.sum(rows)),
                "figures": _documents(_figures(numbers[rows])),
            }
            for name, rows in _by_district(districts)
        ],
    }


def _figures(numbers: Floats) -> dict[str, Figure]:
    by_name = {name: numbers[:, place] for place, name in enumerate(outcome.COLUMNS)}
    return {
        **{name: mean(by_name[name]) for name in _MEANS},
        **{name: quantile(by_name[of], share) for name, (of, share) in _QUANTILES.items()},
    }


def _differ(numbers: Floats, reference: Floats, name: str) -> Floats:
    column = outcome.COLUMNS.index(name)
    difference: Floats = numbers[:, column] - reference[:, column]
    return difference


def _by_district(districts: Sequence[str]) -> list[tuple[str, NDArray[np.bool_]]]:
    where = np.array(districts)
    return [(str(name), where == name) for name in sorted(set(districts))]


def _documents(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: figure.document() for name, figure in figures.items()}


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
