"""Which faults come in which order: quick, full, a soak, and one schedule for each mutant."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.chaos import checker, nemeses
from tests.chaos.battle import Battle, Step
from tests.chaos.devices import Habits
from tests.chaos.system import Shape
from tests.chaos.workloads import Pace

Steps = Sequence[Sequence[Step]]

_QUICK: Steps = (
    (Step("N1", 10),),
    (Step("N2"),),
    (Step("N5", 3, ("kill", "cut", "hang")),),
    (Step("N6", 4, ("immediate", "terminate")),),
    (Step("N9", 3, ("lost reply", "half frame", "reset", "flap")),),
    (Step("N12", 8, ("20",)), Step("N14", 8)),
    (Step("N15"),),
    (Step("N21", 6), Step("revoke", 6)),
    (Step("away", 5),),
)

#: Every fault once.
_SINGLE: Steps = (
    (Step("N1", 40, ("apps",)), Step("N1", 40, ("runners",))),
    (Step("N2"),),
    (Step("N3", 10),),
    (Step("N4"),),
    (Step("N4"),),
    (Step("N5", 5),),
    (Step("N6", 4),),
    (Step("N6", 3, ("immediate",) * 5),),
    (Step("N7", 4),),
    (Step("N8", 5),),
    (Step("N9", 4),),
    (Step("N10", 4, ("devices", "app", "apps")),),
    (Step("N12", 15, ("60",)), Step("N14", 12)),
    (Step("N13", 4),),
    (Step("N15"),),
    (Step("N16", 6),),
    (Step("N17"),),
    (Step("N18", 4),),
    (Step("N20", 6),),
    (Step("N21", 6), Step("revoke", 6)),
    (Step("N22", 4),),
    (Step("away", 6),),
    (Step("trim", 5),),
)
#: Two at a time.
_PAIRS: Steps = (
    (Step("N1", 30), Step("N6", 3, ("immediate",) * 5)),
    (Step("N3", 6), Step("N10", 10, ("devices",))),
    (Step("N5", 4), Step("away", 8)),
    (Step("N8", 4), Step("N14", 20)),
    (Step("N1", 30), Step("N9", 4)),
    (Step("N1", 25), Step("N5", 4)),
    (Step("N3R", 15), Step("N1", 20)),
    (Step("N1", 60, ("apps",)), Step("N1", 60, ("runners",)), Step("N14", 30)),
)
#: What a soak chooses from, one a minute.
_ANY = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9", "N10", "N12", "N13", "N14",
        "N15", "N16", "N17", "N18", "N20", "N21",
         "N22", "away", "N3R")  # fmt: skip


def plan(what: str, seed: int, *, minutes: float = 60, only: Sequence[str] | None = None) -> Battle:
    """Give the schedule of a name; with `only`, just these nemeses out of it."""
    if only:
        clocks = "N10" in only
        shape = Shape(
            has_clocks=clocks, has_database_clock=clocks,
            disk_mb=DISK_MB if "N11" in only else 0,
        )  # fmt: skip
        return Battle(what, seed, [(Step(name, 6),) for name in only], shape=shape)
    match what:
        case "quick":
            return Battle(what, seed, _QUICK)
        case "full":
            return Battle(
                what, seed, [*_SINGLE, *_PAIRS], pace=FULL_PACE, cells=12,
                shape=Shape(has_clocks=True),
            )  # fmt: skip
        case _:
            shape = Shape(has_clocks=True)
            return Battle(what, seed, _soak(seed, minutes), calm_s=20, cells=16, shape=shape)


#: What the database of a run with N11 has; its log needs 16 MiB at a time.
DISK_MB = 400
#: Most incidents of a full run alert nobody: they are there to be lost.
FULL_PACE = Pace(alarms_per_s=2.0, bare_per_s=4.5, at_once=60, is_lone=True)


def _soak(seed: int, minutes: float) -> Steps:
    dice = random.Random(f"{seed}/soak")
    return [(Step(dice.choice(_ANY), dice.uniform(3, 20)),) for _ in range(int(minutes))]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a mutant must not survive, and the program as it is must."""

    #: The invariants that may reject it: whatever else goes wrong is not what was broken.
    by: frozenset[str]
    steps: Steps
    more: Mapping[str, Any] = field(default_factory=dict)


