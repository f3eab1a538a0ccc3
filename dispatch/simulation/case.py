"""PURE. One incident of the simulation: who and what is around, and what would happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dispatch.simulation import draws
from dispatch.simulation.draws import Purpose
from dispatch.simulation.world import World

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ground:
    """People and AEDs around a patient, as far as an installation could know.

    Times are seconds on foot at the pace by which an installation counts, infinite where there is
    no way; `hours` are the seconds from the alert between which an AED can be had, as written down,
    `really` as they are; nothing lies between two zeros.
    """

    district: str
    alert_at: datetime
    people: Sequence[UUID]
    line_m: Floats  # (n,)
    direct_s: Floats  # (n,)
    aeds: Sequence[UUID]
    aed_line_m: Floats  # (m,)
    aed_s: Floats  # (m,) from the AED to the patient
    to_aed_s: Floats  # (n, m)
    hours: Floats  # (m, 2)
    really: Floats  # (m, 2)
    trust: Floats  # (m,) how surely it is thought to work
    carries: Flags  # (n,) has an AED at hand
    floor: str | None = None
    # Where it is known when the ambulance came, from the alert on.
    ambulance_s: float | None = None


@dataclass(frozen=True, slots=True)
class Luck:
    """What would happen to everybody if they were asked; the same for every policy."""

    accepts: Flags  # (n,)
    answers: Flags  # (n,) yes or no, in time or not
    reply_s: Floats  # (n,)
    pace: Floats  # (n,) seconds really needed for one counted second
    arrives: Flags  # (n,)
    gets_aed: Flags  # (n,)
    aed_works: Flags  # (m,)
    # Answers that are known of earlier alarms: how many, and the yeses among them.
    accepted_before: NDArray[np.int64]  # (n,)
    # From the alert on.
    ambulance_s: float
    collapsed_s: float  # before it
    bystander_s: float | None  # after the collapse


@dataclass(frozen=True, slots=True)
class Case:
    """One incident to be played."""

    number: int
    ground: Ground
    luck: Luck


def luck(world: World, seed: int, number: int, ground: Ground) -> Luck:
    """Draw what would happen."""

    def of(purpose: Purpose) -> np.random.Generator:
        return draws.stream(seed, number, purpose)

    size, devices = len(ground.people), len(ground.aeds)
    accept = of(Purpose.ACCEPT)
    share = _shares(world, accept, size)
    accepts = accept.random(size) < share
    reply = of(Purpose.REPLY)
    speed = world.speed_mps * np.exp(world.speed_sigma * of(Purpose.SPEED).standard_normal(size))
    silent_no = world.silent / max(1e-9, 1.0 - world.accept)
    ambulance_s, bystander_s = _patient(world, of(Purpose.PATIENT))
    return Luck(
        accepts=accepts,
        reply_s=world.reply_s * np.exp(world.reply_sigma * reply.standard_normal(size)),
        answers=accepts | (reply.random(size) >= silent_no),
        pace=world.counted_mps / speed,
        arrives=of(Purpose.ARRIVE).random(size) >= world.never_arrives,
        gets_aed=of(Purpose.FETCH).random(size) >= world.fetch_fails,
        aed_works=of(Purpose.AED_STATE).random(devices) < world.works,
        accepted_before=of(Purpose.HISTORY).binomial(world.answers_known, share),
        ambulance_s=ambulance_s if ground.ambulance_s is None else ground.ambulance_s,
        collapsed_s=world.call_after_s + world.alert_after_call_s,
        bystander_s=bystander_s,
    )


def _shares(world: World, numbers: np.random.Generator, size: int) -> Floats:
    """Draw how often each person says yes."""
    if world.accept >= 1.0:
        return np.ones(size)
    weight = world.accept_weight
    return numbers.beta(world.accept * weight, (1.0 - world.accept) * weight, size)


def _patient(world: World, numbers: np.random.Generator) -> tuple[float, float | None]:
    """Draw when the ambulance is at the patient, from the alert on, and the bystander."""
    after_call = world.ambulance_s * float(
        np.exp(world.ambulance_sigma * numbers.standard_normal())
    )
    at_s = after_call + world.ambulance_vertical_s - world.alert_after_call_s
    helps = numbers.random() < world.bystander
    return max(0.0, at_s), world.bystander_s if helps else None
