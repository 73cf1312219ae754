from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cli.explain import test_sources
from tests.unit.cli.istioctl import test_describing

from bookmesh.cli.istioctl import describing_routes


def routing(*http: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return test_sources.thing("VirtualService", "x", {"hosts": ["reviews"], "http": list(http), **spec})


def to(subset: str = "", weight: int = 0, host: str = "reviews") -> dict[str, Any]:
    destination = {"host": host, **({"subset": subset} if subset else {})}
    return {"destination": destination, **({"weight": weight} if weight else {})}


def lines(rule: dict[str, Any], *, has_rule: bool = True) -> list[str]:
    destination_rule = test_describing.DESTINATIONS if has_rule else None
    subsets = (["v1"], ["v2"]) if has_rule else ([], [])
    service = test_describing.SERVICE
    return list(describing_routes.about_routing(rule, service, subsets, destination_rule, "default"))


@pytest.mark.parametrize(
    ("rule", "has_rule", "expected"),
    [
        (routing({"route": [to()]}), True, ["   1 HTTP route(s)"]),
        (
            routing({"route": [to("v1", 80), to("v2", 20)]}),
            True,
            ['   Route to host "reviews" subset "v1" with weight 80%'],
        ),
        (
            routing(
                {"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": [to("v1")]},
                {"route": [to("v2")]},
            ),
            True,
            [
                "   Match:  when headers are end-user=jason",
                "   1 additional destination(s) that will not reach this pod",
            ],
        ),
        (
            routing({"match": [{"uri": {"prefix": "/a"}, "ignoreUriCase": True}], "route": [to("v2")]}),
            True,
            [
                "   WARNING: No destinations match pod subsets (checked 1 HTTP routes)",
                "      Route to non-matching subset v2 for (Match: /a* uncased)",
            ],
        ),
        (
            routing({"route": [to("v9")]}),
            True,
            [
                "   WARNING: No destinations match pod subsets (checked 1 HTTP routes)",
                "      Warning: Route to UNKNOWN subset v9; check DestinationRule reviews",
            ],
        ),
        (
            routing({"route": [to("v1")]}),
            False,
            [
                "   WARNING: No destinations match pod subsets (checked 1 HTTP routes)",
                "      Warning: Route to subset v1 but NO DESTINATION RULE defining subsets!",
            ],
        ),
        (
            routing({"fault": {"abort": {"httpStatus": 500, "percentage": {"value": 10}}}, "route": [to()]}),
            True,
            ["   Fault injection abort 500 for 10%"],
        ),
        (
            routing({"fault": {"delay": {"fixedDelay": "7s", "percentage": {"value": 50}}}, "route": [to()]}),
            True,
            ["   Fault injection delay 7s for 50%"],
        ),
        (routing(tcp=[{"route": [to()]}]), True, ["   1 TCP route(s)"]),
        (
            routing(tcp=[{"route": [to(host="other")]}]),
            True,
            ["   WARNING: No destinations match pod subsets (checked 1 TCP routes)"],
        ),
    ],
)
def test_what_a_rule_does_to_these_pods(rule: dict[str, Any], has_rule: bool, expected: list[str]) -> None:
    assert lines(rule, has_rule=has_rule) == ["VirtualService: x", *expected]


def test_conditions_in_short() -> None:
    assert describing_routes.render_matches([]) == "everything"
    assert describing_routes.render_match({"uri": {"regex": "a.*"}}) == 'Match: regex:"a.*"'


def test_policies_of_a_destination_rule() -> None:
    policy = {
        "tls": {"mode": "ISTIO_MUTUAL"},
        "connectionPool": {},
        "outlierDetection": {"interval": "1s"},
        "portLevelSettings": [{"port": {"number": 80}, "tls": {"mode": "SIMPLE"}}],
    }
    rule = test_sources.thing("DestinationRule", "x", {"host": "reviews", "trafficPolicy": policy})
    assert list(describing_routes.about_rule(rule, test_describing.SERVICE, [], [], "other")) == [
        'DestinationRule: x.default for "reviews"',
        "   Traffic Policy TLS Mode: ISTIO_MUTUAL",
        "   Policies: outlier detection",
        "   Port Level Settings:",
        "    80:",
        "      TLS Mode: SIMPLE",
    ]


@pytest.mark.parametrize(
    ("gateways", "is_for_callers"), [([], True), (["gw", "mesh"], True), (["gw"], False)]
)
def test_rules_of_gateways_alone_do_not_count_inside(gateways: list[str], is_for_callers: bool) -> None:
    rule = routing({"route": [to()]}, **({"gateways": gateways} if gateways else {}))
    found = list(describing_routes.routings_for(test_describing.SERVICE, [rule]))
    assert bool(found) is is_for_callers
