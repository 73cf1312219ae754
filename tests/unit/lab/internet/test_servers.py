"""The servers' configuration: real Envoy takes it, and says who is asked where."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from bookmesh.kube.sandbox import specification
from bookmesh.lab.internet import authority, hosts, servers

OWN = """
- names: [plain.example]
  https: []
  answers: [{status: 503, headers: {x-rate: 100%}, body: nothing}]
- {names: [shared.example], addresses: [151.101.3.5, 192.0.2.9]}
- names: [odd.example, "*.far.odd.example"]
  http: [8080]
  https: [8443, 80]
  secure_only: true
  alpn: [http/1.1]
"""


def build(tmp_path: Path, text: str = OWN) -> dict[str, Any]:
    directory = hosts.arrange(hosts.load(), hosts.parse(text, where=""))
    signer = authority.Authority.ensure(tmp_path)
    keys = {host.names[0]: signer.issue(host.names) for host in directory.hosts if host.https}
    return servers.build_bootstrap(directory, keys)


def listener(config: dict[str, Any], port: int) -> dict[str, Any]:
    (found,) = [
        one
        for one in config["static_resources"]["listeners"]
        if one["address"]["socket_address"]["port_value"] == port
    ]
    return dict(found)


def plain_host(config: dict[str, Any], port: int, name: str) -> dict[str, Any]:
    """The virtual host of one host in plain text."""
    found = [
        host
        for chain in listener(config, port)["filter_chains"]
        if chain["filter_chain_match"]["transport_protocol"] == "raw_buffer"
        for host in chain["filters"][0]["typed_config"]["route_config"]["virtual_hosts"]
        if host["name"] == name
    ]
    return dict(found[0])


def test_envoy_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(build(tmp_path)))
    envoy = specification.envoy_binary()
    assert envoy is not None
    done = subprocess.run(
        [str(envoy), "--mode", "validate", "-c", str(file), "--log-level", "error"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_name_in_the_greeting_decides_about_the_certificate(tmp_path: Path) -> None:
    chains = listener(build(tmp_path), 443)["filter_chains"]
    names = [name for chain in chains for name in chain["filter_chain_match"]["server_names"]]
    assert "edition.cnn.com" in names
    assert "*.wikipedia.org" in names
    assert len(names) == len(set(names))
    assert "plain.example" not in names


def test_one_port_can_have_both_kinds(tmp_path: Path) -> None:
    matches = [chain["filter_chain_match"] for chain in listener(build(tmp_path), 80)["filter_chains"]]
    assert {match["transport_protocol"] for match in matches} == {"tls", "raw_buffer"}
    (secure,) = [match for match in matches if match["transport_protocol"] == "tls"]
    assert secure["server_names"] == ["odd.example", "*.far.odd.example"]


def test_who_is_at_an_address_answers_to_every_name(tmp_path: Path) -> None:
    config = build(tmp_path)
    english, german = (plain_host(config, 80, f"{name}.wikipedia.org") for name in ("en", "de"))
    assert english["domains"][-1] == "*"
    assert german["domains"] == ["de.wikipedia.org"]
    assert plain_host(config, 80, "httpbin.org")["domains"][-1] == "*"


def test_a_host_for_tls_only_sends_plain_requests_on(tmp_path: Path) -> None:
    config = build(tmp_path)
    cnn = plain_host(config, 80, "edition.cnn.com")
    assert cnn["routes"] == [{"match": {"prefix": "/"}, "redirect": {"https_redirect": True}}]
    odd = plain_host(config, 8080, "odd.example")
    assert odd["routes"][0]["redirect"] == {"https_redirect": True, "port_redirect": 8443}


def test_answers_come_before_the_program(tmp_path: Path) -> None:
    config = build(tmp_path, "- {names: [a.example], program: httpbin, answers: [{path: /own}]}")
    routes = plain_host(config, 80, "a.example")["routes"]
    assert [route["match"] for route in routes] == [{"path": "/own"}, {"prefix": "/"}]
    assert routes[1]["route"]["cluster"] == "httpbin"


def test_a_percent_sign_in_a_header_is_one(tmp_path: Path) -> None:
    plain = plain_host(build(tmp_path), 80, "plain.example")
    assert plain["routes"][0]["response_headers_to_add"][0]["header"] == {"key": "x-rate", "value": "100%%"}
