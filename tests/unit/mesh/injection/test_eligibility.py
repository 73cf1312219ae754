from __future__ import annotations

import pytest

from bookmesh.mesh.injection import eligibility

ENABLED = {"istio-injection": "enabled"}
DISABLED = {"istio-injection": "disabled"}
REVISION = {"istio.io/rev": "default"}
TRUE = {"sidecar.istio.io/inject": "true"}
FALSE = {"sidecar.istio.io/inject": "false"}


def pod(labels=None, annotations=None, namespace="default", **spec):
    metadata = {"name": "p", "namespace": namespace, "labels": labels or {}, "annotations": annotations or {}}
    return {"metadata": metadata, "spec": {"containers": [{"name": "app"}], **spec}}


@pytest.mark.parametrize(
    ("namespace_labels", "labels", "expected"),
    [
        ({}, {}, False),
        ({}, TRUE, True),
        ({}, REVISION, True),
        ({}, {"istio.io/rev": "canary"}, False),
        (ENABLED, {}, True),
        (ENABLED, FALSE, False),
        (DISABLED, {}, False),
        (DISABLED, TRUE, False),
        (REVISION, {}, True),
        (REVISION, FALSE, False),
        ({"istio.io/rev": "canary"}, {}, False),
        ({**DISABLED, **REVISION}, {}, False),
    ],
)
def test_labels_decide(namespace_labels, labels, expected):
    assert (
        eligibility.needs_injection(pod(labels), namespace_labels=namespace_labels, revision="default")
        is expected
    )


@pytest.mark.parametrize(
    "exempt",
    [
        pod(hostNetwork=True),
        pod(namespace="kube-system"),
        pod(annotations={"sidecar.istio.io/status": "{}"}),
        pod(annotations={"sidecar.istio.io/inject": "false"}),
    ],
)
def test_some_pods_are_never_injected(exempt):
    assert not eligibility.needs_injection(exempt, namespace_labels=ENABLED, revision="default")


def test_the_label_wins_over_the_annotation():
    mixed = pod(TRUE, {"sidecar.istio.io/inject": "false"})
    assert eligibility.needs_injection(mixed, namespace_labels={}, revision="default")
