"""BM0203: routes to subsets that no DestinationRule defines."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import missing_subsets

RULE = small.istio("DestinationRule", "web", host="web", subsets=[{"name": "v1"}, {"name": "v2"}])


def test_defined_subset_is_fine() -> None:
    assert (
        small.about_routes(missing_subsets.check, small.service("web"), RULE, small.routing_to("web", "v1"))
        == []
    )


def test_subset_without_rule_is_reported() -> None:
    (finding,) = small.about_routes(
        missing_subsets.check, small.service("web"), small.routing_to("web", "v1")
    )
    assert finding.code == "BM0203"
    assert finding.hint == "create a DestinationRule for web with a subset v1"


def test_unknown_subset_is_reported_with_the_known_ones() -> None:
    (finding,) = small.about_routes(
        missing_subsets.check, small.service("web"), RULE, small.routing_to("web", "v4")
    )
    assert (
        finding.message == 'VirtualService default/it routes to subset "v4", which no DestinationRule defines'
    )
    assert finding.where == "spec.http[0].route[0].destination.subset"
    assert finding.known == "v1, v2  (DestinationRule default/web)"


def test_subset_of_an_unknown_host_is_left_to_the_analyzer_of_hosts() -> None:
    assert small.about_routes(missing_subsets.check, small.routing_to("nobody", "v1")) == []
