"""A responder's own page: who I am, whether I can be asked, and what keeps me from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from dispatch import (
    alertable,
    board,
    certificates,
    events,
    matching,
    orgs,
    push_devices,
    states,
    store,
    surveys,
)


async def me(
    conn: AsyncConnection,
    person_id: UUID,
    org: orgs.Org,
    roles: Sequence[states.OrgRole],
    *,
    policy: matching.Policy,
    live: Mapping[UUID, store.Fix],
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
    standing = None
    if responder is not None:
        standing = await alertable.judge(conn, responder, policy, live=live, now=now)
    reasons = [] if standing is None else [reason for reason, _ in standing.against]
    survey = await surveys.due(conn, person_id, now=now)
    return {
        **view,
        "org": board.org_out(org),
        "roles": [role.value for role in roles],
        "certificates": [certificates.show(one) for one in held],
        "places": [place_out(place) for place in places],
        "position": fix_out(fix),
        "readiness": []
        if responder is None
        else _readiness(reasons, held, fix) + _reach(await push_devices.standing(conn, person_id)),
        # Whoever is asked, or on the way, sees that on the same page.
        "blocked": [reason.value for reason in reasons if reason is not matching.Reason.BUSY],
        "alertable": None if standing is None else alertable.out(standing),
        "quiet": await alertable.quiet_of(conn, person_id),
        "survey": None if survey is None else surveys.out(survey),
    }


_LIGHTS = {
    "duty": {matching.Reason.OFF_DUTY, matching.Reason.RESTING, matching.Reason.SUSPENDED},
    "certificate": {
        matching.Reason.NO_CERTIFICATE,
        matching.Reason.CERTIFICATE_EXPIRED,
        matching.Reason.UNDER_AGE,
    },
    "position": {
        matching.Reason.NO_POSITION,
        matching.Reason.POSITION_STALE,
        matching.Reason.POSITION_VAGUE,
    },
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


def _reach(standing: events.Body) -> list[events.Body]:
    """Say whether web push still gets to this person's devices, where there are any."""
    state = standing["state"]
    return [] if state == "none" else [{"code": "push", "ok": state == "ok", "detail": state}]


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
