"""
Which traffic of a pod goes through its proxy: Istio's traffic annotations as data, for whoever sets packet filters.

The proxy's own connections carry a socket mark and pass untouched. Traffic to and from loopback is never redirected.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.injection import settings as settings_

OUTBOUND_PORT: Final = 15001
INBOUND_PORT: Final = 15006
MARK: Final = 1337
# HBONE, Envoy's Prometheus listener, readiness, merged metrics: for the proxy itself.
PROXY_PORTS: Final = (15008, 15090, 15021, 15020)

_PREFIX: Final = "traffic.sidecar.istio.io/"
_MODE: Final = "sidecar.istio.io/interceptionMode"
_PORT_LISTS: Final = (
    "includeInboundPorts",
    "excludeInboundPorts",
    "includeOutboundPorts",
    "excludeOutboundPorts",
)
_RANGE_LISTS: Final = ("includeOutboundIPRanges", "excludeOutboundIPRanges")


@dataclass(frozen=True, slots=True)
class InterceptionRules:
    """
    Redirect inbound TCP to `inbound_port` and outbound TCP to `outbound_port`, with exceptions.

    Excluding wins over including. `include_*` None means everything; () means nothing. Outbound traffic is redirected
    if its address is in `include_outbound_ranges` or its port in `include_outbound_ports`. Ranges are CIDR texts.
    """

    outbound_port: int = OUTBOUND_PORT
    inbound_port: int = INBOUND_PORT
    mark: int = MARK
    include_inbound_ports: tuple[int, ...] | None = None
    exclude_inbound_ports: tuple[int, ...] = PROXY_PORTS
    include_outbound_ports: tuple[int, ...] = ()
    exclude_outbound_ports: tuple[int, ...] = ()
    include_outbound_ranges: tuple[str, ...] | None = None
    exclude_outbound_ranges: tuple[str, ...] = ()


def rules_for(pod: JsonObject) -> InterceptionRules | None:
    """
    Read the rules of an injected pod; None when nothing is redirected: no proxy, a gateway, or mode NONE.

    Raises:
        InjectionError: an annotation cannot be read (such pods are refused at admission).
    """
    annotations: Mapping[str, str] = pod["metadata"].get("annotations") or {}
    if settings_.STATUS not in annotations or annotations.get(settings_.TEMPLATES, "").strip() == "gateway":
        return None
    if mode_of(pod) == "NONE":
        return None
    excluded = _ports(annotations, "excludeInboundPorts") or ()
    return InterceptionRules(
        include_inbound_ports=_ports(annotations, "includeInboundPorts", default="*"),
        exclude_inbound_ports=PROXY_PORTS + tuple(port for port in excluded if port not in PROXY_PORTS),
        include_outbound_ports=_ports(annotations, "includeOutboundPorts") or (),
        exclude_outbound_ports=_ports(annotations, "excludeOutboundPorts") or (),
        include_outbound_ranges=_ranges(annotations, "includeOutboundIPRanges", default="*"),
        exclude_outbound_ranges=_ranges(annotations, "excludeOutboundIPRanges") or (),
    )


def check_annotations(pod: JsonObject) -> None:
    """
    Refuse what `rules_for` could not read later.

    Raises:
        InjectionError: naming the annotation.
    """
    annotations: Mapping[str, str] = pod["metadata"].get("annotations") or {}
    mode_of(pod)
    for name in _PORT_LISTS:
        if _ports(annotations, name) is None and name != "includeInboundPorts":
            raise settings_.InjectionError(
                f'annotation {_PREFIX}{name}: "*" is not possible here; name the ports'
            )
    for name in _RANGE_LISTS:
        if _ranges(annotations, name) is None and name != "includeOutboundIPRanges":
            raise settings_.InjectionError(
                f'annotation {_PREFIX}{name}: "*" is not possible here; name the ranges'
            )


def mode_of(pod: JsonObject) -> str:
    """
    How connections get to the pod's proxy: REDIRECT, or NONE when whoever wants to has to call it.

    Raises:
        InjectionError: the annotation names another mode.
    """
    annotations: Mapping[str, str] = pod["metadata"].get("annotations") or {}
    mode = annotations.get(_MODE, "REDIRECT")
    if mode not in ("REDIRECT", "NONE"):
        raise settings_.InjectionError(f'annotation {_MODE} is "{mode}"; modes here are REDIRECT and NONE')
    return mode


def _ports(annotations: Mapping[str, str], name: str, *, default: str = "") -> tuple[int, ...] | None:
    """None for `*`."""
    text = annotations.get(_PREFIX + name, default)
    if text.strip() == "*":
        return None
    ports = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if not part.isdecimal() or not 0 < int(part) <= 65535:
            raise settings_.InjectionError(f'annotation {_PREFIX}{name}: "{part}" is not a port')
        ports.append(int(part))
    return tuple(ports)


def _ranges(annotations: Mapping[str, str], name: str, *, default: str = "") -> tuple[str, ...] | None:
    """None for `*`; an address without a length is a range of one."""
    text = annotations.get(_PREFIX + name, default)
    if text.strip() == "*":
        return None
    ranges = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            ranges.append(str(ipaddress.ip_network(part, strict=False)))
        except ValueError as error:
            raise settings_.InjectionError(f"annotation {_PREFIX}{name}: {error}") from error
    return tuple(ranges)
