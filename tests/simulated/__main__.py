"""`python -m tests.simulated 4711 --trace`: a seed again, line by line; with `--many`, several."""

from __future__ import annotations

import argparse
import gc
import time
from collections import Counter

from tests.simulated import mutants, world


def main() -> int:
    """Run what is asked for; say what was found."""
    asked = _read()
    gc.freeze()
    found, seen, steps, seconds = 0, Counter[str](), 0, 0.0
    began = time.process_time()
    with mutants.planted(asked.mutant):
        for seed in range(asked.seed, asked.seed + asked.many):
            outcome = world.run(seed, is_traced=asked.trace)
            for line in (*outcome.trace, *outcome.findings):
                print(f"{seed}: {line}")
            found += bool(outcome.findings)
            seen.update(outcome.seen)
            steps, seconds = steps + outcome.steps, seconds + outcome.seconds
            if found >= asked.most:
                break
    spent = time.process_time() - began
    print(f"{found} of {asked.many} seeds with findings; {seconds:.0f} simulated s, {steps} steps")
    print(f"{spent:.1f} s of CPU; {dict(sorted(seen.items()))}")
    return 1 if found else 0


def _read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulated")
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--many", type=int, default=1, help="so many seeds from that one")
    parser.add_argument("--trace", action="store_true", help="say all that happens")
    parser.add_argument("--mutant", choices=sorted(mutants.MUTANTS), help="with this bug planted")
    parser.add_argument("--most", type=int, default=1_000_000, help="end after so many findings")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
