"""The best known values of bench/plan.py: restarts from random plans, a minute a case.

    .venv/bin/python bench/plan_best.py [--cases 100] [--seconds 60] [--density 10 50]

Writes bench/plan_best.json after every case and goes on where it stopped. The seconds are of
processor time: worth the same on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import plan
import plan_cases

from dispatch import joint
from dispatch.joint import search, search_kernel


def main() -> None:
    """Search every case that has no value yet, or had less time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--density", type=float, nargs="+", default=[10.0, 50.0])
    options = parser.parse_args()
    joint.warm_up()
    known = json.loads(plan.BEST.read_text()) if plan.BEST.exists() else {}
    for number in range(options.cases):
        density = options.density[number % len(options.density)]
        name = f"{density:g}/{number}"
        if known.get(name, {}).get("seconds", 0.0) < options.seconds:
            value, starts = restarts(number, density, options.seconds)
            known[name] = {"value": value, "starts": starts, "seconds": options.seconds}
            plan.BEST.write_text(json.dumps(known, indent=1) + "\n")
            print(name, f"{value:.9f} of {starts} starts", flush=True)


def restarts(seed: int, density: float, seconds: float) -> tuple[float, int]:
    """Climb from random plans until the time is over; return the best objective and the starts."""
    case = plan_cases.case(seed, people=500, aeds=200, per_km2=density)
    field = search._field(  # noqa: SLF001 - the same kernels from other starts
        case.options, case.scene, most=plan.MOST, price=plan.PRICE, going=(), needs_direct=False
    )
    draw, ends, starts = np.random.default_rng(seed), time.process_time() + seconds, 0
    best = 0.0
    while time.process_time() < ends:
        _begin(field.search, draw)
        _climb(field.search)
        best = max(best, field.search.now[0] - plan.PRICE * field.search.size[0])
        starts += 1
    return float(best), starts


def _begin(question: search_kernel.Search, draw: np.random.Generator) -> None:
    """Begin with people at random, each in a way at random, no AED twice."""
    chosen: list[int] = []
    used: set[tuple[str, int]] = set()
    for option in draw.permutation(len(question.own)):
        person, column = question.choices.person[option], question.choices.column[option]
        marks = {("person", int(person))} | ({("aed", int(column))} if column >= 0 else set())
        if len(chosen) < question.most and not marks & used:
            chosen.append(int(option))
            used |= marks
    question.plan[: len(chosen)], question.size[0] = sorted(chosen), len(chosen)
    question.now[0] = search_kernel.value_of(question, question.plan, len(chosen))


def _climb(question: search_kernel.Search) -> None:
    """Exchange one, then two at a time, until nothing gets better."""
    is_better = True
    while is_better:
        search_kernel.settle(question)
        is_better = any(search_kernel.sweep_ways(question, x) for x in range(question.size[0]))


if __name__ == "__main__":
    main()
