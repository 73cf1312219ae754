"""Kubernetes objects become structures, or findings with field paths."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bookmesh.mesh.model import kinds, parsing, virtual_services

ROUTE = {"route": [{"destination": {"host": "reviews"}}]}


def virtual_service(*routes: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "reviews", "namespace": "default", **metadata},
        "spec": {"hosts": ["reviews"], "http": list(routes)},
    }


def only_finding(obj: dict[str, Any]) -> tuple[str, str]:
    (finding,) = parsing.parse(obj).findings
    return finding.code, finding.where


def test_valid_object_becomes_a_structure() -> None:
    parsed = parsing.parse(virtual_service(ROUTE))
    assert isinstance(parsed.spec, virtual_services.VirtualService)
    assert parsed.spec.http[0].route[0].destination.host == "reviews"
    assert str(parsed.ref) == "VirtualService default/reviews"
    assert parsed.findings == ()


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha3"])
def test_every_served_version_is_understood(version: str) -> None:
    obj = {**virtual_service(ROUTE), "apiVersion": f"networking.istio.io/{version}"}
    assert parsing.parse(obj).spec is not None


@pytest.mark.parametrize(
    ("route", "where"),
    [
        ({"route": [{"destination": {"subset": "v1"}}]}, "spec.http[0].route[0].destination"),
        ({**ROUTE, "timeout": "5"}, "spec.http[0].timeout"),
        ({**ROUTE, "fualt": {}}, "spec.http[0]"),
        ({**ROUTE, "match": [{"uri": {"exact": "/", "regex": "/"}}]}, "spec.http[0].match[0].uri"),
        ({**ROUTE, "redirect": {}}, "spec.http[0]"),
        ({"route": [{**ROUTE["route"][0], "weight": -1}]}, "spec.http[0].route[0].weight"),
        ({**ROUTE, "fault": {"abort": {"grpcStatus": "NOPE"}}}, "spec.http[0].fault.abort"),
        ({"directResponse": {"status": 200, "body": {"bytes": "%%"}}}, "spec.http[0].directResponse.body"),
    ],
)
def test_error_names_the_field(route: dict[str, Any], where: str) -> None:
    parsed = parsing.parse(virtual_service(route))
    assert parsed.spec is None
    assert [(finding.code, finding.where) for finding in parsed.findings] == [("BM0201", where)]


def test_field_without_effect_is_a_warning_beside_the_structure() -> None:
    obj = virtual_service({**ROUTE, "fault": {"delay": {"exponentialDelay": "1s"}}})
    assert parsing.parse(obj).spec is not None
    assert only_finding(obj) == ("BM0205", "spec.http[0].fault.delay.exponentialDelay")


def test_kind_without_effect_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    idle = [dataclasses.replace(kind, is_acted_on=False) for kind in kinds.KINDS]
    monkeypatch.setattr(kinds, "KINDS", tuple(idle))
    entry = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "outside"},
        "spec": {"hosts": ["a.example.com"], "resolution": "DNS"},
    }
    assert only_finding(entry) == ("BM0205", "spec")


@pytest.mark.parametrize(
    "obj",
    [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}},
        {"apiVersion": "networking.istio.io/v2", "kind": "VirtualService", "metadata": {"name": "x"}},
        {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {}},
    ],
)
def test_object_of_no_known_kind_or_name_is_refused(obj: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not a kind|metadata"):
        parsing.parse(obj)


def test_equal_content_is_equal_whatever_the_server_adds() -> None:
    one = virtual_service(ROUTE, resourceVersion="1", managedFields=[])
    other = {**virtual_service(ROUTE, resourceVersion="2"), "status": {"conditions": []}}
    assert parsing.parse(one) == parsing.parse(other)
    assert parsing.parse(one) != parsing.parse(virtual_service({**ROUTE, "timeout": "1s"}))


def test_what_was_in_force_stays_while_a_new_version_cannot_be_used() -> None:
    def version(*hosts: str) -> parsing.Parsed:
        route = {"route": [{"destination": {"host": "a"}}]}
        about = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "it"}}
        return parsing.parse({**about, "spec": {"hosts": list(hosts), "http": [route]}})

    good, broken, other = version("a"), version("a b"), version("b")
    kept = parsing.over(good, broken)
    assert (kept.spec, kept.digest) == (good.spec, broken.digest)
    (finding,) = kept.findings
    assert (finding.code, "what it said before is in force" in finding.hint) == ("BM0201", True)
    assert parsing.over(kept, broken) == kept
    assert parsing.over(kept, other) is other
    assert parsing.over(broken, broken).spec is None


def test_only_what_is_written_counts_in_the_gateway_api() -> None:
    about = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "it"}}
    good = parsing.parse({**about, "spec": {}})
    broken = parsing.parse({**about, "spec": {"hostnames": 1}})
    assert parsing.over(good, broken).spec is None