_UNSEEN = frozenset({"INV-5", "INV-7"})
MUTANTS: Mapping[str, Aim] = {
    "M1": Aim(
        frozenset({"INV-1"}),
        ((Step("N2", 5, ("before COMMIT is sent",) * 6),),),
        {"pace": Pace(1, 8)},
    ),
    "M2": Aim(
        _UNSEEN,
        ((Step("N5", 14, ("hang", "kill")),),),
        {"pace": Pace(longest_s=16, shortest_s=12)},
    ),
    "M3": Aim(_UNSEEN | {"INV-9", "INV-10"}, ((Step("N14", 20),),), {"pace": Pace(2.5, 4)}),
    "M4": Aim(frozenset({"INV-5"}), ((Step("away", 5),),)),
    "M5": Aim(
        _UNSEEN | {"INV-20"},
        ((Step("N12", 25, ("24", "again")),),),
        {"pace": Pace(2, 6, padding=3_500, bare_life_s=3.0, at_once=60)},
    ),
    "M6": Aim(
        frozenset({"INV-19"}),
        ((Step("N3R", 25),),),
        {
            "pace": Pace(2, 0, shortest_s=16, longest_s=20, run_out=0),
            "habits": Habits(accepts=0.9, declines=0),
        },
    ),
    "M7": Aim(frozenset({"INV-1"}), ((Step("N6", 3, ("immediate",) * 3),),), {"pace": Pace(1, 8)}),
    "M8": Aim(
        frozenset({"INV-5"}),
        ((Step("N10", 12, ("devices",)),),),
        {"pace": Pace(2, 0, shortest_s=38, longest_s=39, run_out=0)},
    ),
    "M9": Aim(frozenset({"INV-9", "INV-10"}), ((Step("trim", 6),),)),
    "M10": Aim(frozenset({"INV-17"}), ((Step("away", 5),),)),
    "M11": Aim(
        frozenset({"INV-3"}),
        ((Step("N2", 5, ("after the reply to COMMIT", "before the HTTP reply") * 3),),),
        {"pace": Pace(1, 6)},
    ),
    "M12": Aim(
        frozenset({"INV-19"}),
        ((Step("N2", 5, (nemeses.AFTER_A_DECISION,) * 5),),),
        {"pace": Pace(2.5, 0, edits=0), "habits": Habits(accepts=0, declines=0)},
    ),
    "M13": Aim(frozenset({"INV-16"}), ((Step("N22", 3),),)),
    "M14": Aim(frozenset({"INV-17"}), ((Step("revoke", 25),),)),
}
#: Faults of the client: the phones have them, the program is as it is.
_CLIENT: Mapping[str, Mapping[str, Any]] = {
    "M4": {"has_journal": False},
    "M8": {"trusts_wall_clock": True},
}


def against(mutant: str, seed: int, *, is_mutated: bool) -> Battle:
    """Give the schedule that is aimed at a mutant, for it or for the real program."""
    aim = MUTANTS[mutant]
    more = dict(aim.more)
    if is_mutated and mutant in _CLIENT:
        more["habits"] = replace(more.get("habits", Habits()), **_CLIENT[mutant])
    name = mutant if is_mutated else f"{mutant}-sound"
    in_program = is_mutated and mutant not in _CLIENT
    shape = Shape(mutant=mutant if in_program else None)
    # What is right or wrong is judged, not how fast the machine is.
    judged = frozenset(checker.INVARIANTS) - {"INV-13"}
    return Battle(name, seed, aim.steps, shape=shape, only=judged, **more)
