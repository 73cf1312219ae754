"""Filters of HTTPRoute and GRPCRoute in the words of a VirtualService."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from bookmesh.mesh.model import formats, http_actions, internal, matching
from bookmesh.mesh.model.gateway_api import filters

_ANY_ORIGIN: Final = r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+"


def header_operations(modifier: filters.HeaderModifier) -> matching.HeaderOperations:
    """Of several entries for one header the first counts; a value is text, unless it is one that Envoy fills in."""
    return matching.HeaderOperations(
        set=_by_name(modifier.set), add=_by_name(modifier.add), remove=modifier.remove
    )


def _by_name(headers: Iterable[filters.HttpHeader]) -> dict[str, str]:
    found: dict[str, str] = {}
    for header in headers:
        found.setdefault(header.name.lower(), formats.literal(header.value))
    return found


def headers(
    modifiers: Sequence[filters.HttpRouteFilter | filters.GrpcRouteFilter],
) -> matching.Headers | None:
    """The header modifiers among some filters; None without any."""
    request = next((each.request_header_modifier for each in modifiers if each.request_header_modifier), None)
    response = next(
        (each.response_header_modifier for each in modifiers if each.response_header_modifier), None
    )
    if request is None and response is None:
        return None
    return matching.Headers(
        request=header_operations(request) if request is not None else None,
        response=header_operations(response) if response is not None else None,
    )


def mirror_percentage(mirror: filters.RequestMirror) -> matching.Percent | None:
    """None means all."""
    if mirror.fraction is not None:
        share = 100 * mirror.fraction.numerator / mirror.fraction.denominator
        return matching.Percent(value=min(100.0, share))
    return matching.Percent(value=float(mirror.percent)) if mirror.percent is not None else None


def rewrite(spec: filters.UrlRewrite, prefix: str) -> http_actions.HttpRewrite | None:
    """
    A rewrite of the request line; None when nothing is rewritten.

    Args:
        prefix: the path prefix that matched, "" when the path did not match by prefix.
    """
    uri, regex = _new_path(spec.path, prefix)
    authority = spec.hostname or ""
    if not (uri or regex or authority):
        return None
    return http_actions.HttpRewrite(uri=uri, uri_regex_rewrite=regex, authority=authority)


def _new_path(path: filters.PathModifier | None, prefix: str) -> tuple[str, http_actions.RegexRewrite | None]:
    """A new prefix, or an expression for the whole path where the prefix alone would leave two slashes or none."""
    if path is None:
        return "", None
    if path.replace_full_path is not None:
        return "", http_actions.RegexRewrite(match="/.*", rewrite=_literal(path.replace_full_path))
    new = (path.replace_prefix_match or "").rstrip("/")
    if prefix.strip("/") and new:
        return new, None
    own = re.escape(prefix.rstrip("/"))
    return "", http_actions.RegexRewrite(match=f"^{own}/?(.*)$", rewrite=f"{_literal(new)}/\\1")


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\")


def redirect(spec: filters.RequestRedirect, prefix: str) -> http_actions.HttpRedirect:
    """A redirection. Without a port it leads to that of the scheme, or to the listener's."""
    path = spec.path
    full = path.replace_full_path if path is not None and path.replace_full_path is not None else ""
    uri, regex = _new_path(path, prefix) if path is not None and not full else ("", None)
    derived = None
    if spec.port is None:
        derived = "FROM_PROTOCOL_DEFAULT" if spec.scheme is not None else "FROM_REQUEST_PORT"
    return internal.RegexRedirect(
        uri=full,
        prefix_rewrite=uri,
        uri_regex_rewrite=regex,
        authority=spec.hostname or "",
        scheme=spec.scheme or "",
        port=spec.port,
        derive_port=derived,  # type: ignore[arg-type]
        redirect_code=spec.status_code,
    )


def cors(spec: filters.Cors) -> http_actions.CorsPolicy:
    return http_actions.CorsPolicy(
        allow_origins=tuple(_origin(text) for text in spec.allow_origins if text),
        allow_methods=spec.allow_methods,
        allow_headers=spec.allow_headers,
        expose_headers=spec.expose_headers,
        max_age=f"{spec.max_age}s",
        allow_credentials=True if spec.allow_credentials else None,
        unmatched_preflights="IGNORE",
    )


def _origin(text: str) -> matching.StringMatch:
    if text == "*":
        return matching.StringMatch(regex=_ANY_ORIGIN)
    if "*" not in text:
        return matching.StringMatch(exact=text)
    if text.index("*") == len(text) - 1:
        return matching.StringMatch(prefix=text[:-1])
    return matching.StringMatch(regex=".*".join(re.escape(part) for part in text.split("*")))
