"""Names of ports, by which Istio knows a protocol. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bookmesh.cli.istioctl.analyzers import messages
from bookmesh.cli.istioctl.analyzers.messages import Message
from bookmesh.cli.istioctl.analyzers.objects import JsonObject, Objects

_PROTOCOLS: Final = frozenset(
    {
        "grpc",
        "grpc-web",
        "http",
        "http2",
        "http_proxy",
        "https",
        "hbone",
        "mongo",
        "mysql",
        "redis",
        "tcp",
        "tls",
        "udp",
    }
)
_SYSTEM: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})


def _is_istios(service: JsonObject) -> bool:
    """Services of Istio itself, whose ports Istio knows by other means."""
    labels = service["metadata"].get("labels") or {}
    return "istio" in labels or labels.get("release") == "istio"


def check(objects: Objects) -> Iterator[Message]:
    """IST0118 and IST0150."""
    for service in objects.of("Service"):
        if service["metadata"]["namespace"] in _SYSTEM or _is_istios(service):
            continue
        spec = service["spec"]
        for index, port in enumerate(spec.get("ports") or []):
            path = f"spec.ports[{index}].name"
            if spec.get("type") == "ExternalName":
                if (port.get("name") or "").partition("-")[0].lower() == "tcp" or not port.get("name"):
                    text = (
                        "Port name for ExternalName service is invalid. Proxy may prevent tcp named ports and "
                        "unmatched traffic for ports serving TCP protocol from being forwarded correctly"
                    )
                    yield messages.about(service, "Warning", "IST0150", text, path)
            elif (
                not port.get("appProtocol")
                and port.get("protocol", "TCP") == "TCP"
                and not is_named(port.get("name"))
            ):
                target = port.get("targetPort", port["port"])
                text = (
                    f"Port name {port.get('name', '')} (port: {port['port']}, targetPort: {target}) doesn't follow the "
                    "naming convention of Istio port."
                )
                yield messages.about(service, "Info", "IST0118", text, path)


def is_named(name: str | None) -> bool:
    """Whether a port's name is, or starts with, a protocol: `http`, `http-web`, `grpc-web-a`."""
    lowered = (name or "").lower()
    return any(lowered == each or lowered.startswith(f"{each}-") for each in _PROTOCOLS)
