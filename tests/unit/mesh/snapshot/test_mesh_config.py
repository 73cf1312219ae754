"""MeshConfig out of a ConfigMap."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model.connection_pools import TcpKeepalive
from bookmesh.mesh.model.http_actions import HttpRetry
from bookmesh.mesh.model.load_balancers import LocalityLoadBalancer
from bookmesh.mesh.snapshot import mesh_config
from bookmesh.mesh.snapshot.settings import IngressSettings, MeshSettings, Topology

BASE = MeshSettings()
BY_RACK = LocalityLoadBalancer(failover_priority=("rack",))


def read(text: str) -> mesh_config.MeshConfig:
    metadata = {"name": "istio", "namespace": "istio-system"}
    return mesh_config.read(BASE, {"metadata": metadata, "data": {"mesh": text}})


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("outboundTrafficPolicy: {mode: REGISTRY_ONLY}", "outbound_traffic_policy", "REGISTRY_ONLY"),
        ("accessLogFile: ''", "access_log_path", ""),
        ("enableAutoMtls: false", "is_auto_mtls", False),
        ("connectTimeout: 1500ms", "connect_timeout_s", 1.5),
        ("localityLbSetting: {enabled: false}", "is_locality_enabled", False),
        (
            "defaultConfig: {proxyStatsMatcher: {inclusionRegexps: ['.*x']}}",
            "stats_inclusions",
            (("regex", ".*x"),),
        ),
        ("accessLogFormat: '%PROTOCOL%'", "access_log_format", "%PROTOCOL%"),
        ("accessLogEncoding: JSON", "access_log_encoding", "JSON"),
        ("meshMTLS: {minProtocolVersion: TLSV1_3}", "least_tls_version", "TLSV1_3"),
        ("meshMTLS: {minProtocolVersion: TLS_AUTO}", "least_tls_version", "TLSV1_2"),
        ("pathNormalization: {normalization: MERGE_SLASHES}", "path_normalization", "MERGE_SLASHES"),
        ("pathNormalization: {normalization: DEFAULT}", "path_normalization", "BASE"),
        ("defaultServiceExportTo: ['.']", "service_export_to", (".",)),
        ("defaultVirtualServiceExportTo: ['~']", "virtual_service_export_to", ("~",)),
        ("defaultDestinationRuleExportTo: ['.']", "destination_rule_export_to", (".",)),
        ("defaultHttpRetryPolicy: {attempts: 7}", "default_retries", HttpRetry(attempts=7)),
        ("h2UpgradePolicy: UPGRADE", "upgrades_to_http2", True),
        ("tcpKeepalive: {time: 9s}", "tcp_keepalive", TcpKeepalive(time="9s")),
        ("defaultConfig: {concurrency: 2}", "concurrency", 2),
        ("defaultConfig: {gatewayTopology: {numTrustedProxies: 2}}", "topology", Topology(trusted_proxies=2)),
        (
            "defaultConfig: {gatewayTopology: {proxyProtocol: {}}}",
            "topology",
            Topology(has_proxy_protocol=True),
        ),
        ("defaultConfig: {drainDuration: 45s}", "drain_s", 45),
        ("trustDomainAliases: [old.example]", "trust_domains", ("cluster.local", "old.example")),
        ("dnsRefreshRate: 5s", "dns_refresh_s", 5.0),
        ("protocolDetectionTimeout: 100ms", "detection_timeout_s", 0.1),
        (
            "localityLbSetting: {failoverPriority: [rack]}",
            "locality",
            LocalityLoadBalancer(failover_priority=("rack",)),
        ),
        ("tlsDefaults: {ecdhCurves: [P-256, odd]}", "ecdh_curves", ("P-256",)),
        ("tlsDefaults: {cipherSuites: [AES128-SHA]}", "cipher_suites", ("AES128-SHA",)),
        ("defaultConfig: {proxyMetadata: {B: b, A: a}}", "environment", (("A", "a"), ("B", "b"))),
    ],
)
def test_fields_become_settings(text: str, field: str, expected: Any) -> None:
    found = read(text)
    assert (getattr(found.settings, field), found.findings) == (expected, ())


def test_fields_about_ingresses_add_up() -> None:
    found = read(
        "ingressControllerMode: DEFAULT\ningressClass: edge\ningressService: gw\ningressSelector: mine"
    )
    assert found.settings.ingress == IngressSettings("DEFAULT", "edge", "gw", "mine")
    wrong = read("ingressControllerMode: SOMETIMES")
    assert wrong.settings.ingress == IngressSettings()
    assert [finding.code for finding in wrong.findings] == ["BM0210"]


def test_format_of_a_json_log_is_json() -> None:
    found = read("{accessLogEncoding: JSON, accessLogFormat: 'no json'}")
    assert found.settings.access_log_format == ""
    assert "accessLogFormat to no JSON object" in found.findings[0].message
    assert read("{accessLogEncoding: JSON, accessLogFormat: '{}'}").findings == ()


def test_format_of_a_log_is_one_that_envoy_reads() -> None:
    found = read("accessLogFormat: '100%'")
    assert found.settings.access_log_format == ""
    assert "begins no operator" in found.findings[0].message


def test_what_says_nothing_by_itself_is_read_in_silence() -> None:
    found = read(
        "{extensionProviders: [{name: a}], serviceSettings: [], trustDomain: cluster.local, proxyListenPort: 15001,"
        " defaultProviders: {metrics: [prometheus]}}"
    )
    assert found == mesh_config.MeshConfig(BASE)


def test_without_a_config_map_nothing_changes() -> None:
    assert mesh_config.read(BASE, None) == mesh_config.MeshConfig(BASE)
    assert read("rootNamespace: istio-system") == mesh_config.MeshConfig(BASE)


@pytest.mark.parametrize(
    ("text", "severity", "message"),
    [
        ("a: [", "error", "cannot be used"),
        ("[1]", "error", "it is no mapping"),
        ("connectTimeout: soon", "error", "sets connectTimeout to something that cannot be used"),
        ("enableAutoMtls: maybe", "error", "neither true nor false"),
        ("outboundTrafficPolicy: closed", "error", "sets outboundTrafficPolicy"),
        ("defaultServiceExportTo: [shop]", "error", "sets defaultServiceExportTo"),
        ("defaultHttpRetryPolicy: {attempts: -1}", "error", "sets defaultHttpRetryPolicy"),
        ("meshMTLS: {minProtocolVersion: TLSV1_0}", "error", '"TLSV1_0" is not one of'),
        ("defaultConfig: {proxyMetadata: [1]}", "error", "proxyMetadata is a mapping"),
        ("enableTracing: true", "warning", "does not act on yet"),
        ("defaultConfig: {concurrency: many}", "error", "concurrency is a number"),
        (
            "defaultConfig: {gatewayTopology: {forwardedHeaders: none}}",
            "warning",
            "Topology.forwardedHeaders",
        ),
        ("defaultConfig: {gatewayTopology: {numTrustedProxies: -1}}", "error", "is a number from 0"),
        ("trustDomain: td2", "warning", 'sets trustDomain, which is "cluster.local" here'),
        ("rootNamespace: elsewhere", "warning", 'which is "istio-system" here'),
        ("verifyCertificateAtClient: false", "warning", "which is true here"),
        ("discoverySelectors: [{labels: {a: b}}]", "error", "unknown field `labels`"),
        ("dnsRefreshRate: 0s", "error", "at least 1ms"),
        ("tlsDefaults: {minProtocolVersion: TLSV1_3}", "error", "only cipherSuites and ecdhCurves"),
        ("defaultConfig: {terminationDrainDuration: 2s}", "warning", "terminationDrainDuration, which"),
        ("defaultConfig: {drainDuration: 0s}", "error", "drainDuration is a time from 1s"),
        ("defaultConfig: {gatewayTopology: {forwardClientCertDetails: ALL}}", "error", "is one of SANITIZE"),
        ("defaultConfig: {gatewayTopology: {proxyProtocol: true}}", "error", "proxyProtocol is {}"),
    ],
)
def test_what_cannot_be_used_is_said_and_changes_nothing(text: str, severity: str, message: str) -> None:
    found = read(text)
    (finding,) = found.findings
    assert (found.settings, finding.code, finding.severity) == (BASE, "BM0210", severity)
    assert message in finding.message
