"""The rules as text, in order; that the kernel takes them and they do what they say is shown by the lab tests."""

from __future__ import annotations

from bookmesh.lab import interception
from bookmesh.mesh.injection.interception import InterceptionRules


def rules(chain: str, of: InterceptionRules) -> list[str]:
    table = interception.build_table(of)
    return [rule.text for each in table.chains if each.name == chain for rule in each.rules]


def test_ports_of_the_proxy_itself_are_not_redirected() -> None:
    inbound = rules("prerouting", InterceptionRules())
    assert [rule for rule in inbound if "15021" in rule] == ["tcp dport 15021 return"]
    assert inbound[-1] == "meta l4proto tcp redirect to :15006"


def test_only_the_named_inbound_ports_are_redirected() -> None:
    inbound = rules("prerouting", InterceptionRules(include_inbound_ports=(80, 443)))
    assert inbound[-2:] == ["tcp dport 80 redirect to :15006", "tcp dport 443 redirect to :15006"]
    assert rules("prerouting", InterceptionRules(include_inbound_ports=()))[-1] == "tcp dport 15020 return"


def test_the_proxys_own_traffic_passes_before_anything_is_redirected_out() -> None:
    outbound = rules("output", InterceptionRules())
    assert outbound.index("meta mark 0x539 return") < outbound.index("meta l4proto tcp redirect to :15001")


def test_excluded_ports_and_ranges_come_before_the_redirect() -> None:
    outbound = rules(
        "output", InterceptionRules(exclude_outbound_ports=(3306,), exclude_outbound_ranges=("192.0.2.0/24",))
    )
    redirect = outbound.index("meta l4proto tcp redirect to :15001")
    assert outbound.index("tcp dport 3306 return") < redirect
    assert outbound.index("ip daddr 192.0.2.0/24 return") < redirect
    assert outbound.index("ip daddr 127.0.0.1 return") < redirect


def test_only_the_included_ranges_and_ports_leave_through_the_proxy() -> None:
    outbound = rules(
        "output", InterceptionRules(include_outbound_ranges=("10.96.0.0/16",), include_outbound_ports=(8080,))
    )
    assert outbound[-2:] == [
        "tcp dport 8080 redirect to :15001",
        "ip daddr 10.96.0.0/16 meta l4proto tcp redirect to :15001",
    ]


def test_load_balancers_are_reached_through_the_proxy() -> None:
    outbound = rules("output", InterceptionRules())
    assert outbound[:2] == [
        "ip daddr 127.97.0.0/16 meta mark 0x539 return",
        "ip daddr 127.97.0.0/16 meta l4proto tcp redirect to :15001",
    ]
