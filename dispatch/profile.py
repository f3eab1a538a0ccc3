"""A responder's own page: who I am, whether I can be asked, and what keeps me from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    board,
    certificates,
    eligibility,
    events,
    matching,
    orgs,
    states,
    store,
)


async def me(
    conn: AsyncConnection,
    person_id: UUID,
    org: orgs.Org,
    roles: Sequence[states.OrgRole],
    *,
    policy: matching.Policy,
    now: datetime,
) -> events.Body:
    """Return a person's own page; for who is no responder the parts of a responder are empty.

    Raises NotFound.
    """
    view = await board.person_view(conn, person_id, now=now)
    responder = await store.find_responder(conn, person_id)
    held = await store.list_certificates(conn, [person_id])
    places = await store.list_places(conn, [person_id])
    fix = (await store.last_fixes(conn, [person_id])).get(person_id)
    reasons = (
        []
        if responder is None
        else _reasons(responder, held, places, fix, org, policy=policy, now=now)
    )
    return {
        **view,
        "org": board.org_out(org),
        "roles": [role.value for role in roles],
        "certificates": [certificates.show(one) for one in held],
        "places": [place_out(place) for place in places],
        "position": fix_out(fix),
        "readiness": [] if responder is None else _readiness(reasons, held, fix),
        "blocked": [reason.value for reason in reasons],
    }


def _reasons(
    responder: store.Responder,
    held: Sequence[store.Certificate],
    places: Sequence[store.Place],
    fix: store.Fix | None,
    org: orgs.Org,
    *,
    policy: matching.Policy,
    now: datetime,
) -> list[matching.Reason]:
    """List everything that keeps a person from being asked, not only the first."""
    found: list[matching.Reason] = []
    duty = eligibility.DUTY_REASONS.get(responder.duty_at(now))
    if duty is not None:
        found.append(duty)
    verified = [item.expires_on for item in held if item.status == "verified"]
    today = now.astimezone(ZoneInfo(org.timezone)).date()
    unfit, _ = eligibility.unfit(responder, max(verified, default=None), policy, today=today)
    if unfit is not None:
        found.append(unfit)
    source, _, _ = eligibility.where(fix, places, org.timezone, policy, now=now)
    if source is None:
        stale = matching.Reason.POSITION_STALE
        found.append(matching.Reason.NO_POSITION if fix is None else stale)
    return found


_LIGHTS = {
    "duty": {matching.Reason.OFF_DUTY, matching.Reason.RESTING, matching.Reason.SUSPENDED},
    "certificate": {
        matching.Reason.NO_CERTIFICATE,
        matching.Reason.CERTIFICATE_EXPIRED,
        matching.Reason.UNDER_AGE,
    },
    "position": {matching.Reason.NO_POSITION, matching.Reason.POSITION_STALE},
}


def _readiness(
    reasons: Sequence[matching.Reason],
    held: Sequence[store.Certificate],
    fix: store.Fix | None,
) -> list[events.Body]:
    """Say light by light what is in order; the phone adds its own, such as notifications."""
    details = {
        "duty": None,
        "certificate": held[0].expires_on.isoformat() if held else None,
        "position": None if fix is None else events.time(fix.at),
    }
    return [
        {"code": code, "ok": not set(reasons) & against, "detail": details[code]}
        for code, against in _LIGHTS.items()
    ]


def place_out(place: store.Place) -> events.Body:
    """Show a declared place to the person whose it is."""
    return {
        "id": str(place.id),
        "kind": place.kind,
        "label": place.label,
        "position": events.point(place.position),
        "hours": place.hours,
    }


def fix_out(fix: store.Fix | None) -> events.Body | None:
    """Show the last stored position to the person whose it is."""
    if fix is None:
        return None
    return {
        "position": events.point(fix.position),
        "accuracy_m": fix.accuracy_m,
        "at": events.time(fix.at),
    }
