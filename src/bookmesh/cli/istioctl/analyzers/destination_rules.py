"""DestinationRules that verify nobody, or are about nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bookmesh.cli.istioctl.analyzers import messages
from bookmesh.cli.istioctl.analyzers import objects as objects_
from bookmesh.cli.istioctl.analyzers.messages import Message
from bookmesh.cli.istioctl.analyzers.objects import JsonObject, Objects

_UNVERIFIED: Final = ("SIMPLE", "MUTUAL")


def check(objects: Objects) -> Iterator[Message]:
    """IST0128, IST0129, IST0173 and IST0174."""
    for rule in objects.of("DestinationRule"):
        yield from _check_trust(rule)
        yield from _check_subjects(rule, objects)


def _check_trust(rule: JsonObject) -> Iterator[Message]:
    """TLS that takes any certificate: without authorities, and without a Secret that has them."""
    spec = rule["spec"]
    named = f"DestinationRule {rule['metadata']['name']} in namespace {rule['metadata']['namespace']}"
    for path, policy in _policies(spec):
        tls = policy.get("tls") or {}
        rest = f"but no caCertificates are set to validate server identity for host: {spec.get('host', '')}"
        if _takes_anybody(tls):
            text = f"{named} has TLS mode set to {tls['mode']} {rest}"
            yield messages.about(rule, "Warning", "IST0128", text, f"{path}.tls.mode")
        for index, port in enumerate(policy.get("portLevelSettings") or []):
            own = port.get("tls") or {}
            if _takes_anybody(own):
                number = f"number:{port.get('port', {}).get('number')}"
                text = f"{named} has TLS mode set to {own['mode']} {rest} at port {number}"
                yield messages.about(
                    rule, "Warning", "IST0129", text, f"{path}.portLevelSettings[{index}].tls.mode"
                )


def _policies(spec: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    yield "spec.trafficPolicy", spec.get("trafficPolicy") or {}
    for index, subset in enumerate(spec.get("subsets") or []):
        yield f"spec.subsets[{index}].trafficPolicy", subset.get("trafficPolicy") or {}


def _takes_anybody(tls: JsonObject) -> bool:
    return tls.get("mode") in _UNVERIFIED and not tls.get("caCertificates") and not tls.get("credentialName")


def _check_subjects(rule: JsonObject, objects: Objects) -> Iterator[Message]:
    host, namespace = rule["spec"].get("host", ""), rule["metadata"]["namespace"]
    service = objects.service(host, namespace)
    if service is None:
        if "*" not in host and not objects.entries(host):
            text = f"The host {host} defined in the DestinationRule does not match any services in the mesh."
            yield messages.about(rule, "Warning", "IST0174", text, "spec.host")
        return
    selector = service["spec"].get("selector") or {}
    if not selector:
        return
    running = [
        each
        for each in objects.labels_in(service["metadata"]["namespace"])
        if objects_.selects(selector, each)
    ]
    for index, subset in enumerate(rule["spec"].get("subsets") or []):
        labels = subset.get("labels") or {}
        if labels and running and not any(objects_.selects(labels, each) for each in running):
            text = (
                f"The Subset {subset['name']} defined in the DestinationRule does not select any pods. Which may lead "
                "to 503 UH (NoHealthyUpstream)."
            )
            yield messages.about(rule, "Error", "IST0173", text, f"spec.subsets[{index}]")
