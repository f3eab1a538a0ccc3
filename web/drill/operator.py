"""The simulated operator: hears the board like a console, opens exercises and ends them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from web.drill.api import Api, Refused
from web.drill.live_client import LiveClient

FINISHED = frozenset({"handed_over", "cleared"})
ON_THE_WAY = frozenset({"accepted", "en_route", "aed_collected"})


class Operator:
    """One console's view of all exercises, kept by the live log alone."""

    def __init__(self, api: Api, live_url: str, org_code: str, token: str) -> None:
        self._api = api
        self._assignments: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        self._finished: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.live = LiveClient(live_url, [f"org:{org_code}"], self, token=token)

    # --- web.drill.live_client.Listener -----------------------------------------------------

    def connected(self) -> None:
        """Take no notice: the cursor says where to go on."""

    def lost(self, _code: int | None) -> None:
        """Take no notice: the client comes back by itself."""

    def snapshot(self, _topic: str, body: Mapping[str, Any]) -> None:
        """Take over the board as it is."""
        for assignment in body["assignments"].values():
            self._note(assignment)

    def event(self, _topic: str, _kind: str, body: Mapping[str, Any]) -> None:
        """Note who got how far."""
        for assignment in body.get("assignments", ()):
            self._note(assignment)

    def _note(self, assignment: Mapping[str, Any]) -> None:
        incident = str(assignment["incident"])
        self._assignments[incident][str(assignment["id"])] = assignment
        if is_finished(self._assignments[incident].values()):
            self._finished[incident].set()

    # --- what the operator does -------------------------------------------------------------

    async def play(self, body: Mapping[str, Any], *, patience_s: float) -> Mapping[str, Any]:
        """Open one exercise, alert, follow it to its end or the end of patience, and close it."""
        incident = await self._api.post("/incidents", body)
        path = f"/incidents/{incident['id']}"
        await self._alert(path)
        finished = self._finished[incident["id"]]
        try:
            async with asyncio.timeout(patience_s):
                await finished.wait()
        except TimeoutError:
            pass
        await self._api.post(f"{path}/stand-down", {"reason": "exercise over"})
        disposition = "completed" if finished.is_set() else "cancelled"
        await self._api.post(f"{path}/close", {"disposition": disposition})
        ended: Mapping[str, Any] = await self._api.get(path)
        return ended

    async def _alert(self, path: str) -> None:
        """Send the first wave; with nobody in reach yet the system goes on looking by itself."""
        try:
            await self._api.post(f"{path}/alert", {})
        except Refused as refused:
            if refused.problem.get("code") != "nobody_to_alert":
                raise


def is_finished(assignments: Any) -> bool:
    """Say whether somebody handed over and no AED is still on its way."""
    going = list(assignments)
    coming = any(one["role"] == "via_aed" and one["status"] in ON_THE_WAY for one in going)
    return not coming and any(one["status"] in FINISHED for one in going)
