"""The reference phone and the reference console, with everything they see written to the history.

The connection is the product's own client (`web.drill.live_client`); what a phone keeps over a
restart (marks, journal, unconfirmed acks) is in its `Memory`, as it would be in IndexedDB.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from tests.chaos.calls import Caller
from tests.chaos.history import INFO, NET, OK, History
from tests.chaos.people import Volunteer
from tests.dispatch.verify import apply_event
from web.drill.live_client import LiveClient, Refused
from web.drill.live_steps import Via

ASKABLE = frozenset({"pending", "notified", "delivered", "seen"})
#: What only some may ever receive; written into what is entered, looked for in what arrives.
#: Exact longitudes of patients and homes end in 7 at the sixth place, and nothing else does.
MARKER = re.compile(r"TAINT-[a-z]+-\d+|\+99900\d+|\b1\d\.\d{5}7\b")
#: The service worker rings all the same when it has not heard by then.
PUSH_WAIT_S = 1.5
BACK_OFF_S = (0.3, 0.6, 1.2, 2.4, 4.0)


class Client(LiveClient):
    """The product's client, with a tap on every frame and another process for each try."""

    def __init__(
        self,
        urls: Callable[[], str],
        tap: Callable[[dict[str, Any]], None],
        said: Callable[[Mapping[str, Any]], None],
        *args: Any,
        **more: Any,
    ) -> None:
        super().__init__("", *args, **more)
        self._urls = urls
        self._tap = tap
        self._said = said

    def _connect(self) -> Any:
        self._url = self._urls()
        return super()._connect()

    def _send(self, via: Via, frame: dict[str, Any]) -> None:
        if frame["type"] == "hello":
            self._said({"via": via.value, "topics": frame["topics"]})
        super()._send(via, frame)

    async def _poll(self, topics: dict[str, object], wait_s: int) -> None:
        self._said({"via": Via.POLL.value, "topics": topics})
        await super()._poll(topics, wait_s)

    def _take(self, frame: dict[str, Any]) -> None:
        self._tap(frame | {"via": self._heard_by.value})
        super()._take(frame)


@dataclass
class Habits:
    """How a phone is, and how it differs from a right one where a mutant wants that."""

    accepts: float = 0.5
    declines: float = 0.2
    #: Answers and acks are sent up to so many times, to different processes.
    repeats: int = 1
    #: The device's own clock is wrong by this.
    skew: timedelta = timedelta(0)
    #: Mutant M4: shows whatever comes.
    has_journal: bool = True
    #: Mutant M8: judges by the device's clock when an alert is over.
    trusts_wall_clock: bool = False


@dataclass
class Memory:
    """What survives a restart of the phone's program."""

    cursors: dict[str, tuple[str, int] | None] = field(default_factory=dict)
    shown: set[tuple[str, int]] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    unconfirmed: dict[tuple[str, str], None] = field(default_factory=dict)
    view: dict[str, Any] = field(default_factory=dict)


