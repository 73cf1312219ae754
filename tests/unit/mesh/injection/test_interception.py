from __future__ import annotations

import pytest

from bookmesh.mesh.injection import interception
from bookmesh.mesh.injection.settings import InjectionError

PREFIX = "traffic.sidecar.istio.io/"


def pod(**annotations):
    written = {PREFIX + name: value for name, value in annotations.items()}
    return {"metadata": {"annotations": {"sidecar.istio.io/status": "{}", **written}}}


def test_by_default_everything_but_the_proxys_ports_is_redirected():
    rules = interception.rules_for(pod())
    assert (rules.outbound_port, rules.inbound_port, rules.mark) == (15001, 15006, 1337)
    assert rules.exclude_inbound_ports == (15008, 15090, 15021, 15020)
    assert rules.include_inbound_ports is None
    assert rules.include_outbound_ranges is None


def test_annotations_become_data():
    rules = interception.rules_for(
        pod(
            includeInboundPorts="8080, 8081",
            excludeInboundPorts="9000,15090",
            includeOutboundPorts="443",
            excludeOutboundPorts="3306",
            includeOutboundIPRanges="10.0.0.0/8,192.168.1.7",
            excludeOutboundIPRanges="10.1.2.3/16",
        )
    )
    assert rules.include_inbound_ports == (8080, 8081)
    assert rules.exclude_inbound_ports == (15008, 15090, 15021, 15020, 9000)
    assert rules.include_outbound_ports == (443,)
    assert rules.exclude_outbound_ports == (3306,)
    assert rules.include_outbound_ranges == ("10.0.0.0/8", "192.168.1.7/32")
    assert rules.exclude_outbound_ranges == ("10.1.0.0/16",)


def test_an_empty_list_means_nothing():
    rules = interception.rules_for(pod(includeInboundPorts="", includeOutboundIPRanges=""))
    assert rules.include_inbound_ports == ()
    assert rules.include_outbound_ranges == ()


@pytest.mark.parametrize(
    "untouched",
    [
        {"metadata": {}},
        {
            "metadata": {
                "annotations": {"sidecar.istio.io/status": "{}", "inject.istio.io/templates": "gateway"}
            }
        },
        {
            "metadata": {
                "annotations": {"sidecar.istio.io/status": "{}", "sidecar.istio.io/interceptionMode": "NONE"}
            }
        },
    ],
)
def test_nothing_is_redirected_in(untouched):
    assert interception.rules_for(untouched) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("excludeInboundPorts", "0"),
        ("excludeInboundPorts", "65536"),
        ("excludeInboundPorts", "*"),
        ("includeOutboundPorts", "http"),
        ("includeOutboundIPRanges", "10.0.0.0/33"),
        ("excludeOutboundIPRanges", "*"),
    ],
)
def test_a_wrong_annotation_is_named(name, text):
    with pytest.raises(InjectionError, match=name):
        interception.check_annotations(pod(**{name: text}))


def test_tproxy_is_refused():
    with pytest.raises(InjectionError, match="TPROXY"):
        interception.check_annotations(
            {"metadata": {"annotations": {"sidecar.istio.io/interceptionMode": "TPROXY"}}}
        )
