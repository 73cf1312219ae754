"""Conditions of a route and of the delegate it names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import parsing, virtual_services
from bookmesh.mesh.snapshot import delegates


def match(**fields: Any) -> virtual_services.HttpMatchRequest:
    return msgspec.convert(fields, virtual_services.HttpMatchRequest)


@pytest.mark.parametrize(
    ("root", "own", "expected"),
    [
        ({"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/a/b"}}, {"uri": {"prefix": "/a/b"}}),
        ({"uri": {"prefix": "/a"}}, {"uri": {"exact": "/a"}}, {"uri": {"exact": "/a"}}),
        ({"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}, None),
        ({"uri": {"exact": "/a"}}, {"uri": {"prefix": "/a"}}, None),
        ({"uri": {"regex": "/a.*"}}, {"uri": {"exact": "/a"}}, None),
        ({"port": 80}, {"port": 81}, None),
        ({"port": 80}, {}, {"port": 80}),
        ({"headers": {"a": {}}}, {"headers": {"a": {"exact": "1"}}}, {"headers": {"a": {"exact": "1"}}}),
        ({"headers": {"a": {"exact": "1"}}}, {"headers": {"a": {"exact": "2"}}}, None),
        ({"gateways": ["a", "b"]}, {"gateways": ["b", "c"]}, {"gateways": ["b"]}),
        ({"gateways": ["a"]}, {"gateways": ["b"]}, None),
        ({"sourceLabels": {"a": "1"}}, {"sourceLabels": {"a": "2"}}, None),
        ({"name": "x"}, {"name": "y"}, {"name": "x-y"}),
    ],
)
def test_both_conditions_must_hold(
    root: dict[str, Any], own: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    found = delegates.join_matches(match(**root), match(**own))
    assert found == (match(**expected) if expected is not None else None)


def test_without_any_delegate_no_route_is_left() -> None:
    spec = msgspec.convert(
        {"hosts": ["a.b"], "http": [{"delegate": {"name": "nobody"}}]}, virtual_services.VirtualService
    )
    assert delegates.resolve(spec, "shop", {}, domain="cluster.local") == (None, ())


def test_delegate_inherits_what_it_does_not_set_and_keeps_its_namespace() -> None:
    about = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    route = {"route": [{"destination": {"host": "web"}}], "retries": {"attempts": 7}}
    handed = parsing.parse(
        {**about, "metadata": {"name": "d", "namespace": "other"}, "spec": {"http": [route]}}
    )
    spec = msgspec.convert(
        {
            "hosts": ["a.b"],
            "http": [
                {
                    "delegate": {"name": "d", "namespace": "other"},
                    "timeout": "5s",
                    "retries": {"attempts": 1},
                },
                {"delegate": {"name": "nobody"}},
            ],
        },
        virtual_services.VirtualService,
    )
    found, used = delegates.resolve(spec, "shop", delegates.delegates_in((handed,)), domain="cluster.local")
    assert found is not None
    (only,) = found.http
    assert only.route[0].destination.host == "web.other.svc.cluster.local"
    assert (only.timeout, only.retries.attempts if only.retries else None) == ("5s", 7)
    assert used == (handed,)
