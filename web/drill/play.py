"""Play exercises: open incidents at a rate, alert, follow each to its end, and judge."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from geo.position import Position
from web.drill.api import Api
from web.drill.character import Chances, Character
from web.drill.operator import Operator
from web.drill.phone import Participant, Phone

#: An exercise that nobody finished by then is closed by the operator, in real seconds.
PATIENCE_S = 240.0
#: How long the phones stay on afterwards, so that what was under way still arrives.
SETTLE_S = 3.0


@dataclass(frozen=True, slots=True)
class Game:
    """What is played. `speed` makes only the phones faster."""

    base_url: str
    org_code: str
    phones: Sequence[Participant]
    operator_token: str
    incidents: int
    rate_per_s: float
    seed: int
    speed: float
    places: Sequence[tuple[str, Position]]
    chances: Chances = field(default_factory=Chances)
    patience_s: float = PATIENCE_S


@dataclass(slots=True)
class Played:
    """What happened: the phones with their journals, and each incident as it ended."""

    phones: list[Phone]
    incidents: list[Mapping[str, Any]] = field(default_factory=list)


async def play(game: Game, *, on_progress: Callable[[int, int], None]) -> Played:
    """Play the whole game; `on_progress` hears how many incidents are over, of how many."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=game.base_url, limits=limits) as client:
        phones = [_phone(game, client, number) for number in range(len(game.phones))]
        played = Played(phones)
        await asyncio.gather(*(phone.report_position() for phone in phones))
        operator = Operator(
            Api(client, game.operator_token), _live_url(game), game.org_code, game.operator_token
        )
        crowd = asyncio.create_task(_run_all(phones))
        console = asyncio.create_task(operator.live.run())
        try:
            async with asyncio.timeout(60):
                await asyncio.gather(*(phone.ready() for phone in phones))
            await _operate(game, operator, played, on_progress)
            await asyncio.sleep(SETTLE_S)
        finally:
            for task in (crowd, console):
                task.cancel()
            ends = await asyncio.gather(crowd, console, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):  # a phone or the console broke; the figures are void
                raise end
        return played


def _phone(game: Game, client: httpx.AsyncClient, number: int) -> Phone:
    who = game.phones[number]
    character = Character.of(game.seed, number, game.chances)
    return Phone(who, Api(client, who.token), _live_url(game), character, speed=game.speed)


def _live_url(game: Game) -> str:
    return game.base_url.replace("http", "ws", 1) + "/api/v1/live"


async def _run_all(phones: Sequence[Phone]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for phone in phones:
            tasks.create_task(phone.run())


async def _operate(
    game: Game, operator: Operator, played: Played, on_progress: Callable[[int, int], None]
) -> None:
    dice = random.Random(f"{game.seed}/operator")  # noqa: S311  # a game, no secret

    async def one(number: int, address: str, place: Position) -> None:
        await asyncio.sleep(number / game.rate_per_s)
        body = _call(game, address, place)
        played.incidents.append(await operator.play(body, patience_s=game.patience_s))
        on_progress(len(played.incidents), game.incidents)

    async with asyncio.TaskGroup() as tasks:
        for number in range(game.incidents):
            address, place = dice.choice(list(game.places))
            tasks.create_task(one(number, address, place))


def _call(game: Game, address: str, place: Position) -> Mapping[str, Any]:
    return {
        "kind": "cardiac_arrest",
        "severity": 1,
        "position": place.geojson(),
        "address": address,
        "ambulance": "notified",
        "exercise": True,
        "drill_speed": game.speed,
    }


def arrivals(
    incidents: Sequence[Mapping[str, Any]], speed: float
) -> tuple[list[float], list[float]]:
    """Return seconds from call to first arrival, by the clock and as they would be on foot.

    On foot: the seconds before the first accept as they were, the rest times `speed`.
    """
    real: list[float] = []
    street: list[float] = []
    for incident in incidents:
        accepted, arrived = incident["first_accept_at"], incident["first_on_scene_at"]
        if accepted is None or arrived is None:
            continue
        opened = datetime.fromisoformat(incident["created_at"])
        waited = (datetime.fromisoformat(accepted) - opened).total_seconds()
        walked = (
            datetime.fromisoformat(arrived) - datetime.fromisoformat(accepted)
        ).total_seconds()
        real.append(waited + walked)
        street.append(waited + walked * speed)
    return real, street
