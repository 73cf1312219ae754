"""How objects of the Gateway API name others: parents, backends, secrets, and other local objects."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model, PortNumber, defaulted

GROUP: Final = "gateway.networking.k8s.io"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
Hostname = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=253,
        pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    ),
]
GatewayDuration = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,5}(h|m|s|ms)){1,4}$")]
Weight = Annotated[int, msgspec.Meta(ge=0, le=1000000)]


class ParentReference(Model, frozen=True):
    """
    What a route belongs to: a Gateway, or in the mesh a Service or ServiceEntry.

    group: The API group of the parent.
    kind: The kind of the parent.
    namespace: The parent's namespace; that of the route without it.
    name: The parent's name.
    section_name: One listener of a Gateway.
    port: One port of the parent.
    """

    name: Name
    group: Annotated[str, defaulted(GROUP)] = GROUP
    kind: Annotated[str, defaulted("Gateway")] = "Gateway"
    namespace: str = ""
    section_name: str = ""
    port: PortNumber | None = None


class BackendObjectReference(Model, frozen=True):
    """
    A service that receives traffic.

    group: The API group; the core group without it.
    kind: The kind.
    name: The name.
    namespace: The namespace; another one than that of the route needs a ReferenceGrant there.
    port: The port of the service.
    """

    name: Name
    group: Annotated[str, defaulted("")] = ""
    kind: Annotated[str, defaulted("Service")] = "Service"
    namespace: str = ""
    port: PortNumber | None = None


class BackendRef(Model, frozen=True):
    """
    A service that receives traffic, with its share.

    group: The API group; the core group without it.
    kind: The kind.
    name: The name.
    namespace: The namespace; another one than that of the route needs a ReferenceGrant there.
    port: The port of the service.
    weight: The share, relative to the sum of all weights of the rule.
    """

    name: Name
    group: Annotated[str, defaulted("")] = ""
    kind: Annotated[str, defaulted("Service")] = "Service"
    namespace: str = ""
    port: PortNumber | None = None
    weight: Annotated[Weight, defaulted(1)] = 1


class SecretObjectReference(Model, frozen=True):
    """
    A secret with certificates.

    group: The API group; the core group without it.
    kind: The kind.
    name: The name.
    namespace: The namespace; another one needs a ReferenceGrant there.
    """

    name: Name
    group: Annotated[str, defaulted("")] = ""
    kind: Annotated[str, defaulted("Secret")] = "Secret"
    namespace: str = ""


class LocalObjectReference(Model, frozen=True):
    """
    An object of the same namespace.

    group: Its API group; "" is the core group.
    kind: Its kind.
    name: Its name.
    """

    group: str
    kind: str
    name: Name


class ObjectReference(Model, frozen=True):
    """
    An object.

    group: Its API group; "" is the core group.
    kind: Its kind.
    name: Its name.
    namespace: Its namespace; another one needs a ReferenceGrant there.
    """

    group: str
    kind: str
    name: Name
    namespace: str = ""


class CookieConfig(Model, frozen=True):
    """
    The cookie of a persistent session.

    lifetime_type: Whether it outlives the browser's session.
    """

    lifetime_type: Annotated[Literal["Permanent", "Session"], defaulted("Session")] = "Session"


class SessionPersistence(Model, frozen=True):
    """
    Send all requests of a session to the same endpoint.

    session_name: The name of the session.
    absolute_timeout: How long it may last.
    idle_timeout: How long it may be idle.
    type: Where its token is kept.
    cookie_config: Its cookie.
    """

    session_name: str = ""
    absolute_timeout: GatewayDuration | None = None
    idle_timeout: GatewayDuration | None = None
    type: Annotated[Literal["Cookie", "Header"], defaulted("Cookie")] = "Cookie"
    cookie_config: CookieConfig | None = None


Persistence = Annotated[SessionPersistence | None, NOT_ACTED_ON]
