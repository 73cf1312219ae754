"""Merging of messages."""

from __future__ import annotations

from bookmesh.mesh.translate.patching import merging
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import listener as listener_wire


def test_fields_that_are_set_win_and_others_stay() -> None:
    target = wire.Cluster(name="a", lb_policy=wire.Cluster.RANDOM, alt_stat_name="stays")
    merging.merge(target, wire.Cluster(name="b"))
    assert (target.name, target.lb_policy, target.alt_stat_name) == ("b", wire.Cluster.RANDOM, "stays")


def test_durations_are_replaced_whole() -> None:
    target = wire.Cluster(connect_timeout=messages.duration(1.5))
    merging.merge(target, wire.Cluster(connect_timeout=messages.duration(2)))
    assert (target.connect_timeout.seconds, target.connect_timeout.nanos) == (2, 0)


def test_structures_are_merged_inside() -> None:
    target, source = wire.Cluster(), wire.Cluster()
    target.eds_cluster_config.service_name = "stays"
    source.eds_cluster_config.eds_config.ads.SetInParent()
    merging.merge(target, source)
    assert target.eds_cluster_config.service_name == "stays"
    assert target.eds_cluster_config.eds_config.HasField("ads")


def test_lists_are_appended_or_replaced() -> None:
    def match(*names: str) -> listener_wire.FilterChainMatch:
        return listener_wire.FilterChainMatch(server_names=names)

    for operation, expected in (("MERGE", ["a", "b"]), ("MERGE_AND_REPLACE_LIST", ["b"])):
        target = match("a")
        merging.merge(target, match("b"), operation)
        assert list(target.server_names) == expected


def test_entries_of_maps_are_replaced() -> None:
    target = core.Metadata(filter_metadata={"a": messages.struct({"x": "1"}), "b": messages.struct({})})
    merging.merge(target, core.Metadata(filter_metadata={"a": messages.struct({"y": "2"})}))
    assert dict(target.filter_metadata["a"]) == {"y": "2"}
    assert "b" in target.filter_metadata


def test_one_of_several_fields_takes_the_place_of_the_other() -> None:
    target = core.Address(pipe=core.Pipe(path="/x"))
    merging.merge(target, core.Address(socket_address=core.SocketAddress(address="1.2.3.4")))
    assert target.WhichOneof("address") == "socket_address"


def named(name: str, **fields: object) -> listener_wire.Filter:
    return listener_wire.Filter(name=name, typed_config=messages.pack(listener_wire.TcpProxy(**fields)))


def test_filters_are_merged_inside_their_configuration() -> None:
    target = named("tcp", cluster="stays", stat_prefix="old")
    merging.merge_filter(target, named("", stat_prefix="new"))
    found = listener_wire.TcpProxy.FromString(target.typed_config.value)
    assert (target.name, found.cluster, found.stat_prefix) == ("tcp", "stays", "new")


def test_configuration_of_another_type_is_not_taken() -> None:
    target = named("tcp", cluster="stays")
    other = listener_wire.Filter(name="new", typed_config=messages.pack(listener_wire.Router()))
    before = target.typed_config.value
    merging.merge_filter(target, other)
    assert (target.name, target.typed_config.value) == ("new", before)
