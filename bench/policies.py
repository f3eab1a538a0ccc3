"""The policy table of the literature's base case, and the closed forms of Poisson fields.

.venv/bin/python bench/policies.py [--incidents 2000] [--seed 1] [--processes 2] [--closed 20000]
    [--keep FOLDER [--seconds 150]]

With --keep what was played is kept in a folder; with --seconds it stops after so long (75) and goes
on there the next time, with the same figures.

Policies of others are stylised; here silence does not end an alert and nobody is told that enough
are coming, as in the prototype whose bands the figures are held against (docs/simulation.md).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dispatch import matching
from dispatch.joint import survival
from dispatch.simulation import case, outcome, run, tally, world
from dispatch.simulation.world import Density, World

#: Of everybody: an answer counts whenever it comes, whoever comes to an AED gets it.
_PLAIN = {"alert_expires_s": 240.0, "aed_people_factor": 1.0, "shock_after_ambulance_s": 180.0}
_ON = {**_PLAIN, "stop_total": 500}


def _shipped(name: str, label: str, **changes: Any) -> matching.Policy:
    return replace(matching.SHIPPED[name], name=label, **changes)


def peers() -> tuple[matching.Policy, ...]:
    """Return what others do, and ours."""
    nobody = {"wave_size": 0, "alerts_cap": 0}
    two_thirds = {"detour_most": None, "aed_circle_m": 1_500.0, **_ON}
    return (
        _shipped("expected-survival", "ours", **_PLAIN),
        _shipped("nearest-10", "ambulance only", **nobody),
        _shipped("radius-400", "PulsePoint-like 400 m", **_ON),
        _shipped("nearest-10", "nearest 10", **_ON),
        _shipped("three-and-replace", "GoodSAM-like 3 + replace", **_ON),
        _shipped("seven-and-replace", "7 live + replace", **_ON),
        _shipped("nearest-10", "30 direct", **_ON, wave_size=30, live_most=30, alerts_cap=30),
        _shipped("two-thirds-aed", "HartslagNu-like 100, 2/3 AED", **two_thirds),
        _shipped("two-thirds-aed", "HartslagNu-like, 4/5 AED", **two_thirds, aed_share=0.8),
        _shipped("lexicographic", "lexicographic", **_PLAIN),
        _shipped("expected-survival", "ours, price 0.0002", **_PLAIN, price=0.0002),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One policy in one world."""

    label: str
    numbers: Any

    def column(self, name: str) -> Any:
        """Return a column of all incidents."""
        return self.numbers[:, outcome.COLUMNS.index(name)]

    def mean(self, name: str) -> float:
        """Return its mean."""
        return float(np.mean(self.column(name)))


@dataclass(frozen=True, slots=True)
class _From:
    """The incidents of Poisson fields from one on."""

    first: int

    def case_of(self, world: World, seed: int, number: int) -> case.Case:
        """Draw an incident."""
        return run.Fields().case_of(world, seed, self.first + number)


def _play(
    known: World, policies: tuple[matching.Policy, ...], given: argparse.Namespace
) -> list[Row]:
    """Play all incidents, so many at a time, or take what was kept of them."""
    numbers = []
    for first in range(0, given.incidents, given.part):
        size = min(given.part, given.incidents - first)
        request = run.Request(policies, known, _From(first), given.seed, size)
        numbers.append(_kept(request, first, given))
    together = np.concatenate(numbers, axis=1)
    return [Row(policy.name, together[row]) for row, policy in enumerate(policies)]


def _kept(request: run.Request, first: int, given: argparse.Namespace) -> Any:
    if given.keep is None:
        return run.simulate(request, processes=given.processes).numbers
    told = [request.world.document(), [policy.digest() for policy in request.policies]]
    text = json.dumps([told, request.seed, first, request.incidents], sort_keys=True)
    file = given.keep / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.npy"
    if not file.exists():
        if time.perf_counter() > given.ends:
            print(f"stopped before incident {first} of {request.policies[0].name} and others")
            sys.exit(_GO_ON)
        np.save(file, run.simulate(request, processes=given.processes).numbers)
    return np.load(file)


_PART = 100
_GO_ON = 75  # of sysexits: try again


def table(base: World, given: argparse.Namespace) -> dict[str, Row]:
    """Play and print the table of one world; everybody's pace is known, as in the prototype."""
    known = replace(base, pace_known=True)
    rows = _play(known, peers(), given)
    ours = peers()[:1]
    for label, variant in (
        ("ours, acceptance of each known", replace(known, answers_known=1_000)),
        ("ours without opening hours", replace(known, hours_known=False)),
        ("ours, pace not known", base),
    ):
        rows += [Row(label, row.numbers) for row in _play(variant, ours, given)]
    print(
        f"{'policy':32} {'index %':>8} {'to ours':>16} {'waalew. %':>9} {'alerts':>7} {'late':>5}"
    )
    for row in rows:
        _print(row, rows[0])
    return {row.label: row for row in rows}


def _print(row: Row, reference: Row) -> None:
    change = tally.mean(row.column(_INDEX) - reference.column(_INDEX))
    error = 0.0 if change.error is None else 100 * change.error
    index, points = 100 * row.mean(_INDEX), 100 * (change.value or 0.0)
    print(
        f"{row.label:32} {index:8.2f} {points:+8.2f} ±{error:5.2f}"
        f" {100 * row.mean('index_waalewijn2001'):9.2f} {row.mean('alerts'):7.1f}"
        f" {row.mean('late'):5.2f}"
    )


_INDEX = "index_valenzuela1997"


