"""BM0204: VirtualServices that name gateways that do not exist."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import missing_gateways

GATEWAY = small.istio("Gateway", "main", selector={"istio": "x"})


def test_known_gateways_and_the_mesh_are_fine() -> None:
    rule = small.routing_to("web", gateways=["main", "default/main", "mesh"])
    assert small.about_routes(missing_gateways.check, GATEWAY, rule) == []


def test_gateway_of_another_namespace_needs_its_namespace() -> None:
    elsewhere = small.istio("Gateway", "main", "edge", selector={"istio": "x"})
    (finding,) = small.about_routes(
        missing_gateways.check, elsewhere, small.routing_to("web", gateways=["main"])
    )
    assert (finding.code, finding.where) == ("BM0204", "spec.gateways[0]")
    assert finding.known == "edge/main"


def test_gateway_in_a_condition_counts() -> None:
    route = {"match": [{"gateways": ["mian"]}], "route": [{"destination": {"host": "web"}}]}
    (finding,) = small.about_routes(missing_gateways.check, GATEWAY, small.routing_to("web", http=[route]))
    assert finding.where == "spec.http[0].match[0].gateways[0]"
    assert 'did you mean "default/main"?' in finding.hint
