"""PURE. The joint plan by expected survival: people, roles and AEDs at once (docs/planning.md)."""

from dispatch.joint.scene import DIRECT, FETCH, NONE, Going, Options, Outcome, Scene, Solution
from dispatch.joint.search import choose, warm_up

__all__ = [
    "DIRECT",
    "FETCH",
    "NONE",
    "Going",
    "Options",
    "Outcome",
    "Scene",
    "Solution",
    "choose",
    "warm_up",
]
