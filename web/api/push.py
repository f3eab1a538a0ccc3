"""The browsers in which I take web push, and whether messages still get there."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field

from dispatch import errors, outside, push_devices, vapid
from web import fields, rights
from web.dependencies import Caller, Now, Settings, Tx, View

router = APIRouter(prefix="/me/push", tags=["me"])

Base64 = Annotated[str, Field(min_length=16, max_length=200, pattern=r"^[A-Za-z0-9_\-=]+$")]


def _address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must be the https address that the browser gave")
    return value


class Keys(fields.Body):
    """The keys of a subscription, base64url."""

    p256dh: Base64
    auth: Base64


class Subscription(fields.Body):
    """What `PushSubscription.toJSON()` gives."""

    endpoint: Annotated[str, Field(max_length=1_000), AfterValidator(_address)]
    keys: Keys
    expirationTime: float | None = None  # noqa: N815  # the browser's own name


class Endpoint(fields.Body):
    """The subscription to forget."""

    endpoint: Annotated[str, Field(max_length=1_000)]


class PushShape(fields.Shape):
    """Our public key (null: there is no web push here), and how my devices stand."""

    public_key: str | None
    state: str
    devices: int


@router.get("", response_model=PushShape, summary="Web push of mine")
async def show(conn: View, caller: Caller, settings: Settings) -> Response:
    """Show the key to subscribe with, and whether messages reach my devices: none, ok or dead."""
    _require(caller, rights.Action.OWN_SEE)
    key = vapid.read(settings.vapid_private_key, settings.data_dir)
    public = None if key is None else vapid.public_key(key)
    standing = await push_devices.standing(conn, caller.id)
    return fields.send({"public_key": public, **standing})


@router.post("", response_model=PushShape, summary="Take web push in this browser")
async def subscribe(
    body: Subscription, *, conn: Tx, caller: Caller, settings: Settings, now: Now
) -> Response:
    """Keep a subscription; again, it is renewed. Only push services of browsers are taken."""
    _require(caller, rights.Action.OWN_CHANGE)
    hosts = {*outside.PUSH_HOSTS, *settings.push_hosts}
    if not outside.is_allowed(body.endpoint, hosts):
        raise errors.Malformed("endpoint is no address of a push service that we know")
    await push_devices.add(
        conn, caller.id, endpoint=body.endpoint,
        p256dh=body.keys.p256dh, auth=body.keys.auth, now=now,
    )  # fmt: skip
    return await show(conn, caller, settings)


@router.delete("", status_code=204, summary="Take no web push in this browser")
async def unsubscribe(body: Endpoint, conn: Tx, caller: Caller) -> Response:
    """Forget a subscription; one that is not there is forgotten already."""
    _require(caller, rights.Action.OWN_CHANGE)
    await push_devices.remove(conn, caller.id, body.endpoint)
    return Response(status_code=204)


def _require(caller: Caller, action: rights.Action) -> None:
    rights.require(caller, action, rights.Thing(person_id=caller.id))
