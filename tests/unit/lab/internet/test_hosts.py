"""Hosts of the simulated Internet: what may be declared, who has a name, and which address."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from bookmesh.base import findings
from bookmesh.lab.internet import hosts


def test_the_packaged_hosts_are_those_of_istios_tasks() -> None:
    names = {name for host in hosts.load() for name in host.names}
    assert {
        "edition.cnn.com",
        "www.google.com",
        "httpbin.org",
        "*.wikipedia.org",
        "www.googleapis.com",
    } <= names


def test_a_host_needs_only_a_name() -> None:
    (host,) = hosts.parse("- names: [api.partner.example]", where="hosts.yaml")
    assert (host.http, host.https, host.alpn) == ((80,), (443,), ("h2", "http/1.1"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- {}", "missing required field `names`"),
        ("- names: []", "at least one name"),
        ("- names: [localhost]", '"localhost" is no name of a host'),
        ("- names: [a.*.example]", "is no name of a host"),
        ("- names: [UPPER.example]", "is no name of a host"),
        ("- names: [reviews.default.svc.cluster.local]", "is a name of the cluster"),
        ("- {names: [a.example], addresses: [10.96.0.1]}", "10.96.0.1 is an address of the cluster"),
        ("- {names: [a.example], addresses: ['::1']}", '"::1" is no IPv4 address'),
        ("- {names: [a.example], http: [], https: []}", "needs a port"),
        ("- {names: [a.example], http: [80], https: [80]}", "port 80 is both"),
        ("- {names: [a.example], https: [70000]}", "70000 is not a port"),
        ("- {names: [a.example], https: [65001]}", "is one of those that the simulation itself uses"),
        ("- {names: [a.example], http: [], secure_only: true}", "secure_only needs ports in both"),
        ("- {names: [a.example], alpn: [h3]}", "Invalid enum value 'h3'"),
        ("- {names: [a.example], colour: red}", "unknown field `colour`"),
        ("- {names: [a.example], answers: [{path: /a, prefix: /b}]}", "not both"),
        ("- {names: [a.example], answers: [{path: a}]}", "does not begin with /"),
        ("- {names: [a.example], answers: [{status: 99}]}", "99 is no status"),
        ("names: [a.example]", "Expected `array`"),
        ("- [", "while parsing"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(findings.BookmeshError) as caught:
        hosts.parse(text, where="mine.yaml")
    finding = caught.value.finding
    assert (finding.code, finding.where, caught.value.exit_code) == ("BM0340", "mine.yaml", 2)
    assert why in finding.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(findings.BookmeshError) as caught:
        hosts.read([tmp_path / "none.yaml"])
    assert str(tmp_path / "none.yaml") in caught.value.finding.where


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(hosts.render(hosts.load()))
    assert hosts.read([file]) == hosts.load()


def test_every_host_has_an_address_outside_of_the_cluster() -> None:
    directory = hosts.arrange(
        hosts.load(), hosts.parse("- names: [a.example]\n- names: [b.example]", where="")
    )
    assert directory.addresses_of("a.example") != directory.addresses_of("b.example")
    for text in directory.all_addresses:
        address = ipaddress.ip_address(text)
        assert not any(address in ipaddress.ip_network(taken) for taken in ("10.0.0.0/8", "127.0.0.0/8"))


def test_a_longer_name_wins_over_a_wildcard() -> None:
    text = "- names: ['*.a.example']\n- names: ['*.b.a.example']\n- names: [c.b.a.example]"
    directory = hosts.arrange((), hosts.parse(text, where=""))
    asked = ("x.a.example", "y.x.a.example", "d.b.a.example", "c.b.a.example")
    found = [directory.addresses_of(name) for name in asked]
    assert found[0] == found[1]
    assert len(set(found)) == 3
    assert directory.addresses_of("a.example") == ()
    assert directory.addresses_of("elsewhere.test") == ()


def test_a_persons_host_takes_its_name_over() -> None:
    mine = hosts.parse("- {names: [www.google.com], answers: [{body: mine}]}", where="")
    directory = hosts.arrange(hosts.load(), mine)
    owners = [host for host in directory.hosts if "www.google.com" in host.names]
    assert [answer.body for host in owners for answer in host.answers] == ["mine"]
    assert directory.addresses_of("google.com") == ("142.250.185.68",)


def test_addresses_do_not_depend_on_the_run() -> None:
    mine = hosts.parse("- names: [a.example]", where="")
    assert hosts.arrange(hosts.load(), mine) == hosts.arrange(hosts.load(), mine)
