"""`istioctl experimental`: describe a pod or a service, and the statistics of Envoys."""

from __future__ import annotations

import json
from typing import Any, Final

import click
import orjson
import yaml

from bookmesh.cli.istioctl import describing, dumps, flags, proxy_status, targets, versions
from bookmesh.cli.istioctl.kubernetes import Kubectl

_GROUPS: Final = ("networking.istio.io", "security.istio.io")
_KINDS: Final = ("virtualservices", "destinationrules", "peerauthentications")
_INGRESS: Final = "istio=ingressgateway"


@click.group(cls=flags.Group, aliases={"es": "envoy-stats", "des": "describe", "ps": "proxy-status"})
@flags.common
def experimental() -> None:
    """Describe a pod; statistics of an Envoy."""


experimental.add_command(proxy_status.proxy_status)
experimental.add_command(versions.version)


@experimental.command("envoy-stats")
@click.argument("target", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["short", "prom", "json", "yaml"]),
    default="short",
    help="Output format.",
)
@click.option(
    "-t",
    "--type",
    "kind",
    type=click.Choice(["server", "cluster", "clusters"]),
    default="server",
    help="Which statistics.",
)
@click.option("-l", "--selector", default="", help="All pods with these labels instead of a target.")
@flags.common
@click.pass_obj
def envoy_stats(session: flags.Session, *, target: str | None, output: str, kind: str, selector: str) -> None:
    """Print the statistics of a proxy, or of all proxies of a workload."""
    path = "clusters" if kind != "server" else "stats/prometheus" if output == "prom" else "stats"
    if output in ("json", "yaml"):
        path += "?format=json"
    for pod in targets.resolve_all(session.kubectl, "stats", target, selector, session.namespace):
        answer = session.kubectl.ask_envoy(pod.name, pod.namespace, path)
        if output == "json":
            answer = json.dumps(orjson.loads(answer), indent=4)
        elif output == "yaml":
            answer = yaml.safe_dump(orjson.loads(answer))
        click.echo(f"\nThe result of pod {pod.name}:\n")
        click.echo(answer, nl=not answer.endswith("\n"))


@experimental.group(cls=flags.Group, aliases={"po": "pod", "service": "svc"})
@flags.common
def describe() -> None:
    """Say what the mesh does for a pod or a service."""


_UNMESHED: Final = click.option(
    "--ignoreUnmeshed", "is_quiet", is_flag=True, help="No warning for pods without a sidecar."
)


@describe.command()
@click.argument("name")
@_UNMESHED
@flags.common
@click.pass_obj
def pod(session: flags.Session, *, name: str, is_quiet: bool) -> None:
    """Say which services a pod belongs to, and which configuration applies to them."""
    wanted = targets.resolve(session.kubectl, name, session.namespace)
    found = session.kubectl.json("get", "pod", wanted.name, "-n", wanted.namespace, "-o", "json")
    around = look_around(session.kubectl, wanted.namespace, session.namespace)
    lines = describing.describe_pod(found, around)
    click.echo("\n".join(line for line in lines if not (is_quiet and line.endswith(describing.NO_SIDECAR))))


@describe.command()
@click.argument("name")
@_UNMESHED
@flags.common
@click.pass_obj
def svc(session: flags.Session, *, name: str, is_quiet: bool) -> None:
    """Say which configuration applies to a service."""
    del is_quiet  # what is said about a service has no such warning
    kubectl = session.kubectl
    _, wanted = targets.parse(name, session.namespace)
    place = ("-n", wanted.namespace, "-o", "json")
    service = kubectl.json("get", "service", wanted.name, *place)
    labels = ",".join(f"{key}={value}" for key, value in (service["spec"].get("selector") or {}).items())
    pods = kubectl.json("get", "pods", "-l", labels, *place)["items"] if labels else []
    around = look_around(kubectl, wanted.namespace, session.namespace)
    click.echo("\n".join(describing.describe_service(service, pods, around)))


def look_around(kubectl: Kubectl, namespace: str, shown: str) -> describing.Around:
    """Ask for all that may apply in a namespace; `shown` is the namespace that is not written out."""
    served = kubectl.run("api-resources", "--verbs=list", "-o", "name").split()
    names = [
        name for name in served if name.partition(".")[0] in _KINDS and name.partition(".")[2] in _GROUPS
    ]
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for item in kubectl.json("get", ",".join(["services", *names]), "-A", "-o", "json")["items"]:
        by_kind.setdefault(item["kind"], []).append(item)
    services = by_kind.get("Service", [])
    gateways = kubectl.json("get", "pods", "-A", "-l", _INGRESS, "-o", "json")["items"]
    running = [each for each in gateways if each.get("status", {}).get("phase") == "Running"]
    return describing.Around(
        namespace=shown,
        services=[each for each in services if each["metadata"]["namespace"] == namespace],
        virtual_services=by_kind.get("VirtualService", []),
        destination_rules=by_kind.get("DestinationRule", []),
        peer_authentications=by_kind.get("PeerAuthentication", []),
        gateway_services=[each for each in services if _leads_to(each, running)],
        ingress=_dump(kubectl, running[0]) if running else None,
    )


def _leads_to(service: dict[str, Any], pods: list[dict[str, Any]]) -> bool:
    selector = service["spec"].get("selector") or {}
    return bool(selector) and any(
        selector.items() <= (each["metadata"].get("labels") or {}).items()
        and each["metadata"]["namespace"] == service["metadata"]["namespace"]
        for each in pods
    )


def _dump(kubectl: Kubectl, gateway: dict[str, Any]) -> dumps.Dump:
    metadata = gateway["metadata"]
    return dumps.parse(
        orjson.loads(kubectl.ask_envoy(metadata["name"], metadata["namespace"], "config_dump"))
    )
