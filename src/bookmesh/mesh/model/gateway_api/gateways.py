"""Gateway (gateway.networking.k8s.io): listeners at the edge of the mesh, with the proxies that serve them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model, defaulted
from bookmesh.mesh.model.gateway_api.references import (
    GROUP,
    Hostname,
    LocalObjectReference,
    ObjectReference,
    SecretObjectReference,
)

ListenerPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class SelectorRequirement(Model, frozen=True):
    """
    A condition on one label.

    key: The label.
    operator: In, NotIn, Exists or DoesNotExist.
    values: Its values, for In and NotIn.
    """

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()


class LabelSelector(Model, frozen=True):
    """
    Objects by label; all that is given must hold.

    match_labels: Labels with their values.
    match_expressions: Conditions on labels.
    """

    match_labels: dict[str, str] = {}
    match_expressions: tuple[SelectorRequirement, ...] = ()


class RouteNamespaces(Model, frozen=True):
    """
    Namespaces whose routes may attach.

    from_: All, Same or Selector.
    selector: Labels of the namespaces, for Selector.
    """

    from_: Annotated[Literal["All", "Selector", "Same"], defaulted("Same")] = msgspec.field(
        default="Same", name="from"
    )
    selector: LabelSelector | None = None


class RouteGroupKind(Model, frozen=True):
    """
    A kind of route.

    group: Its API group.
    kind: The kind.
    """

    kind: str
    group: Annotated[str, defaulted(GROUP)] = GROUP


class AllowedRoutes(Model, frozen=True):
    """
    Routes that may attach to a listener.

    namespaces: Where they may be.
    kinds: Which kinds; all that fit the protocol without it.
    """

    namespaces: Annotated[RouteNamespaces, defaulted({"from": "Same"})] = RouteNamespaces()
    kinds: tuple[RouteGroupKind, ...] = ()


class FrontendValidation(Model, frozen=True):
    """
    How clients are verified.

    ca_certificate_refs: Certificates of authorities that sign clients.
    """

    ca_certificate_refs: tuple[ObjectReference, ...] = ()


class ListenerTls(Model, frozen=True):
    """
    TLS of a listener.

    mode: Whether the gateway ends TLS or passes it through.
    certificate_refs: Secrets with the certificates of the listener.
    frontend_validation: How clients are verified.
    options: `gateway.istio.io/tls-terminate-mode`: SIMPLE, MUTUAL, OPTIONAL_MUTUAL or ISTIO_MUTUAL.
    """

    mode: Annotated[Literal["Terminate", "Passthrough"], defaulted("Terminate")] = "Terminate"
    certificate_refs: tuple[SecretObjectReference, ...] = ()
    frontend_validation: Annotated[FrontendValidation | None, NOT_ACTED_ON] = None
    options: dict[str, str] = {}


class Listener(Model, frozen=True):
    """
    A port with a protocol and a host name.

    name: Its name, unique in the Gateway.
    hostname: The host it is for; may start with a wildcard; all without it.
    port: The port.
    protocol: HTTP, HTTPS, TLS or TCP.
    tls: TLS, for HTTPS and TLS.
    allowed_routes: Routes that may attach.
    """

    name: str
    port: ListenerPort
    protocol: Annotated[str, msgspec.Meta(min_length=1)]
    hostname: Hostname | None = None
    tls: ListenerTls | None = None
    allowed_routes: Annotated[AllowedRoutes, defaulted({"namespaces": {"from": "Same"}})] = AllowedRoutes()


class GatewayAddress(Model, frozen=True):
    """
    An address that is asked for.

    type: IPAddress for the address of the Service that is made; Hostname for a Service that is there already.
    value: The address.
    """

    type: Annotated[str, defaulted("IPAddress")] = "IPAddress"
    value: str = ""


class Infrastructure(Model, frozen=True):
    """
    What the Deployment and Service that are made look like.

    labels: Labels they get.
    annotations: Annotations they get.
    parameters_ref: A ConfigMap with what is laid over them.
    """

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    parameters_ref: LocalObjectReference | None = None


class BackendTls(Model, frozen=True):
    """
    TLS towards backends.

    client_certificate_ref: The certificate that the gateway shows.
    """

    client_certificate_ref: SecretObjectReference | None = None


class ListenerNamespaces(Model, frozen=True):
    """
    Namespaces that may add listeners.

    from_: All, Same, Selector or None.
    selector: Labels of the namespaces, for Selector.
    """

    from_: Annotated[Literal["All", "Selector", "Same", "None"], defaulted("None")] = msgspec.field(
        default="None", name="from"
    )
    selector: LabelSelector | None = None


class AllowedListeners(Model, frozen=True):
    """
    Who may add listeners.

    namespaces: Their namespaces.
    """

    namespaces: Annotated[ListenerNamespaces, defaulted({"from": "None"})] = ListenerNamespaces()


class Gateway(Model, frozen=True):
    """
    Listeners at the edge of the mesh. A Deployment and a Service are made for it, unless it names a Service.

    gateway_class_name: Its class; `istio` is that of this mesh.
    listeners: What it listens for.
    addresses: Addresses that are asked for.
    infrastructure: What the Deployment and Service that are made look like.
    backend_tls: TLS towards backends.
    allowed_listeners: Who may add listeners.
    """

    gateway_class_name: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    listeners: Annotated[tuple[Listener, ...], msgspec.Meta(min_length=1, max_length=64)]
    addresses: tuple[GatewayAddress, ...] = ()
    infrastructure: Infrastructure | None = None
    backend_tls: Annotated[BackendTls | None, NOT_ACTED_ON] = msgspec.field(default=None, name="backendTLS")
    allowed_listeners: Annotated[AllowedListeners | None, NOT_ACTED_ON] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [listener.name for listener in self.listeners]
        if len(set(names)) != len(names):
            raise ValueError("the names of listeners must differ")
