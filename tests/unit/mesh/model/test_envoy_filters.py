"""EnvoyFilter: what can be parsed, and what is refused with a place."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import envoy_filters, parsing

MERGE = {"operation": "MERGE", "value": {"name": "x"}}
MANAGER = "envoy.filters.network.http_connection_manager"


def parse(*patches: dict[str, Any], **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter"}
    return parsing.parse(
        {**about, "metadata": {"name": "it"}, "spec": {"configPatches": list(patches), **spec}}
    )


def test_any_value_is_kept_as_it_is() -> None:
    value = {"deep": [{"@type": "t", "n": 1.5}, None], "": {}}
    spec = parse({"applyTo": "CLUSTER", "patch": {"operation": "ADD", "value": value}}).spec
    assert isinstance(spec, envoy_filters.EnvoyFilter)
    patch = spec.config_patches[0].patch
    assert patch is not None
    assert patch.value == value


@pytest.mark.parametrize(
    ("patch", "text"),
    [
        ({"patch": MERGE}, "applyTo is required"),
        ({"applyTo": "CLUSTER"}, "patch.operation is required"),
        ({"applyTo": "CLUSTER", "patch": {"operation": "ADD"}}, "patch.value is required"),
        ({"applyTo": "CLUSTER", "match": {"listener": {}}, "patch": MERGE}, "goes with match.cluster"),
        ({"applyTo": "HTTP_ROUTE", "match": {"cluster": {}}, "patch": MERGE}, "goes with match.routeConf"),
        (
            {"applyTo": "LISTENER", "match": {"listener": {"filterChain": {"filter": {}}}}, "patch": MERGE},
            "has no name",
        ),
        (
            {
                "applyTo": "NETWORK_FILTER",
                "match": {
                    "listener": {"filterChain": {"filter": {"name": MANAGER, "subFilter": {"name": "x"}}}}
                },
                "patch": MERGE,
            },
            "HTTP_FILTER only",
        ),
        (
            {"applyTo": "CLUSTER", "match": {"proxy": {"proxyVersion": "("}}, "patch": MERGE},
            "no regular expression",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(patch: dict[str, Any], text: str) -> None:
    (finding,) = parse(patch).findings
    assert finding.code == "BM0201"
    assert finding.where.startswith("spec.configPatches[0]")
    assert text in finding.message


def test_removing_needs_no_value() -> None:
    assert parse({"applyTo": "CLUSTER", "patch": {"operation": "REMOVE"}}).findings == ()


def test_selector_and_references_exclude_each_other() -> None:
    found = parse(workloadSelector={"labels": {"a": "b"}}, targetRefs=[{"kind": "Service", "name": "x"}])
    assert "at most one of workloadSelector, targetRefs" in found.findings[0].message
