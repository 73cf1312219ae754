from __future__ import annotations

import json
from typing import Any

from tests.unit.cli.explain import test_sources
from tests.unit.cli.istioctl import small_dumps, test_describing
from tests.unit.cli.istioctl.conftest import Run

ASK = "exec -n default a -c istio-proxy -- pilot-agent request GET"


def test_statistics_in_the_form_asked_for(istioctl: Run) -> None:
    answers = {
        f"{ASK} stats/prometheus": "# TYPE a\n",
        f"{ASK} stats?format=json": {"stats": []},
        f"{ASK} clusters": "a::default",
        f"{ASK} stats": "a: 1",
        "get pods -n default -l app=a": {
            "items": [{"metadata": {"name": "a"}, "status": {"phase": "Running"}}]
        },
    }
    for arguments, text in (
        (("x", "es", "a", "-oprom"), "# TYPE a\n"),
        (("x", "envoy-stats", "a"), "a: 1\n"),
        (("x", "es", "a", "-oyaml"), "stats: []\n"),
        (("x", "es", "a", "-ojson"), '{\n    "stats": []\n}\n'),
        (("x", "es", "a", "-t", "clusters"), "a::default\n"),
        (("x", "es", "-l", "app=a"), "a: 1\n"),
    ):
        result, _ = istioctl(*arguments, answers=answers)
        assert result.stdout == f"\nThe result of pod a:\n\n{text}"
    result, _ = istioctl("x", "es", answers=answers)
    assert (result.exit_code, "stats requires pod name or --selector" in result.stderr) == (1, True)


GATEWAY = {
    "metadata": {"name": "gw-1", "namespace": "istio-system", "labels": {"istio": "ingressgateway"}},
    "status": {"phase": "Running"},
}
ANSWERS: dict[str, Any] = {
    "api-resources": "virtualservices.networking.istio.io\ndestinationrules.networking.istio.io\nvirtualservices.x.y\n",
    "get services,virtualservices.networking.istio.io,destinationrules.networking.istio.io -A": {
        "items": [test_describing.SERVICE, test_sources.RULE, *test_sources.WORLD.destination_rules]
    },
    "get pods -A -l istio=ingressgateway": {"items": [GATEWAY]},
    "exec -n istio-system gw-1": small_dumps.DUMP,
    "get pod reviews-1": json.dumps(test_describing.POD),
    "get service reviews": test_describing.SERVICE,
    "get pods -l app=reviews": {"items": [test_describing.POD]},
}


def test_a_pod_and_a_service_are_described(istioctl: Run) -> None:
    result, _ = istioctl("experimental", "describe", "pod", "reviews-1", answers=ANSWERS)
    assert result.stdout.startswith("Pod: reviews-1\n"), result.output
    assert "VirtualService: reviews\n" in result.stdout
    result, _ = istioctl("x", "describe", "svc", "reviews.default", answers=ANSWERS)
    assert result.stdout.startswith("Service: reviews\n")
    result, _ = istioctl("x", "describe", "svc", "reviews", answers={**ANSWERS, "get pods": {"items": []}})
    assert "Skipping Gateway information" not in result.stdout


def test_a_pod_without_a_sidecar_is_warned_of_unless_asked_not_to(istioctl: Run) -> None:
    bare = {**test_describing.POD, "spec": {"containers": test_describing.POD["spec"]["containers"]}}
    answers = {**ANSWERS, "get pod reviews-1": bare}
    result, _ = istioctl("x", "describe", "pod", "reviews-1", answers=answers)
    assert "WARNING: reviews-1 is not part of mesh; no Istio sidecar" in result.stdout
    result, _ = istioctl("x", "describe", "pod", "reviews-1", "--ignoreUnmeshed", answers=answers)
    assert "no Istio sidecar" not in result.stdout
    assert "Service: reviews" in result.stdout
