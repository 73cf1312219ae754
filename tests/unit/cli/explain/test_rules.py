from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.explain import test_sources

from bookmesh.cli.explain import rules
from bookmesh.cli.explain.rules import Caller

ROOT = test_sources.thing(
    "VirtualService",
    "root",
    {
        "hosts": ["a"],
        "http": [
            {"match": [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}], "delegate": {"name": "inner"}},
            {"delegate": {"name": "nobody"}},
            {"route": [{"destination": {"host": "a"}}]},
        ],
    },
)
INNER = test_sources.thing(
    "VirtualService",
    "inner",
    {
        "http": [
            {"match": [{"uri": {"exact": "/b/x"}}], "route": [{"destination": {"host": "a"}}]},
            {"route": [{"destination": {"host": "a"}}]},
        ]
    },
)


def places(entry: rules.Entry) -> list[str]:
    return [f"{owner['metadata']['name']} {where}" for owner, where in entry.places]


def test_the_routes_of_a_delegate_stand_in_its_place() -> None:
    assert [places(entry) for entry in rules.entries(ROOT, [ROOT, INNER])] == [
        ["inner spec.http[0].match[0]", "root spec.http[0].match[1]"],
        ["inner spec.http[1]", "root spec.http[0].match[0]"],
        ["inner spec.http[1]", "root spec.http[0].match[1]"],
        ["root spec.http[2]"],
    ]


def test_a_route_of_a_delegate_is_found_with_both_places() -> None:
    route = {"match": {"path": "/b/x", "case_sensitive": True}}
    entry = rules.find(ROOT, route, Caller("default"), [ROOT, INNER])
    assert entry is not None
    assert places(entry) == ["inner spec.http[0].match[0]", "root spec.http[0].match[1]"]


GATEWAYS = frozenset({"default/gw"})


@pytest.mark.parametrize(
    ("match", "caller", "is_found"),
    [
        ({"port": 80}, Caller("default", port=80), True),
        ({"port": 80}, Caller("default", port=81), False),
        ({"gateways": ["mesh"]}, Caller("default"), True),
        ({"gateways": ["gw"]}, Caller("default"), False),
        ({"gateways": ["gw"]}, Caller("default", is_gateway=True, gateways=GATEWAYS), True),
        ({"gateways": ["far/gw"]}, Caller("default", is_gateway=True, gateways=GATEWAYS), False),
        ({"gateways": ["mesh"]}, Caller("default", is_gateway=True, gateways=GATEWAYS), False),
        ({"sourceNamespace": "far"}, Caller("default"), False),
        ({"sourceLabels": {"app": "a"}}, Caller("default", {"app": "a"}), True),
        ({"sourceLabels": {"app": "a"}}, Caller("default", {"app": "b"}), False),
    ],
)
def test_rules_for_other_callers_made_nothing(match: dict[str, Any], caller: Caller, is_found: bool) -> None:
    owner = test_sources.thing(
        "VirtualService", "x", {"http": [{"match": [match]}], "tcp": [{"match": [match]}]}
    )
    route = {"match": {"prefix": "/", "case_sensitive": True}}
    assert (rules.find(owner, route, caller, [owner]) is not None) is is_found
    assert bool(list(rules.connection_rules(owner, caller, ""))) is is_found


def test_an_object_that_is_not_in_force_made_nothing() -> None:
    owner = test_sources.thing("VirtualService", "x", {"http": [{"match": [{"uri": {"exact": 1}}]}]})
    assert rules.find(owner, {"match": {"prefix": "/"}}, Caller("default"), [owner]) is None


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("spec.http[2].match[0]", ("spec.http[2]", "http", 2)),
        ("spec.tls[0]", ("spec.tls[0]", "tls", 0)),
        ("spec.ports[1]", None),
    ],
)
def test_a_rule_is_the_head_of_a_path(path: str, place: tuple[str, str, int] | None) -> None:
    assert rules.rule_at(path) == place
