"""Aliyun's RPC interface with signature version 3 (ACS3-HMAC-SHA256).

Source: "Request syntax and signature method V3" in Aliyun's documentation. The parameters travel
in the body as a form, so that no phone number stands in an address.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from dispatch import outside
from dispatch.channels import outgoing
from dispatch.channels.message import Undelivered

ALGORITHM = "ACS3-HMAC-SHA256"
VERSION = "2017-05-25"
#: Codes after which the same request may succeed a moment later.
_PASSING = ("Throttling", "ServiceUnavailable", "InternalError", "isp.SYSTEM_ERROR",
            "isp.RAM_PERMISSION_TIMEOUT", "isv.BUSINESS_LIMIT_CONTROL")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """An access key."""

    id: str
    secret: str = field(repr=False)


def form_of(params: Mapping[str, str]) -> bytes:
    """Write parameters as RFC 3986 wants them in a form body, in the order of their names."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(params[name], safe='-_.~')}" for name in sorted(params)
    ).encode()


def sign(
    key: Key, url: str, action: str, body: bytes, *, nonce: str, now: datetime
) -> dict[str, str]:
    """Return the headers of a signed request; `nonce` is used once."""
    digest = hashlib.sha256(body).hexdigest()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "host": urlsplit(url).netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": digest,
        "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": VERSION,
    }
    signature = signature_of(key.secret, "POST", "/", headers, digest)
    names = ";".join(sorted(headers))
    headers["authorization"] = (
        f"{ALGORITHM} Credential={key.id},SignedHeaders={names},Signature={signature}"
    )
    return headers


def signature_of(
    secret: str, method: str, path: str, headers: Mapping[str, str], body_digest: str
) -> str:
    """Return the signature over a request without a query."""
    names = sorted(headers)
    canonical = "\n".join(
        (
            method,
            path,
            "",
            *(f"{name}:{headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            body_digest,
        )
    )
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


async def call(
    http: httpx.AsyncClient,
    key: Key,
    url: str,
    action: str,
    params: Mapping[str, str],
    *,
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """Call an action and return its answer. Raises Undelivered with the gateway's own code."""
    body = form_of(params)
    headers = sign(key, url, action, body, nonce=nonce, now=now)
    answer = await outgoing.call(
        http, "POST", f"{url.rstrip('/')}/", hosts={outside.host_of(url)},
        content=body, headers=headers,
    )  # fmt: skip
    if answer.status >= 500 or answer.status == 429:
        outgoing.refuse(answer)
    said = answer.json()
    code = str(said.get("Code", ""))[:60]
    if code == "OK":
        return said
    raise Undelivered(code or f"http_{answer.status}", is_final=not code.startswith(_PASSING))
