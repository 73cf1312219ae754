"""Filters that several listeners share."""

from __future__ import annotations

import pytest

from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import filters
from bookmesh.mesh.wire import listener


def test_router_is_the_last_filter() -> None:
    names = [http_filter.name for http_filter in filters.outbound_http_filters(MeshSettings())]
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


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("NONE", (False, False, False)),
        ("BASE", (True, False, False)),
        ("MERGE_SLASHES", (True, True, False)),
        ("DECODE_AND_MERGE_SLASHES", (True, True, True)),
    ],
)
def test_paths_are_normalized_as_the_mesh_wants(wanted: str, expected: tuple[bool, bool, bool]) -> None:
    settings = MeshSettings(path_normalization=wanted)  # type: ignore[arg-type]
    found = filters.connection_manager(settings)
    unescapes = listener.HttpConnectionManager.UNESCAPE_AND_FORWARD
    action = found.path_with_escaped_slashes_action
    assert (found.normalize_path.value, found.merge_slashes, action == unescapes) == expected
