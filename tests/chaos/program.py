"""`python -m tests.chaos quick|full|soak|mutants|judge|promise`: run, judge, report in JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

from tests.chaos import battle, checker, history, report, schedules
from tests.chaos.mutants import proof
from tests.chaos.promises import program as promises
from tests.chaos.run import Limits, Run


def main() -> int:
    """Run what was asked for; 0 when everything came out as it must."""
    if sys.argv[1:2] == ["promise"]:
        return promises.main(sys.argv[2:])
    options = _options()
    folder = Path(options.out or tempfile.mkdtemp(prefix="golden-chaos-report-"))
    if options.what == "judge":
        return _judge_again(options, folder)
    if options.what == "mutants":
        return _mutants(options, folder)
    plan = schedules.plan(options.what, options.seed, minutes=options.minutes, only=options.only)
    return int(_one(_patient(plan, options), folder)["valid"] != "true")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("what", choices=["quick", "full", "soak", "mutants", "judge"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="of a soak")
    parser.add_argument("--mutant", action="append", help="only this one, as M3; may be repeated")
    parser.add_argument("--only", action="append", help="only this nemesis, as N5; may be repeated")
    parser.add_argument(
        "--patience", type=float, default=1.0, help="multiplies every limit of time"
    )
    parser.add_argument("--out", help="folder for history, report and plot")
    return parser.parse_args()


def _patient(plan: battle.Battle, options: argparse.Namespace) -> battle.Battle:
    return replace(plan, limits=replace(plan.limits, patience=options.patience))


def _one(plan: battle.Battle, folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        run = runner.run(battle.fight(plan, folder))
    verdict = checker.judge(run, only=plan.only)
    path = report.write(folder, plan.name, run, verdict)
    said = report.result(plan.name, plan.seed, run, verdict)
    print(f"report: {path}", file=sys.stderr)
    print(json.dumps(said, ensure_ascii=False), flush=True)
    return said


def _judge_again(options: argparse.Namespace, folder: Path) -> int:
    """Judge the run that a folder holds, with other patience."""
    final = json.loads((folder / "final.json").read_text())
    run = Run(history.read(folder / "history.jsonl"), final, Limits(patience=options.patience))
    verdict = checker.judge(run)
    report.write(folder, "judged again", run, verdict)
    print(json.dumps(report.result("judged again", options.seed, run, verdict), ensure_ascii=False))
    return int(verdict.valid is not True)


def _mutants(options: argparse.Namespace, folder: Path) -> int:
    """Let the checker judge each mutant, and the real program by the same schedule."""
    wrong = []
    for name in options.mutant or schedules.MUTANTS:
        for is_mutated in (True, False):
            plan = schedules.against(name, options.seed, is_mutated=is_mutated)
            said = _one(_patient(plan, options), folder / plan.name)
            was_run = _broken_part_was_run(folder / plan.name, name)
            as_it_must = (
                was_run and not schedules.MUTANTS[name].by.isdisjoint(said["broken"])
                if is_mutated
                else said["valid"] == "true" and not was_run
            )  # fmt: skip
            if not as_it_must:
                wrong.append(plan.name)
    print(json.dumps({"mutants": options.mutant or list(schedules.MUTANTS), "wrong": wrong}))
    return int(bool(wrong))


def _broken_part_was_run(folder: Path, mutant: str) -> bool:
    """Say whether the mutant took effect: a process, or a phone, says so."""
    by_phone = any(
        row.f == "broken_part" and row.key == mutant
        for row in history.read(folder / "history.jsonl")
    )
    return by_phone or any(
        proof.was_run(mutant, log.read_text(errors="replace")) for log in folder.glob("*.log")
    )
