"""Whose proxy is asked: the pod that calls or the gateway that is called; and where a host name leads it."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable
from typing import Final

from bookmesh.base import near_misses
from bookmesh.base.findings import BookmeshError, Finding
from bookmesh.cli.explain import sources
from bookmesh.cli.explain.requests import Request
from bookmesh.cli.istioctl.dumps import JsonObject

_STATUS: Final = "sidecar.istio.io/status"
_TEMPLATES: Final = "inject.istio.io/templates"


def find_caller(pods: Iterable[JsonObject], origin: str, namespace: str) -> JsonObject:
    """
    The running pod called so (`POD`, `POD.NAMESPACE`), or the first one of a workload (`NAME`, `deploy/NAME`).

    Raises:
        BookmeshError: BM0501, there is none; BM0502, it has no proxy.
    """
    wanted, _, own = origin.rpartition("/")[2].partition(".")
    place = own or namespace
    running = [pod for pod in pods if pod.get("status", {}).get("phase") == "Running"]
    for pod in running:
        name = pod["metadata"]["name"]
        if pod["metadata"]["namespace"] == place and wanted in (name, workload_of(pod)):
            if _STATUS not in (pod["metadata"].get("annotations") or {}):
                raise BookmeshError(
                    Finding(
                        code="BM0502",
                        message=f"pod {place}/{name} has no proxy, so its calls go straight to where they point",
                        hint="ask for a workload with a sidecar, or inject one and restart the pod",
                    )
                )
            return pod
    elsewhere = sorted({pod["metadata"]["namespace"] for pod in running if wanted == workload_of(pod)})
    here = sorted({workload_of(pod) for pod in running if pod["metadata"]["namespace"] == place})
    raise BookmeshError(
        Finding(
            code="BM0501",
            message=f'no running pod in namespace {place} is, or belongs to, "{wanted}"',
            known=", ".join(here),
            hint=f"there is one in namespace {elsewhere[0]}: add -n {elsewhere[0]}"
            if elsewhere
            else near_misses.did_you_mean(wanted, here).strip(),
        ),
        exit_code=2,
    )


def find_gateway(
    pods: Iterable[JsonObject], services: Iterable[JsonObject], address: str
) -> JsonObject | None:
    """The running gateway pod behind a load balancer's address or name; None when no Service has it."""
    for service in services:
        ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        selector = service["spec"].get("selector") or {}
        if not selector or address not in {each.get(key) for each in ingress for key in ("ip", "hostname")}:
            continue
        for pod in pods:
            labels = pod["metadata"].get("labels") or {}
            same_place = pod["metadata"]["namespace"] == service["metadata"]["namespace"]
            is_running = pod.get("status", {}).get("phase") == "Running"
            if same_place and is_running and selector.items() <= labels.items() and is_gateway(pod):
                return pod
    return None


def is_gateway(pod: JsonObject) -> bool:
    return "gateway" in (pod["metadata"].get("annotations") or {}).get(_TEMPLATES, "")


def workload_of(pod: JsonObject) -> str:
    """The name of the Deployment a pod belongs to, as far as its own name tells; else that of its owner or itself."""
    metadata = pod["metadata"]
    owners = metadata.get("ownerReferences") or []
    if not owners or owners[0]["kind"] == "ReplicaSet":
        return str(metadata["name"].rsplit("-", 2)[0])
    return str(owners[0]["name"])


def resolve(request: Request, world: sources.World, *, gateway: JsonObject | None) -> Request:
    """
    Find out what the caller would connect to: an address as it is, a Service's address, a pod of a headless Service.

    A `gateway` is called, it does not call: the port is its own Service's, and it listens on the target port.
    """
    if gateway is not None:
        return dataclasses.replace(request, port=_target_port(request.port, world, gateway), address="")
    return dataclasses.replace(request, address=_address_of(request.host, world))


def why_unknown(request: Request, world: sources.World) -> str:
    """Why the name that is called is probably misspelt; "" for all that may be one of a Service or of the outside."""
    host = request.host.lower().rstrip(".")
    short, _, rest = host.partition(".")
    namespaces = {each["metadata"]["namespace"] for each in world.services}
    is_inside = not rest or rest in namespaces or rest.endswith((".svc", f".svc.{sources.DOMAIN}"))
    if request.address or not is_inside or sources.of_service(world, host, request.port):
        return ""
    place = rest.partition(".")[0] or world.namespace
    there = [each["metadata"]["name"] for each in world.services if each["metadata"]["namespace"] == place]
    guess = near_misses.did_you_mean(short, there)
    return f"no Service {short} in namespace {place}, and no ServiceEntry for it; {guess}".rstrip("; ")


def _address_of(host: str, world: sources.World) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if host == "localhost":
        return "127.0.0.1"
    service = world.service(host)
    if service is None:
        return ""
    address = service["spec"].get("clusterIP")
    if address != "None":
        return address or ""
    selector = service["spec"].get("selector") or {}
    for pod in world.pods if selector else ():
        labels = pod["metadata"].get("labels") or {}
        if (
            pod["metadata"]["namespace"] == service["metadata"]["namespace"]
            and selector.items() <= labels.items()
        ):
            return str(pod.get("status", {}).get("podIP", ""))
    return ""


def _target_port(port: int, world: sources.World, gateway: JsonObject) -> int:
    labels = (gateway["metadata"].get("labels") or {}).items()
    for service in world.services:
        selector = service["spec"].get("selector")
        if not selector or not selector.items() <= labels:
            continue
        for each in service["spec"].get("ports") or []:
            if each["port"] == port and isinstance(each.get("targetPort", port), int):
                return int(each.get("targetPort", port))
    return port
