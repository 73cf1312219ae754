from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.unit.cli.explain import test_callers, test_sources
from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.explain import command
from bookmesh.lab import client, labs

RULE = {**test_sources.RULE, "apiVersion": "networking.istio.io/v1"}
OBJECTS = [
    test_callers.pod("productpage-v1-abc-12", **test_callers.STATUS),
    test_sources.thing("Service", "reviews", {"ports": [{"port": 9080}], "clusterIP": "10.96.0.8"}),
    RULE,
]
ANSWERS: dict[str, Any] = {
    "get services,pods": {"items": OBJECTS},
    "exec -n default productpage-v1-abc-12 -c istio-proxy -- pilot-agent request GET config_dump": small_dumps.DUMP,
    "exec -n default productpage-v1-abc-12 -c istio-proxy -- pilot-agent request GET clusters": small_dumps.STATUSES,
}
URL = "http://reviews:9080/reviews/0"


@pytest.fixture(autouse=True)
def running_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labs, "require_running", lambda lab: None)
    monkeypatch.setattr(client, "environment", lambda lab: {})
    monkeypatch.setattr(command, "Kubectl", lambda environment: small_dumps.FakeKubectl(ANSWERS))


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(command.explain, arguments)


def test_a_request_is_explained_for_people() -> None:
    lines = explain("GET", URL, "--from", "productpage-v1").output.splitlines()
    assert lines[0] == f"GET {URL}  as the proxy of pod default/productpage-v1-abc-12 has it"
    assert "                from: VirtualService default/reviews  spec.http[1]" in lines
    assert "  endpoint      10.244.0.5:9080" in lines


def test_a_request_is_explained_for_programs() -> None:
    found = json.loads(
        explain("GET", URL, "--from", "productpage-v1", "-H", "end-user=jason", "-o", "json").output
    )
    assert found["request"] == {"method": "GET", "url": URL, "headers": {"end-user": "jason"}}
    assert found["proxy"] == "default/productpage-v1-abc-12"
    assert found["outcome"]["answers"] == [{"status": 503, "percent": 100.0, "why": "no healthy endpoint"}]


def test_fields_of_given_files_have_their_lines(tmp_path: Path) -> None:
    (tmp_path / "reviews.yaml").write_text(json.dumps(RULE, indent=1))
    output = explain("GET", URL, "--from", "productpage-v1", "-f", str(tmp_path)).output
    assert f"spec.http[1]  {tmp_path}/reviews.yaml:" in output


def test_who_calls_must_be_said_unless_a_gateway_is_called() -> None:
    done = explain("GET", URL)
    assert (done.exit_code, "BM0503" in done.output) == (2, True)
    assert explain("GET", URL, "--from", "nobody").exit_code == 2
