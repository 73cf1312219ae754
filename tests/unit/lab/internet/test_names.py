"""Names outside the cluster: addresses, nothing of that type, or no such name, which is remembered."""

from __future__ import annotations

import dns.message
import dns.rcode

from bookmesh.lab.internet import names

ADDRESSES = {"a.example": ("192.0.2.1", "192.0.2.2")}


def ask(table: names.Names, name: str, kind: str = "A") -> dns.message.Message:
    return table.answer(dns.message.make_query(name, kind))


def test_a_known_name_has_its_addresses_whatever_its_case() -> None:
    answer = ask(names.Names(lambda name: ADDRESSES.get(name, ())), "A.Example")
    assert {str(record) for record in answer.answer[0]} == set(ADDRESSES["a.example"])


def test_who_comes_first_changes() -> None:
    table = names.Names(lambda name: ADDRESSES.get(name, ()))
    query = dns.message.make_query("a.example", "A")
    first = set()
    for number in range(2):
        query.id = number
        first.add(str(table.answer(query).answer[0][0]))
    assert first == set(ADDRESSES["a.example"])


def test_a_known_name_has_no_address_of_version_six() -> None:
    answer = ask(names.Names(lambda name: ADDRESSES.get(name, ())), "a.example", "AAAA")
    assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])


def test_an_unknown_name_does_not_exist_and_is_reported() -> None:
    table = names.Names(lambda _name: ())
    assert ask(table, "nowhere.example").rcode() == dns.rcode.NXDOMAIN
    ask(table, "nowhere.example", "AAAA")
    (finding,) = table.findings()
    assert (finding.code, finding.severity) == ("BM0341", "warning")
    assert '"nowhere.example"' in finding.message


def test_what_search_lists_and_tools_ask_for_is_not_reported() -> None:
    table = names.Names(lambda _name: ())
    for name in ("reviews", "1.0.0.10.in-addr.arpa"):
        ask(table, name)
    assert table.findings() == []


def test_only_the_latest_names_are_remembered() -> None:
    table = names.Names(lambda _name: ())
    for number in range(30):
        ask(table, f"host-{number:02}.example")
    messages = [finding.message for finding in table.findings()]
    assert len(messages) == 20
    assert "host-10.example" in messages[0]
