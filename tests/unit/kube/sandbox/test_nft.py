"""Rules as data: what they say, and what makes them differ."""

from __future__ import annotations

import pytest

from bookmesh.kube.sandbox import nft


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((nft.tcp_dport(80), nft.accept()), "tcp dport 80 accept"),
        ((nft.tcp_dport(80, 90), nft.drop()), "tcp dport 80-90 drop"),
        ((nft.protocol("udp"), nft.dport(53), nft.return_()), "meta l4proto udp th dport 53 return"),
        ((nft.saddr("127.0.0.6"), nft.return_()), "ip saddr 127.0.0.6 return"),
        ((nft.daddr("10.96.0.0/16", negate=True), nft.jump("x")), "ip daddr != 10.96.0.0/16 jump x"),
        ((nft.to_loopback(), nft.mark(0x539, negate=True), nft.return_()), 'oif "lo" meta mark != 0x539 return'),
        ((nft.from_loopback(negate=True), nft.goto("y")), 'iif != "lo" goto y'),
        ((nft.protocol("tcp"), nft.not_dport(15008), nft.redirect(15006)),
         "meta l4proto tcp th dport != 15008 redirect to :15006"),
        ((nft.one_in(3), nft.protocol("tcp"), nft.dnat("10.244.0.2", 80)),
         "numgen random mod 3 0 meta l4proto tcp dnat to 10.244.0.2:80"),
        ((nft.daddr("127.97.0.0/16"), nft.dnat_prefix("10.97.0.0/16")),
         "ip daddr 127.97.0.0/16 dnat ip prefix to 10.97.0.0/16"),
        ((nft.masquerade(),), "masquerade"),
        ((nft.protocol("tcp"), nft.reject_with_reset()), "meta l4proto tcp reject with tcp reset"),
        ((nft.reject(),), "reject"),
        ((nft.known("seen"), nft.goto("x")), "ip saddr @seen goto x"),
        ((nft.note("seen"), nft.accept()), "update @seen { ip saddr } accept"),
        ((nft.answer(), nft.accept()), "ct direction reply accept"),
    ],
)  # fmt: skip
def test_a_rule_reads_as_nft_prints_it(parts: tuple[nft.Part, ...], text: str) -> None:
    assert nft.rule(*parts).text == text


def test_rules_are_equal_when_they_are_the_same() -> None:
    def make(port: int) -> nft.Rule:
        return nft.rule(nft.tcp_dport(port), nft.accept())

    assert make(80) == make(80)
    assert make(80) != make(81)


def test_a_network_is_matched_by_its_bits_and_an_address_whole() -> None:
    assert b"bitwise" in nft.daddr("10.0.0.0/8").data
    assert b"bitwise" not in nft.daddr("10.0.0.1").data
    assert nft.daddr("10.0.0.1").data == nft.daddr("10.0.0.1/32").data


def test_an_address_with_host_bits_is_no_network() -> None:
    with pytest.raises(ValueError, match="host bits"):
        nft.daddr("10.0.0.1/8")
