from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bookmesh.mesh.gateway_api import precedence
from bookmesh.mesh.model import http_actions, matching, virtual_services

PATHS = st.lists(st.sampled_from(["a", "b", "long"]), max_size=3).map(lambda parts: "/" + "/".join(parts))
URIS = st.one_of(
    PATHS.map(lambda path: matching.StringMatch(exact=path)),
    PATHS.map(lambda path: matching.StringMatch(prefix=path)),
)
PRESENT = matching.StringMatch(exact="x")
MATCHES = st.builds(
    virtual_services.HttpMatchRequest,
    uri=URIS,
    method=st.one_of(st.none(), st.just(matching.StringMatch(exact="GET"))),
    headers=st.sets(st.sampled_from(["h1", "h2", "h3"])).map(lambda names: dict.fromkeys(names, PRESENT)),
    query_params=st.sets(st.sampled_from(["q1", "q2"])).map(lambda names: dict.fromkeys(names, PRESENT)),
)


def route(match: virtual_services.HttpMatchRequest | None, name: str = "") -> virtual_services.HttpRoute:
    return virtual_services.HttpRoute(
        name=name,
        match=(match,) if match is not None else (),
        direct_response=http_actions.HttpDirectResponse(status=200),
    )


def is_narrower(one: virtual_services.HttpMatchRequest, other: virtual_services.HttpMatchRequest) -> bool:
    """Whether every request that meets `one` meets `other`, and not the other way round."""
    if one.uri is None or other.uri is None or one == other:
        return False
    path = one.uri.exact or one.uri.prefix or ""
    if other.uri.exact is not None:
        has_path = one.uri == other.uri
    else:
        prefix = (other.uri.prefix or "").rstrip("/")
        has_path = path == prefix or path.startswith(f"{prefix}/") or not prefix
    return (
        has_path
        and (other.method is None or other.method == one.method)
        and other.headers.items() <= one.headers.items()
        and other.query_params.items() <= one.query_params.items()
    )


@given(st.lists(MATCHES, max_size=8))
def test_what_is_narrower_comes_first(matches: list[virtual_services.HttpMatchRequest]) -> None:
    """Otherwise a rule would never have its turn."""
    ordered = [each.match[0] for each in precedence.in_order(map(route, matches))]
    for index, later in enumerate(ordered):
        assert not any(is_narrower(later, earlier) for earlier in ordered[:index])


@given(st.lists(st.one_of(st.none(), MATCHES), max_size=8))
def test_nothing_is_lost_and_equals_keep_their_order(
    matches: list[virtual_services.HttpMatchRequest | None],
) -> None:
    routes = [route(match, str(index)) for index, match in enumerate(matches)]
    ordered = precedence.in_order(routes)
    assert sorted(each.name for each in ordered) == sorted(each.name for each in routes)
    for one, other in itertools.pairwise(ordered):
        if one.match == other.match:
            assert int(one.name) < int(other.name)


def test_the_order_of_the_specification() -> None:
    wanted = [
        virtual_services.HttpMatchRequest(uri=matching.StringMatch(exact="/a")),
        virtual_services.HttpMatchRequest(uri=matching.StringMatch(prefix="/longer")),
        virtual_services.HttpMatchRequest(uri=matching.StringMatch(prefix="/a"), method=PRESENT),
        virtual_services.HttpMatchRequest(
            uri=matching.StringMatch(prefix="/a"), headers={"a": PRESENT, "b": PRESENT}
        ),
        virtual_services.HttpMatchRequest(uri=matching.StringMatch(prefix="/a"), headers={"a": PRESENT}),
        virtual_services.HttpMatchRequest(uri=matching.StringMatch(prefix="/a"), query_params={"q": PRESENT}),
        virtual_services.HttpMatchRequest(uri=matching.StringMatch(prefix="/a")),
        virtual_services.HttpMatchRequest(uri=matching.StringMatch(regex="/.*")),
    ]
    found = precedence.in_order([route(None), *map(route, reversed(wanted))])
    assert [each.match[0] for each in found[:-1]] == wanted
    assert found[-1].match == ()
