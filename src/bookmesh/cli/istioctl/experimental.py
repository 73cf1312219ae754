"""`istioctl experimental`: describe a pod, and the statistics of its Envoy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import orjson
import yaml

from bookmesh.cli.istioctl import flags, targets

_ROUTING = "virtualservices.networking.istio.io,destinationrules.networking.istio.io"


@click.group(cls=flags.Group, aliases={"es": "envoy-stats", "des": "describe"})
@flags.common
def experimental() -> None:
    """Describe a pod; statistics of an Envoy."""


@experimental.command("envoy-stats")
@click.argument("target")
@click.option(
    "-o", "--output", type=click.Choice(["short", "prom", "json", "yaml"]), default="short", help="Form."
)
@click.option(
    "-t", "--type", "kind", type=click.Choice(["server", "clusters"]), default="server", help="Which."
)
@flags.common
@click.pass_obj
def envoy_stats(session: flags.Session, target: str, output: str, kind: str) -> None:
    """Print the statistics of a proxy."""
    pod = targets.resolve(session.kubectl, target, session.namespace)
    path = "clusters" if kind == "clusters" else "stats/prometheus" if output == "prom" else "stats"
    if output in ("json", "yaml"):
        path += "?format=json"
    answer = session.kubectl.ask_envoy(pod.name, pod.namespace, path)
    if output == "yaml":
        answer = yaml.safe_dump(orjson.loads(answer))
    click.echo(answer, nl=not answer.endswith("\n"))


@experimental.group(cls=flags.Group, aliases={"po": "pod", "service": "svc"})
@flags.common
def describe() -> None:
    """Say what the mesh does for a pod or a service."""


@describe.command()
@click.argument("name")
@flags.common
@click.pass_obj
def pod(session: flags.Session, name: str) -> None:
    """Say which services a pod belongs to, and which routing applies to them."""
    wanted = targets.resolve(session.kubectl, name, session.namespace)
    place = ("-n", wanted.namespace, "-o", "json")
    found = session.kubectl.json("get", "pod", wanted.name, *place)
    services = session.kubectl.json("get", "services", *place)["items"]
    configs = session.kubectl.json("get", _ROUTING, *place)["items"]
    click.echo("\n".join(describe_pod(found, services, configs)))


@describe.command()
@click.argument("name")
@flags.common
@click.pass_obj
def svc(session: flags.Session, name: str) -> None:
    """Say which routing applies to a service."""
    _, wanted = targets.parse(name, session.namespace)
    place = ("-n", wanted.namespace, "-o", "json")
    service = session.kubectl.json("get", "service", wanted.name, *place)
    configs = session.kubectl.json("get", _ROUTING, *place)["items"]
    click.echo("\n".join(describe_service(service, configs)))


def describe_pod(
    found: dict[str, Any], services: list[dict[str, Any]], configs: list[dict[str, Any]]
) -> Iterator[str]:
    """Lines about a pod, then about each service that selects it."""
    metadata, spec = found["metadata"], found["spec"]
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    yield f"Pod: {metadata['name']}" + _elsewhere(metadata["namespace"])
    revision = annotations.get("istio.io/rev")
    yield (
        f"   Pod Revision: {revision}" if revision else "   The pod is not part of the mesh: it has no proxy"
    )
    containers = [*spec["containers"], *(spec.get("initContainers") or [])]
    ports = [
        f"{port['containerPort']} ({each['name']})" for each in containers for port in each.get("ports") or []
    ]
    if ports:
        yield f"   Pod Ports: {', '.join(ports)}"
    missing = [label for label in ("app", "version") if label not in labels]
    if missing:
        yield f"Suggestion: add {' and '.join(repr(label) for label in missing)} label to pod for Istio telemetry."
    selecting = [
        service
        for service in services
        if service["spec"].get("selector") and service["spec"]["selector"].items() <= labels.items()
    ]
    if not selecting:
        yield "Warning: No Kubernetes Services select this pod"
    for service in selecting:
        yield "--------------------"
        yield from describe_service(service, configs)


def describe_service(service: dict[str, Any], configs: list[dict[str, Any]]) -> Iterator[str]:
    metadata = service["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    yield f"Service: {name}" + _elsewhere(namespace)
    for port in service["spec"].get("ports") or []:
        protocol = port.get("appProtocol") or (port.get("name") or "auto").partition("-")[0]
        target = port.get("targetPort", port["port"])
        yield f"   Port: {port.get('name', '')} {port['port']}/{protocol.upper()} targets pod port {target}"
    names = {name, f"{name}.{namespace}", f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.cluster.local"}
    for config in configs:
        spec, own = config["spec"], config["metadata"]["name"]
        if config["kind"] == "DestinationRule" and spec.get("host") in names:
            yield f'DestinationRule: {own} for "{spec["host"]}"'
            subsets = [subset["name"] for subset in spec.get("subsets") or []]
            if subsets:
                yield f"   Subsets: {','.join(subsets)}"
        elif config["kind"] == "VirtualService" and names & set(spec.get("hosts") or []):
            yield f"VirtualService: {own}"
            yield f"   {len(spec.get('http') or [])} HTTP route(s)"


def _elsewhere(namespace: str) -> str:
    return "" if namespace == "default" else f".{namespace}"
