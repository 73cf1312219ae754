"""From JSON to messages."""

from __future__ import annotations

import pytest

from bookmesh.mesh.wire import decoding

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


def test_inside_a_typed_struct_anything_goes() -> None:
    inside = {"@type": "type.googleapis.com/only.envoy.Knows", "deep": [1]}
    value = {"name": "x", "typed_config": {"@type": STRUCT, "type_url": "t/x", "value": {"a": inside}}}
    found = decoding.decode("HTTP_FILTER", value)
    assert (found.message.typed_config.type_url, found.left_out) == (STRUCT, "")
