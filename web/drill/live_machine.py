"""PURE  The decisions of a client of the live log: no socket, no clock, no chance of its own.

Whoever drives it tells what happened and when (milliseconds that only grow) and does what it
answers. `web/ui/shared/src/live/machine.ts` is its twin; the sessions of
tests/golden/live/sessions.json hold both to the same answers. docs/realtime.md says it in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from web.drill import live_marks
from web.drill.live_marks import Marks
from web.drill.live_steps import Connect, Drop, Frame, Hear, Output, Phase, Poll, Send, State, Via

#: Waits before each further try; each is shortened by chance to half, so that a thousand phones
#: do not come back in step. The last one is repeated.
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0)

#: A server that is silent for this many heartbeats is left.
MISSED_HEARTBEATS = 2.5

#: From the start of a try to the welcome; and what an answer to a poll takes beyond its wait.
WELCOME_WITHIN_MS = 10_000

#: An ack is sent again while its ack_ok does not come.
ACK_AGAIN_MS = 5_000

#: So many sockets in a row without a word of the server are taken for a proxy that lets none
#: through; then the log is polled, and a socket is tried beside it from time to time.
BLIND_MOST = 3
TRIAL_FIRST_MS = 2_000
TRIAL_EVERY_MS = 60_000

#: How long a poll waits for news; less after answers that were cut off.
POLL_WAIT_S = 25
POLL_WAIT_LEAST_S = 5

#: After these the server wants no further try with the same token.
FINAL_CLOSES = frozenset({4001, 4003})
#: Codes that only our server says: the way to it is open.
OWN_CLOSES = FINAL_CLOSES | {1012, 1013, 4008, 4009, 4029}


class Machine:
    """One client: what it has of each topic, and how it stays connected."""

    def __init__(
        self,
        topics: Iterable[str],
        hello: Mapping[str, object],
        random: Callable[[], float],
        *,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        """Take the topics, what every hello says besides, and chance between 0 and 1."""
        self.marks = Marks(topics)
        self.unconfirmed: dict[tuple[str, str], None] = {}
        self.phase = Phase.CONNECTING
        #: The way in use, and whether a socket is tried beside polls.
        self.link: Via | None = None
        self.is_trying = False
        self._hello = dict(hello)
        self._random = random
        self._back_off_s = back_off_s
        self._is_welcome = False
        self._is_open = False
        self._attempt = 0
        self._blind = 0
        self._next = Via.SOCKET
        self._heartbeat_ms = 5_000.0
        self._poll_wait_s = POLL_WAIT_S
        self._silent_at: float | None = None
        self._retry_at: float | None = None
        self._trial_at: float | None = None
        self._ack_at: float | None = None
        self._out: list[Output] = []

    @property
    def wake_at(self) -> float | None:
        """When to `tick`, at the latest."""
        times = (self._silent_at, self._retry_at, self._trial_at, self._ack_at)
        return min((at for at in times if at is not None), default=None)

    # ---- what happened

    def start(self, now: float) -> list[Output]:
        """Connect for the first time, or at once as the network is back."""
        if self.phase not in {Phase.SIGN_IN, Phase.REFUSED} and self.link is None:
            self._attempt = 0
            self._connect(now)
        return self._done()

    def stop(self) -> list[Output]:
        """Leave everything; `start` begins again where the cursors stand."""
        self._leave()
        self._retry_at = None
        if self.phase is Phase.LIVE:
            self._stand(Phase.RECONNECTING)
        return self._done()

    def opened(self) -> list[Output]:
        """The socket is open: say hello."""
        self._is_open = True
        self._say_hello()
        return self._done()

    def heard(self, via: Via, frame: Frame, now: float) -> list[Output]:
        """Take a frame."""
        if self.is_trying and via is Via.SOCKET and frame["type"] == "welcome":
            self._change_over()
        if via is self.link or (self.is_trying and frame["type"] == "error"):
            self._take(frame, now)
            if self.link is Via.SOCKET and self._is_welcome:
                self._silent_at = now + MISSED_HEARTBEATS * self._heartbeat_ms
        return self._done()

    def polled(self, now: float) -> list[Output]:
        """The whole answer to a poll has been told by `heard`: ask on."""
        if self.link is Via.POLL:
            self._poll(self._poll_wait_s, now)
        return self._done()

    def closed(self, via: Via, code: int | None, now: float) -> list[Output]:
        """The socket is closed or did not open, or a poll failed; with the server's code if any."""
        if code in FINAL_CLOSES and (via is self.link or self.is_trying):
            self._leave()
            self._stand(Phase.SIGN_IN if code == 4001 else Phase.REFUSED)
        elif self.is_trying and via is Via.SOCKET:
            self._end_trial(now)
        elif via is self.link:
            self._lose(code, now)
        return self._done()

    def tick(self, now: float) -> list[Output]:
        """Time has passed."""
        if _is_due(self._retry_at, now):
            self._connect(now)
        if _is_due(self._silent_at, now) and self.link is not None:
            self._out.append(Drop(self.link))
            self._lose(None, now)
        if _is_due(self._trial_at, now):
            self._turn_trial(now)
        if _is_due(self._ack_at, now):
            self._repeat_acks(now)
        return self._done()

    def ack(self, alert: str, level: str, now: float) -> list[Output]:
        """Tell that an alert was `received` or `shown`, until the server confirms."""
        self._acknowledge(alert, level, now)
        return self._done()

    def listen(self, topics: Iterable[str], now: float) -> list[Output]:
        """Replace the set of topics; those that stay keep their place."""
        if self.marks.keep(topics):
            if self._is_open:
                self._say_hello()
            if self.link is Via.POLL:
                self._poll(0, now)
        return self._done()

    def _done(self) -> list[Output]:
        out, self._out = self._out, []
        return out

    # ---- the connection

    def _connect(self, now: float) -> None:
        self.link, self._retry_at = self._next, None
        if self.link is Via.POLL:
            self._poll(0, now)
        else:
            self._out.append(Connect())
            self._silent_at = now + WELCOME_WITHIN_MS

    def _poll(self, wait_s: int, now: float) -> None:
        self.marks.unanswered = 1
        self._out.append(Poll(self.marks.cursors_out(), wait_s))
        self._silent_at = now + WELCOME_WITHIN_MS + 1_000 * wait_s

    def _say_hello(self) -> None:
        self.marks.unanswered += 1
        hello = {"type": "hello", "topics": self.marks.cursors_out(), **self._hello}
        self._out.append(Send(Via.SOCKET, hello))

    def _leave(self) -> None:
        """Drop whatever is open."""
        if self.link is not None:
            self._out.append(Drop(self.link))
        if self.is_trying:
            self._out.append(Drop(Via.SOCKET))
        self._forget_links()

    def _forget_links(self) -> None:
        self.link, self.is_trying = None, False
        self._is_open = self._is_welcome = False
        self.marks.unanswered = 0
        self._silent_at = self._trial_at = self._ack_at = None

    def _lose(self, code: int | None, now: float) -> None:
        """Try again later: the way in use is gone."""
        self._choose_way(code)
        if self.is_trying:
            self._out.append(Drop(Via.SOCKET))
        self._forget_links()
        step = max(self._attempt, self.marks.strikes - 1)
        longest = self._back_off_s[min(step, len(self._back_off_s) - 1)]
        self._retry_at = now + int(1_000 * longest * (0.5 + 0.5 * self._random()))
        self._attempt += 1
        if self.phase is Phase.LIVE:
            self._stand(Phase.RECONNECTING)

    def _choose_way(self, code: int | None) -> None:
        if self.link is Via.SOCKET:
            was_heard = self._is_welcome or code in OWN_CLOSES
            self._blind = 0 if was_heard else self._blind + 1
            self._next = Via.POLL if self._blind >= BLIND_MOST else Via.SOCKET
        elif self._is_welcome:
            # Some proxy cuts off what is silent for long: the next one waits less.
            self._poll_wait_s = max(POLL_WAIT_LEAST_S, self._poll_wait_s // 2)
        else:
            self._next = Via.SOCKET

    def _stand(self, phase: Phase) -> None:
        if phase is not self.phase:
            self.phase = phase
            self._out.append(State(phase))

    # ---- a socket beside polls

    def _turn_trial(self, now: float) -> None:
        """Try a socket now, or give up the one that has not said welcome."""
        if self.is_trying:
            self._out.append(Drop(Via.SOCKET))
            self._end_trial(now)
            return
        self.is_trying = True
        self._out.append(Connect())
        self._trial_at = now + WELCOME_WITHIN_MS

    def _end_trial(self, now: float) -> None:
        self.is_trying = self._is_open = False
        self._trial_at = now + TRIAL_EVERY_MS

    def _change_over(self) -> None:
        """Go on by the socket; what polls have brought meanwhile it will bring again."""
        self._out.append(Drop(Via.POLL))
        self.link, self.is_trying, self._trial_at = Via.SOCKET, False, None
        self._next, self._poll_wait_s = Via.SOCKET, POLL_WAIT_S

    # ---- frames

    def _take(self, frame: Frame, now: float) -> None:
        match frame["type"]:
            case "welcome":
                self._welcome(frame, now)
            case "event":
                self._event(frame, now)
            case "heartbeat":
                self._heartbeat_ms = 1_000 * frame.get("heartbeat_s", self._heartbeat_ms / 1_000)
                if self.marks.is_behind(frame["topics"]):
                    self._resume(now)
            case _:
                self._pass_on(frame)

    def _pass_on(self, frame: Frame) -> None:
        match frame["type"]:
            case "snapshot":
                if self.marks.set(frame):
                    self._out.append(Hear(frame))
            case "positions":
                self._out.append(Hear(frame))
            case "ack_ok":
                self.unconfirmed.pop((frame["alert"], frame["level"]), None)
                self._ack_at = self._ack_at if self.unconfirmed else None
                self._out.append(Hear(frame))
            case "error":
                self._refused(frame)

    def _welcome(self, frame: Frame, now: float) -> None:
        self.marks.unanswered = max(0, self.marks.unanswered - 1)
        is_first, self._is_welcome = not self._is_welcome, True
        self._attempt = 0
        self._heartbeat_ms = 1_000 * frame["heartbeat_s"]
        if self.link is Via.SOCKET:
            self._blind = 0
        elif is_first:
            # Perhaps the server was away for a while and no proxy is in the way: soon, then rarely.
            self._trial_at = now + int(TRIAL_FIRST_MS * (0.5 + 0.5 * self._random()))
        self._stand(Phase.LIVE)
        self._repeat_acks(now)

    def _event(self, frame: Frame, now: float) -> None:
        match self.marks.judge(frame):
            case live_marks.Verdict.APPLY:
                self._out.append(Hear(frame))
            case live_marks.Verdict.GAP:
                self._resume(now)
            case live_marks.Verdict.HAD:
                alert = (frame["body"] or {}).get("alert") if frame.get("redelivered") else None
                if alert:
                    # It is here already; the server has not heard so.
                    self._acknowledge(alert["id"], "received", now)
            case live_marks.Verdict.IGNORE:
                pass

    def _resume(self, now: float) -> None:
        """Leave the connection: something is missing, which a hello with the cursors brings."""
        if self.link is not None:
            self._out.append(Drop(self.link))
        self._lose(None, now)

    def _refused(self, frame: Frame) -> None:
        self.marks.forget(frame.get("topic"))
        if frame["code"] != "unavailable":
            for known in [key for key in self.unconfirmed if key[0] == frame.get("alert")]:
                del self.unconfirmed[known]
        self._out.append(Hear(frame))

    # ---- acks

    def _acknowledge(self, alert: str, level: str, now: float) -> None:
        self.unconfirmed[alert, level] = None
        if self.phase is Phase.LIVE and self.link is not None:
            self._say_ack(alert, level, now)

    def _repeat_acks(self, now: float) -> None:
        self._ack_at = None
        for alert, level in self.unconfirmed:
            self._say_ack(alert, level, now)

    def _say_ack(self, alert: str, level: str, now: float) -> None:
        if self.link is not None:
            self._out.append(Send(self.link, {"type": "ack", "alert": alert, "level": level}))
            self._ack_at = now + ACK_AGAIN_MS


def _is_due(at: float | None, now: float) -> bool:
    return at is not None and at <= now
