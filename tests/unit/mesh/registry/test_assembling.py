"""Whatever changes in whatever order, the registry is what it would be if it were built anew."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import assembling, registry

NAMES, NAMESPACES = ("a", "b"), ("shop", "edge")
KEYS = st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(NAMES))
ADDRESSES = st.sampled_from(("10.0.0.1", "10.0.0.2", "10.0.0.10"))
LABELS = st.dictionaries(st.sampled_from(("app", "version")), st.sampled_from(NAMES))


def metadata(key: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"namespace": key[0], "name": key[1], **more}


def service(key: tuple[str, str], selector: dict[str, str], port: int) -> dict[str, Any]:
    ports = [{"name": "http", "port": port, "targetPort": 8080}]
    return {
        "metadata": metadata(key),
        "spec": {
            "clusterIP": "10.96.0.1",
            "selector": selector,
            "ports": ports,
            "trafficDistribution": "PreferClose" if port == 81 else "",
        },
    }


def endpoint_slice(
    key: tuple[str, str], of: str, addresses: list[str], conditions: dict[str, bool]
) -> dict[str, Any]:
    return {
        "metadata": metadata(key, labels={"kubernetes.io/service-name": of}),
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": [one], "conditions": conditions} for one in addresses],
    }


def pod(key: tuple[str, str], labels: dict[str, str], ip: str, phase: str) -> dict[str, Any]:
    return {
        "metadata": metadata(key, labels=labels),
        "spec": {"serviceAccountName": key[1]},
        "status": {"podIP": ip, "phase": phase},
    }


def entry(name: str, host: str, selects: bool) -> parsing.Parsed:
    spec: dict[str, Any] = {
        "hosts": [host],
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        "resolution": "STATIC",
    }
    spec |= (
        {"workloadSelector": {"labels": {"app": "a"}}}
        if selects
        else {"endpoints": [{"address": "10.0.0.1"}]}
    )
    return parsing.parse(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "ServiceEntry",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": spec,
        }
    )


def machine(name: str, labels: dict[str, str], address: str, account: str) -> parsing.Parsed:
    return parsing.parse(
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "WorkloadEntry",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"address": address, "labels": labels, "serviceAccount": account},
        }
    )


GONE = st.none()
CONDITIONS = st.sampled_from(
    ({"ready": True}, {"ready": False, "terminating": False}, {"ready": False, "serving": False})
)
STEPS = st.one_of(
    st.tuples(st.just("services"), KEYS, st.one_of(GONE, st.tuples(LABELS, st.sampled_from((80, 81))))),
    st.tuples(
        st.just("endpoint_slices"),
        KEYS,
        st.one_of(GONE, st.tuples(st.sampled_from(NAMES), st.lists(ADDRESSES, unique=True), CONDITIONS)),
    ),
    st.tuples(
        st.just("pods"),
        KEYS,
        st.one_of(GONE, st.tuples(LABELS, ADDRESSES, st.sampled_from(("Running", "Succeeded")))),
    ),
    st.tuples(st.just("namespaces"), st.tuples(st.just(""), st.sampled_from(NAMES)), st.one_of(GONE, LABELS)),
    st.tuples(
        st.just("entries"),
        st.tuples(st.just(""), st.sampled_from(NAMES)),
        st.one_of(
            GONE, st.tuples(st.sampled_from(("x.example.com", "a.shop.svc.cluster.local")), st.booleans())
        ),
    ),
)
MACHINES = st.tuples(
    st.just("machines"),
    st.tuples(st.just(""), st.sampled_from(NAMES)),
    st.one_of(GONE, st.tuples(st.just({"app": "a"}), ADDRESSES, st.sampled_from(("", "machine")))),
)
MAKERS = {"services": service, "endpoint_slices": endpoint_slice, "pods": pod}
CONFIGS = {"entries": entry, "machines": machine}


def make(resource: str, key: tuple[str, str], arguments: Any) -> Any:
    if resource == "namespaces":
        return {"metadata": {"name": key[1], "labels": arguments}}
    if resource in CONFIGS:
        return CONFIGS[resource](key[1], *arguments)
    return MAKERS[resource](key, *arguments)


@settings(max_examples=300)
@given(pushes=st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=1, max_size=8))
def test_a_registry_kept_in_step_is_the_one_built_anew(pushes: Any) -> None:
    keep_in_step(pushes)


@settings(max_examples=150)
@given(pushes=st.lists(st.lists(STEPS | MACHINES, min_size=1, max_size=4), min_size=1, max_size=8))
def test_so_it_is_with_workloads_that_are_no_pods(pushes: Any) -> None:
    keep_in_step(pushes)


def keep_in_step(pushes: Any) -> None:
    kept = assembling.Assembly(domain="cluster.local")
    world: dict[str, dict[Any, Any]] = {name: {} for name in (*MAKERS, "namespaces", *CONFIGS)}
    for push in pushes:
        changed: dict[str, dict[Any, Any]] = {name: {} for name in world}
        for resource, key, arguments in push:
            obj = make(resource, key, arguments) if arguments is not None else None
            changed[resource][key] = obj
            world[resource].pop(key, None)
            if obj is not None:
                world[resource][key] = obj
        entries = tuple(obj for name in CONFIGS for obj in world[name].values())
        for name in CONFIGS:
            del changed[name]
        found = kept.apply(assembling.Changes(**changed), entries)
        expected = registry.build(
            *(world[name].values() for name in ("services", "endpoint_slices", "pods", "namespaces")),
            configs=entries,
        )
        assert found == expected
        assert kept.apply(assembling.Changes(**changed), entries) is found


def test_what_a_change_of_endpoints_is_not_about_stays_the_same_object() -> None:
    kept = assembling.Assembly(domain="cluster.local")
    keys = [("shop", "a"), ("shop", "b")]
    before = kept.apply(
        assembling.Changes(
            services={key: service(key, {"app": key[1]}, 80) for key in keys},
            endpoint_slices={key: endpoint_slice(key, key[1], ["10.0.0.1"], {"ready": True}) for key in keys},
        ),
        (),
    )
    more = {("shop", "a"): endpoint_slice(("shop", "a"), "a", ["10.0.0.1", "10.0.0.2"], {"ready": True})}
    after = kept.apply(assembling.Changes(endpoint_slices=more), ())
    assert after.services is before.services
    assert after.workloads is before.workloads
    other = after.services["b.shop.svc.cluster.local"]
    assert after.endpoints_of(other, 80)
    assert after.endpoints_of(other, 80) is before.endpoints_of(other, 80)
    assert len(after.endpoints_of(after.services["a.shop.svc.cluster.local"], 80)) == 2


def test_what_is_gone_is_forgotten() -> None:
    assembly = assembling.Assembly(domain="cluster.local")
    empty = sizes_of(assembly)
    key = ("shop", "a")
    there = assembling.Changes(
        services={key: service(key, {"app": "a"}, 80)},
        endpoint_slices={key: endpoint_slice(key, "a", ["10.0.0.1", "10.0.0.2"], {"ready": True})},
        pods={key: pod(key, {"app": "a"}, "10.0.0.1", "Running")},
    )
    assembly.apply(there, ())
    assert sizes_of(assembly) != empty
    for gone in (
        assembling.Changes(pods={key: None}),
        assembling.Changes(endpoint_slices={key: None}),
        assembling.Changes(services={key: None}),
    ):
        assembly.apply(gone, ())
    assert sizes_of(assembly) == empty


def sizes_of(assembly: assembling.Assembly) -> dict[str, int]:
    """How much each of the assembly's indexes holds."""
    found = vars(assembly._indexes)
    return {name: len(value) for name, value in found.items() if isinstance(value, dict)}


def test_a_workload_that_is_no_pod_gets_an_identity() -> None:
    assembly = assembling.Assembly(domain="cluster.local")
    selecting = entry("a", "x.example.com", selects=True)
    plain, known = (machine("m", {"app": "a"}, "10.0.0.9", account) for account in ("", "machine"))
    before = assembly.apply(assembling.Changes(), (selecting, plain))
    after = assembly.apply(assembling.Changes(), (selecting, known))
    service, *_ = after.services.values()
    assert [each.workload.service_account for each in before.endpoints_of(service, 80) if each.workload] == [
        ""
    ]
    assert [each.workload.service_account for each in after.endpoints_of(service, 80) if each.workload] == [
        "machine"
    ]
