"""A plan as an operator sees it, and as the allocation record keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from dispatch import allocations, events, matching, planning, sentences, ways
from geo import usability

#: Until when an AED can be had is said if that is within a day.
_SOON = timedelta(hours=24)


def plan_out(plan: planning.Plan) -> events.Body:
    """Show a plan to an operator."""
    words = _words(plan)
    values = allocations.write(plan.decision)
    return {
        "incident": str(plan.incident.id),
        "made_at": events.time(plan.made_at),
        "policy": plan.policy.label,
        "policy_digest": plan.policy.digest(),
        "network": plan.network.value,
        "ms": plan.milliseconds,
        "modes": [mode.value for mode in plan.modes],
        "digest": allocations.digest(values),
        "expected": _expected_out(plan.figures),
        "scene": _scene_out(plan.decision.scene),
        "chosen": [_considered_out(item, words) for item in plan.chosen],
        "excluded": [*(_considered_out(i, words) for i in plan.excluded), *_aside_out(plan)],
        "aeds": [_aed_out(item) for item in plan.aeds],
    }


def inputs_out(plan: planning.Plan) -> events.Body:
    """Write for the record what a plan was made from; `allocations.replay` makes it again."""
    values = allocations.write(plan.decision)
    return {
        "digest": allocations.digest(values),
        "values": values,
        "policy_digest": plan.policy.digest(),
        "model": plan.policy.model,
        "severity": plan.incident.severity,
        "modes": [mode.value for mode in plan.modes],
        "expected": _expected_out(plan.figures),
        "search": _search_out(plan.figures),
        "incident_version": plan.incident.version,
        "network": plan.network.value,
        "named": None if plan.named is None else [str(person) for person in plan.named],
        "team": events.ident(plan.team_id),
        "aeds": [_aed_out(item) for item in plan.aeds],
    }


def kept_out(
    plan: planning.Plan, lost: Mapping[UUID, matching.Reason]
) -> tuple[list[events.Body], list[events.Body]]:
    """Write the people of a plan for the record: chosen and excluded, no position and no name.

    `lost` were chosen and could not be asked any more when the wave was sent, each for a reason.
    """
    words = _words(plan)
    chosen = [_kept(item, words) for item in plan.chosen if item.person.id not in lost]
    excluded = [_kept(item, words) for item in plan.excluded]
    excluded += [
        _kept(item, words, lost_to=lost[item.person.id])
        for item in plan.chosen
        if item.person.id in lost
    ]
    return chosen, [*excluded, *_aside_out(plan)]


def _aside_out(plan: planning.Plan) -> list[events.Body]:
    """Write those who were not weighed: thousands, so no more than who and why not."""
    return [
        {"responder": str(person), "reason": reason.value} for person, reason in plan.aside.items()
    ]


@dataclass(frozen=True, slots=True)
class _Words:
    """What the sentences of one plan need besides the person."""

    plan: planning.Plan
    names: Mapping[str, tuple[str, str | None]]  # of everybody in it, by id, in both languages

    def aed(self, aed_id: UUID | None) -> tuple[str | None, str | None, str]:
        """Name the AED and its address and say until when it can be had, in its local time."""
        if aed_id is None:
            return None, None, ""
        found = next((item for item in self.plan.aeds if item.aed.id == aed_id), None)
        if found is None:
            return None, None, ""
        return found.aed.name, found.aed.address, _until(found, self.plan.made_at)

    def better(self, item: planning.Considered) -> tuple[str | None, str | None]:
        """Name who is at least as good as somebody who was left out, in both languages."""
        by = item.args.get("by")
        return (None, None) if by is None else self.names.get(str(by), (None, None))

    def say(
        self,
        item: planning.Considered,
        *,
        is_named: bool,
        lost_to: matching.Reason | None = None,
    ) -> dict[str, str]:
        """Say one person's sentence; the record's are without names."""
        aed, address, until = self.aed(item.aed_id)
        other, other_en = self.better(item) if is_named else (None, None)
        return sentences.say(
            sentences.Facts(
                name=item.person.name if is_named else None,
                name_en=item.person.name_en if is_named else None,
                role=item.role,
                aed=aed,
                aed_address=address,
                aed_until=until,
                arrives_s=item.arrives_s,
                ambulance_s=self.plan.decision.scene.ambulance_s,
                distance_m=item.away_m,
                reason=lost_to or item.reason,
                args=item.args,
                other=other,
                other_en=other_en,
            )
        )


def _words(plan: planning.Plan) -> _Words:
    everyone = (*plan.chosen, *plan.excluded)
    people = (item.person for item in everyone)
    return _Words(plan, {str(one.id): (one.name, one.name_en) for one in people})


def _until(item: ways.PlanAed, now: datetime) -> str:
    ends = item.usable.until
    if item.usable.state is not usability.Usable.YES or ends is None or ends - now > _SOON:
        return ""
    return ends.astimezone(ZoneInfo(item.aed.time_zone)).strftime("%H:%M")


def _considered_out(item: planning.Considered, words: _Words) -> events.Body:
    person, now = item.person, words.plan.made_at
    age = None if person.position_at is None else (now - person.position_at).total_seconds()
    return {
        "responder": str(person.id),
        "name": person.name,
        "name_en": person.name_en,
        "skills": list(person.skills),
        "duty": person.duty.value,
        "position": events.point(person.position),
        "position_source": person.position_source,
        "position_age_s": None if age is None else max(0.0, round(age, 1)),
        "role": None if item.role is None else item.role.value,
        "aed": events.ident(item.aed_id),
        "travel_s": _round(item.travel_s),
        "arrives_s": _round(item.arrives_s),
        "direct_s": _round(None if item.direct is None else item.direct.travel_s),
        "distance_m": _round(None if item.direct is None else item.direct.distance_m),
        "eta_source": None if item.direct is None else item.direct.source.value,
        "rank": item.rank,
        "reason": None if item.reason is None else item.reason.value,
        "reason_args": dict(item.args),
        "accept": round(person.accept, 3),
        "marginal": item.marginal,
        "sentence": words.say(item, is_named=True),
        "is_invented": person.is_invented,
    }


def _kept(
    item: planning.Considered, words: _Words, *, lost_to: matching.Reason | None = None
) -> events.Body:
    reason = lost_to or item.reason
    return {
        "responder": str(item.person.id),
        "duty": item.person.duty.value,
        "position_source": item.person.position_source,
        "position_at": events.time(item.person.position_at),
        "role": None if lost_to is not None or item.role is None else item.role.value,
        "aed": None if lost_to is not None else events.ident(item.aed_id),
        "travel_s": _round(item.travel_s),
        "arrives_s": _round(item.arrives_s),
        "direct_s": _round(None if item.direct is None else item.direct.travel_s),
        "eta_source": None if item.direct is None else item.direct.source.value,
        "rank": item.rank,
        "reason": None if reason is None else reason.value,
        "reason_args": dict(item.args),
        "marginal": item.marginal,
        "sentence": words.say(item, is_named=False, lost_to=lost_to),
    }


def _expected_out(figures: matching.Figures | None) -> events.Body | None:
    """Write the modelled index and the minutes of nobody, all direct and this plan."""
    if figures is None:
        return None
    shown = {"nobody": figures.nobody, "all_direct": figures.all_direct, "plan": figures.plan}
    return {
        name: {"index": one.index, "cpr_s": round(one.cpr_s, 1), "shock_s": round(one.shock_s, 1)}
        for name, one in shown.items()
    }


def _scene_out(scene: matching.Scene) -> events.Body:
    """Write the clock against which people are drawn, in seconds from now."""
    return {
        "ambulance_s": round(scene.ambulance_s, 1),
        "lead_s": round(scene.lead_s, 1),
        "vertical_s": round(scene.vertical_s, 1),
    }


def _search_out(figures: matching.Figures | None) -> events.Body | None:
    if figures is None:
        return None
    return {
        "greedy": figures.greedy,
        "starts": figures.starts,
        "steps": figures.steps,
        "is_complete": figures.is_complete,
        "ms": round(figures.milliseconds, 3),
    }


def _aed_out(item: ways.PlanAed) -> events.Body:
    return {
        "id": str(item.aed.id),
        "name": item.aed.name,
        "position": events.point(item.aed.position),
        "usable": item.usable.state.value,
        "usable_reason": item.usable.reason.value,
        "usable_until": events.time(item.usable.until),
        "walk_s": _round(None if item.walk is None else item.walk.travel_s),
        "works": round(item.works, 3),
        "chosen": item.is_chosen,
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
