from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import network_files

RESOLVER = network_files.Resolver(
    host_lines=("# comment", "nameserver 192.0.2.1", "search example.com", "options timeout:2 rotate", "")
)
CLUSTER = """\
nameserver 10.96.0.10
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
"""


def build(**spec: Any) -> dict[str, str]:
    return network_files.build_network_files(fakes.pod(**spec), ip="10.244.0.2", resolver=RESOLVER)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        pytest.param({}, CLUSTER, id="cluster first"),
        pytest.param({"dnsPolicy": "ClusterFirstWithHostNet"}, CLUSTER, id="with host network"),
        pytest.param(
            {"dnsPolicy": "Default"},
            "nameserver 192.0.2.1\nsearch example.com\noptions timeout:2 rotate\n",
            id="the host's",
        ),
        pytest.param(
            {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.9"]}},
            "nameserver 192.0.2.9\n",
            id="none",
        ),
        pytest.param(
            {
                "dnsConfig": {
                    "nameservers": ["192.0.2.9", "10.96.0.10"],
                    "searches": ["example.com", "cluster.local"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}],
                }
            },
            "nameserver 10.96.0.10\nnameserver 192.0.2.9\n"
            "search default.svc.cluster.local svc.cluster.local cluster.local example.com\n"
            "options ndots:2 edns0\n",
            id="added to",
        ),
    ],
)
def test_resolv_conf(spec: dict[str, Any], text: str) -> None:
    assert build(**spec)["/etc/resolv.conf"] == text


def test_hosts_has_the_pod_and_its_aliases() -> None:
    files = build(hostAliases=[{"ip": "192.0.2.4", "hostnames": ["one", "two"]}])
    assert files["/etc/hosts"] == "127.0.0.1\tlocalhost\n10.244.0.2\tweb\n192.0.2.4\tone\ttwo\n"
    assert files["/etc/hostname"] == "web\n"


def test_a_subdomain_gives_a_full_name() -> None:
    files = build(hostname="node-1", subdomain="peers")
    assert files["/etc/hosts"].splitlines()[1] == "10.244.0.2\tnode-1.peers.default.svc.cluster.local\tnode-1"
    assert files["/etc/hostname"] == "node-1\n"


def test_a_host_name_is_at_most_63_characters() -> None:
    assert network_files.hostname_of(fakes.pod(name="a" * 62 + "-b")) == "a" * 62