@dataclass(frozen=True, slots=True)
class Held:
    """A figure with its standard error, and the band of the prototype that it is held against."""

    name: str
    figure: tally.Figure
    least: float
    most: float

    @property
    def verdict(self) -> str:
        """Say whether it lies within; a mean of a sample may lie two of its errors outside."""
        value, slack = self.figure.value or 0.0, 2 * (self.figure.error or 0.0)
        if self.least <= value <= self.most:
            return "kept"
        is_near = self.least - slack <= value <= self.most + slack
        return "kept within its error" if is_near else "LEFT"


def bands(rows: Mapping[str, Row]) -> list[Held]:
    """Hold the base case against the bands of the prototype."""
    ours, unaware = rows["ours"], rows["ours without opening hours"]
    # How the prototype split direct and by AED is not written down: the better one counts.
    by_index = {row.mean(_INDEX): row for name, row in rows.items() if "Hartslag" in name}
    hartslag = by_index[max(by_index)]
    goodsam, seven = rows["GoodSAM-like 3 + replace"], rows["7 live + replace"]

    def points(one: Row, other: Row) -> tally.Figure:
        return tally.mean(100 * (one.column(_INDEX) - other.column(_INDEX)))

    share = tally.Figure(ours.mean("alerts") / hartslag.mean("alerts"), None)
    late = tally.mean(ours.column("late"))
    return [
        Held("opening hours known, points: 0.45 ± 0.15", points(ours, unaware), 0.3, 0.6),
        Held("ours less GoodSAM-like, points: >= 3.0", points(ours, goodsam), 3.0, math.inf),
        Held(f"ours less {hartslag.label}: -0.3 … 0.3", points(ours, hartslag), -0.3, 0.3),
        Held("alerts of ours over its: <= 0.15", share, 0.0, 0.15),
        Held("late arrivals of ours: <= 0.3", late, 0.0, 0.3),
        Held("7 + replace less 3 + replace: >= 0", points(seven, goodsam), 0.0, math.inf),
    ]


# ---- closed forms

_FAR = {
    "vertical_s": 0.0, "mobilise_s": 0.0, "reply_s": 1e-6, "detour": 1.0, "speed_sigma": 0.0,
    "speed_mps": 6 / 3.6, "counted_mps": 6 / 3.6, "ambulance_s": 1e5, "ambulance_sigma": 0.0,
    "silent": 0.0,
}  # fmt: skip


def closed_forms(given: argparse.Namespace) -> list[tuple[str, float, float, float]]:
    """Play what has a closed form: name, found, expected, standard errors between them."""
    size = argparse.Namespace(**{**vars(given), "incidents": given.closed})
    nearest = _shipped("nearest-10", "nearest", wave_size=1, alerts_cap=1, reach_s=7_200.0)
    broadcast = _shipped(
        "radius-400", "broadcast", radius_m=2_000.0, wave_size=500, live_most=500, alerts_cap=500,
        reach_s=7_200.0, stop_total=500, arrest=matching.Target(500, 0, 0),
    )  # fmt: skip
    alone = _first_s(World(densities=(Density(16.0, 0.0),), accept=1.0, **_FAR), nearest, size)
    thinned = _first_s(
        World(densities=(Density(10.0, 0.0),), accept=0.287, **_FAR), broadcast, size
    )
    return [
        _held("P(nearest > 200 m) at 16/km²", alone * 6 / 3.6 > 200, 0.133906),
        _held("mean distance, m", alone * 6 / 3.6, 125.0),
        _held("E[S] De Maio, t = 3 + D / 6 km/h", _de_maio(alone), 0.144027),
        _held("P(no accepter within 500 m)", thinned * 6 / 3.6 > 500, 0.104970),
        _held("E[S] of a broadcast", _de_maio(thinned), 0.101829),
    ]


def _first_s(known: World, policy: matching.Policy, given: argparse.Namespace) -> Any:
    (row,) = _play(known, (policy,), given)
    return row.column("first_arrival_s")


def _de_maio(first_s: Any) -> Any:
    return np.array([survival.index(survival.DE_MAIO, 0.0, 3 + at / 60) for at in first_s])


def _held(name: str, values: Any, expected: float) -> tuple[str, float, float, float]:
    found = tally.mean(np.asarray(values, np.float64))
    away = abs((found.value or 0.0) - expected) / (found.error or math.inf)
    return name, found.value or 0.0, expected, away


def main() -> int:
    """Run and print; 1 when a band is left."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--incidents", type=int, default=2_000)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--processes", type=int, default=2)
    reader.add_argument("--closed", type=int, default=20_000, help="0: leave the closed forms out")
    reader.add_argument("--setting", choices=list(world.SETTINGS), default="base")
    reader.add_argument("--keep", type=Path, help="empty it when the code has changed")
    reader.add_argument("--seconds", type=float, default=math.inf, help="with --keep")
    given = reader.parse_args()
    given.ends, given.part = time.perf_counter() + given.seconds, _PART if given.keep else 10**9
    began = time.perf_counter()
    kept = bands(table(world.SETTINGS[given.setting], given))
    closed = closed_forms(given) if given.closed else []
    for one in kept:
        error = one.figure.error or 0.0
        print(f"{one.name:52} {one.figure.value:8.3f} ± {error:.3f}  {one.verdict}")
    for name, found, expected, away in closed:
        print(f"{name:52} {found:.6f} for {expected:.6f}, {away:.2f} standard errors")
    size = {name: vars(given)[name] for name in ("incidents", "seed", "closed", "setting")}
    print(json.dumps({"took_s": round(time.perf_counter() - began, 1), **size}))
    return int(any(one.verdict == "LEFT" for one in kept) or any(away > 3 for *_, away in closed))


if __name__ == "__main__":
    sys.exit(main())
