"""Values that cannot work are refused before anything is installed, in words that say which value and why."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml
from tests.charts import rendering

from bookmesh.release import ranges

ISTIO = "routing: {kind: VirtualService}"
REFUSED = {
    # what is wrong: (values of the chart reviews, what the message has to say)
    "weights below 100": (
        f"{{{ISTIO}, versions: {{v1: {{weight: 90}}}}}}",
        "the weights of reviews add up to 90, not 100: v1 90, v2 0, v3 0",
    ),
    "weights above 100": (
        f"{{{ISTIO}, versions: {{v1: {{weight: 90}}, v2: {{weight: 20}}}}}}",
        "add up to 110, not 100",
    ),
    "a weight for a disabled track": (
        f"{{{ISTIO}, versions: {{v1: {{weight: 90}}, v2: {{enabled: false, weight: 10}}}}}}",
        "versions.v2 is not enabled but has weight 10: move the weight to another track first",
    ),
    "a rule to an unknown track": (
        "{routing: {kind: VirtualService, rules: [{uri: /x, track: v7}]}}",
        'routing.rules[0] goes to track "v7", which is not there (enabled tracks: v1, v2, v3)',
    ),
    "a rule to a disabled track": (
        "{routing: {kind: HTTPRoute, rules: [{uri: /x, track: v2}]}, versions: {v2: {enabled: false}}}",
        'routing.rules[0] goes to track "v2", which is not there (enabled tracks: v1, v3)',
    ),
    "a mirror to an unknown track": (
        "{routing: {kind: VirtualService, mirror: {track: v9, percent: 5}}}",
        'routing.mirror goes to track "v9", which is not there',
    ),
    "weights that nothing carries": (
        "{versions: {v1: {weight: 100}}}",
        "the tracks of reviews have weights, but nothing carries them",
    ),
    "rules that nothing carries": (
        "{routing: {rules: [{uri: /x, track: v1}]}}",
        "reviews has routing rules or a mirror, but nothing carries them",
    ),
    "a way in that misses the weights": (
        "{ingress: {kind: Gateway}, routing: {kind: HTTPRoute}}",
        "ingress.kind Gateway does not go with routing.kind HTTPRoute",
    ),
    "a name that is the subset of another track": (
        f"{{{ISTIO}, versions: {{v1-only: {{}}}}}}",
        "versions.v1-only: v1-only is the subset of rules to track v1; choose another name",
    ),
    "places that have their shares, and failover": (
        "{routing: {kind: VirtualService, trafficPolicy: {loadBalancer: {localityLbSetting: "
        '{distribute: [{from: "*", to: {"*": 100}}]}}}}}',
        "routing.trafficPolicy of reviews distributes by locality or zone",
    ),
    "a rule with failover while there is none": (
        "{routing: {kind: VirtualService, failover: false, rules: [{uri: /x, track: v1, failover: true}]}}",
        "routing.rules[0] has failover, but routing.failover is false",
    ),
    "a rule with failover in a kind of route that has none": (
        "{routing: {kind: HTTPRoute, rules: [{uri: /x, track: v1, failover: true}]}}",
        "routing.rules[0] has failover, but",
    ),
    "no track at all": (
        "{versions: {v1: null, v2: null, v3: {enabled: false}}}",
        "reviews has no version",
    ),
    "an image with its tag in its name": (
        "{pod: {image: {repository: 'example.com:5000/reviews:1.0'}}}",
        'image.repository "example.com:5000/reviews:1.0" has a tag or a digest: they are image.tag',
    ),
    "no image": ("{pod: {image: {repository: ''}}}", "versions.v1 has no image"),
    "a name that is no track": ("{versions: {V1.2: {}}}", "versions.V1.2: a track is a short name"),
    "an unknown key": ("{replicas: 3}", "additional properties 'replicas' not allowed"),
    "an unknown key of a track": ("{versions: {v1: {image: {tga: x}}}}", "/versions/v1/image"),
    "a misspelt key of a track": (
        "{versions: {v1: {wieght: 10}}}",
        "at '/versions/v1': additional properties 'wieght' not allowed",
    ),
    "a weight that is a text": ("{versions: {v1: {weight: '90'}}}", "/versions/v1/weight"),
    "a weight above 100": ("{versions: {v1: {weight: 101}}}", "/versions/v1/weight"),
    "a port that is none": ("{service: {port: 0}}", "/service/port"),
    "an unknown kind of routes": ("{routing: {kind: Ingress}}", "/routing/kind"),
    "a rule that says nothing": ("{routing: {kind: HTTPRoute, rules: [{track: v1}]}}", "/routing/rules/0"),
    "a requirement without a range": ("{requires: [{release: a, contract: b}]}", "/requires/0"),
    "a range that is none": (
        "{requires: [{release: a, contract: b, range: '>=one'}]}",
        'requires[0].range ">=one" is no range of versions: conditions such as >=2, <4 or 2.1',
    ),
    "a contract whose name tools could not write down": (
        "{versions: {v1: {provides: {'reviews api': '1'}}}}",
        "invalid propertyName 'reviews api'",
    ),
    "a label that is the chart's own": (
        "{pod: {labels: {app: x}}}",
        "versions.v1 has the label app, which is the chart's own: reviews",
    ),
    "an autoscaler that has no room": (
        "{versions: {v2: {autoscaling: {minReplicas: 3, maxReplicas: 2}}}}",
        "versions.v2.autoscaling has minReplicas 3 above maxReplicas 2",
    ),
    "a pod that would be killed in its sleep": (
        "{pod: {preStopSleepSeconds: 30}}",
        "versions.v1 sleeps 30 seconds before it ends, of 30 in all",
    ),
    "a misspelt key of resources": (
        "{pod: {resources: {limit: {memory: 1Gi}}}}",
        "at '/pod/resources': additional properties 'limit' not allowed",
    ),
    "a quantity that is none": (
        "{pod: {resources: {limits: {memory: 128MB}}}}",
        "at '/pod/resources/limits/memory': '128MB' does not match pattern",
    ),
    "a misspelt key of a probe": (
        "{pod: {probes: {readiness: {periodSecond: 5}}}}",
        "at '/pod/probes/readiness': additional properties 'periodSecond' not allowed",
    ),
    "a contract that is no version": (
        "{versions: {v1: {provides: {reviews-api: latest}}}}",
        "/versions/v1/provides",
    ),
}


def test_what_the_chart_says_itself_is_not_refused() -> None:
    assert rendering.objects(rendering.render("reviews", {}))


@pytest.mark.parametrize("what", REFUSED)
def test_values_are_refused(what: str) -> None:
    text, message = REFUSED[what]
    values: dict[str, Any] = yaml.safe_load(text)
    with pytest.raises(helm_python.HelmError) as refusal:
        rendering.render("reviews", values)
    assert message in str(refusal.value)


def test_nothing_but_the_mistake_is_named() -> None:
    with pytest.raises(helm_python.HelmError) as refusal:
        rendering.render("reviews", {"pod": {"replicas": -1, "port": 9080}})
    complaints = [line for line in str(refusal.value).splitlines() if "at '" in line]
    assert complaints == ["- at '/pod/replicas': minimum: got -1, want 0"]


@pytest.mark.parametrize(
    "text",
    [
        *("2", "2.1", ">=2 <4", ">= 2  < 4", "1.2 || >=3", " =1.2.3 ", "<5||7"),
        *("", ">=one", ">=1 <", "2<4", "||2", "2||", "^2", "1.2.3.4", "2.", "=>2", "1234567890", "2 , 3"),
    ],
)
def test_charts_take_the_ranges_that_releases_do(text: str) -> None:
    need = {"release": "a", "contract": "b", "range": text}
    try:
        ranges.parse_range(text)
    except ValueError:
        with pytest.raises(helm_python.HelmError, match=r"requires\[0\].range"):
            rendering.render("reviews", {"requires": [need]})
    else:
        assert rendering.render("reviews", {"requires": [need]})


@pytest.mark.parametrize(
    ("value", "text"),
    [(3600000, "3600000"), (12345678901234, "12345678901234"), (0.5, "0.5"), (True, "true"), (-7, "-7")],
)
def test_numbers_are_written_out_in_variables(value: object, text: str) -> None:
    assert variables({"env": {"LIMIT": value}})["LIMIT"] == text


def test_a_variable_without_a_value_is_none() -> None:
    assert "LIMIT" not in variables({"env": {"LIMIT": None}})


def variables(pod: dict[str, Any]) -> dict[str, str]:
    """What the first container of the chart ratings gets."""
    (deployment,) = (
        one
        for one in rendering.objects(rendering.render("ratings", {"pod": pod}))
        if one["kind"] == "Deployment"
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"]}


WITHOUT_SCHEMA = {
    "a list of versions": ("{versions: [v1, v2]}", "versions is a list, and has to be a map"),
    "a misspelt key of a section": (
        "{routing: {mirorr: {track: v1}}}",
        "routing.mirorr is no value of the library microservice; routing has: failover, kind, mirror, retries",
    ),
    "a misspelt key of a track": (
        "{versions: {v1: {wieght: 10}}}",
        "versions.v1.wieght is no value of the library",
    ),
    "a misspelt key of a rule": (
        "{routing: {rules: [{header: {a: b}, track: v1}]}}",
        "routing.rules[0].header is no value of the library microservice; routing.rules[0] has: failover, headers",
    ),
    "a misspelt key of a mirror": ("{routing: {mirror: {trak: v1}}}", "routing.mirror.trak is no value"),
    "headers as a list": (
        "{routing: {rules: [{headers: [{name: a, value: b}], track: v1}]}}",
        "routing.rules[0].headers is a list, and has to be a map",
    ),
    "a header as a match of Istio's": (
        "{routing: {rules: [{headers: {a: {exact: b}}, track: v1}]}}",
        "routing.rules[0].headers.a: a header is a name and a text that it has to be equal to",
    ),
}


@pytest.mark.parametrize("what", WITHOUT_SCHEMA)
def test_charts_without_a_copy_of_the_schema_hear_of_misspelt_keys_too(what: str, tmp_path: Path) -> None:
    chart = rendering.flat("ratings", tmp_path)
    (chart / "values.schema.json").unlink()
    values, words = WITHOUT_SCHEMA[what]
    with (
        helm_python.Chart.load(chart) as loaded,
        pytest.raises(helm_python.HelmError, match=re.escape(words)),
    ):
        loaded.render(yaml.safe_load(values), name="demo", namespace="shop")


def test_charts_may_have_sections_of_their_own(tmp_path: Path) -> None:
    chart = rendering.flat("ratings", tmp_path)
    (chart / "values.schema.json").unlink()
    with helm_python.Chart.load(chart) as loaded:
        own = {"mine": {"a": 1}, "pod": {"autoscaling": {"minReplicas": 1, "maxReplicas": 2}}}
        assert loaded.render(own, name="demo", namespace="shop")


OF_ANOTHER_CLUSTER = """
{{- $context := include "microservice.context" . | fromYaml -}}
{{- include "microservice.checks" (set $context "kubeVersion" "VERSION") -}}
"""


@pytest.mark.parametrize(
    ("version", "is_refused"), [("v1.29.14", True), ("v1.30.0", False), ("v1.31.2-gke.1", False)]
)
def test_a_sleep_before_the_end_needs_a_cluster_that_knows_it(
    tmp_path: Path, version: str, is_refused: bool
) -> None:
    chart = rendering.flat("ratings", tmp_path)
    (chart / "templates" / "all.yaml").write_text(OF_ANOTHER_CLUSTER.replace("VERSION", version))
    expected = contextlib.nullcontext()
    if is_refused:
        words = f"versions.v1.preStopSleepSeconds needs Kubernetes 1.30, and this is {version}"
        expected = pytest.raises(helm_python.HelmError, match=re.escape(words))
    with helm_python.Chart.load(chart) as loaded, expected:
        loaded.render({"pod": {"preStopSleepSeconds": 5}}, name="demo", namespace="shop")
