"""Decoding bodies by hand-made bytes; `tests/clients` does it with what kubectl sends."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema import protobuf, protobuf_fields


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(api_version: str, kind: str, obj: bytes) -> bytes:
    return b"k8s\0" + field(1, field(1, api_version) + field(2, kind)) + field(2, obj)


def test_an_object_is_decoded_with_its_type() -> None:
    metadata = field(1, "c") + field(11, field(1, "k") + field(2, "v")) + field(14, "f/1") + field(14, "f/2")
    data = field(2, field(1, "a") + field(2, "")) + field(3, field(1, "b") + field(2, b"\xff"))
    assert protobuf.decode(body("v1", "ConfigMap", field(1, metadata) + data)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "labels": {"k": "v"}, "finalizers": ["f/1", "f/2"]},
        "data": {"a": ""},
        "binaryData": {"b": "/w=="},
    }


def test_zero_means_absent_unless_the_field_is_one_that_is_set() -> None:
    spec = field(1, 0) + field(5, 0) + field(7, 0)
    decoded = protobuf.decode(body("apps/v1", "Deployment", field(2, spec)))
    assert decoded["spec"] == {"replicas": 0}


def test_messages_that_json_inlines_are_inlined() -> None:
    volume = field(1, "v") + field(2, field(19, field(1, field(1, "settings"))))
    decoded = protobuf.decode(body("v1", "Pod", field(2, field(1, volume))))
    assert decoded["spec"]["volumes"] == [{"name": "v", "configMap": {"name": "settings"}}]


def test_numbers_times_and_unions_have_their_json_form() -> None:
    service = field(2, field(1, field(3, 80) + field(4, field(1, 1) + field(3, "http"))))
    ports = protobuf.decode(body("v1", "Service", service))["spec"]["ports"]
    assert ports == [{"port": 80, "targetPort": "http"}]
    metadata = field(8, field(1, 1_700_000_000)) + field(9, b"") + field(10, -1)
    decoded = protobuf.decode(body("v1", "Namespace", field(1, metadata)))
    assert decoded["metadata"] == {
        "creationTimestamp": "2023-11-14T22:13:20Z",
        "deletionGracePeriodSeconds": -1,
    }


def test_options_are_decoded_in_any_group_version() -> None:
    options = field(1, 0) + field(4, "Foreground")
    assert protobuf.decode(body("v1", "DeleteOptions", options))["gracePeriodSeconds"] == 0
    assert (
        protobuf.decode(body("meta.k8s.io/v1", "DeleteOptions", options))["propagationPolicy"] == "Foreground"
    )


def test_unknown_fields_are_skipped() -> None:
    extra = (
        field(900, "x") + field(901, 1) + varint(902 << 3 | 1) + bytes(8) + varint(903 << 3 | 5) + bytes(4)
    )
    decoded = protobuf.decode(body("v1", "Secret", extra + field(3, "Opaque")))
    assert decoded == {"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{}",
        b"k8s\0\xff",
        b"k8s\0" + b"\xff" * 12,
        body("v1", "ConfigMap", b"\x0a\x7f"),
        body("v1", "ConfigMap", field(1, 5)),
        body("v1", "ConfigMap", field(1, field(1, b"\xff"))),
        body("v1", "ConfigMap", field(2, 1)),
        body("v1", "ConfigMap", b"\x0b"),
        body("v1", "Widget", b""),
        b"k8s\0" + field(2, b""),
    ],
)
def test_damage_is_a_decode_error(damaged: bytes) -> None:
    with pytest.raises(protobuf.DecodeError):
        protobuf.decode(damaged)


def test_every_message_a_field_refers_to_is_in_the_table() -> None:
    table = protobuf_fields.messages()
    referred = {each.type for fields in table.values() for each in fields.values()}
    decoded_specially = {
        "meta.v1.Time",
        "meta.v1.MicroTime",
        "strings",
        "meta.v1.FieldsV1",
        "api.resource.Quantity",
        "util.intstr.IntOrString",
    }
    assert referred - protobuf_fields.SCALARS - decoded_specially <= set(table)
