"""Keeps the app's walking network up to date: an import swaps the folder, this swaps the object."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from fastapi import FastAPI

from dispatch import matching
from dispatch.settings import Settings
from geo import walking

_logger = logging.getLogger(__name__)

#: An import is rare; nobody minds the new streets some seconds late.
LOOK_EVERY_S = 5.0


def empty(settings: Settings) -> walking.WalkingNetwork:
    """Give a network without streets: every time is an estimate and says so."""
    return walking.WalkingNetwork([], speed_mps=settings.walk_speed_mps)


async def load(app: FastAPI) -> None:
    """Load and warm up what the folder holds now; what is damaged is named in the log and left."""
    settings: Settings = app.state.settings
    try:
        app.state.network = await asyncio.to_thread(_load, settings)
    except (walking.DamagedNetwork, OSError, ValueError) as error:
        _logger.warning("walking network not loaded: %s", error)


def _load(settings: Settings) -> walking.WalkingNetwork:
    network = walking.WalkingNetwork.load(settings.walking_dir, speed_mps=settings.walk_speed_mps)
    network.warm_up()
    matching.warm_up()
    return network


async def watch(app: FastAPI) -> NoReturn:
    """Load the network again whenever the folder holds another one."""
    settings: Settings = app.state.settings
    seen = app.state.network.generation
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        there = await asyncio.to_thread(walking.generation_of, settings.walking_dir)
        if there != seen:
            seen = there
            await load(app)
