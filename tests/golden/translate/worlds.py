"""
Small meshes written as YAML: Kubernetes objects, Istio objects, and one document that says who asks.

    proxy: default/productpage-v1        # the pod (NAMESPACE/NAME)
    base: bookinfo.yaml                  # more objects, from files beside this one; may be left out
    settings: {mtls_mode: STRICT}        # fields of MeshSettings; may be left out
    secrets: {edge/web: both}            # pair, trusted or both: a Secret with fresh certificates; may be left out
    show: {RDS: ["9080"]}                # globs of resource names that go into the expected output; all without it
    unfold: true                         # write out what is the same everywhere, such as the default retry policy

Secrets, Ingresses with their classes, and a ConfigMap `istio`, count as well. Objects of the Gateway API are converted.
Services get their endpoints from the pods they select, unless the file has EndpointSlices.
"""

from __future__ import annotations

import base64
import fnmatch
import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format

from bookmesh.mesh.gateway_api import converting, remembering
from bookmesh.mesh.identity import certificates
from bookmesh.mesh.identity.authority import current_time
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry
from bookmesh.mesh.snapshot import credentials, ingresses, mesh_config
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import (
    access_logs,
    actions,
    filters,
    resources,
    traffic_policies,
    transport_sockets,
)
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import type_urls

HERE = Path(__file__).parent
TYPES = {
    short: type_url for type_url, short in type_urls.SHORT_NAMES.items() if type_url in type_urls.TRANSLATED
}


@dataclass(frozen=True)
class World:
    """One parsed case."""

    snapshot: snapshots.MeshSnapshot
    proxy: proxies.Proxy | None
    show: dict[str, list[str]] = field(default_factory=dict)
    is_folded: bool = True
    conversion: converting.Conversion = field(default_factory=converting.Conversion)

    def resources(self) -> resources.ResourceSet:
        return self._resources

    @functools.cached_property
    def _resources(self) -> resources.ResourceSet:
        assert self.proxy is not None
        return resources.resources(self.proxy, self.snapshot)


def cases(directory: Path) -> list[Path]:
    """The inputs of a golden directory; an empty one is a broken test."""
    found = sorted(directory.glob("*.in.yaml"))
    assert found, f"no cases in {directory}"
    return found


def load(path: Path) -> World:
    documents = [d for d in yaml.safe_load_all(path.read_text()) if d]
    about: dict[str, Any] = next((d for d in documents if "kind" not in d), {})
    objects = [d for d in documents if "kind" in d]
    bases = about.get("base", [])
    for base in [bases] if isinstance(bases, str) else bases:
        objects += [d for d in yaml.safe_load_all((HERE / base).read_text()) if d]
    return build(objects, about)


def build(objects: list[dict[str, Any]], about: dict[str, Any]) -> World:
    for obj in objects:
        obj["metadata"].setdefault("namespace", "default")
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for obj in objects:
        by_kind.setdefault(obj["kind"], []).append(obj)
    pods, services = by_kind.get("Pod", []), by_kind.get("Service", [])
    slices = by_kind.get("EndpointSlice") or [_slice(service, pods) for service in services]
    parsed = [parsing.parse(o) for o in objects if parsing.kind_for(o) is not None]
    built = registry.build(services, slices, pods, by_kind.get("Namespace", []), configs=parsed)
    secrets = [*by_kind.get("Secret", []), *(_secret(*item) for item in about.get("secrets", {}).items())]
    found = credentials.build_credentials(map(credentials.parse_secret, secrets))
    settings = mesh_config.read(MeshSettings(**about.get("settings", {})), _config_map(by_kind))
    converter = remembering.Converter(domain="cluster.local")
    converter.note(services=_keyed(services), config_maps=_keyed(by_kind.get("ConfigMap", [])))
    configs, conversion = converter.convert(parsed, built, found)
    served, classes = by_kind.get("Ingress", []), by_kind.get("IngressClass", [])
    made = ingresses.convert(served, classes, built, found, settings.settings)
    unserved = ingresses.check_unserved(served, classes, settings.settings.ingress)
    snapshot = snapshots.build(
        built,
        (*configs, *made),
        settings.settings,
        found,
        (*settings.findings, *unserved, *conversion.findings),
    )
    proxy = _proxy(about.get("proxy"), pods)
    return World(
        snapshot,
        proxy,
        show=about.get("show", {}),
        is_folded=not about.get("unfold", False),
        conversion=conversion,
    )


