"""The key pair by which push services know this installation (RFC 8292).

It is made once and kept: browsers bind their subscriptions to the public key. Several machines
share one by GOLDEN_VAPID_PRIVATE_KEY.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: In the data folder, readable by nobody else.
FILE_NAME = "vapid.key"


def ensure(folder: Path) -> bool:
    """Make the key of a data folder unless it is there; tell whether it was made."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    text = encode(number.to_bytes(32, "big"))
    try:
        handle = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{text}\n")
    return True


def read(private_key: str, folder: Path) -> ec.EllipticCurvePrivateKey | None:
    """Read the key from a setting, else from the data folder; None where there is no good one."""
    try:
        text = private_key or (folder / FILE_NAME).read_text(encoding="ascii")
        number = int.from_bytes(decode(text.strip()), "big")
        return ec.derive_private_key(number, ec.SECP256R1())
    except (OSError, ValueError):
        return None


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """Write the public key as a browser takes it (applicationServerKey)."""
    return encode(
        key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
    )


def encode(value: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Read base64url with or without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
