"""
Who is logged in: a signed cookie that carries the user's name, and nothing kept on the server.

As in the sample, any name with any password is let in. What the signature guarantees is that nobody but this service
made the cookie, so that the `end-user` header derived from it can be believed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Final

import msgspec

COOKIE: Final = "session"
LIFETIME_S: Final = 12 * 3600
LONGEST_NAME: Final = 64
ATTRIBUTES: Final = "HttpOnly; Path=/; SameSite=lax"


class Session(msgspec.Struct, frozen=True):
    """What the cookie carries; `until` is in seconds since the epoch."""

    user: str
    until: int


_DECODER: Final = msgspec.json.Decoder(Session)


class Signer:
    """Makes and checks session cookies of the form `PAYLOAD.SIGNATURE`, both base64url."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"bookinfo session\0" + secret).digest()

    def issue(self, user: str) -> str:
        """Return a cookie value for a name that `parse_user` has accepted."""
        session = Session(user=user, until=int(time.time()) + LIFETIME_S)
        payload = _encode(msgspec.json.encode(session))
        return f"{payload}.{self._signature(payload)}"

    def user(self, cookie: str | None) -> str | None:
        """Return who a cookie belongs to; None if it is missing, forged, damaged or too old."""
        payload, dot, signature = (cookie or "").partition(".")
        if not dot or not payload.isascii() or not signature.isascii():
            return None
        if not hmac.compare_digest(signature, self._signature(payload)):
            return None
        try:
            session = _DECODER.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (binascii.Error, msgspec.DecodeError):
            return None
        return session.user if session.until > time.time() else None

    def _signature(self, payload: str) -> str:
        return _encode(hmac.digest(self._key, payload.encode("ascii"), "sha256"))


def set_cookie(value: str, *, is_secure: bool) -> str:
    """Return the header that gives a browser the cookie; `is_secure`: for HTTPS only."""
    return f"{COOKIE}={value}; {ATTRIBUTES}{'; Secure' if is_secure else ''}"


def delete_cookie() -> str:
    """Return the header that makes a browser forget the cookie."""
    return f'{COOKIE}=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; {ATTRIBUTES}'


def parse_user(text: str) -> str | None:
    """Return the name somebody logs in with, without blanks around it; None if it cannot be a header's value."""
    name = text.strip()
    return name if 0 < len(name) <= LONGEST_NAME and name.isprintable() else None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