def _keyed(objects: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    return {(o["metadata"]["namespace"], o["metadata"]["name"]): o for o in objects}


def _secret(path: str, content: str) -> dict[str, Any]:
    namespace, _, name = path.partition("/")
    root = certificates.build_root("example.org", now=current_time())
    leaf = certificates.build_leaf(root, "spiffe://example.org/test", now=current_time())
    data = {"tls.crt": leaf.chain, "tls.key": leaf.key} if content in ("pair", "both") else {}
    if content in ("trusted", "both"):
        data["ca.crt"] = leaf.root
    encoded = {key: base64.b64encode(text).decode() for key, text in data.items()}
    return {"kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": encoded}


def _config_map(by_kind: dict[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
    return next((o for o in by_kind.get("ConfigMap", []) if o["metadata"]["name"] == mesh_config.NAME), None)


def _proxy(name: str | None, pods: list[dict[str, Any]]) -> proxies.Proxy | None:
    for pod in pods:
        if f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" == name:
            return proxies.build_proxy(pod, ip=pod["status"]["podIP"])
    assert name is None, f"no pod {name}"
    return None


def _slice(service: dict[str, Any], pods: list[dict[str, Any]]) -> dict[str, Any]:
    metadata, spec = service["metadata"], service["spec"]
    selector = spec.get("selector") or {}
    behind = [
        pod
        for pod in pods
        if selector
        and pod["metadata"]["namespace"] == metadata["namespace"]
        and selector.items() <= pod["metadata"].get("labels", {}).items()
    ]
    names = {
        port["name"]: port["containerPort"]
        for pod in behind
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
        if "name" in port
    }
    ports = [
        {"name": port.get("name", ""), "port": names.get(target, target)}
        for port in spec["ports"]
        for target in [port.get("targetPort", port["port"])]
        if isinstance(target, int) or target in names
    ]
    return {
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {"kubernetes.io/service-name": metadata["name"]},
        },
        "ports": ports,
        "endpoints": [
            {"addresses": [pod["status"]["podIP"]], "conditions": {"ready": True}} for pod in behind
        ],
    }


def as_dict(message: Any) -> dict[str, Any]:
    """A protobuf message as Envoy's documentation writes it."""
    result: dict[str, Any] = json.loads(json_format.MessageToJson(message, preserving_proto_field_name=True))
    return result


def shown(world: World) -> dict[str, dict[str, Any]]:
    """What goes into the expected output: resources by short type and name."""
    built = world.resources()
    result: dict[str, dict[str, Any]] = {}
    for short, type_url in TYPES.items():
        if world.show and short not in world.show:
            continue
        patterns = world.show.get(short, ["*"])
        messages = built.messages(type_url)
        names = sorted(n for n in messages if any(fnmatch.fnmatchcase(n, p) for p in patterns))
        shown_messages = {name: as_dict(messages[name]) for name in names}
        result[short] = _folded(shown_messages) if world.is_folded else shown_messages
    return result


@functools.cache
def _folds() -> list[tuple[Any, str]]:
    """What is the same nearly everywhere, with the word that stands for it in expected outputs."""
    logs = access_logs.build(MeshSettings())
    retries = actions.build_retry_policy(None)
    unlimited = wire.Cluster()
    traffic_policies.apply_connection_pool(unlimited, None, None)
    return [
        (as_dict(retries), "(default retries)"),
        (as_dict(unlimited.circuit_breakers), "(no limits)"),
        (as_dict(transport_sockets.ads_source()), "(ads)"),
        ([as_dict(log) for log in logs], "(text log)"),
        ([as_dict(f) for f in filters.outbound_http_filters(MeshSettings())], "(outbound filters)"),
        (
            as_dict(transport_sockets.mesh_downstream(trust_domains=["cluster.local"], is_http=True)),
            "(mesh mTLS, HTTP)",
        ),
        (
            as_dict(transport_sockets.mesh_downstream(trust_domains=["cluster.local"], is_http=False)),
            "(mesh mTLS, TCP)",
        ),
    ]


def _folded(value: Any) -> Any:
    for known, word in _folds():
        if value == known:
            return word
    if isinstance(value, dict):
        return {key: _folded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_folded(item) for item in value]
    return value
