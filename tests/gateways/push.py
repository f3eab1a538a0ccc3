"""A push service (RFC 8030) that checks VAPID (RFC 8292) and decrypts like a browser (8291)."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any

import http_ece
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from gateways.double import Double, Reply, Request


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the phone reads it, with the headers that came with it."""

    token: str
    content: dict[str, Any]
    ttl: int
    urgency: str
    topic: str


class PushService(Double):
    """Takes messages for the browsers that subscribed, and hands them over decrypted."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Shown] = []
        self.gone: set[str] = set()
        self._keys: dict[str, tuple[ec.EllipticCurvePrivateKey, bytes]] = {}

    def subscribe(self) -> dict[str, Any]:
        """Make a subscription, as `PushSubscription.toJSON()` writes it."""
        token, auth = secrets.token_urlsafe(12), secrets.token_bytes(16)
        key = ec.generate_private_key(ec.SECP256R1())
        self._keys[token] = key, auth
        public = key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": _b64(public), "auth": _b64(auth)}
        return {"endpoint": f"{self.url}/push/{token}", "expirationTime": None, "keys": keys}

    def take(self, request: Request) -> Reply:
        token = request.path.removeprefix("/push/")
        if token in self.gone or token not in self._keys:
            return Reply(410)
        problem = self._vapid_problem(request) or _header_problem(request)
        if problem:
            return self.refuse(problem)
        key, auth = self._keys[token]
        plain = http_ece.decrypt(
            request.body, private_key=key, auth_secret=auth, version="aes128gcm"
        )
        headers = request.headers
        self.shown.append(
            Shown(
                token, json.loads(plain), int(headers["ttl"]), headers["urgency"], headers["topic"]
            )
        )
        return Reply(201, b"", {"location": f"{self.url}/message/{len(self.shown)}"})

    def _vapid_problem(self, request: Request) -> str | None:
        kind, _, rest = request.headers.get("authorization", "").partition(" ")
        if kind != "vapid":
            return "no_vapid"
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        head, claims, signature = parts["t"].split(".")
        said = json.loads(_bytes(claims))
        if said["aud"] != self.url or not str(said["sub"]).startswith(("mailto:", "https:")):
            return "bad_claims"
        raw = _bytes(signature)
        der = utils.encode_dss_signature(
            int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        )
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(parts["k"]))
        try:
            public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return "bad_signature"
        return None


def _header_problem(request: Request) -> str | None:
    headers = request.headers
    if headers.get("content-encoding") != "aes128gcm":
        return "bad_encoding"
    if headers.get("urgency") not in {"very-low", "low", "normal", "high"}:
        return "bad_urgency"
    if len(headers.get("topic", "")) > 32 or not headers.get("ttl", "").isdigit():
        return "bad_topic_or_ttl"
    return "too_big" if len(request.body) > 4096 else None


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
