"""The Pod Security Standards as a table: a change to an allowed pod, the level, and what a real server says."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.schema import pod_security

SAFE: JsonObject = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(*contexts: JsonObject, **spec: Any) -> JsonObject:
    containers = [
        {"name": name, "securityContext": {**SAFE, **context}}
        for name, context in zip("ab", contexts or ({},), strict=False)
    ]
    return {"containers": containers, **spec}


def test_a_careful_pod_is_allowed_everywhere() -> None:
    assert [pod_security.violations(pod(), level) for level in pod_security.LEVELS] == [[], [], []]


def test_a_plain_pod_lacks_what_restricted_wants() -> None:
    plain = {"containers": [{"name": "a"}]}
    assert pod_security.violations(plain, "baseline") == []
    assert ", ".join(pod_security.violations(plain, "restricted")) == (
        'allowPrivilegeEscalation != false (container "a" must set '
        "securityContext.allowPrivilegeEscalation=false), "
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" '
        'or "Localhost")'
    )


def test_containers_are_named_together() -> None:
    plain = {"initContainers": [{"name": "init"}], "containers": [{"name": "a"}]}
    assert pod_security.violations(plain, "restricted")[0] == (
        'allowPrivilegeEscalation != false (containers "init", "a" must set '
        "securityContext.allowPrivilegeEscalation=false)"
    )


def test_what_the_pod_sets_counts_for_its_containers() -> None:
    own = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    shared = {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}
    spec = {"securityContext": shared, "containers": [{"name": "a", "securityContext": own}]}
    assert pod_security.violations(spec, "restricted") == []


@pytest.mark.parametrize(
    ("spec", "violation"),
    [
        (pod(hostNetwork=True, hostPID=True), "host namespaces (hostNetwork=true, hostPID=true)"),
        (
            pod({"privileged": True}),
            'privileged (container "a" must not set securityContext.privileged=true)',
        ),
        (
            pod({"capabilities": {"add": ["NET_ADMIN", "CHOWN"]}}, {"capabilities": {"add": ["SYS_TIME"]}}),
            'non-default capabilities (containers "a", "b" must not include "NET_ADMIN", "SYS_TIME" in '
            "securityContext.capabilities.add)",
        ),
        (pod(volumes=[{"name": "v", "hostPath": {}}]), 'hostPath volumes (volume "v")'),
        (
            {"containers": [{"name": "a", "ports": [{"hostPort": 80}, {"hostPort": 8080}]}]},
            'hostPort (container "a" uses hostPorts 80, 8080)',
        ),
        (
            pod({"procMount": "Unmasked"}),
            'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
        ),
        (
            pod({"seccompProfile": {"type": "Unconfined"}}),
            'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (
            pod(securityContext={"sysctls": [{"name": "net.core.somaxconn"}, {"name": "net.ipv4.tcp_rmem"}]}),
            "forbidden sysctls (net.core.somaxconn)",
        ),
    ],
)
def test_what_baseline_forbids(spec: JsonObject, violation: str) -> None:
    assert pod_security.violations(spec, "baseline") == [violation]
    assert pod_security.violations(spec, "privileged") == []
    assert pod_security.violations(spec, "restricted")


@pytest.mark.parametrize(
    ("spec", "violation"),
    [
        (
            pod(
                volumes=[
                    {"name": "v", "hostPath": {}},
                    {"name": "w", "nfs": {}},
                    {"name": "ok", "emptyDir": {}},
                ]
            ),
            'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
        ),
        (
            pod({"capabilities": {"drop": ["ALL"], "add": ["CHOWN", "NET_BIND_SERVICE"]}}),
            'unrestricted capabilities (container "a" must not include "CHOWN" in '
            "securityContext.capabilities.add)",
        ),
        (
            pod({"capabilities": {"drop": ["NET_RAW"], "add": ["CHOWN"]}}),
            'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; '
            'container "a" must not include "CHOWN" in securityContext.capabilities.add)',
        ),
        (
            pod({"runAsNonRoot": False}, securityContext={"runAsNonRoot": False}),
            'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
        ),
        (
            pod({"runAsUser": 0}, {}),
            'runAsUser=0 (container "a" must not set runAsUser=0)',
        ),
    ],
)
def test_what_restricted_forbids_besides(spec: JsonObject, violation: str) -> None:
    assert pod_security.violations(spec, "restricted") == [violation]
