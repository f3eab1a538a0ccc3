"""The invented people and things of the demo: made from one seed, marked as invented everywhere.

Real are only the streets, buildings and AEDs of the city. Every invented thing lies at a real
building, or in a city without buildings at a real street.
"""

from random import Random

#: The same demo on every machine. (A Sunday in November.)
SEED = 20261122


def random(part: str) -> Random:
    """Give the generator of one part of the demo, so that parts do not shift each other."""
    return Random(f"{SEED} {part}")  # noqa: S311 - nothing secret
