"""Which of several services with one host a proxy goes by."""

from __future__ import annotations

import pytest

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.registry import registry, services
from bookmesh.mesh.snapshot import rivals
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.snapshot.settings import MeshSettings

HOST = "a.example"


def service(name: str, namespace: str, *export_to: str, is_entry: bool = True) -> services.Service:
    ref = ObjectRef("ServiceEntry", name, namespace) if is_entry else None
    return services.Service(HOST, name, namespace, export_to=export_to, entry=ref)


OLD, NEW = service("old", "a"), service("new", "b")
NAMED = service("named", "c", "here")
REAL = service("real", "d", is_entry=False)


@pytest.mark.parametrize(
    ("seen", "namespace", "expected"),
    [
        ((OLD, NEW), "here", OLD),
        ((OLD, NEW), "b", NEW),
        ((OLD, NAMED), "here", NAMED),
        ((REAL, OLD, NAMED), "here", REAL),
        ((REAL, OLD), "a", OLD),
    ],
)
def test_own_namespace_then_kubernetes_then_named_then_oldest(
    seen: tuple[services.Service, ...], namespace: str, expected: services.Service
) -> None:
    assert rivals.pick(seen, namespace=namespace, is_router=False, default=("*",)) is expected


def test_a_gateway_has_no_preference_for_its_own_namespace() -> None:
    assert rivals.pick((OLD, NEW), namespace="b", is_router=True, default=("*",)) is OLD
    assert rivals.pick((REAL, OLD), namespace="a", is_router=True, default=("*",)) is REAL


def test_each_namespace_sees_what_is_exported_to_it() -> None:
    hidden = service("real", "d", ".", is_entry=False)
    entry = service("entry", "default", ".")
    found = registry.Registry(services={HOST: hidden}, rivals={HOST: (hidden, entry)})
    snapshot = snapshots.build(found, [], MeshSettings())
    assert [one.ref for one in snapshot.services_visible_in("d")] == [hidden.ref]
    assert [one.ref for one in snapshot.services_visible_in("default")] == [entry.ref]
    assert snapshot.services_visible_in("elsewhere") == ()
