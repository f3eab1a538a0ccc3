"""One simulated volunteer's phone: asked, answers, walks the streets, reports each step."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from geo.position import Position
from web.drill.api import Api, Refused, Unreachable
from web.drill.character import Character
from web.drill.journal import Journal, Showing
from web.drill.live_client import LiveClient
from web.drill.walk import Line

ASKABLE = frozenset({"notified", "delivered", "seen"})
#: Seconds between two positions while walking, as a phone's watch gives them.
POSITION_EVERY_S = 1.0
ACCURACY_M = 8.0
#: Street seconds with the patient until the ambulance crew takes over.
TREATS_S = 300.0


@dataclass(frozen=True, slots=True)
class Participant:
    """Whom a phone belongs to."""

    id: str
    name: str
    token: str
    position: Position


class Phone:
    """A phone with a journal. `speed` makes its walking and treating faster, nothing else."""

    def __init__(
        self, who: Participant, api: Api, live_url: str, character: Character, *, speed: float
    ) -> None:
        self.who = who
        self.journal = Journal()
        self.walked_s = 0.0
        self._api = api
        self._character = character
        self._speed = speed
        self._position = who.position
        self._tasks: asyncio.TaskGroup | None = None
        self._errands: dict[str, asyncio.Task[None]] = {}
        self.live = LiveClient(live_url, [f"person:{who.id}"], self, token=who.token)
        self._welcomed = asyncio.Event()

    async def run(self) -> None:
        """Stay connected and answer until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self.live.run())
            tasks.create_task(self._lose_network())

    async def ready(self) -> None:
        """Wait until the socket was welcomed for the first time."""
        await self._welcomed.wait()

    async def report_position(self) -> None:
        """Tell the system where the phone is, over HTTP."""
        await self._api.put("/me/position", self._fix())

    # --- what comes down (web.drill.live_client.Listener) ---------------------------------

    def connected(self) -> None:
        """Note in the journal that the phone is on the network."""
        self.journal.note_connected(_now())
        self._welcomed.set()

    def lost(self, _code: int | None) -> None:
        """Note in the journal that it no longer is."""
        self.journal.note_lost(_now())

    def snapshot(self, _topic: str, body: Mapping[str, Any]) -> None:
        """Show the alert that stands, if one does."""
        if body.get("alert"):
            self._asked(body["alert"])

    def event(self, _topic: str, kind: str, body: Mapping[str, Any]) -> None:
        """Show a new alert; stop when stood down."""
        if body.get("alert"):
            self._asked(body["alert"])
        if kind == "stood_down":
            self._stand_down(str(body["stand_down"]["alert"]))

    def _asked(self, alert: Mapping[str, Any]) -> None:
        alert_id = str(alert["id"])
        self.journal.receive(alert_id, _now())
        if alert["status"] not in ASKABLE:
            return
        showing = Showing(alert_id, int(alert["revision"]), str(alert["incident"]["id"]))
        if self.journal.show(showing):
            self._errand(alert_id, self._answer(alert_id))

    def _stand_down(self, alert_id: str) -> None:
        errand = self._errands.pop(alert_id, None)
        if errand is not None:
            errand.cancel()
        self._errand(f"{alert_id}/stood-down", self._quietly(f"/alerts/{alert_id}/seen"))

    # --- what the volunteer does ----------------------------------------------------------

    async def _answer(self, alert_id: str) -> None:
        await self.live.ack(alert_id, "received")
        await self.live.ack(alert_id, "shown")
        await asyncio.sleep(self._character.hesitates_s())
        answer = self._character.answer()
        if answer == "silent":
            return
        await self._quietly(f"/alerts/{alert_id}/seen")
        reply = await self._quietly(f"/alerts/{alert_id}/{answer}")
        if reply is not None and answer == "accept":
            await self._go(reply["assignment"])

    async def _go(self, mission: Mapping[str, Any]) -> None:
        if not await self._step(mission, "en_route"):
            return
        patient = _place(mission["incident"]["position"])
        if mission["aed"] is not None:
            await self._walk_to(_place(mission["aed"]["position"]))
            if not await self._step(mission, "aed_collected"):
                return
        await self._walk_to(patient)
        for step, then_s in (("on_scene", 5.0), ("with_patient", TREATS_S), ("handed_over", 5.0)):
            if step not in mission["steps"]:
                continue
            if not await self._step(mission, step):
                return
            await asyncio.sleep(then_s / self._speed)
        await self._step(mission, "cleared")

    async def _walk_to(self, goal: Position) -> None:
        line = await self._line_to(goal)
        pace = self._character.walks_mps() * self._speed
        walked = 0.0
        while walked < line.length_m:
            stride_s = min(POSITION_EVERY_S, (line.length_m - walked) / pace)
            await asyncio.sleep(stride_s)
            walked += stride_s * pace + 1e-6
            self._position = line.at(walked)
            await self.live.position(
                self._position.lon, self._position.lat, accuracy_m=ACCURACY_M, at=_now()
            )
        self._position = goal

    async def _line_to(self, goal: Position) -> Line:
        start = self._position
        try:
            route = await self._api.get("/routes", **{"from": _pair(start), "to": _pair(goal)})
        except (Refused, Unreachable):
            return Line.through([start, goal])
        points = [Position(lon, lat) for lon, lat in route["line"]["coordinates"]]
        return Line.through([start, *points, goal])

    async def _step(self, mission: Mapping[str, Any], step: str) -> bool:
        body = {"at": _now().isoformat(), "position": self._position.geojson()}
        return await self._quietly(f"/assignments/{mission['id']}/{step}", body) is not None

    async def _quietly(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Post; a refusal (too late, stood down meanwhile) or silence is an answer too."""
        try:
            return await self._api.post(path, body)
        except (Refused, Unreachable):
            return None

    # --- the phone itself -----------------------------------------------------------------

    async def _lose_network(self) -> None:
        while True:
            await asyncio.sleep(self._character.keeps_network_s())
            self.live.go_offline()
            await asyncio.sleep(self._character.stays_offline_s())
            self.live.go_online()

    def _errand(self, name: str, work: Any) -> None:
        if self._tasks is None:
            raise RuntimeError("the phone is not running")
        self._errands[name] = self._tasks.create_task(work)

    def _fix(self) -> dict[str, Any]:
        return {
            "lon": self._position.lon,
            "lat": self._position.lat,
            "accuracy_m": ACCURACY_M,
            "at": _now().isoformat(),
        }


def _now() -> datetime:
    return datetime.now(UTC)


def _place(point: Mapping[str, Any]) -> Position:
    return Position.from_geojson(point)


def _pair(place: Position) -> str:
    return f"{place.lon:.6f},{place.lat:.6f}"
