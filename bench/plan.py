"""The joint plan on Poisson cities: time of 100 cases, and quality beside bench/plan_best.json.

    .venv/bin/python bench/plan.py [--cases 100] [--density 10]

Travel times are given; the kernels are loaded first. The best values come from
bench/plan_best.py, a restart search of a minute a case.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import plan_cases

from dispatch import joint

BEST = Path(__file__).with_name("plan_best.json")
MOST, PRICE = 8, 0.0005
SIZES = {"city, 500 x 200": (500, 200, 50.0), "usual incident, 60 x 20": (60, 20, 5.0)}


def main() -> None:
    """Print p50, p95 and max of each size, then the quality of the cases with a best value."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--density", type=float, default=10.0, help="people a square kilometre")
    options = parser.parse_args()
    joint.warm_up()
    for name, (people, aeds, goal) in SIZES.items():
        took = [
            timed(seed, people=people, aeds=aeds, per_km2=options.density)
            for seed in range(options.cases)
        ]
        wall, cpu = np.array(took).T
        p50, p95, most = np.percentile(wall, [50, 95, 100])
        print(
            f"{name}: {options.cases} cases, K = {MOST}, {options.density:g}/km2: "
            f"p50 {p50:.2f} p95 {p95:.2f} max {most:.2f} ms "
            f"(CPU p95 {np.percentile(cpu, 95):.2f}), goal p95 <= {goal:g}"
        )
    if BEST.exists():
        quality(json.loads(BEST.read_text()))


def timed(seed: int, *, people: int, aeds: int, per_km2: float) -> tuple[float, float]:
    """Plan one case; return milliseconds of wall clock and of processor."""
    case = plan_cases.case(seed, people=people, aeds=aeds, per_km2=per_km2)
    began, cpu = time.perf_counter(), time.thread_time()
    joint.choose(case.options, case.scene, most=MOST, price=PRICE)
    return 1000.0 * (time.perf_counter() - began), 1000.0 * (time.thread_time() - cpu)


def objective(found: joint.Solution) -> float:
    """Return the index less the price of the alerts."""
    return found.value - PRICE * int(np.count_nonzero(found.roles))


def quality(best: dict[str, dict[str, float]]) -> None:
    """Print what the plans reach of the best values known."""
    shares = []
    for name, known in best.items():
        density, seed = name.split("/")
        case = plan_cases.case(int(seed), people=500, aeds=200, per_km2=float(density))
        found = joint.choose(case.options, case.scene, most=MOST, price=PRICE)
        shares.append(objective(found) / known["value"])
    seconds = sorted(known["seconds"] for known in best.values())
    print(
        f"quality of {len(shares)} cases of 500 x 200 beside a restart search of "
        f"{seconds[0]:g}-{seconds[-1]:g} s each: worst {100 * min(shares):.3f} %, "
        f"mean {100 * float(np.mean(shares)):.4f} %, best or better in "
        f"{sum(share > 1 - 1e-9 for share in shares)}; goal >= 99.5 %"
    )


if __name__ == "__main__":
    main()
