"""PURE. Figures beside their limits, and what is printed of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. None is what could not be measured, which is not met."""

    name: str
    value: float | None
    limit: float
    unit: str = "s"
    #: The limit is the least that is right, not the most.
    is_least: bool = False
    #: Of how many this is the figure; 0 where that is no question.
    of: int = 0
    #: A limit of time, which patience may stretch.
    is_time: bool = False

    def is_met(self, patience: float = 1.0) -> bool:
        """Say whether the figure is within its limit."""
        if self.value is None or math.isnan(self.value):
            return False
        limit = self.limit * patience if self.is_time else self.limit
        return self.value >= limit if self.is_least else self.value <= limit


def seconds(name: str, values: Sequence[float], limit: float, q: float = 1.0) -> Figure:
    """Give a quantile of some times, by default the longest."""
    return Figure(name, quantile(values, q), limit, of=len(values), is_time=True)


def count(name: str, number: int, limit: int = 0, *, of: int = 0) -> Figure:
    """Give a number of what must not happen, or not more often than so."""
    return Figure(name, number, limit, "", of=of)


def least(name: str, number: float, limit: float, unit: str = "", *, of: int = 0) -> Figure:
    """Give a number that must not be smaller."""
    return Figure(name, number, limit, unit, is_least=True, of=of)


def quantile(values: Sequence[float], q: float) -> float | None:
    """Give the value that a share q of all does not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


@dataclass
class Shown:
    """What one promise came to."""

    promise: str
    text: str
    figures: list[Figure] = field(default_factory=list)
    #: The load that it was measured under.
    load: Mapping[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    #: What the promise says and this program does not measure.
    not_measured: list[str] = field(default_factory=list)
    patience: float = 1.0

    @property
    def is_kept(self) -> bool:
        """Say whether every figure is within its limit."""
        return bool(self.figures) and all(f.is_met(self.patience) for f in self.figures)

    def table(self) -> str:
        """Write it for people."""
        lines = [f"{self.promise}  {self.text}"]
        lines += [f"    {name}: {value}" for name, value in self.load.items()]
        width = max((len(f.name) for f in self.figures), default=0)
        for one in self.figures:
            sign = "≥" if one.is_least else "≤"
            lines.append(
                f"  {'met    ' if one.is_met(self.patience) else 'NOT MET'} {one.name:<{width}} "
                f"{_number(one.value):>9} {sign} {_number(one.limit)} {one.unit}"
                + (f"  ({one.of})" if one.of else "")
            )
        lines += [f"  note: {note}" for note in self.notes]
        lines += [f"  not measured: {text}" for text in self.not_measured]
        return "\n".join(lines)

    def line(self) -> dict[str, Any]:
        """Give it for machines."""
        return {
            "promise": self.promise,
            "met": self.is_kept,
            "load": dict(self.load),
            "patience": self.patience,
            "figures": [
                {
                    "name": one.name,
                    "value": _plain(one.value),
                    "limit": one.limit,
                    "unit": one.unit,
                    "of": one.of,
                    "met": one.is_met(self.patience),
                }
                for one in self.figures
            ],
            "notes": self.notes,
            "not_measured": self.not_measured,
        }


def _plain(value: float | None) -> float | None:
    """Give what JSON can hold: nothing for what never came."""
    return None if value is None or not math.isfinite(value) else round(value, 3)


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    if math.isinf(value):
        return "never"
    return f"{value:.3f}" if value != int(value) else str(int(value))
