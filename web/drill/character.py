"""How one simulated volunteer behaves, drawn from a seed so that a drill can be played again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chances:
    """What share of alerts meets which answer, and how often a phone loses the network.

    Acceptance follows the Danish programme (35 % of those alerted) in `real`; the default is more
    willing, so that a short drill walks the whole path.
    """

    accept: float = 0.65
    decline: float = 0.15
    lose_network_every_s: float = 90.0
    offline_s: tuple[float, float] = (1.0, 12.0)


@dataclass(slots=True)
class Character:
    """One volunteer's dice. Silence is whatever is neither acceptance nor refusal."""

    dice: random.Random
    chances: Chances

    @classmethod
    def of(cls, seed: int, number: int, chances: Chances) -> Character:
        """Return the character of phone `number` in the drill with this seed."""
        return cls(random.Random(f"{seed}/{number}"), chances)  # noqa: S311  # a game, no secret

    def answer(self) -> str:
        """Draw `accept`, `decline` or `silent`."""
        drawn = self.dice.random()
        if drawn < self.chances.accept:
            return "accept"
        return "decline" if drawn < self.chances.accept + self.chances.decline else "silent"

    def hesitates_s(self) -> float:
        """Draw the seconds from seeing an alert to the tap."""
        return self.dice.uniform(0.5, 4.0)

    def walks_mps(self) -> float:
        """Draw a walking speed: a brisk adult, give or take a fifth."""
        return 1.4167 * self.dice.uniform(0.9, 1.2)

    def keeps_network_s(self) -> float:
        """Draw the seconds until the network is lost next."""
        return self.dice.expovariate(1 / self.chances.lose_network_every_s)

    def stays_offline_s(self) -> float:
        """Draw the seconds without network."""
        return self.dice.uniform(*self.chances.offline_s)
