from __future__ import annotations

import subprocess
import sys

import pytest

from bookinfo import main
from bookinfo.service import settings, tracing

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def read(**variables: str) -> settings.ServiceSettings:
    return settings.read(settings.Environment(variables), "example", host=None, port=0)


def test_without_an_endpoint_nothing_is_traced() -> None:
    assert tracing.start(read()) is None


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({ENDPOINT: "http://collector:4318"}, "http://collector:4318/v1/traces"),
        ({ENDPOINT: "https://collector/otlp/"}, "https://collector/otlp/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://[::1]:4318/here"}, "http://[::1]:4318/here"),
        ({ENDPOINT: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, None),
        ({}, None),
    ],
)
def test_the_endpoint_follows_the_rules_of_opentelemetry(
    variables: dict[str, str], endpoint: str | None
) -> None:
    assert read(**variables).traces_endpoint == endpoint


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({ENDPOINT: "collector:4318"}, ENDPOINT),
        ({ENDPOINT: "http://"}, ENDPOINT),
        ({ENDPOINT: "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ({ENDPOINT: "http://x", "OTEL_SDK_DISABLED": "maybe"}, "OTEL_SDK_DISABLED"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_named(variables: dict[str, str], named: str) -> None:
    with pytest.raises(settings.SettingError, match=f"environment variable {named} is"):
        read(**variables)


def test_the_service_can_be_called_otherwise() -> None:
    assert read().traces_name == "example"
    assert read(OTEL_SERVICE_NAME="shop").traces_name == "shop"


def test_a_missing_package_stops_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://collector:4318")
    monkeypatch.delitem(sys.modules, "bookinfo.service.spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(SystemExit) as stopped:
        main.main(["details"])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"bookinfo details: environment variable {ENDPOINT} is")
    assert "pip install 'bookmesh[telemetry]'" in message
    assert message.count("\n") == 1


def test_nothing_of_opentelemetry_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, bookinfo.preload\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
        "assert 'requests' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, env={"PYTHONPATH": ":".join(sys.path)}
    )
