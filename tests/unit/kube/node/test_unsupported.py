from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import unsupported


@pytest.mark.parametrize(
    ("container", "spec", "path"),
    [
        ({}, {"hostNetwork": True}, "spec.hostNetwork"),
        ({}, {"hostPID": True}, "spec.hostPID"),
        ({}, {"securityContext": {"fsGroup": 1}}, "spec.securityContext"),
        ({"securityContext": {"privileged": True}}, {}, "spec.containers{c}.securityContext.privileged"),
        (
            {"securityContext": {"capabilities": {"add": ["SYS_ADMIN", "NET_ADMIN"]}}},
            {},
            "spec.containers{c}.securityContext.capabilities",
        ),
        ({"securityContext": {"runAsUser": 7}}, {}, "spec.containers{c}.securityContext.runAsUser"),
        ({}, {"securityContext": {"runAsUser": 7}}, "spec.containers{c}.securityContext.runAsUser"),
        ({"volumeDevices": [{}]}, {}, "spec.containers{c}.volumeDevices"),
    ],
)
def test_what_is_not_honoured_is_named(container: dict[str, Any], spec: dict[str, Any], path: str) -> None:
    pod = fakes.pod({"name": "c", **container}, **spec)
    (message,) = unsupported.unsupported_parts(pod, can_change_user=False)
    assert message.startswith(f"{path}: ")


def test_users_are_honoured_where_they_can_be() -> None:
    pod = fakes.pod(
        {"name": "c", "securityContext": {"runAsUser": 7}},
        securityContext={"fsGroup": 7, "supplementalGroups": [8]},
    )
    assert unsupported.unsupported_parts(pod, can_change_user=True) == []


def test_a_stand_in_has_no_root_that_could_be_read_only() -> None:
    container = {"name": "c", "securityContext": {"readOnlyRootFilesystem": True}}
    (message,) = unsupported.unsupported_by_stand_in(container)
    assert message.startswith("container c, securityContext.readOnlyRootFilesystem: ")
    assert unsupported.unsupported_by_stand_in({"name": "c"}) == []
    assert unsupported.unsupported_parts(fakes.pod(container), can_change_user=True) == []


def test_an_ordinary_pod_is_honoured_whole() -> None:
    pod = fakes.pod(
        {"name": "c", "resources": {"limits": {"cpu": "1"}}, "securityContext": {"runAsUser": 0}},
        initContainers=[{"name": "i"}],
    )
    assert unsupported.unsupported_parts(pod, can_change_user=False) == []
