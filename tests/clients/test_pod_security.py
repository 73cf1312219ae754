"""Pod Security under real kubectl: what is refused and what is warned of, as people read it in their terminals."""

from __future__ import annotations

from tests.clients.conftest import Cluster

ENFORCE = "pod-security.kubernetes.io/enforce=restricted"
WARN = "pod-security.kubernetes.io/warn=restricted"
LACKS = 'allowPrivilegeEscalation != false (container "web" must set'


async def test_a_namespace_refuses_pods_and_warns_of_what_makes_them(cluster: Cluster) -> None:
    await cluster.ok("create", "namespace", "strict")
    await cluster.ok("label", "namespace", "strict", ENFORCE, WARN)
    refused = await cluster.kubectl("run", "web", "--image=web:1", "-n", "strict")
    assert refused.code == 1
    why = f'pods "web" is forbidden: violates PodSecurity "restricted:latest": {LACKS}'
    assert f"Error from server (Forbidden): {why}" in refused.err
    warned = await cluster.kubectl("create", "deployment", "web", "--image=web:1", "-n", "strict")
    assert warned.code == 0
    assert f'Warning: would violate PodSecurity "restricted:latest": {LACKS}' in warned.err


async def test_pods_that_are_there_are_named_when_a_namespace_gets_stricter(cluster: Cluster) -> None:
    await cluster.ok("run", "web", "--image=web:1")
    labelled = await cluster.kubectl("label", "namespace", "default", ENFORCE)
    assert labelled.code == 0
    first = (
        'existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"'
    )
    assert f"Warning: {first}" in labelled.err
    assert f"Warning: web: {LACKS}" in labelled.err
