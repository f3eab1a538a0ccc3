"""PURE. The whole of a simulation as JSON: what was asked, what came out, what it does not say."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from dispatch.simulation import outcome, tally
from dispatch.simulation.run import Request, Results

#: Changes whenever the same request would give other numbers.
VERSION = 1
#: What decides about numbers besides our own code.
_PACKAGES = ("golden-minutes", "numpy", "numba", "scipy")

CAVEAT = {
    "zh": (
        "本报告比较策略，只能相对地读：各策略面对同样的模拟事件与同样的人。生存指数是模型值，"
        "不是任何患者的机会，也不是“挽救的生命数”。标注为“类似”的他方策略是根据公开资料的简化；"
        "模型假定各人是否接受互相独立；我们的策略用同一模型选择并评分。"
    ),
    "en": (
        "This compares policies and is to be read relatively: all met the same simulated incidents "
        "and the same people. The survival index is a modelled value, not the chance of any "
        "patient, and never a number of lives saved. Policies of others are stylised from what "
        "they published; acceptances are taken to be independent; ours chooses and is scored by "
        "the same model."
    ),
}


def body(
    request: Request, results: Results, *, place: str, load_per_alert: float
) -> dict[str, Any]:
    """Write a report; the same request and results give the same bytes.

    `place` names where it was played; `load_per_alert` is as in `tally.tally`.
    """
    return {
        "simulator": VERSION,
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "place": place,
        "seed": request.seed,
        "incidents": request.incidents,
        "reference": request.policies[0].name,
        "models": [model.name for model in outcome.MODELS],
        "world": request.world.document(),
        "policies": tally.tally(request, results, load_per_alert=load_per_alert),
        "arrival_curve_s": list(tally.CURVE_S),
        "documents": [policy.document() for policy in request.policies],
        "caveat": CAVEAT,
    }
