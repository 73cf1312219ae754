from __future__ import annotations

from typing import Any

from tests.unit.cli.istioctl.conftest import Run

RUNNING: dict[str, Any] = {"items": [{"metadata": {"name": "prometheus-1"}, "status": {"phase": "Running"}}]}


def test_it_prints_the_address_and_forwards_the_port(istioctl: Run) -> None:
    answers = {"get pods -n istio-system -l app.kubernetes.io/name=prometheus": RUNNING}
    result, kubectl = istioctl("dashboard", "prometheus", answers=answers)
    assert result.stdout == "http://localhost:9090\n"
    forward = "port-forward -n istio-system --address localhost pod/prometheus-1 9090:9090"
    assert kubectl.asked[-1] == forward


def test_an_envoys_own_page(istioctl: Run) -> None:
    result, kubectl = istioctl("d", "envoy", "a.foo", "-p", "1500")
    assert result.stdout == "http://localhost:1500\n"
    assert kubectl.asked[-1].endswith("-n foo --address localhost pod/a 1500:15000")


def test_what_is_not_there_is_said(istioctl: Run) -> None:
    result, _ = istioctl("dashboard", "zipkin", answers={"get pods": {"items": []}})
    assert result.exit_code == 1
    assert "no zipkin pods found" in result.stderr
    result, _ = istioctl("dashboard", "envoy")
    assert result.exit_code == 64
    result, _ = istioctl("dashboard", "nagios")
    assert result.exit_code == 64
