"""`bookmesh explain`: why a request goes where it goes, with the YAML behind each step."""

from __future__ import annotations

import urllib.parse
from typing import Any

import click
import orjson

from bookmesh.cli import terminal
from bookmesh.cli.istioctl import dumps, following, matching, sources, targets
from bookmesh.cli.istioctl.kubernetes import Kubectl
from bookmesh.lab import client, launching, paths

_PORTS = {"http": 80, "https": 443, "tcp": 0}


@click.command()
@click.argument("method")
@click.argument("url")
@terminal.name_option
@click.option(
    "--from", "origin", required=True, metavar="WORKLOAD", help="Pod, app-version or deploy/NAME that calls."
)
@click.option("-n", "--namespace", default="default", show_default=True, help="Where WORKLOAD is.")
@click.option(
    "-H", "--header", "headers", multiple=True, metavar="NAME=VALUE", help="A header; also NAME: VALUE."
)
@terminal.output_option
def explain(
    *, method: str, url: str, name: str, origin: str, namespace: str, headers: tuple[str, ...], output: str
) -> None:
    """
    Follow a request through the configuration that the caller's proxy has in force.

    bookmesh explain GET http://reviews:9080/reviews/0 --from productpage-v1 -H end-user=jason
    """
    with terminal.failures():
        lab = paths.paths_for(name)
        launching.require_running(lab)
    kubectl = Kubectl(client.environment(lab))
    request = parse_request(method, url, headers)
    caller = find_caller(kubectl.json("get", "pods", "-n", namespace, "-o", "json")["items"], origin)
    world = _look_around(kubectl, caller)
    is_gateway = "gateway" in (caller["metadata"].get("annotations") or {}).get(
        "inject.istio.io/templates", ""
    )
    request = resolve(request, world, caller=caller if is_gateway else None)
    pod = targets.Pod(caller["metadata"]["name"], namespace)
    dump = dumps.parse(orjson.loads(kubectl.ask_envoy(pod.name, pod.namespace, "config_dump?include_eds")))
    steps = list(following.follow(following.Proxy(dump, is_gateway), request, world))
    if output == "json":
        click.echo(orjson.dumps([step.as_json() for step in steps], option=orjson.OPT_INDENT_2))
        return
    click.echo(f"{request.method} {url}  from pod {pod.namespace}/{pod.name}")
    for step in steps:
        click.echo(f"  {step.stage:<13} {step.name}\n{'':16}{step.why}")
        for source in step.sources:
            click.echo(f"{'':16}from: {source}")


def parse_request(method: str, url: str, headers: tuple[str, ...]) -> matching.Request:
    """
    Read what somebody typed.

    Raises:
        UsageError: the URL or a header is none.
    """
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in _PORTS or not parts.hostname:
        raise click.UsageError(f"{url!r} is no URL such as http://reviews:9080/reviews/0")
    port = parts.port or _PORTS[parts.scheme]
    if not port:
        raise click.UsageError(f"{url!r} needs a port")
    given = {}
    for header in headers:
        sign = min((header.index(each) for each in "=:" if each in header), default=-1)
        if sign < 1:
            raise click.UsageError(f"-H {header!r}: expected NAME=VALUE")
        given[header[:sign].strip().lower()] = header[sign + 1 :].strip()
    return matching.Request(
        method=method.upper(),
        scheme=parts.scheme,
        host=parts.hostname,
        port=port,
        path=parts.path or "/",
        query=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
        headers=given,
    )


def find_caller(pods: list[dict[str, Any]], origin: str) -> dict[str, Any]:
    """
    The running pod called so, or the first one of the workload.

    Raises:
        ClickException: there is none, or it has no proxy.
    """
    wanted = origin.rpartition("/")[2]
    running = [pod for pod in pods if pod["status"].get("phase") == "Running"]
    for pod in running:
        name = pod["metadata"]["name"]
        workload = name.rsplit("-", 2)[0]
        if wanted in (name, workload):
            if "sidecar.istio.io/status" not in (pod["metadata"].get("annotations") or {}):
                raise click.ClickException(
                    f"pod {name} has no proxy, so its calls go straight to where they point"
                )
            return pod
    known = ", ".join(sorted({pod["metadata"]["name"].rsplit("-", 2)[0] for pod in running}))
    raise click.ClickException(f'no running pod is, or belongs to, "{origin}"; known: {known}')


def resolve(
    request: matching.Request, world: sources.World, *, caller: dict[str, Any] | None
) -> matching.Request:
    """
    Find out what the caller would connect to: the Service's address.

    A gateway (`caller`) is called, it does not call: the port is its own Service's, and it listens on the target port.
    """
    address, port = "", request.port
    service = world.service(request.host)
    if caller is not None:
        labels = (caller["metadata"].get("labels") or {}).items()
        own = [
            s for s in world.services if s["spec"].get("selector") and s["spec"]["selector"].items() <= labels
        ]
        for each in (each for one in own for each in one["spec"]["ports"] if each["port"] == port):
            port = each.get("targetPort", port)
    elif service is not None and service["spec"].get("clusterIP") not in (None, "None"):
        address = service["spec"]["clusterIP"]
    return matching.Request(
        method=request.method,
        scheme=request.scheme,
        host=request.host,
        port=port,
        path=request.path,
        query=request.query,
        headers=request.headers,
        address=address,
    )


def _look_around(kubectl: Kubectl, caller: dict[str, Any]) -> sources.World:
    kinds = "services,pods,virtualservices.networking.istio.io,destinationrules.networking.istio.io"
    items = kubectl.json("get", kinds, "-A", "-o", "json")["items"]
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        by_kind.setdefault(item["kind"], []).append(item)
    return sources.World(
        services=by_kind.get("Service", []),
        pods=by_kind.get("Pod", []),
        virtual_services=by_kind.get("VirtualService", []),
        destination_rules=by_kind.get("DestinationRule", []),
        namespace=caller["metadata"]["namespace"],
        labels=caller["metadata"].get("labels") or {},
    )
