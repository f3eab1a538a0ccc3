"""Which faults come in which order: quick, full, a soak, and one schedule for each mutant."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.chaos import checker
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
    (Step("N1", 40),),
    (Step("N2"),),
    (Step("N2"),),
    (Step("N3", 12),),
    (Step("N4"),),
    (Step("N4"),),
    (Step("N5", 8),),
    (Step("N6", 8),),
    (Step("N6", 5, ("immediate",) * 4),),
    (Step("N7", 6),),
    (Step("N8", 8),),
    (Step("N9", 6),),
    (Step("N10", 10),),
    (Step("N12", 20, ("100",)),),
    (Step("N14", 12),),
    (Step("N13", 6),),
    (Step("N15"),),
    (Step("N16", 8),),
    (Step("N17"),),
    (Step("N20", 8),),
    (Step("N21", 8), Step("revoke", 8)),
    (Step("N22", 6),),
    (Step("away", 8),),
    (Step("trim", 5),),
)
#: Two at a time.
_PAIRS: Steps = (
    (Step("N1", 30), Step("N6", 5, ("immediate",) * 4)),
    (Step("N3", 8), Step("N10", 12)),
    (Step("N5", 8), Step("away", 8)),
    (Step("N8", 8), Step("N14", 25)),
    (Step("N1", 30), Step("N9", 5)),
    (Step("N1", 25), Step("N5", 5)),
    (Step("N3R", 20), Step("N1", 20)),
    (Step("N16", 10), Step("N5", 5)),
    (Step("N1", 60),),
)
#: What a soak chooses from, one a minute.
_ANY = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9", "N10", "N12", "N13", "N14",
        "N15", "N16", "N17", "N20",
        "N21", "N22", "away", "N3R")  # fmt: skip


def plan(what: str, seed: int, *, minutes: float = 60, only: Sequence[str] | None = None) -> Battle:
    """Give the schedule of a name; with `only`, just these nemeses out of it."""
    if only:
        return Battle(what, seed, [(Step(name, 6),) for name in only])
    match what:
        case "quick":
            return Battle(what, seed, _QUICK)
        case "full":
            pace = Pace(alarms_per_s=2.0, bare_per_s=3.0)
            return Battle(what, seed, [*_SINGLE, *_PAIRS], pace=pace, cells=16)
        case _:
            return Battle(what, seed, _soak(seed, minutes), calm_s=20, cells=16)


def _soak(seed: int, minutes: float) -> Steps:
    dice = random.Random(f"{seed}/soak")
    return [(Step(dice.choice(_ANY), dice.uniform(3, 20)),) for _ in range(int(minutes))]


#: The schedule that each mutant must not survive, and the program as it is must.
MUTANTS: Mapping[str, Mapping[str, Any]] = {
    "M1": {"steps": [(Step("N2", 5, ("before COMMIT is sent",) * 4),)], "pace": Pace(1, 6)},
    "M2": {
        "steps": [(Step("N5", 14, ("hang", "kill")),)],
        "pace": Pace(longest_s=16, shortest_s=12),
    },
    "M3": {"steps": [(Step("N14", 20),)], "pace": Pace(2.5, 4)},
    "M4": {"steps": [(Step("away", 5),)]},
    "M5": {"steps": [(Step("N12", 70, ("20",)),)], "pace": Pace(2, 12, padding=3_500)},
    "M6": {
        "steps": [(Step("N3R", 6),), (Step("N14", 25),)],
        "pace": Pace(2, 0, shortest_s=7, longest_s=10),
    },
    "M7": {"steps": [(Step("N6", 3, ("immediate",) * 3),)], "pace": Pace(1, 8)},
    "M8": {"steps": [(Step("N10", 15),)]},
    "M9": {"steps": [(Step("trim", 6),)]},
    "M10": {"steps": [(Step("away", 5),)]},
    "M11": {
        "steps": [(Step("N2", 5, ("after the reply to COMMIT", "before the HTTP reply") * 3),)],
        "pace": Pace(1, 6),
    },
    "M12": {
        "steps": [(Step("N2", 5, ("after the reply to COMMIT",) * 5),)],
        "pace": Pace(2.5, 0, edits=0),
        "habits": Habits(accepts=0, declines=0),
    },
    "M13": {"steps": [(Step("N22", 3),)]},
    "M14": {"steps": [(Step("revoke", 25),)]},
}
#: Faults of the client: the phones have them, the program is as it is.
_CLIENT: Mapping[str, Mapping[str, Any]] = {
    "M4": {"has_journal": False},
    "M8": {"trusts_wall_clock": True},
}


def against(mutant: str, seed: int, *, is_mutated: bool) -> Battle:
    """Give the schedule that is aimed at a mutant, for it or for the real program."""
    aimed = dict(MUTANTS[mutant])
    if is_mutated and mutant in _CLIENT:
        aimed["habits"] = replace(aimed.get("habits", Habits()), **_CLIENT[mutant])
    name = mutant if is_mutated else f"{mutant}-sound"
    in_program = is_mutated and mutant not in _CLIENT
    shape = Shape(mutant=mutant if in_program else None)
    # What is right or wrong is judged, not how fast the machine is; M5 is about nothing else.
    judged = frozenset(checker.INVARIANTS) - (set() if mutant == "M5" else {"INV-13"})
    return Battle(name, seed, shape=shape, only=judged, **aimed)
