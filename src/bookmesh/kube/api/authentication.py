"""
Who is asking: a client certificate or a bearer token; and is it a browser that was lured here?

What a user may do is for `authorization` to say. A request whose Host is
not one of the server's names (DNS rebinding) or that comes from another web page (Origin) is refused before that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import ApiError

LOCAL_HOSTS: Final = frozenset(
    {
        "127.0.0.1",
        "::1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    }
)
# Open to everybody on a real server too, so that probes need no credentials.
PUBLIC_PATHS: Final = frozenset({"/healthz", "/livez", "/readyz", "/version"})

_SERVICE_ACCOUNT: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody the server knows; `groups` always has `system:authenticated` unless the user is anonymous."""

    name: str
    groups: tuple[str, ...]


USER: Final = web.RequestKey("user", User)
SERVER: Final = User("system:apiserver", ("system:masters",))
"""Who writes what the server itself needs."""
ANONYMOUS: Final = User("system:anonymous", ("system:unauthenticated",))


class Authenticator:
    """
    Tells who a request comes from.

    The certificate has been checked against the server's authority by TLS when it gets here; its common name is the
    user, its organizations are the groups.
    """

    def __init__(self, *, user_for_token: Callable[[str], str | None] | None = None) -> None:
        """`user_for_token` gives the user name a bearer token stands for, None when it is not good."""
        self._user_for_token = user_for_token

    def authenticate(self, request: web.Request) -> User:
        """Return the user; raises 401 `Unauthorized` when the request has no good credentials."""
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport else None
        if certificate:
            return _user_of_certificate(certificate)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            user = self.user_of_token(token.strip())
            if user is not None:
                return user
        if request.path.rstrip("/") in PUBLIC_PATHS:
            return ANONYMOUS
        raise ApiError(401, "Unauthorized", "Unauthorized", headers={"WWW-Authenticate": "Bearer"})

    def user_of_token(self, token: str) -> User | None:
        """The user whom a bearer token stands for; None when it is not good."""
        name = self._user_for_token(token) if token and self._user_for_token else None
        return User(name, groups_of(name)) if name else None


def check_origin(request: web.Request, hosts: Collection[str]) -> None:
    """Refuse, with 403, what a browser could be made to send by a web page that is not ours."""
    name = _host_name(request.headers.get("Host", ""))
    if name not in hosts:
        raise ApiError(403, "Forbidden", f'this server does not answer for the host name "{name}"')
    origin = request.headers.get("Origin")
    if origin is not None and origin.rstrip("/").lower() != f"{request.scheme}://{request.host}".lower():
        raise ApiError(403, "Forbidden", f'requests from the origin "{origin}" are not allowed')


def _host_name(header: str) -> str:
    """The name or address in a Host header, without port, brackets or a final dot."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].rstrip(".").lower()


def _user_of_certificate(certificate: dict[str, tuple[tuple[tuple[str, str], ...], ...]]) -> User:
    entries = [pair for part in certificate.get("subject", ()) for pair in part]
    name = next((value for key, value in entries if key == "commonName"), "")
    groups = tuple(value for key, value in entries if key == "organizationName")
    return User(name, (*groups, "system:authenticated"))


def groups_of(name: str) -> tuple[str, ...]:
    """The groups of a user who is known by name alone: those of a service account, and of everybody."""
    if not name.startswith(_SERVICE_ACCOUNT):
        return ("system:authenticated",)
    namespace = name.removeprefix(_SERVICE_ACCOUNT).partition(":")[0]
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
