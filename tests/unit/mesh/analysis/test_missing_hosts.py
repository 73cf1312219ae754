"""BM0202: routes to hosts that no service has."""

from __future__ import annotations

from tests.unit.mesh.analysis import small_worlds as small

from bookmesh.mesh.analysis import missing_hosts


def test_known_host_is_fine_by_short_and_full_name() -> None:
    for name in ("web", "web.default.svc.cluster.local"):
        assert small.about_routes(missing_hosts.check, small.service("web"), small.routing_to(name)) == []


def test_short_name_is_looked_up_in_the_namespace_of_the_rule() -> None:
    (finding,) = small.about_routes(
        missing_hosts.check, small.service("web", "other"), small.routing_to("web")
    )
    assert finding.code == "BM0202"
    assert "which means web.default.svc.cluster.local" in finding.message


def test_typing_error_is_guessed_and_its_place_named() -> None:
    (finding,) = small.about_routes(missing_hosts.check, small.service("reviews"), small.routing_to("review"))
    assert finding.where == "spec.http[0].route[0].destination.host"
    assert finding.known == "reviews"
    assert finding.hint.startswith('did you mean "reviews"?')
