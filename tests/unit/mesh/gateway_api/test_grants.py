from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.gateway_api import grants
from bookmesh.mesh.gateway_api.inputs import Inputs
from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import registry

GROUP = "gateway.networking.k8s.io"


def grant(to: dict[str, Any], *, namespace: str = "other", kind: str = "HTTPRoute") -> parsing.Parsed:
    return parsing.parse(
        {
            "apiVersion": f"{GROUP}/v1beta1",
            "kind": "ReferenceGrant",
            "metadata": {"name": "g", "namespace": namespace},
            "spec": {"from": [{"group": GROUP, "kind": kind, "namespace": "default"}], "to": [to]},
        }
    )


def is_granted(*found: parsing.Parsed, kind: str = "HTTPRoute", namespace: str = "default") -> bool:
    return grants.is_granted(
        Inputs(objects=found, registry=registry.Registry()),
        kind=kind,
        namespace=namespace,
        to_group="",
        to_kind="Service",
        to_namespace="other",
        to_name="web",
    )


@pytest.mark.parametrize(
    "to", [{"group": "", "kind": "Service"}, {"group": "", "kind": "Service", "name": "web"}]
)
def test_a_grant_allows_one_object_or_all_of_a_kind(to: dict[str, Any]) -> None:
    assert is_granted(grant(to))


def test_without_a_grant_only_the_own_namespace_is_allowed() -> None:
    assert not is_granted()
    assert is_granted(namespace="other")


@pytest.mark.parametrize(
    "wrong",
    [
        grant({"group": "", "kind": "Service", "name": "another"}),
        grant({"group": "", "kind": "Secret"}),
        grant({"group": "", "kind": "Service"}, namespace="default"),
        grant({"group": "", "kind": "Service"}, kind="TCPRoute"),
    ],
)
def test_a_grant_for_something_else_allows_nothing(wrong: parsing.Parsed) -> None:
    assert not is_granted(wrong)


def test_a_grant_for_another_namespace_allows_nothing() -> None:
    assert not is_granted(grant({"group": "", "kind": "Service"}), namespace="third")
