from __future__ import annotations

import json

from tests.unit.cli.istioctl import test_sources
from tests.unit.cli.istioctl.conftest import Run

from bookmesh.cli.istioctl import experimental

SERVICE = test_sources.thing(
    "Service",
    "reviews",
    {"selector": {"app": "reviews"}, "ports": [{"name": "http", "port": 9080, "targetPort": 9080}]},
)
POD = {
    "metadata": {
        "name": "reviews-1",
        "namespace": "default",
        "labels": {"app": "reviews"},
        "annotations": {"istio.io/rev": "default"},
    },
    "spec": {"containers": [{"name": "app", "ports": [{"containerPort": 9080}]}]},
}
CONFIGS = [test_sources.RULE, *test_sources.WORLD.destination_rules]


def test_statistics_in_the_form_asked_for(istioctl: Run) -> None:
    ask = "exec -n default a -c istio-proxy -- pilot-agent request GET"
    answers = {
        f"{ask} stats/prometheus": "# TYPE a\n",
        f"{ask} stats?format=json": {"stats": []},
        f"{ask} stats": "a: 1",
    }
    result, _ = istioctl("x", "es", "a", "-oprom", answers=answers)
    assert result.stdout == "# TYPE a\n"
    result, _ = istioctl("x", "envoy-stats", "a", answers=answers)
    assert result.stdout == "a: 1\n"
    result, _ = istioctl("x", "es", "a", "-oyaml", answers=answers)
    assert result.stdout == "stats: []\n"


def test_a_pod_is_described_with_its_services_and_their_routing() -> None:
    assert list(experimental.describe_pod(POD, [SERVICE], CONFIGS)) == [
        "Pod: reviews-1",
        "   Pod Revision: default",
        "   Pod Ports: 9080 (app)",
        "Suggestion: add 'version' label to pod for Istio telemetry.",
        "--------------------",
        "Service: reviews",
        "   Port: http 9080/HTTP targets pod port 9080",
        "VirtualService: reviews",
        "   2 HTTP route(s)",
        'DestinationRule: reviews for "reviews"',
        "   Subsets: v1",
    ]


def test_a_pod_outside_of_everything() -> None:
    lonely = {"metadata": {"name": "a", "namespace": "foo"}, "spec": {"containers": [{"name": "a"}]}}
    lines = list(experimental.describe_pod(lonely, [SERVICE], []))
    assert lines[0] == "Pod: a.foo"
    assert "Warning: No Kubernetes Services select this pod" in lines


def test_the_commands_ask_kubectl(istioctl: Run) -> None:
    answers = {
        "get pod reviews-1": json.dumps(POD),
        "get services": {"items": [SERVICE]},
        "get service reviews": SERVICE,
        "get virtualservices": {"items": CONFIGS},
    }
    result, _ = istioctl("experimental", "describe", "pod", "reviews-1", answers=answers)
    assert result.stdout.startswith("Pod: reviews-1\n"), result.output
    result, _ = istioctl("x", "describe", "svc", "reviews", answers=answers)
    assert result.stdout.startswith("Service: reviews\n")
