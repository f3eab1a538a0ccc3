"""PURE. What the joint plan is made from and what it comes to; minutes from now everywhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatch.joint import survival

Floats = NDArray[np.float64]

#: Numbers of roles, as in the file of `golden solve dispatch`.
NONE, DIRECT, FETCH = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Scene:
    """The patient's clock: minutes from now, but `t0` and `t_by`, which count from the collapse.

    t0: collapse to now; t_e: the ambulance is there; t_ed: its first shock, not before t_e;
    setup: an AED at the patient to its shock; t_by: a bystander's CPR began or will begin
    (None: nobody); theta: how much of trained CPR that is worth.
    """

    t0: float
    t_e: float
    t_ed: float
    setup: float
    t_by: float | None
    theta: float
    model: survival.Model = survival.VALENZUELA


@dataclass(frozen=True, slots=True)
class Options:
    """What n people could do with m AEDs; infinite minutes where they cannot.

    direct: (n,) minutes to the patient; fetch: (n, m) minutes by way of AED k; accept: (n,)
    probability; works: (m,) probability that AED k can be had and works; at_hand: (m,) whether it
    is carried by the one person who can bring it, who goes straight with it (None: no AED is).
    With `is_single` an AED is fetched by one person at most.
    """

    direct: Floats
    fetch: Floats
    accept: Floats
    works: Floats
    is_single: bool = True
    at_hand: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """Somebody asked already: accepted (`accept` 1) or still silent (what is left of it).

    role: 1 direct, 2 by way of an AED; aed: its column, -1 for one that is not among the options.
    """

    role: int
    minutes: float
    accept: float
    works: float = 0.0
    aed: int = -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Expected minutes from now until somebody trained gives CPR, and until the first shock."""

    to_cpr: float
    to_shock: float


@dataclass(frozen=True, slots=True)
class Solution:
    """Who is asked for what, what that is worth, and what everybody else would add.

    roles, aed: per person, aed -1 without; value: expected index, the price not taken off;
    value_nobody: the ambulance alone; value_going: with those who are going already;
    value_all_direct: the best plan without AEDs; minutes: nobody, all direct, this plan.
    marginal: of somebody chosen what would be lost without, of the others what they would add,
    0 who can only come too late, nan who is pruned: then `dominated_by` is somebody at least as
    good in everything (else -1). The same `steps` give the same plan again, bit for bit.
    """

    roles: NDArray[np.int8]
    aed: NDArray[np.int32]
    value: float
    value_nobody: float
    value_going: float
    value_all_direct: float
    minutes: tuple[Outcome, Outcome, Outcome]
    marginal: Floats
    dominated_by: NDArray[np.int32]
    starts: int
    steps: int
    greedy_value: float
    is_complete: bool
    milliseconds: float
