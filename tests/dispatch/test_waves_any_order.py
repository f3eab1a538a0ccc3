"""Whatever happens in whatever order, an alarm keeps its promises."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dispatch import (
    assignments,
    errors,
    firing,
    incidents,
    matching,
    rerouting,
    states,
    store,
)
from geo import aed_reports
from tests import alarms
from tests import factories as f

ROUNDS = 30 if os.environ.get("GOLDEN_TEST_LONG") else 7


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_WAV_12_whatever_happens_in_whatever_order(
    means: firing.Means, now: datetime, seed: int
) -> None:
    dice = random.Random(seed)
    shipped = list(matching.SHIPPED.values())
    policy = replace(shipped[seed % len(shipped)], alerts_cap=dice.choice([6, 12, 30]))
    scene = await alarms.scene(means, policy, people=14)
    story = _Story(means, scene, policy, dice)
    for seconds in range(0, 300, 12):
        story.means = alarms.at(means, now + timedelta(seconds=seconds))
        await story.happen()
        await alarms.fire_due(story.means)
        await story.check()


class _Story:
    """An alarm in which the dice decide who does what."""

    def __init__(
        self, means: firing.Means, scene: f.Scene, policy: matching.Policy, dice: random.Random
    ) -> None:
        self.means = means
        self._scene, self._policy, self._dice = scene, policy, dice
        self._stood_down_at: datetime | None = None

    async def happen(self) -> None:
        """Let one or two things happen."""
        for act in self._dice.choices(
            [self._answer, self._step, self._found_missing, self._ambulance, self._stop],
            weights=[10, 4, 3, 2, 0.6],
            k=self._dice.choice([1, 2, 3]),
        ):
            try:
                await act()
            except errors.Conflict:
                continue  # too late, or out of order: refused is refused

    async def _answer(self) -> None:
        asked = await alarms.asked(self.means, self._scene)
        if not asked:
            return
        # Also of whom nothing is asked any more.
        alert = self._dice.choice(asked)
        await self._dice.choice([alarms.accept, alarms.accept, alarms.decline])(self.means, alert)

    async def _step(self) -> None:
        going = await alarms.going(self.means, self._scene)
        if not going:
            return
        one = self._dice.choice(going)
        to = self._dice.choice(
            [states.Assignment.EN_ROUTE, states.Assignment.ON_SCENE, states.Assignment.UNABLE]
        )
        async with self.means.database.transaction() as conn:
            await assignments.step(
                conn, one.id, to, policy=self.means.policy, by=one.responder_id,
                now=self.means.clock(),
            )  # fmt: skip

    async def _found_missing(self) -> None:
        going = await alarms.going(self.means, self._scene)
        for person, aed in [(one.responder_id, one.aed) for one in going if one.aed][:1]:
            async with self.means.database.transaction() as conn:
                await rerouting.report(
                    conn, aed.id, aed_reports.ReportKind.MISSING, by=person,
                    now=self.means.clock(),
                )  # fmt: skip

    async def _ambulance(self) -> None:
        async with self.means.database.transaction() as conn:
            await incidents.set_ambulance(
                conn, self._scene.incident.id, states.Ambulance.DISPATCHED,
                eta_s=self._dice.choice([60, 300, 900]), by=None, now=self.means.clock(),
            )  # fmt: skip

    async def _stop(self) -> None:
        async with self.means.database.transaction() as conn:
            await incidents.stand_down(
                conn, self._scene.incident.id, by=None, now=self.means.clock()
            )
        self._stood_down_at = self.means.clock()

    async def check(self) -> None:
        """Compare with what must hold at any time."""
        asked = await alarms.asked(self.means, self._scene)
        going = {one.alert_id: one for one in await alarms.going(self.means, self._scene)}
        assert len(asked) <= self._policy.alerts_cap
        assert max(Counter(a.responder_id for a in asked).values(), default=0) <= 1
        assert sum(a.is_live for a in asked) <= self._policy.live_most
        assert {a.id for a in asked if a.status is states.Alert.ACCEPTED} == going.keys()
        if self._stood_down_at is not None:
            assert not any(a.is_live for a in asked)
            assert all(a.notified_at <= self._stood_down_at for a in asked)
        if self._policy.is_limited:
            helping = [one for one in going.values() if one.status not in states.ASSIGNMENT_OVER]
            assert len(helping) <= self._policy.arrest.total
        _check_ends(await alarms.lines(self.means, self._scene), asked)


_ENDS = {
    "alert_accepted": states.Alert.ACCEPTED,
    "alert_declined": states.Alert.DECLINED,
    "alert_timed_out": states.Alert.TIMED_OUT,
    "covered": states.Alert.STOOD_DOWN,
    "stood_down": states.Alert.STOOD_DOWN,
}


def _check_ends(lines: Sequence[store.Line], asked: Sequence[store.Alert]) -> None:
    """Each alert that is over ended once by the timeline, and as the timeline says."""
    ends: dict[str, list[str]] = {str(a.id): [] for a in asked}
    for line in lines:
        for person in line.args.get("responders", ()) if line.kind in _ENDS else ():  # type: ignore[attr-defined]  # JSON
            ends[person["alert"]].append(line.kind)
    for alert in asked:
        came = [kind for kind in ends[str(alert.id)] if kind != "stood_down"]
        came = came or ends[str(alert.id)]  # whoever had accepted may be stood down too
        assert len(came) == (0 if alert.is_live else 1), (alert.status, ends[str(alert.id)])
        assert all(_ENDS[kind] is alert.status for kind in came)
