"""Answers of cluster DNS."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
import uvloop

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import cluster_dns
from bookmesh.kube.sandbox.network import NodeNetwork


def service(name: str, namespace: str = "default", **spec: Any) -> JsonObject:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def endpoint_slice(name: str, *endpoints: JsonObject) -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": list(endpoints),
    }


SERVICES = [
    service("reviews", clusterIP="10.96.0.7", ports=[{"name": "http", "port": 9080, "protocol": "TCP"}]),
    service("db", clusterIP="None", ports=[{"name": "http", "port": 80}]),
    service("empty", clusterIP="None"),
    service("outside", type="ExternalName", externalName="example.org"),
    service("alias", type="ExternalName", externalName="reviews.default.svc.cluster.local"),
]
SLICES = [
    endpoint_slice(
        "db",
        {"addresses": ["10.244.0.5"], "hostname": "db-0"},
        {"addresses": ["10.244.0.6"]},
        {"addresses": ["10.244.0.7"], "conditions": {"ready": False}},
    )
]
ZONE = cluster_dns.build_zone(
    {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in SERVICES},
    {("default", one["metadata"]["name"]): one for one in SLICES},
)


def ask(name: str, kind: str = "A") -> dns.message.Message | None:
    return cluster_dns.answer(dns.message.make_query(name, kind), ZONE)


def records(name: str, kind: str = "A") -> list[str]:
    response = ask(name, kind)
    assert response is not None
    assert response.rcode() == dns.rcode.NOERROR
    assert response.flags & dns.flags.AA
    return sorted(record.to_text() for answer in response.answer for record in answer)


def test_a_service_has_its_address() -> None:
    assert records("reviews.default.svc.cluster.local") == ["10.96.0.7"]
    assert records("Reviews.DEFAULT.svc.cluster.local.") == ["10.96.0.7"]


def test_a_headless_service_has_the_addresses_of_its_ready_endpoints() -> None:
    assert records("db.default.svc.cluster.local") == ["10.244.0.5", "10.244.0.6"]
    assert records("db-0.db.default.svc.cluster.local") == ["10.244.0.5"]
    assert records("10-244-0-6.db.default.svc.cluster.local") == ["10.244.0.6"]


def test_a_headless_service_without_endpoints_exists_and_has_no_address() -> None:
    assert records("empty.default.svc.cluster.local") == []


def test_named_ports_have_srv_records_with_the_address_beside() -> None:
    assert records("_http._tcp.reviews.default.svc.cluster.local", "SRV") == [
        "0 100 9080 reviews.default.svc.cluster.local."
    ]
    response = ask("_http._tcp.reviews.default.svc.cluster.local", "SRV")
    assert response is not None
    assert "10.96.0.7" in response.additional[0].to_text()
    assert records("_http._tcp.db.default.svc.cluster.local", "SRV") == [
        "0 100 8080 10-244-0-6.db.default.svc.cluster.local.",
        "0 100 8080 db-0.db.default.svc.cluster.local.",
    ]


def test_a_pod_has_the_address_in_its_name() -> None:
    assert records("10-244-0-9.default.pod.cluster.local") == ["10.244.0.9"]
    response = ask("10-244-0-999.default.pod.cluster.local")
    assert response is not None
    assert response.rcode() == dns.rcode.NXDOMAIN


def test_an_unknown_name_of_the_cluster_does_not_exist() -> None:
    response = ask("nobody.default.svc.cluster.local")
    assert response is not None
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert "SOA" in response.authority[0].to_text()


@pytest.mark.parametrize("name", ["cluster.local", "svc.cluster.local", "default.svc.cluster.local"])
def test_a_name_that_only_has_longer_ones_exists(name: str) -> None:
    assert records(name) == []


def test_a_service_has_no_ipv6_address_but_exists() -> None:
    assert records("reviews.default.svc.cluster.local", "AAAA") == []


def test_an_external_name_is_an_alias() -> None:
    assert records("outside.default.svc.cluster.local") == ["example.org."]
    assert records("alias.default.svc.cluster.local") == ["10.96.0.7", "reviews.default.svc.cluster.local."]


def test_addresses_of_services_have_names() -> None:
    assert records("7.0.96.10.in-addr.arpa", "PTR") == ["reviews.default.svc.cluster.local."]
    assert records("5.0.244.10.in-addr.arpa", "PTR") == ["db-0.db.default.svc.cluster.local."]


def test_other_names_are_not_the_clusters() -> None:
    assert ask("example.org") is None
    assert ask("notcluster.local") is None
    assert ask("1.2.3.4.in-addr.arpa", "PTR") is None


def server(fallback: cluster_dns.Fallback | None = None) -> cluster_dns.ClusterDns:
    made = cluster_dns.ClusterDns(cast(Any, None), cast(NodeNetwork, None), fallback=fallback)
    made.zone = ZONE
    return made


async def respond(
    query: dns.message.Message, fallback: cluster_dns.Fallback | None = None
) -> dns.message.Message:
    data = await server(fallback).respond(query.to_wire(), limit=512)
    assert data is not None
    response = dns.message.from_wire(data)
    assert response.id == query.id
    return response


async def example(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text(query.question[0].name, 5, "IN", "A", "192.0.2.1"))
    return response


async def test_without_a_fallback_the_rest_of_the_world_does_not_exist() -> None:
    assert (await respond(dns.message.make_query("example.org", "A"))).rcode() == dns.rcode.NXDOMAIN


async def test_a_fallback_answers_for_the_rest_of_the_world() -> None:
    assert "192.0.2.1" in (await respond(dns.message.make_query("example.org", "A"), example)).to_text()


async def test_a_fallback_that_fails_is_a_server_failure() -> None:
    async def fail(_: dns.message.Message) -> dns.message.Message:
        raise OSError("network is unreachable")

    assert (await respond(dns.message.make_query("example.org", "A"), fail)).rcode() == dns.rcode.SERVFAIL


async def test_the_target_of_an_external_name_is_resolved_too() -> None:
    text = (
        await respond(dns.message.make_query("outside.default.svc.cluster.local", "A"), example)
    ).to_text()
    assert "CNAME example.org." in text
    assert "192.0.2.1" in text


async def test_what_does_not_fit_is_cut_off_and_says_so() -> None:
    slices = {("default", "db"): endpoint_slice("db", *({"addresses": [f"10.1.0.{n}"]} for n in range(200)))}
    made = server()
    made.zone = cluster_dns.build_zone({("default", "db"): SERVICES[1]}, slices)
    query = dns.message.make_query("db.default.svc.cluster.local", "A").to_wire()
    short = await made.respond(query, limit=512)
    assert short is not None
    assert dns.message.from_wire(short).flags & dns.flags.TC
    whole = await made.respond(query, limit=65_535)
    assert whole is not None
    assert len(dns.message.from_wire(whole).answer[0]) == 200


async def test_nonsense_is_refused_and_responses_are_ignored() -> None:
    refused = await server().respond(b"\x12\x34" + bytes(2) + b"\0\1" + bytes(6) + b"\xff\xff", limit=512)
    assert refused is not None
    assert dns.message.from_wire(refused).rcode() == dns.rcode.FORMERR
    assert await server().respond(b"short", limit=512) is None
    response = dns.message.make_response(dns.message.make_query("example.org", "A"))
    assert await server().respond(response.to_wire(), limit=512) is None


class Known:
    """A directory that knows nothing, and will never know more."""

    services: dict[Any, Any] = {}
    slices: dict[Any, Any] = {}

    async def changed(self, seen: int) -> int:
        if seen:
            await asyncio.Event().wait()
        return 1


@pytest.mark.parametrize("turns", range(1, 7))
def test_who_ends_it_while_it_starts_leaves_no_socket_open(
    monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    made: list[cluster_dns._Datagrams] = []

    class Remembered(cluster_dns._Datagrams):
        def __init__(self, server: cluster_dns.ClusterDns) -> None:
            super().__init__(server)
            made.append(self)

    async def start_and_end() -> None:
        udp = socket.socket(type=socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        tcp = socket.create_server(("127.0.0.1", 0))

        async def here(*_: object) -> tuple[socket.socket, socket.socket]:
            return udp, tcp

        monkeypatch.setattr(asyncio, "to_thread", here)
        task = asyncio.create_task(cluster_dns.ClusterDns(cast(Any, Known()), cast(Any, None)).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await asyncio.sleep(0)
        assert [each._transport is None or each._transport.is_closing() for each in made] == [True]

    monkeypatch.setattr(cluster_dns, "_Datagrams", Remembered)
    uvloop.run(start_and_end())
