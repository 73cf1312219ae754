"""
Whatever changes in whatever order: what proxies get by way of changes is what a new control plane would give them.

Each step changes objects of a small mesh at random; then every proxy's resources, made from what there was before, must
be those of a builder that has never seen anything else, byte by byte, and so must the findings. What is said to have
changed must be all that did.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.unit.mesh.control import small_mesh

from bookmesh.mesh.control import proxies
from bookmesh.mesh.control.building import Builder, Changes
from bookmesh.mesh.registry import assembling
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate.resources import ResourceSet
from bookmesh.mesh.wire import type_urls

SERVICES, NAMESPACES = ("reviews", "ratings", "plain"), ("default", "other")
IPS = tuple(f"10.0.0.{number}" for number in range(1, 7))
PROXIES = (
    small_mesh.pod("ingress-0", "10.1.0.1", gateway=True, istio="ingress"),
    small_mesh.pod("reviews-v1", "10.0.0.1", app="reviews", version="v1"),
    small_mesh.pod("caller", "10.1.0.2", namespace="other", app="caller"),
)
NAMES, NUMBERS = st.sampled_from(SERVICES), st.integers(0, 2)


def service(name: str, kind: int) -> dict[str, Any]:
    """HTTP on a port that others have too, plain TCP, or a headless one that does not say what it speaks."""
    obj = small_mesh.service(name, 9080, 8080, app=name)
    if name == "ratings":
        obj["spec"]["ports"][0]["port"] = 80  # where hosts that are no service have their routes
    obj["spec"]["clusterIP"] = f"10.96.0.{SERVICES.index(name) + 1}"
    if kind == 1:
        obj["spec"]["ports"].append({"name": "tcp-x", "port": 7000, "targetPort": 7000, "protocol": "TCP"})
    elif kind == 2:
        obj["spec"] |= {"clusterIP": "None", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
        obj["spec"]["ports"][0]["name"] = "" if name == "plain" else "http"
    return obj


def endpoint_slice(name: str, ips: list[str]) -> dict[str, Any]:
    obj = small_mesh.endpoint_slice(name, 8080, *ips)
    obj["ports"] += [{"name": "", "port": 8080}, {"name": "tcp-x", "port": 7000}]
    return obj


def route(name: str, target: str, number: int, labels: dict[str, str]) -> dict[str, Any]:
    destination = {"host": target, "subset": f"v{number}"} if number else {"host": target}
    http: dict[str, Any] = {"route": [{"destination": destination}], "timeout": f"{number + 1}s"}
    if labels:
        http["match"] = [{"sourceLabels": labels}]
    hosts = {0: [name], 1: ["*.default.svc.cluster.local"], 2: ["api.example.com", name]}[number]
    gateways = ["public", "mesh"] if number == 1 else ["mesh"]
    return small_mesh.config("VirtualService", f"r-{name}", hosts=hosts, gateways=gateways, http=[http])


def rival(name: str, target: str, number: int) -> dict[str, Any]:
    """For a host that others have too, which is a conflict."""
    http = [{"route": [{"destination": {"host": target}}], "timeout": f"{number + 1}s"}]
    export = {"exportTo": ["."]} if number == 2 else {}
    return small_mesh.config("VirtualService", f"s-{name}", hosts=[name], http=http, **export)


def connection_route(name: str, target: str, number: int) -> dict[str, Any]:
    """Of TCP, of one host or all that match; or of TLS to a host outside."""
    route = [{"destination": {"host": target, "port": {"number": 7000}}}]
    hosts = ([name], ["*.default.svc.cluster.local"], [f"{name}.example.com"])[number]
    rules: dict[str, Any] = {"tcp": [{"route": route}]}
    if number == 2:
        rules = {"tls": [{"match": [{"sniHosts": hosts}], "route": route}]}
    return small_mesh.config("VirtualService", f"t-{name}", hosts=hosts, **rules)


def rule(name: str, number: int) -> dict[str, Any]:
    policy: dict[str, Any] = {"connectionPool": {"tcp": {"maxConnections": number + 1}}}
    if number == 2:
        policy["loadBalancer"] = {"consistentHash": {"httpHeaderName": "x-user"}}
    subsets = [{"name": f"v{n}", "labels": {"version": f"v{n}"}} for n in range(1, number + 1)]
    return small_mesh.config("DestinationRule", name, host=name, trafficPolicy=policy, subsets=subsets)


def wide_rule(name: str, number: int) -> dict[str, Any]:
    """For several services, with what may differ from client to client."""
    tls = {"mode": ("DISABLE", "ISTIO_MUTUAL", "SIMPLE")[number]}
    spec: dict[str, Any] = {"host": "*.local", "trafficPolicy": {"tls": tls}}
    if name == "ratings":
        spec |= {"host": name, "workloadSelector": {"matchLabels": {"version": "v1"}}}
    elif number:
        spec["exportTo"] = ["."]
    return small_mesh.config("DestinationRule", f"w-{name}", **spec)


def handing_on(name: str, number: int) -> dict[str, Any]:
    http = [{"match": [{"uri": {"prefix": f"/{number}"}}], "delegate": {"name": f"d-{name}"}}]
    return small_mesh.config("VirtualService", f"h-{name}", hosts=[name], http=http)


def delegate(name: str, target: str) -> dict[str, Any]:
    http = [{"route": [{"destination": {"host": target}}]}]
    return small_mesh.config("VirtualService", f"d-{name}", http=http)


def peers(name: str, number: int) -> dict[str, Any]:
    """For the pods of one application, one of its ports, or as `plain` for all pods of a namespace."""
    mode = {"mode": ("STRICT", "PERMISSIVE", "DISABLE")[number]}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": name}}, "mtls": mode}
    if name == "plain":
        del spec["selector"]
    elif name == "ratings":
        spec["portLevelMtls"] = {"8080": spec.pop("mtls")}
    found = small_mesh.config("PeerAuthentication", name, **spec)
    return found | {"apiVersion": "security.istio.io/v1"}


def mesh_peers(number: int) -> dict[str, Any]:
    found = peers("plain", number)
    found["metadata"] |= {"namespace": "istio-system", "name": "mesh"}
    return found


def http_route(name: str, target: str) -> dict[str, Any]:
    parents = [{"group": "", "kind": "Service", "name": name}]
    rules = [{"backendRefs": [{"name": target, "port": 9080}]}]
    return small_mesh.config("HTTPRoute", f"g-{name}", parentRefs=parents, rules=rules) | {
        "apiVersion": "gateway.networking.k8s.io/v1"
    }


def ingress(name: str, target: str) -> dict[str, Any]:
    backend = {"service": {"name": target, "port": {"number": 9080}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    obj = small_mesh.config(
        "Ingress", name, rules=[{"host": f"{name}.example.com", "http": {"paths": paths}}]
    )
    obj["metadata"]["annotations"] = {"kubernetes.io/ingress.class": "istio"}
    return obj | {"apiVersion": "networking.k8s.io/v1"}


def gateway(number: int) -> dict[str, Any]:
    servers = [{"port": {"number": 80 + number, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]
    if number == 2:
        port = {"number": 15443, "name": "tls", "protocol": "TLS"}
        servers.append({"port": port, "hosts": ["*.cluster.local"], "tls": {"mode": "AUTO_PASSTHROUGH"}})
    selector = {"istio": "ingress"} if number else {"version": "v1"}
    return small_mesh.config("Gateway", "public", selector=selector, servers=servers)


def sidecar(number: int) -> dict[str, Any]:
    """One service, all services, a port alone, a listener at a place of its own, or a proxy for all that is unknown."""
    one = "default/reviews.default.svc.cluster.local"
    port = {"number": 9080, "name": "http", "protocol": "HTTP"}
    spec: dict[str, Any] = {"egress": [{"hosts": [one if number == 0 else "./*"]}]}
    if number == 2:
        spec = {"egress": [{"port": port, "hosts": [one]}, {"hosts": ["*/plain.default.svc.cluster.local"]}]}
    elif number == 3:
        spec["egress"].insert(0, {"port": port, "bind": "127.0.0.9", "hosts": ["*/*"]})
    elif number == 4:
        proxy = {"host": "ratings.default.svc.cluster.local"}
        spec = {"egress": [{"hosts": [one]}], "outboundTrafficPolicy": {"egressProxy": proxy}}
    return small_mesh.config("Sidecar", "default", **spec)


def envoy_filter(name: str, number: int) -> dict[str, Any]:
    """Changes all clusters but for one service, takes clusters away, or changes the routes of gateways."""
    if number == 2:
        return small_mesh.route_patch(prefix=f"/{name}") | {
            "metadata": {"name": name, "namespace": "default"}
        }
    host = f"{name}.default.svc.cluster.local"
    patch: dict[str, Any] = {"operation": "MERGE", "value": {"connect_timeout": "3s"}}
    match = {"context": "SIDECAR_OUTBOUND"}
    if number == 1:
        patch, match = {"operation": "REMOVE"}, {"cluster": {"service": host}}
    found = small_mesh.config(
        "EnvoyFilter", name, configPatches=[{"applyTo": "CLUSTER", "match": match, "patch": patch}]
    )
    return found | {"apiVersion": "networking.istio.io/v1alpha3"}


def entry(name: str, number: int) -> dict[str, Any]:
    """TCP ones have an address in common, and with it the name of a listener."""
    addresses = {"addresses": ["240.0.0.1"]} if number == 2 else {}
    return small_mesh.config(
        "ServiceEntry",
        f"e-{name}",
        hosts=[f"{name}.example.com"],
        ports=[
            {"number": (80, 9080, 7000)[number], "name": "http", "protocol": ("HTTP", "TLS", "TCP")[number]}
        ],
        resolution="STATIC",
        endpoints=[{"address": IPS[number]}],
        **addresses,
    )


def rival_entry(name: str, number: int) -> dict[str, Any]:
    """For the host of a Service, or for that of another entry; its endpoints are pods."""
    hosts = [f"{name}.default.svc.cluster.local" if number else f"{name}.example.com"]
    ports = [{"number": 9080, "name": "http", "protocol": "HTTP"}]
    selector = {"labels": {"app": name}}
    export = {"exportTo": ["."]} if number == 2 else {}
    return small_mesh.config(
        "ServiceEntry",
        f"f-{name}",
        hosts=hosts,
        ports=ports,
        resolution="STATIC",
        location="MESH_INTERNAL",
        workloadSelector=selector,
        **export,
    )


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


def named(kind: str, prefix: str, make: Any, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """(kind, name, object or None)"""
    return NAMES.flatmap(
        lambda name: st.tuples(
            st.just(kind),
            st.just(prefix + name),
            maybe(st.tuples(*arguments).map(lambda given: make(name, *given))),
        )
    )


def pods() -> st.SearchStrategy[Any]:
    def make(number: int, name: str, version: int) -> tuple[str, str, Any]:
        labels = {"app": name, "version": f"v{version}", "security.istio.io/tlsMode": "istio"}
        return "Pod", f"p-{number}", small_mesh.pod(f"p-{number}", IPS[number], **labels)

    gone = st.integers(0, 5).map(lambda number: ("Pod", f"p-{number}", None))
    there = st.builds(make, st.integers(0, 5), NAMES, NUMBERS)
    return st.one_of(there, there, there, gone)


LABELS = st.sampled_from(({}, {"version": "v1"}))
COMMON = st.one_of(
    named("EndpointSlice", "", endpoint_slice, st.lists(st.sampled_from(IPS), unique=True)),
    named("VirtualService", "r-", route, NAMES, NUMBERS, LABELS),
    named("VirtualService", "s-", rival, NAMES, NUMBERS),
    named("DestinationRule", "", rule, NUMBERS),
    named("Service", "", service, NUMBERS),
    named("ServiceEntry", "e-", entry, NUMBERS),
    pods(),
)
RARE = st.one_of(
    named("VirtualService", "t-", connection_route, NAMES, NUMBERS),
    named("VirtualService", "h-", handing_on, NUMBERS),
    named("VirtualService", "d-", delegate, NAMES),
    named("PeerAuthentication", "", peers, NUMBERS),
    st.tuples(st.just("PeerAuthentication"), st.just("mesh"), maybe(NUMBERS.map(mesh_peers))),
    named("EnvoyFilter", "", envoy_filter, NUMBERS),
    named("HTTPRoute", "g-", http_route, NAMES),
    named("Ingress", "", ingress, NAMES),
    named("DestinationRule", "w-", wide_rule, NUMBERS),
    named("ServiceEntry", "f-", rival_entry, NUMBERS),
    st.tuples(st.just("Gateway"), st.just("public"), maybe(NUMBERS.map(gateway))),
    st.tuples(st.just("Sidecar"), st.just("default"), maybe(st.integers(0, 4).map(sidecar))),
)
# Services, endpoints, routes and rules change all the time, everything else now and then, alone or together.
PUSHES = st.one_of(
    *(st.lists(COMMON, min_size=1, max_size=3) for _ in range(3)),
    st.lists(RARE, min_size=1, max_size=2),
    st.lists(st.one_of(COMMON, RARE), min_size=1, max_size=3),
)
KUBERNETES = {"Service": "services", "EndpointSlice": "endpoint_slices", "Pod": "pods"}


def changes(objects: dict[tuple[str, str], Any], ingresses: tuple[Any, ...]) -> Changes:
    found: dict[str, dict[tuple[str, str], Any]] = {name: {} for name in KUBERNETES.values()}
    configs = {}
    for (kind, name), obj in objects.items():
        if kind == "Ingress":
            continue
        if kind in KUBERNETES:
            found[KUBERNETES[kind]]["default", name] = obj
        else:
            configs[kind, "default", name] = obj
    return Changes(assembling.Changes(**found), configs, ingresses=ingresses)


def content(found: ResourceSet) -> dict[tuple[str, str], tuple[bytes, tuple[Any, ...]]]:
    return {
        (type_url, name): (built.serialized, built.sources)
        for type_url in type_urls.TRANSLATED
        for name, built in found.of(type_url).items()
    }


@pytest.mark.timeout(300)  # a minute's work for a busy machine
@settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(start=st.lists(st.one_of(COMMON, RARE), max_size=8), pushes=st.lists(PUSHES, min_size=2, max_size=10))
def test_changes_lead_where_a_new_start_would(start: Any, pushes: Any) -> None:
    asyncio.run(follow([start, *pushes]))


async def follow(pushes: Any) -> None:
    kept = Builder(MeshSettings())
    callers = [proxies.build_proxy(pod, domain="cluster.local") for pod in PROXIES]
    objects: dict[tuple[str, str], Any] = {
        **{("Service", name): service(name, 0) for name in SERVICES},
        **{("EndpointSlice", name): endpoint_slice(name, list(IPS[:2])) for name in SERVICES},
        ("Gateway", "public"): gateway(0),
    }
    changed = dict(objects)
    given: dict[str, ResourceSet] = {}
    for push in pushes:
        for kind, name, obj in push:
            changed[kind, name] = obj
        objects |= changed
        objects = {key: obj for key, obj in objects.items() if obj is not None}
        ingresses = tuple(obj for (kind, _), obj in sorted(objects.items()) if kind == "Ingress")
        snapshot = await kept.build_snapshot(changes(changed, ingresses))
        fresh = Builder(MeshSettings())
        expected = await fresh.build_snapshot(changes(objects, ingresses))
        assert snapshot == expected
        assert await kept.analyze(snapshot) == await fresh.analyze(expected)
        for caller in callers:
            before = given.get(caller.id)
            found = await kept.translate(caller, snapshot, before)
            assert content(found) == content(await fresh.translate(caller, expected)), caller.name
            if before is not None:
                told = (await kept.encode(found, before)).changed
                assert told is not None
                old, new = content(before), content(found)
                real = {
                    key for key in old.keys() | new.keys() if old.get(key, b"")[0:1] != new.get(key, b"")[0:1]
                }
                assert real <= {(type_url, name) for type_url, names in told.items() for name in names}
            given[caller.id] = found
        changed = {}
