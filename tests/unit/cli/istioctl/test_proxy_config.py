from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.cli.istioctl import small_dumps
from tests.unit.cli.istioctl.conftest import Run

ASK = "exec -n default a -c istio-proxy -- pilot-agent request"
CLUSTERS = {
    "cluster_statuses": [{"name": "x", "host_statuses": [small_dumps.endpoint("10.0.0.1", 80)["endpoint"]]}]
}
ANSWERS = {
    f"{ASK} GET config_dump": small_dumps.DUMP,
    f"{ASK} GET clusters?format=json": CLUSTERS,
    f"{ASK} POST logging?rbac=debug": "active loggers:\n  rbac: debug\n",
    f"{ASK} POST logging": "active loggers:\n  rbac: warning\n",
}


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("cluster", "SERVICE FQDN"),
        ("listener", "ADDRESSES"),
        ("route", "NAME"),
        ("endpoint", "ENDPOINT"),
        ("bootstrap", "Istio Version: 1.2.3"),
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
    assert "@type" not in config
    assert config["virtualHosts"][0]["routes"][0]["match"]["headers"][0]["stringMatch"] == {"exact": "jason"}


def test_no_secrets_are_said_so(istioctl: Run) -> None:
    result, _ = istioctl("pc", "secret", "a", answers=ANSWERS)
    assert result.stdout == "No secret items to show.\n"


def test_all_is_every_table(istioctl: Run) -> None:
    result, _ = istioctl("pc", "all", "a", answers=ANSWERS)
    for header in ("Istio Version", "SERVICE FQDN", "ADDRESSES", "VHOST NAME", "ENDPOINT", "No secret items"):
        assert header in result.stdout
    assert "cluster/outbound|9080|v1|" in result.stdout
    result, _ = istioctl("pc", "all", "a", "--with-headers", "--port", "9080", answers=ANSWERS)
    assert "------ LISTENER INFO ------\n\nNAME " in result.stdout
    assert "5432" not in result.stdout
    result, _ = istioctl("pc", "all", "a", "-o", "json", answers=ANSWERS)
    assert json.loads(result.stdout) == small_dumps.DUMP  # as Envoy said it, as with Istio's


def test_levels_of_loggers(istioctl: Run) -> None:
    result, _ = istioctl("pc", "log", "a", "--level", "rbac:debug", answers=ANSWERS)
    assert result.stdout == "a.default:\nactive loggers:\n  rbac: debug\n"
    result, _ = istioctl("pc", "log", "a", "--level", "nobody:debug", answers=ANSWERS)
    assert (result.exit_code, result.stderr) == (1, "Error: unrecognized logger name: nobody\n")
    for arguments in (("a", "--level", "info", "--reset"), (), ("a", "-l", "app=a")):
        result, _ = istioctl("pc", "log", *arguments, answers=ANSWERS)
        assert result.exit_code == 1


def test_levels_of_all_pods_with_labels(istioctl: Run) -> None:
    pods = {"items": [{"metadata": {"name": "a"}, "status": {"phase": "Running"}}]}
    answers = {"get pods -n default -l app=a": pods, **ANSWERS}
    result, _ = istioctl("pc", "log", "-l", "app=a", answers=answers)
    assert result.stdout.startswith("a.default:\nactive loggers:")


@pytest.mark.parametrize(
    ("kind", "content"),
    [("cluster", small_dumps.DUMP), ("all", small_dumps.DUMP), ("endpoint", CLUSTERS)],
)
def test_a_file_says_the_same_as_the_proxy(
    istioctl: Run, tmp_path: Path, kind: str, content: dict[str, Any]
) -> None:
    (tmp_path / "dump.json").write_text(json.dumps(content))
    for output in ("short", "json"):
        asked, _ = istioctl("pc", kind, "a", "-o", output, answers=ANSWERS)
        read, kubectl = istioctl("pc", kind, "--file", str(tmp_path / "dump.json"), "-o", output)
        assert (read.exit_code, kubectl.asked) == (0, [])
        assert read.stdout == asked.stdout or kind == "all"
    piped, _ = istioctl("pc", kind, "-f", "-", text=json.dumps(content))
    assert piped.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "cluster requires pod name or --file parameter"),
        (("a", "-f", "x"), "cluster requires pod name or --file parameter"),
        (("-f", "/nowhere"), "open /nowhere: No such file or directory"),
        (("-f", "-"), "is JSON, and this is not"),
    ],
)
def test_what_cannot_be_read_is_said(istioctl: Run, arguments: tuple[str, ...], text: str) -> None:
    result, _ = istioctl("pc", "cluster", *arguments, text="nonsense")
    assert (result.exit_code, text in result.stderr) == (1, True)


def test_short_tables(istioctl: Run) -> None:
    result, _ = istioctl("pc", "l", "a", "--verbose=false", answers=ANSWERS)
    assert result.stdout.splitlines() == [
        "ADDRESSES PORT TYPE",
        "10.96.0.9 5432 TCP",
        "0.0.0.0   9080 HTTP+TCP",
    ]
    result, _ = istioctl("pc", "r", "a", "--verbose=false", answers=ANSWERS)
    assert result.stdout.splitlines() == ["NAME     VIRTUAL HOSTS", "9080     2"]
