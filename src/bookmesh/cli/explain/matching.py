"""Which listener, filter chain, virtual host and route Envoy picks for a request: its rules, on its own dumps. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bookmesh.cli.explain.requests import Request
from bookmesh.cli.istioctl import listeners
from bookmesh.cli.istioctl.dumps import JsonObject
from bookmesh.mesh.model import expressions

ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - a name of Envoy's, nothing is bound
_HTTP_PROTOCOLS: Final = ("http/1.1", "http/1.0")
_NO_MATCH: Final = -1


@dataclass(frozen=True, slots=True)
class Seen:
    """What a listener's inspectors find out about a connection before a filter chain is picked."""

    transport: str = "raw_buffer"
    server_name: str = ""
    protocols: tuple[str, ...] = ()


def pick_listener(found: Iterable[JsonObject], request: Request) -> JsonObject | None:
    """The listener of the very address and port, else that of the port; None when there is neither."""
    by_place = {(listeners.address_of(one), listeners.port_of(one)): one for one in found}
    own: JsonObject | None = by_place.get((request.address, request.port))
    return own or by_place.get((ANY_ADDRESS, request.port))


def inspect(listener: JsonObject, request: Request) -> Seen:
    """What this listener would see of the request's connection; without an inspector everything is plain bytes."""
    inspectors = {each.get("name", "").rpartition(".")[2] for each in listener.get("listener_filters", [])}
    if request.is_tls:
        if "tls_inspector" not in inspectors:
            return Seen()
        offered = ("h2", "http/1.1") if request.is_http else ()
        return Seen("tls", request.server_name, offered)
    is_http_seen = request.is_http and "http_inspector" in inspectors
    return Seen(protocols=_HTTP_PROTOCOLS[:1] if is_http_seen else ())


def pick_chain(listener: JsonObject, request: Request) -> JsonObject | None:
    """
    The filter chain for a request, else the default one; None when there is none.

    Envoy narrows down condition by condition: port, address, server name, transport, application protocols. At each one
    the most specific condition that holds wins, and what loses there is not looked at again.
    """
    seen = inspect(listener, request)
    chains: list[JsonObject] = list(listener.get("filter_chains", []))
    rank: Callable[[JsonObject], int]
    for rank in (
        lambda match: _rank_port(match, request.port),
        lambda match: _rank_address(match, request.address),
        lambda match: _rank_server_name(match, seen.server_name),
        lambda match: _rank_equal(match.get("transport_protocol"), (seen.transport,)),
        lambda match: _rank_protocols(match.get("application_protocols"), seen.protocols),
    ):
        chains = _best(chains, rank)
    if chains:
        return chains[0]
    default: JsonObject | None = listener.get("default_filter_chain")
    return default


def _best(chains: Sequence[JsonObject], rank: Callable[[JsonObject], int]) -> list[JsonObject]:
    ranked = [(rank(chain.get("filter_chain_match") or {}), chain) for chain in chains]
    highest = max((number for number, _ in ranked), default=_NO_MATCH)
    return [chain for number, chain in ranked if number == highest] if highest > _NO_MATCH else []


def _rank_port(match: JsonObject, port: int) -> int:
    if "destination_port" not in match:
        return 0
    return 1 if match["destination_port"] == port else _NO_MATCH


def _rank_address(match: JsonObject, address: str) -> int:
    ranges = match.get("prefix_ranges")
    if not ranges:
        return 0
    lengths = [1 + each.get("prefix_len", 0) for each in ranges if _is_inside(address, each)]
    return max(lengths, default=_NO_MATCH)


def _rank_server_name(match: JsonObject, name: str) -> int:
    """An exact name wins over a wildcard, a longer wildcard over a shorter one."""
    names = match.get("server_names")
    if not names:
        return 0
    if not name:
        return _NO_MATCH
    exact = max((10_000 for each in names if each == name), default=_NO_MATCH)
    suffixes = (len(each) for each in names if each.startswith("*.") and name.endswith(each[1:]))
    return max(exact, max(suffixes, default=_NO_MATCH))


def _rank_equal(wanted: str | None, seen: Sequence[str]) -> int:
    if not wanted:
        return 0
    return 1 if wanted in seen else _NO_MATCH


def _rank_protocols(wanted: Sequence[str] | None, seen: Sequence[str]) -> int:
    if not wanted:
        return 0
    return 1 if any(each in seen for each in wanted) else _NO_MATCH


def _is_inside(address: str, prefix: JsonObject) -> bool:
    try:
        network = ipaddress.ip_network(
            f"{prefix['address_prefix']}/{prefix.get('prefix_len', 0)}", strict=False
        )
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False


