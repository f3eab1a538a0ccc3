"""A year of simulated life: people, incidents, answers and missions, with the clock passed in.

The program's own actions run on a real database and its own timers fire at their own moments; only
the people are made up. What they did themselves is kept here, to judge the rows by afterwards.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

import factories as f
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    accounts,
    alerts,
    assignments,
    care,
    certificates,
    errors,
    firing,
    incidents,
    planning,
    responders,
    states,
    store,
    surveys,
    tables,
    tasks,
    timers,
)
from geo.position import Position

ZONE = ZoneInfo("Europe/Monaco")
LANES = list(timers.Lane)
IMPACTS = dict(zip(surveys.Impact, (0.6, 0.22, 0.1, 0.08), strict=True))
KINDS = {
    states.Kind.CARDIAC_ARREST: 0.6,
    states.Kind.TRAUMA: 0.2,
    states.Kind.STROKE: 0.1,
    states.Kind.FIRE: 0.1,
}
WORK_HOURS = "Mo-Fr 08:00-18:00"
_NOBODY = UUID(int=0)


@dataclass
class Volunteer:
    """Somebody who may be asked, and what they did about it themselves."""

    id: UUID
    home: Position
    work: Position
    born_on: date
    is_quiet: bool
    #: Ends of certificates, each with when it was handed in.
    held: list[tuple[datetime, date]]
    #: When they set which duty, until when.
    duties: list[tuple[datetime, states.Duty, datetime | None]]

    def at(self, now: datetime) -> Position:
        """Say where a plan thinks that they are: at work at its hours, else at home."""
        local = now.astimezone(ZONE)
        is_work = local.weekday() < 5 and time(8) <= local.time() < time(18)
        return self.work if is_work else self.home


@dataclass
class Life:
    """The world, its clock, and what is going to happen."""

    means: firing.Means
    now: datetime
    until: datetime
    dice: random.Random
    org_id: UUID = _NOBODY
    operator: UUID = _NOBODY
    carer: UUID = _NOBODY
    #: Where each incident is.
    places: dict[UUID, Position] = field(default_factory=dict)
    #: Everybody is at most so far from the middle, east and north.
    spread_m: float = 1_500
    people: dict[UUID, Volunteer] = field(default_factory=dict)
    reminded: list[tuple[UUID, date, int, datetime]] = field(default_factory=list)
    fired: int = 0
    _plans: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)
    # Who answers how a mission was does so once, however often the instant is looked at.
    _answering: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.means = replace(self.means, clock=lambda: self.now)

    # ---- the clock

    def later(self, seconds: float, what: Callable[[], Awaitable[None]]) -> None:
        """Let something happen so many seconds from now."""
        at = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._plans, (at, next(self._numbers), what))

    async def run(self) -> None:
        """Let the year pass, and then whatever still has to come of it."""
        async with self.means.database.transaction() as conn:
            await timers.ensure(conn, timers.Kind.HOUSEKEEPING, due_at=self.now)
        await self._pass(self.until)
        async with self.means.database.transaction() as conn:
            await timers.disarm_own(conn, timers.Kind.HOUSEKEEPING, None)
        await self._pass(self.until + timedelta(days=60))

    async def _pass(self, until: datetime) -> None:
        async with self.means.database.engine.connect() as conn:
            look = await conn.execution_options(isolation_level="AUTOCOMMIT")
            await self._pass_looking(look, until)

    async def _pass_looking(self, look: AsyncConnection, until: datetime) -> None:
        while True:
            horizon = min(self._plans[0][0] if self._plans else until, until)
            due = await timers.list_due(look, LANES, limit=1, now=horizon)
            if due:
                await self._fire(due[0])
            elif self._plans and self._plans[0][0] <= until:
                self.now, _, what = heapq.heappop(self._plans)
                await what()
            else:
                self.now = until
                return

    async def _fire(self, timer: timers.Timer) -> None:
        self.now = max(self.now, timer.due_at)
        assert await firing.fire(self.means, timer), timer
        self.fired += 1
        match timer.kind:
            case timers.Kind.WAVE:
                await self.hear(timer.incident_id)
            case timers.Kind.SURVEY | timers.Kind.SURVEY_AGAIN:
                await self._be_asked()
            case timers.Kind.HOUSEKEEPING:
                await self._be_reminded()

    # ---- people

    async def settle(self, conn: AsyncConnection, *, people: int, devices: int) -> None:
        """Make the organisation, its volunteers and its AEDs."""
        self.org_id = await f.make_org(conn)
        self.operator = await f.make_person(conn, self.org_id)
        self.carer = await f.make_person(conn, self.org_id)
        await accounts.grant(conn, self.carer, self.org_id, states.OrgRole.CARER)
        for _ in range(people):
            await self._settle_one(conn)
        for _ in range(devices):
            await f.make_aed(conn, self.org_id, position=self._somewhere(), now=self.now)
        for person in self.people.values():
            self._plan_duty(person)

    def _somewhere(self, share: float = 1.0) -> Position:
        away = share * self.spread_m / 111_195
        east = self.dice.uniform(-away, away) * 1.38
        return Position(f.HARBOUR.lon + east, f.HARBOUR.lat + self.dice.uniform(-away, away))

    async def _settle_one(self, conn: AsyncConnection) -> None:
        home, work = self._somewhere(), self._somewhere()
        # Half of them pass one of the days on which they are told, or the last, within the time.
        soon = self.dice.choice([-1, 7, 30, 90]) + self.dice.randint(
            0, (self.until - self.now).days
        )
        days = self.dice.choice([soon, self.dice.randint(500, 900)])
        if not self.people:
            days = 2  # the first one's ends early, and is never renewed
        ends = self.now.date() + timedelta(days=days)
        born = date(2014 if self.dice.random() < 0.03 else 1990, 5, 17)
        places = [responders.Spot("home", home), responders.Spot("work", work, hours=WORK_HOURS)]
        person = await f.make_responder(
            conn, self.org_id, position=None, expires_on=ends, born_on=born, places=places,
            now=self.now,
        )  # fmt: skip
        is_quiet = self.dice.random() < 0.3
        if is_quiet:
            arrest = [states.Kind.CARDIAC_ARREST]
            await responders.set_quiet(conn, person, (time(22), time(7)), kinds=arrest)
        self.people[person] = Volunteer(
            person, home, work, born, is_quiet, [(self.now, ends)],
            [(self.now, states.Duty.AVAILABLE, None)],
        )  # fmt: skip

    def _plan_duty(self, person: Volunteer) -> None:
        self.later(self.dice.expovariate(1 / (25 * 86_400)), lambda: self._change_duty(person))

    async def _change_duty(self, person: Volunteer) -> None:
        duty = self.dice.choice(
            [states.Duty.AVAILABLE, states.Duty.AVAILABLE, states.Duty.OFF_DUTY,
             states.Duty.RESTING]
        )  # fmt: skip
        until = None
        if duty is not states.Duty.AVAILABLE or self.dice.random() < 0.3:
            until = self.now + timedelta(hours=self.dice.uniform(1, 120))
        await self._set_duty(person, duty, until)
        if self.now < self.until:
            self._plan_duty(person)

    async def _set_duty(self, person: Volunteer, duty: states.Duty, until: datetime | None) -> None:
        async with self.means.database.transaction() as conn:
            await responders.set_duty(conn, person.id, duty, until=until, now=self.now)
        person.duties.append((self.now, duty, until))

    async def _be_reminded(self) -> None:
        async with self.means.database.snapshot() as conn:
            rows = await conn.execute(_REMINDED, {"at": self.now})
            told = [(UUID(row.topic.removeprefix("person:")), row.ends) for row in rows]
        for who, ends in told:
            left = (date.fromisoformat(ends) - self.now.astimezone(ZONE).date()).days
            self.reminded.append((who, date.fromisoformat(ends), left, self.now))
            if left <= 7 and self.dice.random() < 0.5 and who != next(iter(self.people)):
                self.later(self.dice.uniform(0, 12 * 86_400), lambda who=who: self._renew(who))

    async def _renew(self, who: UUID) -> None:
        ends = self.now.date() + timedelta(days=1_095)
        async with self.means.database.transaction() as conn:
            await certificates.add(conn, who, [certificates.Proof("first_aid", ends)])
        self.people[who].held.append((self.now, ends))

    # ---- incidents

    def call(self, *, most: int, within_s: float) -> None:
        """Let so many incidents happen, some of them close together."""
        for number in range(most):
            at = (number // 3 * 3 if number % 9 < 3 else number) * within_s / most
            self.later(at + self.dice.uniform(0, 30_000), self._open)

    async def _open(self) -> None:
        kind = self.dice.choices(list(KINDS), list(KINDS.values()))[0]
        eta_s = self.dice.uniform(420, 900)
        async with self.means.database.transaction() as conn:
            incident = await incidents.open_(
                conn, self.org_id, kind=kind, position=self._somewhere(0.6),
                ambulance=states.Ambulance.DISPATCHED, eta_s=eta_s,
                exercise=self.dice.random() < 0.06, by=self.operator, now=self.now,
            )  # fmt: skip
        self.places[incident.id] = incident.position
        self.later(self.dice.uniform(10, 40), lambda: self._alert(incident.id))
        self.later(eta_s, lambda: self._arrive(incident.id))
        if self.dice.random() < 0.1:
            self.later(self.dice.uniform(90, 400), lambda: self._stand_down(incident.id))
        self.later(self.dice.uniform(2_400, 5_400), lambda: self._close(incident.id))

    async def _alert(self, incident_id: UUID) -> None:
        means = self.means
        async with means.database.snapshot() as conn:
            plan = await planning.make(
                conn, incident_id, policy=means.policy, network=means.network(), now=self.now
            )
        async with means.database.transaction() as conn:
            await alerts.send_wave(conn, plan, by=self.operator, now=self.now)
        await self.hear(incident_id)

    async def _arrive(self, incident_id: UUID) -> None:
        async with self.means.database.transaction() as conn:
            await incidents.set_ambulance(
                conn, incident_id, states.Ambulance.ON_SCENE, by=self.operator, now=self.now
            )

    async def _stand_down(self, incident_id: UUID) -> None:
        async with self.means.database.transaction() as conn:
            await incidents.stand_down(conn, incident_id, by=self.operator, now=self.now)

    async def _close(self, incident_id: UUID) -> None:
        end = self.dice.choice([states.Disposition.COMPLETED, states.Disposition.CANCELLED])
        async with self.means.database.transaction() as conn:
            await incidents.close(conn, incident_id, end, by=self.operator, now=self.now)

    async def hear(self, incident_id: UUID | None) -> None:
        """Let whoever was asked this moment answer some time, or never."""
        alert = tables.alert.c
        async with self.means.database.snapshot() as conn:
            asked = await store.list_alerts(
                conn, alert.incident_id == incident_id, alert.notified_at == self.now
            )
        for one in asked:
            wait_s = self.dice.lognormvariate(3.69, 0.45)
            luck = self.dice.random()
            if luck < 0.36:
                self.later(wait_s, lambda one=one: self._accept(one))
            elif luck < 0.8:
                self.later(wait_s, lambda one=one: self._decline(one))

    async def _decline(self, alert: store.Alert) -> None:
        with suppress(errors.AlertOver):
            async with self.means.database.transaction() as conn:
                await alerts.decline(
                    conn, alert.id, policy=self.means.policy, by=alert.responder_id, now=self.now
                )

    async def _accept(self, alert: store.Alert) -> None:
        try:
            async with self.means.database.transaction() as conn:
                going = await alerts.accept(
                    conn, alert.id, policy=self.means.policy, by=alert.responder_id, now=self.now
                )
        except errors.AlertOver:
            return
        if self.dice.random() < 0.05:
            return  # taps nothing ever after
        step, way_s = states.Assignment, min(alert.travel_s or 300.0, 1_500.0)
        times = {step.EN_ROUTE: 30.0, step.ON_SCENE: 40 + way_s, step.WITH_PATIENT: 60 + way_s}
        if self.dice.random() < 0.04:
            times = {step.EN_ROUTE: 30.0, step.UNABLE: 60.0}
        elif self.dice.random() < 0.8:
            times |= {step.HANDED_OVER: 900 + way_s, step.CLEARED: 1_200 + way_s}
        for to, after_s in times.items():
            self.later(after_s, lambda to=to: self._step(going, to))

    async def _step(self, going: store.Assignment, to: states.Assignment) -> None:
        with suppress(errors.StepOutOfOrder, errors.IncidentClosed):
            async with self.means.database.transaction() as conn:
                await assignments.step(
                    conn, going.id, to, policy=self.means.policy, by=going.responder_id,
                    now=self.now,
                )  # fmt: skip

    # ---- care

    async def _be_asked(self) -> None:
        survey = tables.survey.c
        async with self.means.database.snapshot() as conn:
            rows = await conn.execute(
                sa.select(survey.id).where(
                    survey.asked_at == self.now, survey.answered_at.is_(None)
                )
            )
            asked = set(rows.scalars()) - self._answering
        self._answering |= asked
        for one in sorted(asked):
            if self.dice.random() < 0.8:
                wait_s = self.dice.uniform(300, 70_000)
                self.later(wait_s, lambda one=one: self._answer(one))

    async def _answer(self, survey_id: UUID) -> None:
        impact = self.dice.choices(list(IMPACTS), list(IMPACTS.values()))[0]
        async with self.means.database.transaction() as conn:
            survey = await care.answer(conn, survey_id, impact, text="what I saw", now=self.now)
            path = await conn.scalar(sa.select(tables.org.c.path))
            seen = await tasks.list_open(conn, {tasks.Kind.AFTERCARE: [path or ""]}, limit=99)
        for task in seen:
            if task.subject_id == survey_id and self.dice.random() < 0.9:
                wait_s = self.dice.uniform(600, 100_000)
                self.later(wait_s, lambda task=task: self._call(task.id))
        if survey.impact is surveys.Impact.SEVERE and self.dice.random() < 0.3:
            person = self.people[survey.responder_id]
            self.later(
                self.dice.uniform(3_600, 80_000),
                lambda: self._set_duty(person, states.Duty.AVAILABLE, None),
            )

    async def _call(self, task_id: UUID) -> None:
        async with self.means.database.transaction() as conn:
            await tasks.finish(conn, task_id, note=None, by=self.carer, now=self.now)


_REMINDED = sa.text("""
select topic, body #>> '{care,on}' as ends from event
where kind = 'care_changed' and at = :at and body #>> '{care,what}' = 'certificate_ends'
""")
