"""PURE. Random numbers that belong to one incident and one purpose, whatever else is drawn.

Person i of an incident always gets the i-th number of a purpose, so that every policy meets the
same people with the same luck, in whatever order and by however many processes it is played.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for; the numbers are part of every seed, so none may change."""

    PATIENT = 0
    PEOPLE = 1
    AEDS = 2
    SPEED = 3
    ACCEPT = 4
    REPLY = 5
    FETCH = 6
    ARRIVE = 7
    HISTORY = 8
    AED_STATE = 9
    SPOT = 10


def stream(seed: int, incident: int, purpose: Purpose) -> np.random.Generator:
    """Return the stream of one incident and purpose (Philox, keyed by all three)."""
    keys = np.random.SeedSequence((seed, incident, int(purpose)))
    return np.random.Generator(np.random.Philox(keys))
