"""PURE. Survival after cardiac arrest against time: named, versioned models as plug-ins.

Minutes from collapse: c to CPR, d to the first shock, a to advanced life support. A modelled
index that orders plans; never shown as the chance of this patient (docs/planning.md).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class Shape(IntEnum):
    """How the weighted minutes become an index; the kernels know these numbers."""

    LOGISTIC = 0  # 1 / (1 + exp(base + weighted minutes))
    FLOORED = 1  # base - weighted minutes, never below 0
    LINEAR = 2  # base - weighted minutes


@dataclass(frozen=True, slots=True)
class Model:
    """A survival model: its name carries its version, a change of numbers needs a new name."""

    name: str
    shape: Shape
    base: float
    per_cpr: float
    per_shock: float
    per_acls: float = 0.0
    population: str = ""
    source: str = ""


VALENZUELA = Model(
    "valenzuela1997",
    Shape.LOGISTIC,
    base=-0.260,
    per_cpr=0.106,
    per_shock=0.139,
    population="1,667 King County and 205 Tucson, witnessed ventricular fibrillation before EMS",
    source="Valenzuela 1997, Circulation 96:3308; coefficients as in Erkut 2008",
)
#: With the defibrillator's arrival as the response interval r: 0.04 + 0.30 c + 0.14 (r - c).
WAALEWIJN = Model(
    "waalewijn2001",
    Shape.LOGISTIC,
    base=0.04,
    per_cpr=0.30 - 0.14,
    per_shock=0.14,
    population="1,030 witnessed, all rhythms, Amsterdam",
    source="Waalewijn 2001, Resuscitation 51:113, model I",
)
#: The response interval r ends when somebody with a defibrillator is there; d stands for it.
DE_MAIO = Model(
    "demaio2003",
    Shape.LOGISTIC,
    base=0.679,
    per_cpr=0.0,
    per_shock=0.262,
    population="9,273 out-of-hospital arrests, all rhythms, Ontario",
    source="De Maio 2003, Ann Emerg Med 42:242",
)
LARSEN = Model(
    "larsen1993",
    Shape.FLOORED,
    base=0.67,
    per_cpr=0.023,
    per_shock=0.011,
    per_acls=0.021,
    population="1,667 witnessed ventricular fibrillation, King County",
    source="Larsen 1993, Ann Emerg Med 22:1652",
)
#: Not survival but minutes, for who refuses survival models: less time to CPR first, then to the
#: shock. A minute to the shock weighs as much as 0.06 s to CPR.
LEXICOGRAPHIC = Model(
    "lexicographic",
    Shape.LINEAR,
    base=0.0,
    per_cpr=1.0,
    per_shock=0.001,
    population="none: minutes",
    source="minimise expected minutes to CPR, then to the shock",
)
MODELS: Mapping[str, Model] = MappingProxyType(
    {m.name: m for m in (VALENZUELA, WAALEWIJN, DE_MAIO, LARSEN, LEXICOGRAPHIC)}
)


def index(model: Model, c: float, d: float, a: float = 0.0) -> float:
    """Return the modelled index for minutes from collapse to CPR, first shock and ACLS."""
    weighted = model.per_cpr * c + model.per_shock * d + model.per_acls * a
    if model.shape is Shape.LOGISTIC:
        return 1.0 / (1.0 + math.exp(model.base + weighted))
    value = model.base - weighted
    return max(0.0, value) if model.shape is Shape.FLOORED else value
