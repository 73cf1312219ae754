from __future__ import annotations

from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import wrappers_pb2

from bookmesh.mesh.xds import resources

TYPE_URL = "type.googleapis.com/google.protobuf.StringValue"


def encode(name: str, text: str) -> resources.Encoded:
    return resources.encode(TYPE_URL, name, wrappers_pb2.StringValue(value=text).SerializeToString())


def test_a_joined_response_is_what_protobuf_reads():
    raw = resources.join_response(
        type_url=TYPE_URL, nonce="7", updated=[encode("a", "x" * 300), encode("b", "")], removed=["c", "d"]
    )
    response = discovery_pb2.DeltaDiscoveryResponse.FromString(raw)
    assert (response.type_url, response.nonce, list(response.removed_resources)) == (
        TYPE_URL,
        "7",
        ["c", "d"],
    )
    assert [resource.name for resource in response.resources] == ["a", "b"]
    value = wrappers_pb2.StringValue()
    assert response.resources[0].resource.Unpack(value)
    assert value.value == "x" * 300


def test_the_version_depends_on_content_alone():
    assert encode("a", "1").version == encode("b", "1").version
    assert encode("a", "1").version != encode("a", "2").version


def test_layers_are_seen_as_one() -> None:
    shared, own = encode("a", "1"), encode("b", "2")
    layers = resources.Layers({"a": shared}, {"b": own})
    assert dict(layers) == {"a": shared, "b": own}
    assert ("a" in layers, "b" in layers, "c" in layers) == (True, True, False)
    assert (layers.get("b"), layers.get("c"), len(layers)) == (own, None, 2)
