from __future__ import annotations

from tests.unit.cli.istioctl import small_dumps

from bookmesh.cli.istioctl import listeners


def test_a_row_for_each_chain_by_port() -> None:
    found = listeners.listeners(small_dumps.dump(), listeners.ListenerFilter())
    assert list(listeners.rows(found)) == [
        ("10.96.0.9", 5432, "ALL", "Cluster: outbound|5432||db.default.svc.cluster.local"),
        ("0.0.0.0", 9080, "Trans: raw_buffer; App: http/1.1,h2c", "Route: 9080"),
        ("0.0.0.0", 9080, "ALL", "PassthroughCluster"),
    ]


def test_filters_of_listeners() -> None:
    dump = small_dumps.dump()
    assert [
        listeners.port_of(one) for one in listeners.listeners(dump, listeners.ListenerFilter(type="tcp"))
    ] == [5432]
    assert len(listeners.listeners(dump, listeners.ListenerFilter(port=9080))) == 1
    assert listeners.listeners(dump, listeners.ListenerFilter(address="1.2.3.4")) == []


def test_a_match_says_names_ranges_and_port() -> None:
    match = {
        "server_names": ["a.com"],
        "transport_protocol": "tls",
        "application_protocols": ["istio-peer-exchange", "istio"],
        "prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}],
        "destination_port": 80,
    }
    text = listeners.describe_chain_match({"filter_chain_match": match})
    assert text == "SNI: a.com; Trans: tls; App: TCP TLS; Addr: 10.0.0.0/8:80"


def test_inline_routes_name_their_cluster_or_their_matches() -> None:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "inbound|80||"}}
    manager = small_dumps.http_filter("x")
    manager["typed_config"] = {"route_config": {"virtual_hosts": [{"domains": ["*"], "routes": [route]}]}}
    assert listeners.destination({"filters": [manager]}) == "Cluster: inbound|80||"
    route["match"] = {"path": "/stats"}
    assert listeners.destination({"filters": [manager]}) == "Inline Route: /stats"


def test_a_black_hole_goes_nowhere() -> None:
    assert (
        listeners.destination({"filters": [small_dumps.tcp_filter("BlackHoleCluster")]}) == "Non-HTTP/Non-TCP"
    )
