"""What a container may do, out of its security context."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.node import privileges
from bookmesh.kube.sandbox.specification import MOST_CAPABILITIES, USUAL_CAPABILITIES

NET_ADMIN, NET_BIND_SERVICE, NET_RAW = 1 << 12, 1 << 10, 1 << 13


def container(**context: Any) -> dict[str, Any]:
    return {"name": "c", "securityContext": context}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, USUAL_CAPABILITIES),
        ({"drop": ["ALL"]}, 0),
        ({"drop": ["all"], "add": ["NET_BIND_SERVICE"]}, NET_BIND_SERVICE),
        ({"drop": ["CAP_NET_RAW"]}, USUAL_CAPABILITIES & ~NET_RAW),
        ({"add": ["NET_ADMIN"]}, USUAL_CAPABILITIES | NET_ADMIN),
        ({"add": ["ALL"]}, MOST_CAPABILITIES),
        ({"add": ["ALL"], "drop": ["NET_ADMIN"]}, USUAL_CAPABILITIES),
        ({"add": ["SYS_ADMIN"]}, USUAL_CAPABILITIES),
    ],
)
def test_capabilities_are_added_and_dropped(named: dict[str, Any], expected: int) -> None:
    assert privileges.capabilities_of(container(capabilities=named)) == expected


def test_a_privileged_container_has_all_that_are_given_here() -> None:
    assert privileges.capabilities_of(container(privileged=True)) == MOST_CAPABILITIES


def test_every_capability_that_is_given_has_a_name() -> None:
    added = [f"CAP_{name}" for name in privileges.NUMBERS]
    every = container(capabilities={"drop": ["ALL"], "add": added})
    assert privileges.capabilities_of(every) == MOST_CAPABILITIES
    assert privileges.refused_capabilities(every) == []


def test_what_would_reach_beyond_the_pod_is_named() -> None:
    adding = container(capabilities={"add": ["SYS_TIME", "NET_ADMIN", "SYS_ADMIN", "ALL"]})
    assert privileges.refused_capabilities(adding) == ["SYS_ADMIN", "SYS_TIME"]
    assert privileges.refused_capabilities({"name": "c"}) == []


def test_escalation_is_refused_when_the_container_says_so() -> None:
    assert privileges.is_escalation_refused(container(allowPrivilegeEscalation=False))
    assert not privileges.is_escalation_refused(container(allowPrivilegeEscalation=True))
    assert not privileges.is_escalation_refused({"name": "c"})
