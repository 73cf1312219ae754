"""
`bookmesh explain`: why a request goes where it goes, with the YAML behind each step. `-o json` prints one object:

    {"request": {"method", "url", "headers"}, "proxy": "NAMESPACE/POD",
     "steps": [{"stage", "name", "why", "sources": [{"object", "field", "file"?}]}],
     "outcome": {"kind": "forwarded" | "answered" | "closed" | "direct", "delaySeconds",
                 "targets": [{"cluster", "percent", "endpoints"}], "answers": [{"status", "percent", "why"}]}}
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Final

import click
import orjson

from bookmesh.base.findings import BookmeshError, Finding
from bookmesh.cli import terminal
from bookmesh.cli.explain import callers, following, requests, sources, trails
from bookmesh.cli.explain.requests import Request
from bookmesh.cli.istioctl import dumps, places
from bookmesh.cli.istioctl.dumps import JsonObject
from bookmesh.cli.istioctl.kubernetes import Kubectl
from bookmesh.lab import client, labs, paths
from bookmesh.mesh.injection import interception

_ISTIO: Final = ("virtualservices", "destinationrules", "serviceentries", "gateways")
_KINDS: Final = ",".join(
    ["services", "pods", "configmaps", *(f"{kind}.networking.istio.io" for kind in _ISTIO)]
)


@click.command()
@click.argument("method")
@click.argument("url")
@terminal.name_option
@click.option(
    "--from",
    "origin",
    metavar="WORKLOAD",
    help="Who calls: POD, APP-VERSION or deploy/NAME, or a gateway. Not needed for the address of a gateway.",
)
@click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of WORKLOAD.")
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    metavar="NAME=VALUE",
    help="A header of the request; also NAME: VALUE.",
)
@click.option("--sni", default="", help="The server name that TLS sends (default: the host of the URL).")
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="YAML files or folders: also show file and line of objects that come from them.",
)
@terminal.output_option
def explain(
    *,
    method: str,
    url: str,
    name: str,
    origin: str | None,
    namespace: str,
    headers: tuple[str, ...],
    sni: str,
    files: tuple[Path, ...],
    output: str,
) -> None:
    """
    Show step by step where the caller's proxy would send a request, and the YAML behind each step.

    Nothing is sent. METHOD is an HTTP method such as GET; for tcp:// and tls:// URLs any word will do.
    """
    request = requests.parse_request(method, url, headers, server_name=sni)
    with terminal.failures():
        lab = paths.paths_for(name)
        labs.require_running(lab)
        kubectl = Kubectl(client.environment(lab))
        objects = kubectl.json("get", _KINDS, "-A", "-o", "json")["items"]
        caller, gateway = _caller(objects, request, origin, namespace)
        world = build_world(objects, caller)
        request = callers.resolve(request, world, gateway=gateway)
        rules = None if gateway is not None else interception.rules_for(caller)
        found = following.follow(_ask(kubectl, caller, gateway is not None, rules), request, world)
        written = places.read(files)
    if written:
        live = {sources.reference(each): each for each in objects if each["metadata"].get("namespace")}
        steps = tuple(_with_files(step, written, live) for step in found.steps)
        found = dataclasses.replace(found, steps=steps)
    _print(found, request, url, caller, output)


def build_world(objects: list[JsonObject], caller: JsonObject) -> sources.World:
    """Sort the objects of a cluster by kind, seen from the pod that calls."""
    by_kind: dict[str, list[JsonObject]] = {}
    for item in objects:
        by_kind.setdefault(item["kind"], []).append(item)
    return sources.World(
        services=by_kind.get("Service", []),
        pods=by_kind.get("Pod", []),
        virtual_services=by_kind.get("VirtualService", []),
        destination_rules=by_kind.get("DestinationRule", []),
        service_entries=by_kind.get("ServiceEntry", []),
        gateways=by_kind.get("Gateway", []),
        mesh_config=next(filter(_is_mesh_config, by_kind.get("ConfigMap", [])), None),
        namespace=caller["metadata"]["namespace"],
        labels=caller["metadata"].get("labels") or {},
    )


def _is_mesh_config(config_map: JsonObject) -> bool:
    metadata = config_map["metadata"]
    return (metadata["namespace"], metadata["name"]) == (sources.ROOT_NAMESPACE, "istio")


def _caller(
    objects: list[JsonObject], request: Request, origin: str | None, namespace: str
) -> tuple[JsonObject, JsonObject | None]:
    """The pod whose proxy is asked, and the same once more when it is a gateway."""
    pods = [item for item in objects if item["kind"] == "Pod"]
    services = [item for item in objects if item["kind"] == "Service"]
    if origin is not None:
        pod = callers.find_caller(pods, origin, namespace)
        return pod, pod if callers.is_gateway(pod) else None
    found = callers.find_gateway(pods, services, request.host)
    if found is None:
        raise BookmeshError(
            Finding(
                code="BM0503",
                message=f"{request.host} is not the address of a gateway, so it must be said who calls",
                hint="add --from WORKLOAD",
            ),
            exit_code=2,
        )
    return found, found


def _ask(
    kubectl: Kubectl,
    pod: JsonObject,
    is_gateway: bool,
    rules: interception.InterceptionRules | None,
) -> trails.Proxy:
    place = pod["metadata"]["name"], pod["metadata"]["namespace"]
    dump = dumps.parse(orjson.loads(kubectl.ask_envoy(*place, "config_dump?include_eds")))
    statuses = trails.statuses_of(orjson.loads(kubectl.ask_envoy(*place, "clusters?format=json")))
    return trails.Proxy(dump, statuses, is_gateway, rules)


def _with_files(step: trails.Step, written: places.Places, live: dict[str, JsonObject]) -> trails.Step:
    found = tuple(
        dataclasses.replace(each, file=written.find(each.object, each.field, live.get(each.object, {})) or "")
        for each in step.sources
    )
    return dataclasses.replace(step, sources=found)


def _print(found: following.Explanation, request: Request, url: str, caller: JsonObject, output: str) -> None:
    pod = f"{caller['metadata']['namespace']}/{caller['metadata']['name']}"
    if output == "json":
        asked: dict[str, Any] = {"method": request.method, "url": url, "headers": dict(request.headers)}
        body = {"request": asked, "proxy": pod, **found.as_json()}
        terminal.print_json(body)
        return
    click.echo(f"{request.method} {url}  as the proxy of pod {pod} has it")
    for step in found.steps:
        click.echo(f"  {step.stage:<13} {step.name}\n{'':16}{step.why}")
        for source in step.sources:
            click.echo(f"{'':16}from: {source}")
