"""What gateways and phones report of messages. Gateways show a shared secret, phones a code.

The bodies are those of Aliyun's SmsReport, VoiceCallReport and VoiceReport, sent over HTTP. An
answer other than 200 makes a gateway send its reports again.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from dispatch import accounts, gateway_receipts
from web import auth, fields
from web.dependencies import Database, Now, Policy, Settings

router = APIRouter(prefix="/gateways", tags=["gateways"])

Text = Annotated[str, Field(max_length=400)]
YES, NO = "1", "2"
#: The call was answered and ended in good order.
_CALL_ANSWERED = "200000"


class Report(BaseModel):
    """What every report of a gateway has; what else it says is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    out_id: Text | None = None

    @property
    def delivery_id(self) -> UUID | None:
        """Read the key that we gave the message; None for what is not ours."""
        try:
            return UUID(hex=self.out_id or "")
        except ValueError:
            return None


class SmsReport(Report):
    """One SMS that arrived or did not."""

    success: bool
    err_code: Text | None = None


class VoiceReport(Report):
    """A key that was pressed, or the end of a call."""

    status_code: Text | None = None
    dtmf: Text | None = None
    end_time: Text | None = None


class Pushed(fields.Body):
    """The code of a web push that arrived."""

    code: Annotated[str, Field(min_length=16, max_length=64)]


class Taken(fields.Shape):
    """The gateway need not send these again."""

    code: int
    msg: str


class Received(fields.Shape):
    """Whether the phone need not ring any more."""

    is_over: bool


async def _check_secret(request: Request, settings: Settings, database: Database, now: Now) -> None:
    """Let a gateway in by its secret, as a bearer or as the password of Basic.

    Without a secret in the settings nobody is let in. Raises NotSignedIn, TooManyTries.
    """
    wanted, given = settings.gateway_secret, _given(request)
    if wanted and hmac.compare_digest(given.encode(), wanted.encode()):
        return
    async with database.transaction() as conn:
        tries, ends_at = await accounts.count_try(
            conn, f"gateway|{auth.subject_of(request)}", window=auth.TRIES_WINDOW, now=now
        )
    if tries > auth.TRIES_PER_ADDRESS:
        raise auth.TooManyTries(max(1, round((ends_at - now).total_seconds())))
    raise auth.NotSignedIn


def _given(request: Request) -> str:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return given.strip()
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


FROM_GATEWAY = Depends(_check_secret)
Reports = Annotated[list[SmsReport], Field(max_length=1_000)]
Calls = Annotated[list[VoiceReport], Field(max_length=1_000)]


@router.post(
    "/sms/receipts", response_model=Taken, dependencies=[FROM_GATEWAY], summary="SMS receipts"
)
async def sms_receipts(body: Reports, database: Database, now: Now) -> Response:
    """Take SmsReport: which messages arrived. Twice, late or out of order does no harm."""
    for report in body:
        if report.delivery_id is not None:
            failure = None if report.success else report.err_code or "failed"
            async with database.transaction() as conn:
                await gateway_receipts.arrived(conn, report.delivery_id, failure=failure, now=now)
    return _taken()


@router.post(
    "/voice/answers", response_model=Taken, dependencies=[FROM_GATEWAY], summary="Keys pressed"
)
async def voice_answers(body: Calls, database: Database, policy: Policy, now: Now) -> Response:
    """Take VoiceCallReport: 1 accepts and 2 declines; too late changes nothing."""
    await _take_keys(body, database, policy, now)
    return _taken()


@router.post(
    "/voice/receipts", response_model=Taken, dependencies=[FROM_GATEWAY], summary="Calls ended"
)
async def voice_receipts(body: Calls, database: Database, policy: Policy, now: Now) -> Response:
    """Take VoiceReport: who picked up, and the key if the call's own report was lost."""
    await _take_keys(body, database, policy, now)
    for report in body:
        if report.delivery_id is not None:
            failure = None if report.status_code == _CALL_ANSWERED else report.status_code
            async with database.transaction() as conn:
                await gateway_receipts.arrived(conn, report.delivery_id, failure=failure, now=now)
    return _taken()


async def _take_keys(
    reports: Sequence[VoiceReport], database: Database, policy: Policy, now: Now
) -> None:
    for report in reports:
        key = next((letter for letter in report.dtmf or "" if letter in (YES, NO)), None)
        if key is not None and report.delivery_id is not None:
            async with database.transaction() as conn:
                await gateway_receipts.pressed(
                    conn, report.delivery_id, is_yes=key == YES, policy=policy, now=now
                )


@router.post("/push/received", response_model=Received, summary="A web push arrived")
async def push_received(body: Pushed, database: Database, now: Now) -> Response:
    """Take a phone's word that a message arrived; the code in it is the proof. Public.

    `is_over` tells the phone to be quiet. A code that is over or unknown is 404.
    """
    async with database.transaction() as conn:
        is_live = await gateway_receipts.pushed(conn, body.code, now=now)
    return fields.send({"is_over": not is_live})


def _taken() -> Response:
    return fields.send({"code": 0, "msg": "OK"})
