"""What a run came to: the verdict, the first counter-example with its time line, counts, a plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of the back end

from tests.chaos import checker, delivery, operation
from tests.chaos.run import Found, Run

_SHADES = ("#d95f02", "#7570b3", "#1b9e77", "#e7298a", "#66a61e", "#e6ab02", "#a6761d")


def result(name: str, seed: int, run: Run, verdict: checker.Verdict) -> dict[str, Any]:
    """Give what the program prints as its last line."""
    share, gap_s, alarms = operation.canary(run)
    taken = sorted(took for _, took, _, _ in delivery.latencies(run))
    return {
        "run": name,
        "seed": seed,
        "valid": {True: "true", False: "false", None: "unknown"}[verdict.valid],
        "seconds": round(run.rows[-1].t - run.rows[0].t) if run.rows else 0,
        **operation.counts(run),
        "stale": sum(found.invariant == "INV-7" for found in verdict.found),
        "alarms_seen_within_5_s": round(share, 4),
        "longest_gap_s": round(gap_s, 1),
        "alarms": alarms,
        "latency_ms": {
            f"p{int(q * 100)}": round(taken[int(q * (len(taken) - 1))] * 1000)
            for q in (0.5, 0.95, 0.99)
        }
        if taken
        else None,
        "broken": _broken(verdict),
        "first": None if not verdict.found else _text(verdict.found[0]),
        "doubts": list(verdict.doubts),
    }


def _broken(verdict: checker.Verdict) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in verdict.found:
        found[one.invariant] = found.get(one.invariant, 0) + 1
    return found


def _text(found: Found) -> str:
    return f"{found.invariant} {found.key}: {found.text}"


def write(folder: Path, name: str, run: Run, verdict: checker.Verdict) -> Path:
    """Write `report.txt`, and `latency.png` where anything was delivered; give the first."""
    began = run.rows[0].t if run.rows else 0.0
    lines = [
        f"{name}: valid? {({True: 'true', False: 'false', None: 'unknown'})[verdict.valid]}",
        "",
    ]
    lines += [f"{key}: {value}" for key, value in operation.counts(run).items()]
    lines += [f"doubt: {doubt}" for doubt in verdict.doubts]
    for number, found in enumerate(verdict.found[:20]):
        at = "" if found.t is None else f" at {found.t - began:.3f} s"
        lines += ["", f"{number + 1}. {_text(found)}{at}"]
        if number < 3:
            lines += [_line(row, began) for row in run.around(found.key, found.t)[:80]]
    if len(verdict.found) > 20:
        lines += ["", f"and {len(verdict.found) - 20} more"]
    path = folder / "report.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _plot(folder / "latency.png", run, began)
    return path


def _line(row: Any, began: float) -> str:
    said = {k: v for k, v in row.v.items() if k not in {"body", "answer"}}
    head = f"    {row.t - began:9.3f} {row.p:<14.14} {row.type:<7} {row.f:<10}"
    return f"{head} {row.key or '-'} {said}"[:240]


def _plot(path: Path, run: Run, began: float) -> None:
    points = delivery.latencies(run)
    if not points:
        return
    figure, axes = plt.subplots(figsize=(11, 4.5), layout="constrained")
    names: dict[str, str] = {}
    for window in run.windows:
        shade = names.setdefault(window.name, _SHADES[len(names) % len(_SHADES)])
        axes.axvspan(window.begin - began, window.end - began, color=shade, alpha=0.18, lw=0)
    axes.plot(
        [at - began for at, *_ in points], [max(0.001, took) for _, took, *_ in points], "k.", ms=3
    )
    for name, shade in names.items():
        axes.plot([], [], color=shade, lw=8, alpha=0.3, label=name)
    axes.set(yscale="log", xlabel="seconds", ylabel="alarm asked for → received by the phone, s")
    axes.grid(visible=True, which="both", alpha=0.25)
    if names:
        axes.legend(ncols=8, loc="upper center", bbox_to_anchor=(0.5, 1.14), frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
