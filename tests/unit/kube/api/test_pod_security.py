"""Labels of a namespace refuse pods, or warn of them."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.base.kubernetes import DEPLOYMENTS, NAMESPACES, PODS, ApiError, JsonObject
from bookmesh.kube.api import notes, verbs

PREFIX = "pod-security.kubernetes.io/"
WHY = "host namespaces (hostNetwork=true)"


def label(over: verbs.Verbs, **labels: str) -> tuple[str, ...]:
    named = {PREFIX + key.replace("_", "-"): value for key, value in labels.items()}
    return over.patch(NAMESPACES, "default", "", {"metadata": {"labels": named}}, patch_type="merge").warnings


@pytest.fixture
def bad(pod: JsonObject) -> JsonObject:
    return {**pod, "spec": {**pod["spec"], "hostNetwork": True}}


def test_a_pod_below_the_enforced_level_is_forbidden(
    over: verbs.Verbs, pod: JsonObject, bad: JsonObject
) -> None:
    assert label(over, enforce="baseline", enforce_version="v1.30") == ()
    with pytest.raises(ApiError) as refused:
        over.create(PODS, bad)
    assert refused.value.code == 403
    assert refused.value.message == f'pods "web" is forbidden: violates PodSecurity "baseline:v1.30": {WHY}'
    assert over.create(PODS, pod).warnings == ()


def test_a_pod_below_the_warned_level_is_told_of(over: verbs.Verbs, bad: JsonObject) -> None:
    label(over, warn="baseline", audit="restricted")
    assert over.create(PODS, bad).warnings == (f'would violate PodSecurity "baseline:latest": {WHY}',)


def test_what_makes_pods_is_warned_of_and_never_refused(
    over: verbs.Verbs, deployment: JsonObject, bad: JsonObject
) -> None:
    deployment["spec"]["template"]["spec"] = bad["spec"]
    label(over, enforce="baseline")
    assert over.create(DEPLOYMENTS, deployment).warnings == ()
    label(over, warn="baseline")
    again = {"metadata": {"labels": {"a": "b"}}}
    changed = over.patch(DEPLOYMENTS, "web", "default", again, patch_type="merge")
    assert changed.warnings == (f'would violate PodSecurity "baseline:latest": {WHY}',)


def test_pods_that_are_there_are_named_when_the_level_changes(over: verbs.Verbs, bad: JsonObject) -> None:
    for name in ("web", "also", "plain"):
        spec = bad["spec"] if name != "plain" else {"containers": bad["spec"]["containers"]}
        over.create(PODS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
    assert label(over, enforce="baseline") == (
        'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
        f"also (and 1 other pod): {WHY}",
    )
    assert label(over, enforce="baseline") == (), "it was told"


@pytest.mark.parametrize(
    ("labels", "field", "why"),
    [
        (
            {"enforce": "strict"},
            "enforce",
            'Invalid value: "strict": must be one of privileged, baseline, restricted',
        ),
        ({"warn_version": "1.30"}, "warn-version", 'Invalid value: "1.30": must be "latest" or "v1.x"'),
    ],
)
def test_labels_that_mean_nothing_are_refused(
    over: verbs.Verbs, labels: dict[str, Any], field: str, why: str
) -> None:
    with pytest.raises(ApiError) as refused:
        label(over, **labels)
    assert refused.value.code == 422
    assert f"metadata.labels[{PREFIX}{field}]: {why}" in refused.value.message


def test_mode_audit_leads_to_the_log(over: verbs.Verbs, bad: JsonObject) -> None:
    label(over, audit="baseline")
    noted = notes.begin()
    assert over.create(PODS, bad).warnings == ()
    assert noted == {
        f"{PREFIX}enforce-policy": "privileged:latest",
        f"{PREFIX}audit-violations": f'would violate PodSecurity "baseline:latest": {WHY}',
    }
