"""PURE. Bare cases in a file: the joint plan without a running system.

The format is the contract's: minutes from now, an AED of everybody's own.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from dispatch.joint import survival
from dispatch.joint.scene import Floats, Options, Scene
from dispatch.joint.search import choose


class BadCase(ValueError):
    """The file does not hold what it should; says where and what to do."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a file."""

    id: Any
    most: int
    price: float
    options: Options
    scene: Scene


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program prints for one case; roles 0 none, 1 direct, 2 fetch."""

    id: Any
    value: float
    roles: list[int]
    ms: float


def read(document: object, model: survival.Model) -> list[Case]:
    """Read a file that was parsed already; BadCase on the first thing that is wrong."""
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list):
        raise BadCase('the file must be an object with a list "cases"')
    return [_case(case, number, model) for number, case in enumerate(cases)]


def solve(cases: Sequence[Case]) -> Iterator[Answer]:
    """Yield the plan of each case in turn."""
    for case in cases:
        found = choose(case.options, case.scene, most=case.most, price=case.price)
        yield Answer(case.id, found.value, found.roles.tolist(), round(found.milliseconds, 3))


def _case(raw: object, number: int, model: survival.Model) -> Case:
    if not isinstance(raw, dict):
        raise BadCase(f"case {number}: must be an object")
    where = f"case {raw.get('id', number)!r}"
    most = _number(raw, "K", where)
    if most < 0 or most != int(most):
        raise BadCase(f"{where}: K must be a whole number, 0 or more")
    price = _number(raw, "lambda", where, otherwise=0.0)
    if price < 0:
        raise BadCase(f"{where}: lambda must not be negative")
    params = raw.get("params")
    if not isinstance(params, dict):
        raise BadCase(f"{where}: params must be an object with t0, tE, tEd, setup, tby and theta")
    return Case(
        raw.get("id", number), int(most), price, _options(raw, where), _scene(params, where, model)
    )


def _scene(params: Mapping[str, Any], where: str, model: survival.Model) -> Scene:
    has_bystander = params.get("tby") is not None
    scene = Scene(
        t0=_number(params, "t0", where),
        t_e=_number(params, "tE", where),
        t_ed=_number(params, "tEd", where),
        setup=_number(params, "setup", where),
        t_by=_number(params, "tby", where) if has_bystander else None,
        theta=_number(params, "theta", where, otherwise=None if has_bystander else 0.0),
        model=model,
    )
    if scene.t_ed < scene.t_e:
        raise BadCase(f"{where}: tEd, the ambulance's shock, must not come before tE")
    if not 0.0 <= scene.theta <= 1.0:
        raise BadCase(f"{where}: theta must be between 0 and 1")
    return scene


def _options(raw: Mapping[str, Any], where: str) -> Options:
    direct, fetch = _row(raw, "t_direct", where), _row(raw, "t_fetch", where)
    accept, works = _row(raw, "accept", where), _row(raw, "aed_ok", where)
    if not len(direct) == len(fetch) == len(accept) == len(works):
        raise BadCase(f"{where}: t_direct, t_fetch, accept and aed_ok must be of one length")
    for name, share in (("accept", accept), ("aed_ok", works)):
        if not bool(np.all((share >= 0.0) & (share <= 1.0))):
            raise BadCase(f"{where}: {name} must be between 0 and 1")
    own = np.full((len(fetch), len(fetch)), math.inf)
    np.fill_diagonal(own, fetch)
    return Options(direct, own, accept, works, is_single=False)


def _row(raw: Mapping[str, Any], name: str, where: str) -> Floats:
    """Read a list of numbers; null stands for never."""
    values = raw.get(name)
    if not isinstance(values, list):
        raise BadCase(f"{where}: {name} must be a list of numbers, one per person")
    times = name.startswith("t_")
    for value in values:
        is_never = value is None and times
        if not is_never and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise BadCase(f"{where}: {name} holds {value!r}, which is not a number")
    row = np.array([math.inf if value is None else value for value in values], np.float64)
    if np.isnan(row).any():
        raise BadCase(f"{where}: {name} holds something that is not a number")
    return row


def _number(
    raw: Mapping[str, Any], name: str, where: str, *, otherwise: float | None = None
) -> float:
    value = raw.get(name, otherwise)
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCase(f"{where}: {name} must be a number")
    if not math.isfinite(value):
        raise BadCase(f"{where}: {name} must be finite")
    return float(cast("float", value))
