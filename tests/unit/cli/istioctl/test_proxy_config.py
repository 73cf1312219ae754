from __future__ import annotations

import json

import click
import pytest
import yaml
from tests.unit.cli.istioctl import small_dumps
from tests.unit.cli.istioctl.conftest import Run

from bookmesh.cli.istioctl import proxy_config

ASK = "exec -n default a -c istio-proxy -- pilot-agent request"
CLUSTERS = {
    "cluster_statuses": [{"name": "x", "host_statuses": [small_dumps.endpoint("10.0.0.1", 80)["endpoint"]]}]
}
ANSWERS = {
    f"{ASK} GET config_dump": small_dumps.DUMP,
    f"{ASK} GET clusters?format=json": CLUSTERS,
    f"{ASK} POST logging?rbac=debug": "active loggers:\n  rbac: debug\n",
    f"{ASK} POST logging": "active loggers:\n",
}


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("cluster", "SERVICE FQDN"),
        ("listener", "ADDRESSES"),
        ("route", "NAME"),
        ("endpoint", "ENDPOINT"),
        ("bootstrap", "NODE"),
    ],
)
def test_each_kind_as_table_json_and_yaml(istioctl: Run, kind: str, header: str) -> None:
    result, _ = istioctl("proxy-config", kind, "a", "-o", "short", answers=ANSWERS)
    assert result.stdout.startswith(header), result.output
    as_json, _ = istioctl("pc", kind, "a", "-o", "json", answers=ANSWERS)
    as_yaml, _ = istioctl("pc", kind, "a", "-o", "yaml", answers=ANSWERS)
    assert json.loads(as_json.stdout) == yaml.safe_load(as_yaml.stdout)


def test_json_has_the_names_of_protobuf(istioctl: Run) -> None:
    result, _ = istioctl("pc", "r", "a", "--name", "9080", "-ojson", answers=ANSWERS)
    (config,) = json.loads(result.stdout)
    assert config["virtualHosts"][0]["routes"][0]["match"]["headers"][0]["stringMatch"] == {"exact": "jason"}


def test_no_secrets_are_said_so(istioctl: Run) -> None:
    result, _ = istioctl("pc", "secret", "a", answers=ANSWERS)
    assert result.stdout == "No secret items to show.\n"


def test_all_is_every_table(istioctl: Run) -> None:
    result, _ = istioctl("pc", "all", "a", answers=ANSWERS)
    for header in ("SERVICE FQDN", "ADDRESSES", "VHOST NAME", "ENDPOINT", "RESOURCE NAME"):
        assert header in result.stdout
    result, _ = istioctl("pc", "all", "a", "-o", "json", answers=ANSWERS)
    assert len(json.loads(result.stdout)["configs"]) == 4


def test_levels_of_loggers(istioctl: Run) -> None:
    result, _ = istioctl("pc", "log", "a", "--level", "rbac:debug", answers=ANSWERS)
    assert result.stdout == "active loggers:\n  rbac: debug\n"
    assert proxy_config.queries_for("") == [""]
    assert proxy_config.queries_for("rbac:debug,warn") == ["?rbac=debug", "?level=warning"]
    with pytest.raises(click.UsageError, match='unrecognized logging level: "loud"; known: trace'):
        proxy_config.queries_for("rbac:loud")
