"""Filters that several listeners share."""

from __future__ import annotations

from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import filters
from bookmesh.mesh.wire import listener


def test_access_log_has_istios_fields_in_order_and_can_be_off() -> None:
    (log,) = filters.access_logs(MeshSettings())
    config = listener.FileAccessLog.FromString(log.typed_config.value)
    assert config.path == "/dev/stdout"
    text = config.log_format.text_format_source.inline_string
    assert text.startswith('[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" ')
    assert text.endswith("%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n")
    assert filters.access_logs(MeshSettings(access_log_path="")) == []


def test_router_is_the_last_filter() -> None:
    names = [http_filter.name for http_filter in filters.outbound_http_filters()]
    assert names[-1] == "envoy.filters.http.router"
    assert len(set(names)) == len(names)


def test_http_inspector_leaves_out_ports_with_a_known_protocol() -> None:
    assert not filters.http_inspector().HasField("filter_disabled")
    one = filters.http_inspector(except_ports=[80]).filter_disabled
    assert (one.destination_port_range.start, one.destination_port_range.end) == (80, 81)
    two = filters.http_inspector(except_ports=[80, 81]).filter_disabled
    assert [rule.destination_port_range.start for rule in two.or_match.rules] == [80, 81]


def test_alpn_for_undeclared_ports_has_no_name_a_server_would_choose() -> None:
    (value,) = filters.mesh_http_alpn().on_request_headers
    names = value.format_string.text_format_source.inline_string.split(",")
    assert names[0] == "istio-http/1.1"
    assert not {"h2", "http/1.1"} & set(names)
