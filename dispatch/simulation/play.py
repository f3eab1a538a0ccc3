"""PURE. Play one incident under one policy, event by event, with the product's own decisions.

Whom to ask is `matching.plan`, when to look again `escalation.next_step`, what is expected of
those who were asked `underway.under`: nothing of a policy is written a second time here.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, assert_never
from uuid import UUID

from dispatch import assignments, escalation, histories, matching, states, underway
from dispatch.simulation import survey
from dispatch.simulation.case import Case
from dispatch.simulation.world import World

_KIND = states.Kind.CARDIAC_ARREST


class _Event(IntEnum):
    """What happens; of things at the same moment the smaller number comes first."""

    AMBULANCE = 0
    ANSWER = 1
    EXPIRY = 2
    AT_AED = 3
    ARRIVAL = 4
    LOOK = 5


@dataclass(slots=True)
class _Asked:
    """One alert and what became of it; `told` is what the product knows of it."""

    place: int
    told: underway.Asked
    seen: escalation.Asked
    arrived_s: float | None = None
    brings_aed: bool = False

    @classmethod
    def of(cls, place: int, told: underway.Asked) -> _Asked:
        """Make one that was just sent."""
        return cls(place, told, _seen(told, None))

    def note(self, **changes: Any) -> None:
        """Let the product know."""
        self.told = replace(self.told, **changes)
        self.seen = _seen(self.told, None)


def _seen(told: underway.Asked, arrives_s: float | None) -> escalation.Asked:
    return escalation.Asked(told.role, told.status, told.assignment, arrives_s)


@dataclass(frozen=True, slots=True)
class Played:
    """How one incident went; seconds from the first alert, infinite for never."""

    alerts: int
    accepts: int
    # Everybody who came, sooner or later: when, and whether with an AED that works.
    arrivals: tuple[tuple[float, bool], ...]
    ambulance_s: float
    plans: int


def play(policy: matching.Policy, case: Case, world: World) -> Played:
    """Play one incident to its end."""
    game = _Game(policy, case, world, survey.of(policy, case, world))
    game.run()
    came = [(one.arrived_s, one.brings_aed) for one in game.asked if one.arrived_s is not None]
    return Played(
        alerts=len(game.asked),
        accepts=sum(one.told.assignment is not None for one in game.asked),
        arrivals=tuple(sorted(came)),
        ambulance_s=case.luck.ambulance_s,
        plans=game.plans,
    )


@dataclass(slots=True)
class _Game:
    policy: matching.Policy
    case: Case
    world: World
    survey: survey.Survey
    asked: list[_Asked] = field(default_factory=list)
    plans: int = 0
    _events: list[tuple[float, int, int]] = field(default_factory=list)
    _gone: set[UUID | None] = field(default_factory=set)
    _is_over: bool = False
    _last_wave_s: float = 0.0
    _waves: int = 0

    def run(self) -> None:
        """Send the first wave, then let things happen."""
        self._push(self.case.luck.ambulance_s, _Event.AMBULANCE, 0)
        self._send(0.0)
        while self._events:
            now_s = self._events[0][0]
            has_turned = False
            while self._events and self._events[0][0] == now_s:
                _, kind, index = heapq.heappop(self._events)
                event = _Event(kind)
                has_turned = self._happens(event, now_s, index) or has_turned
            if has_turned and not self._is_over:
                self._look(now_s)

    def _push(self, at_s: float, event: _Event, index: int) -> None:
        heapq.heappush(self._events, (at_s, int(event), index))

    def _happens(self, event: _Event, now_s: float, index: int) -> bool:
        """Let one thing happen; say whether it calls for a look."""
        steps: Mapping[_Event, Callable[[float, int], bool]] = {
            _Event.ANSWER: self._answer,
            _Event.EXPIRY: self._expire,
            _Event.AT_AED: self._reach_aed,
            _Event.ARRIVAL: self._arrive,
        }
        if event is _Event.AMBULANCE:
            self._end()
            return False
        return event is _Event.LOOK or steps[event](now_s, index)

    # ---- asking

    def _at(self, now_s: float) -> datetime:
        return self.case.ground.alert_at + timedelta(seconds=now_s)

    def _look(self, now_s: float) -> None:
        """Do what escalation says."""
        match escalation.next_step(self.policy, self._facts(now_s), now=self._at(now_s)):
            case escalation.Wait(until):
                self._look_at(until)
            case escalation.Send():
                self._send(now_s)
            case escalation.Cover():
                self._release()
            case escalation.Exhausted() | escalation.Done():
                pass
            case never:
                assert_never(never)

    def _look_at(self, at: datetime | None) -> None:
        if at is not None:
            self._push((at - self.case.ground.alert_at).total_seconds(), _Event.LOOK, 0)

    def _facts(self, now_s: float) -> escalation.Facts:
        now = self._at(now_s)
        scene = self.survey.scene(now=now)
        # Escalation asks for the arrival of those who are going only.
        asked = [
            _seen(one.told, underway.arrives_s(self.policy, one.told, scene, now=now))
            if one.told.assignment is not None
            else one.seen
            for one in self.asked
        ]
        return escalation.Facts(
            kind=_KIND,
            status=states.Incident.ALERTING,
            is_stood_down=False,
            asked=asked,
            last_wave_at=self._at(self._last_wave_s),
            began_at=self.case.ground.alert_at,
            waves=self._waves,
            ambulance=self.survey.call.ambulance,
            ambulance_s=scene.ambulance_s,
        )

    def _send(self, now_s: float) -> None:
        """Ask whom the policy chooses now, if anybody, and look again later."""
        plan = self._plan(now_s)
        if plan.chosen:
            self._waves, self._last_wave_s = self._waves + 1, now_s
        for choice in plan.chosen:
            self._ask(choice, now_s)
        facts = self._facts(now_s)
        self._look_at(escalation.next_look(self.policy, facts, now=self._at(now_s)))

    def _plan(self, now_s: float) -> matching.Plan:
        now = self._at(now_s)
        scene = self.survey.scene(now=now)
        known = underway.Known(self._histories(), self.survey.works)
        everyone = [one.told for one in self.asked]
        circle = escalation.circle(self.policy, self._waves)
        policy = self.policy if circle is None else replace(self.policy, radius_m=circle)
        self.plans += 1
        return matching.plan(
            policy,
            _KIND,
            self.survey.candidates(),
            self.survey.aeds(now=now),
            under=underway.under(self.policy, everyone, known, scene, now=now),
            scene=scene,
        )

    def _histories(self) -> Mapping[UUID, histories.History]:
        before, settled = self.case.luck.accepted_before, self.world.answers_known
        return {
            one.told.responder_id: histories.History(settled, int(before[one.place]))
            for one in self.asked
            if one.told.is_pending
        }

    def _ask(self, choice: matching.Choice, now_s: float) -> None:
        place, index = self.survey.places[choice.id], len(self.asked)
        told = underway.Asked(
            choice.id, choice.role, choice.aed_id, states.Alert.NOTIFIED, None,
            self._at(now_s), None, None, choice.travel_s,
        )  # fmt: skip
        self.asked.append(_Asked.of(place, told))
        self.survey.block(choice.id)
        luck = self.case.luck
        if luck.answers[place]:
            self._push(now_s + float(luck.reply_s[place]), _Event.ANSWER, index)
        self._push(now_s + self.policy.alert_expires_s, _Event.EXPIRY, index)

    def _release(self) -> None:
        """Tell those who have not answered that they are not needed."""
        for one in self.asked:
            if one.told.is_pending:
                one.note(status=states.Alert.STOOD_DOWN)

    # ---- what people do

    def _answer(self, now_s: float, index: int) -> bool:
        one, luck = self.asked[index], self.case.luck
        if not one.told.is_pending:
            return False
        if not luck.accepts[one.place]:
            one.note(status=states.Alert.DECLINED)
            return True
        facts = self._facts(now_s)
        if escalation.is_full(self.policy, facts):
            one.note(status=states.Alert.STOOD_DOWN)
            return False
        if escalation.wants_guide(self.policy, facts):
            one.note(role=states.Role.GUIDE, aed_id=None)
        now = self._at(now_s)
        one.note(
            status=states.Alert.ACCEPTED, assignment=states.Assignment.ACCEPTED, accepted_at=now,
            eta_at=assignments.eta(now, one.told.travel_s),
        )  # fmt: skip
        if luck.arrives[one.place] and one.told.role is not states.Role.GUIDE:
            self._set_out(now_s + self.world.mobilise_s, index)
        return True

    def _expire(self, now_s: float, index: int) -> bool:  # noqa: ARG002  # called as the others
        one = self.asked[index]
        if not one.told.is_pending:
            return False
        one.note(status=states.Alert.TIMED_OUT)
        return True

    def _set_out(self, at_s: float, index: int) -> None:
        one, ground = self.asked[index], self.case.ground
        pace = float(self.case.luck.pace[one.place])
        if one.told.aed_id is not None:
            column = self.survey.columns[one.told.aed_id]
            way_s = float(ground.to_aed_s[one.place, column]) * pace
            self._push(at_s + way_s, _Event.AT_AED, index)
            return
        one.brings_aed = bool(ground.carries[one.place])
        way_s = float(ground.direct_s[one.place]) * pace + self.world.vertical_s
        self._push(at_s + way_s, _Event.ARRIVAL, index)

    def _reach_aed(self, now_s: float, index: int) -> bool:
        """Take the AED, or find it shut, missing or gone; then go on to the patient."""
        one, ground, luck = self.asked[index], self.case.ground, self.case.luck
        aed_id = one.told.aed_id
        column = self.survey.columns[aed_id] if aed_id is not None else -1
        one.brings_aed = (
            aed_id not in self._gone
            and bool(luck.aed_works[column] and luck.gets_aed[one.place])
            and float(ground.really[column, 0]) <= now_s <= float(ground.really[column, 1])
        )
        if one.brings_aed:
            self._gone.add(aed_id)
            one.note(assignment=states.Assignment.AED_COLLECTED)
        way_s = float(ground.aed_s[column]) * float(luck.pace[one.place])
        at_s = now_s + self.world.pickup_s + way_s + self.world.vertical_s
        self._push(at_s, _Event.ARRIVAL, index)
        if not one.brings_aed:
            # Reported, so that the product counts on a person without an AED from now on.
            one.note(role=states.Role.DIRECT, aed_id=None, eta_at=self._at(now_s + way_s))
            self.survey.lose(aed_id)
        return not one.brings_aed

    def _arrive(self, now_s: float, index: int) -> bool:
        self.asked[index].arrived_s = now_s
        self.asked[index].note(assignment=states.Assignment.ON_SCENE)
        return False

    def _end(self) -> None:
        """Let the ambulance take over: nobody is asked any more; who is under way still comes."""
        self._is_over = True
        self._release()
