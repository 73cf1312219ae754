from __future__ import annotations

import json
from typing import Any

import pytest

from bookmesh.lab import injection_values
from bookmesh.mesh.injection.settings import InjectionSettings

RANGES = "traffic.sidecar.istio.io/includeOutboundIPRanges"
SETTINGS = InjectionSettings(tag="1.28.0")
ENABLED = {"istio-injection": "enabled"}


def config_map(values: str) -> dict[str, Any]:
    return {"data": {"values": values}}


def pod(**annotations: str) -> dict[str, Any]:
    return {"metadata": {"name": "a", "annotations": annotations}, "spec": {"containers": [{"name": "a"}]}}


def test_values_become_annotations() -> None:
    values = config_map('{"global": {"proxy": {"includeIPRanges": "10.96.0.0/16", "other": 1}}}')
    assert injection_values.read_annotations(values) == {RANGES: "10.96.0.0/16"}
    assert injection_values.read_annotations(None) == {}
    assert injection_values.read_annotations(config_map("{}")) == {}


@pytest.mark.parametrize("values", ["nonsense", "[]", '{"global": [1]}'])
def test_values_that_are_none_are_an_error(values: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|invalid literal"):
        injection_values.read_annotations(config_map(values))


def test_a_pods_own_annotation_wins() -> None:
    given = {RANGES: "10.96.0.0/16"}
    plain = injection_values.inject(pod(), given, namespace_labels=ENABLED, settings=SETTINGS)
    assert plain["metadata"]["annotations"][RANGES] == "10.96.0.0/16"
    own = injection_values.inject(pod(**{RANGES: "*"}), given, namespace_labels=ENABLED, settings=SETTINGS)
    assert own["metadata"]["annotations"][RANGES] == "*"


def test_a_pod_without_proxy_stays_as_it_is() -> None:
    before = pod()
    after = injection_values.inject(before, {RANGES: "*"}, namespace_labels={}, settings=SETTINGS)
    assert after is before
    assert after["metadata"]["annotations"] == {}


@pytest.mark.parametrize(("text", "native"), [("true", "true"), ("auto", "true"), ("false", "false")])
def test_native_sidecars_are_a_value_of_the_control_plane(text: str, native: str) -> None:
    values = config_map(json.dumps({"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": text}}}))
    given = injection_values.read_annotations(values)
    assert given == {"sidecar.istio.io/nativeSidecar": native}
    spec = injection_values.inject(pod(), given, namespace_labels=ENABLED, settings=SETTINGS)["spec"]
    place = "initContainers" if native == "true" else "containers"
    assert [c["name"] for c in spec[place]][-1] == "istio-proxy"
