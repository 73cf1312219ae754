"""From JSON to messages."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.wire import decoding
from bookmesh.mesh.wire.listener import TcpProxy

STRUCT = "type.googleapis.com/udpa.type.v1.TypedStruct"


def test_names_are_read_in_both_spellings() -> None:
    one = decoding.decode("CLUSTER", {"connect_timeout": "2s"})
    other = decoding.decode("CLUSTER", {"connectTimeout": "2s"})
    assert one == other
    assert one.message.connect_timeout.seconds == 2


def test_unknown_fields_are_left_out_and_named() -> None:
    found = decoding.decode("CLUSTER", {"name": "x", "nothing": 1})
    assert (found.message.name, "nothing" in found.left_out) == ("x", True)


def test_values_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="connect_timeout"):
        decoding.decode("CLUSTER", {"connect_timeout": "soon"})
    with pytest.raises(ValueError, match="no part"):
        decoding.decode("EXTENSION_CONFIG", {})


def test_unknown_types_are_refused_at_any_depth() -> None:
    filters = [{"name": "x", "typed_config": {"@type": "type.googleapis.com/envoy.x.v3.Nothing"}}]
    with pytest.raises(decoding.UnknownTypeError) as caught:
        decoding.decode("FILTER_CHAIN", {"filters": filters})
    assert caught.value.type_url == "type.googleapis.com/envoy.x.v3.Nothing"


@pytest.mark.parametrize("odd", [None, 7, ["a"], {}])
def test_types_that_are_no_names_are_refused(odd: Any) -> None:
    with pytest.raises(ValueError, match="@type is the name of a type"):
        decoding.decode("FILTER_CHAIN", {"filters": [{"name": "x", "typed_config": {"@type": odd}}]})


def test_inside_a_typed_struct_anything_goes() -> None:
    inside = {"@type": "type.googleapis.com/only.envoy.Knows", "deep": [1]}
    value = {"name": "x", "typed_config": {"@type": STRUCT, "type_url": "t/x", "value": {"a": inside}}}
    found = decoding.decode("HTTP_FILTER", value)
    assert (found.message.typed_config.type_url, found.left_out) == (STRUCT, "")


@pytest.mark.parametrize(("text", "seconds"), [("2s", 2), ("0.5s", 0.5), ("500ms", 0.5), ("1m30s", 90)])
def test_durations_are_read_in_every_spelling_wherever_they_are(text: str, seconds: float) -> None:
    cluster = decoding.decode(
        "CLUSTER", {"connectTimeout": text, "outlier_detection": {"interval": text}}
    ).message
    for found in (cluster.connect_timeout, cluster.outlier_detection.interval):
        assert found.seconds + found.nanos / 1e9 == seconds
    kind = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    proxy = {"@type": kind, "idle_timeout": text}
    chain = decoding.decode("FILTER_CHAIN", {"filters": [{"name": "x", "typed_config": proxy}]}).message
    idle = TcpProxy.FromString(chain.filters[0].typed_config.value).idle_timeout
    assert idle.seconds + idle.nanos / 1e9 == seconds


def test_texts_in_maps_and_structures_stay_as_they_are() -> None:
    metadata = {"filter_metadata": {"a": {"text": "500ms"}}}
    found = decoding.decode("CLUSTER", {"metadata": metadata}).message
    assert dict(found.metadata.filter_metadata["a"]) == {"text": "500ms"}
