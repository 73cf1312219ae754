"""Conditions on requests: VirtualService `http[].match[]` -> Envoy `RouteMatch`."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import matching, virtual_services
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import route as wire


def build_route_match(
    match: virtual_services.HttpMatchRequest | None, *, has_path_elements: bool = False
) -> wire.RouteMatch:
    """
    Build the condition of one route; None matches every request.

    Args:
        has_path_elements: prefix `/a` matches `/a` and `/a/b`, but not `/ab`.
    """
    if match is None:
        return wire.RouteMatch(prefix="/")
    headers = [build_header_matcher(name, value) for name, value in match.headers.items()]
    headers += [_inverted(name, value) for name, value in match.without_headers.items()]
    headers.sort(key=lambda header: str(header.name))
    for name, condition in (
        (":method", match.method),
        (":authority", match.authority),
        (":scheme", match.scheme),
    ):
        if condition is not None:
            headers.append(build_header_matcher(name, condition))
    return wire.RouteMatch(
        **_path(match.uri, has_path_elements=has_path_elements),
        case_sensitive=messages.boolean(not match.ignore_uri_case),
        headers=headers,
        query_parameters=[
            _query_parameter(name, value) for name, value in sorted(match.query_params.items())
        ],
    )


def matches_everything(match: virtual_services.HttpMatchRequest | None) -> bool:
    """Whether no request can get past this condition, whoever sends it."""
    if match is None:
        return True
    on_maps = match.headers or match.without_headers or match.query_params
    on_line = match.method or match.authority or match.scheme
    uri = match.uri
    return not (on_maps or on_line) and (
        uri is None or uri == matching.StringMatch() or uri.prefix == "/" or uri.regex in ("*", ".*")
    )


def build_string_matcher(match: matching.StringMatch) -> core.StringMatcher:
    if match.exact is not None:
        return core.StringMatcher(exact=match.exact)
    if match.prefix is not None:
        return core.StringMatcher(prefix=match.prefix)
    regex = ".*" if match.regex in (None, "", "*") else match.regex
    return core.StringMatcher(safe_regex=core.RegexMatcher(regex=regex))


def build_header_matcher(name: str, match: matching.StringMatch) -> wire.HeaderMatcher:
    if _asks_for_presence(match):
        return wire.HeaderMatcher(name=name, present_match=True)
    return wire.HeaderMatcher(name=name, string_match=build_string_matcher(match))


def _inverted(name: str, match: matching.StringMatch) -> wire.HeaderMatcher:
    """A missing header counts as an empty one, so that "must not be x" holds for it."""
    matcher = build_header_matcher(name, match)
    matcher.invert_match = True
    matcher.treat_missing_header_as_empty = not _asks_for_presence(match)
    return matcher


def _query_parameter(name: str, match: matching.StringMatch) -> wire.QueryParameterMatcher:
    if _asks_for_presence(match):
        return wire.QueryParameterMatcher(name=name, present_match=True)
    return wire.QueryParameterMatcher(name=name, string_match=build_string_matcher(match))


def _asks_for_presence(match: matching.StringMatch) -> bool:
    """`regex: "*"` is no regular expression; Istio takes it for "any value"."""
    return (match.exact is None and match.prefix is None and match.regex is None) or match.regex == "*"


def _path(uri: matching.StringMatch | None, *, has_path_elements: bool) -> dict[str, Any]:
    if uri is not None and uri.exact is not None:
        return {"path": uri.exact}
    if uri is not None and uri.prefix is not None:
        element = uri.prefix.rstrip("/")
        if has_path_elements and element:
            return {"path_separated_prefix": element}
        return {"prefix": uri.prefix}
    if uri is not None and uri.regex is not None:
        return {"safe_regex": core.RegexMatcher(regex=".*" if uri.regex == "*" else uri.regex)}
    return {"prefix": "/"}