class _Screen:
    """What both kinds of client do: connect through the balancer, keep a copy, note it all."""

    def __init__(self, name: str, topic: str, token: str, calls: Caller, history: History) -> None:
        self.name = name
        self.topic = topic
        self.history = history
        self.calls = calls
        self.memory = Memory({topic: None})
        self.app: int | None = None
        self.is_over = False
        self._token = token
        self._clock_ahead_s = 0.0
        self._running: asyncio.Task[None] | None = None
        self.client = self._client()

    def _client(self) -> Client:
        client = Client(
            self._next_url, self._frame, self._said, [self.topic], self, token=self._token,
            back_off_s=BACK_OFF_S, rng=random.Random(f"{self.calls.seed}/{self.name}"),
        )  # fmt: skip
        client.cursors = self.memory.cursors
        client._unconfirmed = self.memory.unconfirmed
        return client

    def _next_url(self) -> str:
        app = self.calls.next_app()
        self.app = app.number
        return f"ws://127.0.0.1:{app.edge.port}/api/v1/live"

    def start(self) -> None:
        """Connect and stay so."""
        self._running = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """End the program of this device."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def restart(self, *, forgets_marks: bool = False) -> None:
        """Kill the program of this device and start it again with what it had stored."""
        await self.stop()
        if forgets_marks:
            self.memory.cursors[self.topic] = None
        self.history.note(self.name, NET, "restarted", forgets=forgets_marks)
        self.client = self._client()
        self.start()

    async def _run(self) -> None:
        try:
            await self.client.run()
        except Refused as refused:
            self.is_over = True
            self.history.note(self.name, NET, "refused", code=refused.code)
        except Exception as error:  # noted for the judge, and raised again
            self.history.note(self.name, NET, "crashed", error=repr(error))
            raise

    def server_time(self) -> float:
        """Give the server's time as this device knows it: seconds of the epoch."""
        return time.monotonic() + self._clock_ahead_s

    def connected(self) -> None:
        self.history.note(self.name, NET, "connected", app=self.app)

    def lost(self, code: int | None) -> None:
        self.history.note(self.name, NET, "lost", app=self.app, code=code)

    def snapshot(self, _topic: str, body: dict[str, Any]) -> None:
        self.memory.view = body

    def event(self, topic: str, _kind: str, body: dict[str, Any]) -> None:
        self.memory.view = apply_event(topic, self.memory.view, body)

    def _frame(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if "server_time" in frame:
            told = datetime.fromisoformat(frame["server_time"]).timestamp()
            self._clock_ahead_s = told - time.monotonic()
        brief = {name: frame[name] for name in _BRIEF if name in frame} | _version(frame)
        self.history.note(self.name, NET, "frame", frame.get("topic"), app=self.app, **brief)
        if kind in {"event", "snapshot"}:
            self._look_for_markers(frame)

    def _said(self, hello: Mapping[str, Any]) -> None:
        self.history.note(self.name, NET, "hello", **hello)

    def _look_for_markers(self, frame: Mapping[str, Any]) -> None:
        found = set(MARKER.findall(orjson.dumps(frame["body"]).decode()))
        if found:
            self.history.note(self.name, NET, "markers", None, found=sorted(found))


_BRIEF = ("type", "via", "topic", "topics", "epoch", "seq", "redelivered", "kind", "code", "alert",
          "level", "heartbeat_s")  # fmt: skip


def _version(frame: Mapping[str, Any]) -> dict[str, Any]:
    """Name the version of the incident that a board is told of."""
    told = frame.get("body", {}).get("incident") if frame["type"] == "event" else None
    return {} if not told else {"incident": told["id"], "version": told["version"]}


class Phone(_Screen):
    """A volunteer's phone."""

    def __init__(self, who: Volunteer, calls: Caller, history: History, habits: Habits) -> None:
        self.who = who
        self.habits = habits
        self._random = random.Random(f"{calls.seed}/{who.cell}/{who.name}")
        self._screen: tuple[str, int] | None = None
        self._catch_up_to: tuple[str, int] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        super().__init__(f"phone-{who.id}", f"person:{who.id}", who.token, calls, history)

    def snapshot(self, topic: str, body: dict[str, Any]) -> None:
        super().snapshot(topic, body)
        self._catch_up_to = None
        self._render()

    def event(self, topic: str, kind: str, body: dict[str, Any]) -> None:
        super().event(topic, kind, body)
        # A replay is applied in one go, so that what is over by now is never shown.
        if self._is_caught_up():
            self._render()

    def _is_caught_up(self) -> bool:
        mark = self.memory.cursors.get(self.topic)
        return self._catch_up_to is None or mark is None or mark >= self._catch_up_to

    def _frame(self, frame: dict[str, Any]) -> None:
        super()._frame(frame)
        if frame["type"] == "welcome" and self.topic in frame["topics"]:
            at = frame["topics"][self.topic]
            self._catch_up_to = (at["epoch"], int(at["seq"])) if at["recovered"] else None
        elif frame["type"] == "ack_ok":
            self.history.note(self.name, OK, "ack", frame["alert"], level=frame["level"])

    # ---- the screen

    def _render(self) -> None:
        alert = self.memory.view.get("alert")
        if alert is None or not self._may_show(alert):
            self._clear()
            return
        showing = (str(alert["id"]), int(alert["revision"]))
        if self._screen is not None and self._screen[0] != showing[0]:
            self._clear()
        self._receive(alert)
        if not self.habits.has_journal or showing not in self.memory.shown:
            if showing in self.memory.shown:
                self.history.note(self.name, NET, "broken_part", "M4")
            self.memory.shown.add(showing)
            self.history.note(
                self.name, OK, "shown", showing[0], revision=showing[1], who=self.who.id,
                incident=alert["incident"]["id"], expires_at=alert["expires_at"],
            )  # fmt: skip
            self._spawn(self._answer(alert))
        if self._screen is None:
            self.history.note(self.name, NET, "on_screen", showing[0])
            self._spawn(self._clear_at_its_end(alert))
        self._screen = showing

    def _may_show(self, alert: Mapping[str, Any]) -> bool:
        return alert["status"] in ASKABLE and self._left_s(alert) > 0

    def _left_s(self, alert: Mapping[str, Any]) -> float:
        ends = datetime.fromisoformat(alert["expires_at"]).timestamp()
        if self.habits.trusts_wall_clock:
            if self.habits.skew:
                self.history.note(self.name, NET, "broken_part", "M8")
            return ends - (time.time() + self.habits.skew.total_seconds())
        return ends - self.server_time()

    async def _clear_at_its_end(self, alert: Mapping[str, Any]) -> None:
        await asyncio.sleep(max(0.0, self._left_s(alert)) + 0.05)
        self._render()

    def _clear(self) -> None:
        if self._screen is not None:
            self.history.note(self.name, OK, "cleared", self._screen[0], who=self.who.id)
            self._screen = None

    def _receive(self, alert: Mapping[str, Any]) -> None:
        alert_id = str(alert["id"])
        if alert_id not in self.memory.received:
            self.memory.received.add(alert_id)
            self.history.note(self.name, OK, "received", alert_id, who=self.who.id)
            for level in ("received", "shown"):
                self._spawn(self._ack(alert_id, level))

    async def _ack(self, alert_id: str, level: str) -> None:
        for _ in range(self._random.randint(1, self.habits.repeats)):
            self.history.note(self.name, INFO, "ack", alert_id, level=level)
            await self.client.ack(alert_id, level)

    # ---- push

    def pushed(self, message: dict[str, Any]) -> None:
        """Do as the service worker does with what the push service hands over."""
        self._spawn(self._take_push(message))

    async def _take_push(self, message: Mapping[str, Any]) -> None:
        is_over = bool(message["code"]) and await self._confirm_push(message["code"])
        showing = (str(message["alert"]), 1)
        if message["purpose"] != "alert":
            if self._screen == showing:  # it has the same tag, so it takes its place
                self._clear()
            return
        if is_over or showing in self.memory.shown:
            return
        self._clear()
        self.memory.shown.add(showing)
        self._screen = showing
        more = {"revision": 1, "who": self.who.id, "incident": None, "by": "push"}
        self.history.note(self.name, OK, "shown", showing[0], **more)

    async def _confirm_push(self, code: str) -> bool:
        """Say that it is here, and ask whether it is over; nobody waits long for the answer."""
        asked = self.calls.send(
            self.name, "pushed", "POST", "/gateways/push/received", {"code": code}, key=code,
            token=None, tries=3,
        )  # fmt: skip
        with suppress(TimeoutError):
            answer = await asyncio.wait_for(asked, PUSH_WAIT_S)
            return answer is not None and (answer["_status"] == 404 or bool(answer.get("is_over")))
        return False

    # ---- the volunteer

    async def _answer(self, alert: Mapping[str, Any]) -> None:
        await asyncio.sleep(self._random.uniform(0.2, 1.5))
        choice = self._random.random()
        if choice < self.habits.accepts:
            answer = "accept"
        elif choice < self.habits.accepts + self.habits.declines:
            answer = "decline"
        else:
            return
        times = self._random.randint(1, self.habits.repeats)
        path = f"/alerts/{alert['id']}/{answer}"
        more = {"incident": alert["incident"]["id"], "who": self.who.id}
        async with asyncio.TaskGroup() as group:
            for number in range(times):
                group.create_task(self._say(answer, path, str(alert["id"]), number, more))

    async def _say(
        self, answer: str, path: str, alert: str, number: int, more: Mapping[str, Any]
    ) -> None:
        await asyncio.sleep(number * self._random.uniform(0, 0.3))
        at = datetime.now().astimezone() + self.habits.skew
        await self.calls.post(
            self.name, answer, path, {"at": at.isoformat()}, key=f"{alert}/{answer}/{number}",
            token=self.who.token, note={"alert": alert, **more},
        )  # fmt: skip

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """End what the volunteer is doing."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Console(_Screen):
    """An operator's board."""

    def __init__(self, name: str, org: str, token: str, calls: Caller, history: History) -> None:
        super().__init__(name, f"org:{org}", token, calls, history)

    def snapshot(self, topic: str, body: dict[str, Any]) -> None:
        super().snapshot(topic, body)

    def event(self, topic: str, kind: str, body: dict[str, Any]) -> None:
        with suppress(KeyError):  # nothing yet to apply it to: the client asks again
            super().event(topic, kind, body)