def pick_virtual_host(config: JsonObject, request: Request) -> tuple[JsonObject, str] | None:
    """The virtual host and the domain that fits best: exact, longest suffix, longest prefix, then any."""
    host = request.authority.lower()
    bare, has_port, _ = host.rpartition(":")
    if config.get("ignore_port_in_host_matching"):
        forms = {bare if has_port else host}
    else:
        forms = {host} if has_port or request.port in (80, 443) else {host, f"{host}:{request.port}"}
    fitting = []
    for candidate in config.get("virtual_hosts", []):
        for domain in candidate["domains"]:
            rank = max((_domain_rank(domain.lower(), form) for form in forms if form), default=(0, 0))
            if rank[0]:
                fitting.append((rank, candidate, domain))
    if not fitting:
        return None
    _, chosen, domain = max(fitting, key=lambda each: each[0])
    return chosen, domain


def _domain_rank(domain: str, host: str) -> tuple[int, int]:
    """(4 exact, 3 suffix, 2 prefix, 1 any, 0 no match; length)."""
    if domain == host:
        return 4, len(domain)
    if domain == "*":
        return 1, 0
    if domain.startswith("*") and host.endswith(domain[1:]) and len(host) > len(domain) - 1:
        return 3, len(domain)
    if domain.endswith("*") and host.startswith(domain[:-1]) and len(host) > len(domain) - 1:
        return 2, len(domain)
    return 0, 0


def pick_route(host: JsonObject, request: Request) -> int | None:
    """The position of the first route that takes the request."""
    for position, route in enumerate(host.get("routes", [])):
        if is_match(route.get("match", {}), request):
            return position
    return None


def is_match(match: JsonObject, request: Request) -> bool:
    """Whether a route's match takes the request; a share of requests (runtime fraction) is taken as all of them."""
    return (
        _is_path(match, request.normalized_path)
        and all(_is_header(each, request.header(each["name"].lower())) for each in match.get("headers", []))
        and all(_is_query(each, request.query) for each in match.get("query_parameters", []))
    )


def _is_path(match: JsonObject, path: str) -> bool:
    is_exact_case = match.get("case_sensitive", True)

    def fold(text: str) -> str:
        return text if is_exact_case else text.lower()

    if "path" in match:
        return fold(path) == fold(match["path"])
    if "safe_regex" in match:
        return _is_regex(match["safe_regex"]["regex"], path)
    if "path_separated_prefix" in match:
        prefix = fold(match["path_separated_prefix"])
        return fold(path) == prefix or fold(path).startswith(prefix + "/")
    return fold(path).startswith(fold(match.get("prefix", "")))


def _is_header(matcher: JsonObject, value: str | None) -> bool:
    if value is None and matcher.get("treat_missing_header_as_empty"):
        value = ""
    if "string_match" in matcher or "range_match" in matcher:
        if value is None:
            return False
        is_taken = (
            is_text(matcher["string_match"], value)
            if "string_match" in matcher
            else _is_in_range(matcher["range_match"], value)
        )
    else:
        is_taken = (value is not None) == matcher.get("present_match", True)
    return bool(is_taken) != bool(matcher.get("invert_match"))


def _is_in_range(bounds: JsonObject, value: str) -> bool:
    number = int(value) if re.fullmatch(r"-?\d+", value) else None
    return number is not None and int(bounds.get("start", 0)) <= number < int(bounds.get("end", 0))


def _is_query(matcher: JsonObject, query: Mapping[str, str]) -> bool:
    value = query.get(matcher["name"])
    if "string_match" in matcher:
        return value is not None and is_text(matcher["string_match"], value)
    return (value is not None) == bool(matcher.get("present_match", True))


def is_text(matcher: JsonObject, value: str) -> bool:
    """Envoy's string matcher."""
    if "safe_regex" in matcher:
        return _is_regex(matcher["safe_regex"]["regex"], value)
    ignores_case = bool(matcher.get("ignore_case"))
    text = value.lower() if ignores_case else value
    for kind, test in (
        ("exact", text.__eq__),
        ("prefix", text.startswith),
        ("suffix", text.endswith),
        ("contains", text.__contains__),
    ):
        if kind in matcher:
            return bool(test(matcher[kind].lower() if ignores_case else matcher[kind]))
    return False


def _is_regex(pattern: str, text: str) -> bool:
    """Envoy has taken the pattern, so it is one."""
    return expressions.matches(pattern, text)
