"""Which listener, filter chain, virtual host and route Envoy picks for a request: its rules, on its own dumps. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bookmesh.cli.istioctl import listeners
from bookmesh.cli.istioctl.dumps import JsonObject

ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - a name of Envoy's, nothing is bound
_HTTP_PROTOCOL: Final = "http/1.1"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower-case. `address` is what the host's name resolves to, "" when unknown."""

    method: str
    scheme: str
    host: str
    port: int
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ""

    @property
    def authority(self) -> str:
        return self.headers.get("host", self.host)

    def header(self, name: str) -> str | None:
        """A header, or what Envoy calls one: `:method`, `:path`, `:authority`, `:scheme`."""
        pseudo = {
            ":method": self.method,
            ":path": self.path,
            ":authority": self.authority,
            ":scheme": self.scheme,
        }
        return pseudo.get(name, self.headers.get(name))


def pick_listener(found: Iterable[JsonObject], request: Request) -> JsonObject | None:
    """The listener of the very address and port, else that of the port; None when there is neither."""
    by_place = {(listeners.address_of(one), listeners.port_of(one)): one for one in found}
    own: JsonObject | None = by_place.get((request.address, request.port))
    return own or by_place.get((ANY_ADDRESS, request.port))


def pick_chain(listener: JsonObject, request: Request) -> JsonObject | None:
    """The filter chain whose match is the most specific, else the default one; None when there is none."""
    chains = [chain for chain in listener.get("filter_chains", []) if _takes(chain, request)]
    if chains:
        best: JsonObject = max(chains, key=_specificity)
        return best
    default: JsonObject | None = listener.get("default_filter_chain")
    return default


def _takes(chain: JsonObject, request: Request) -> bool:
    match = chain.get("filter_chain_match") or {}
    if match.get("destination_port", request.port) != request.port:
        return False
    names = match.get("server_names")
    if names and not (request.scheme == "https" and any(_is_domain(name, request.host) for name in names)):
        return False
    transport = "tls" if request.scheme == "https" else "raw_buffer"
    if match.get("transport_protocol", transport) != transport:
        return False
    protocols = match.get("application_protocols")
    if protocols and _HTTP_PROTOCOL not in protocols:
        return False
    ranges = match.get("prefix_ranges")
    return not ranges or any(_is_inside(request.address, each) for each in ranges)


def _specificity(chain: JsonObject) -> tuple[bool, int, int, bool, bool]:
    match = chain.get("filter_chain_match") or {}
    return (
        "destination_port" in match,
        max((each.get("prefix_len", 0) for each in match.get("prefix_ranges", [])), default=-1),
        max((len(name) for name in match.get("server_names", [])), default=-1),
        "transport_protocol" in match,
        "application_protocols" in match,
    )


def _is_inside(address: str, prefix: JsonObject) -> bool:
    try:
        network = ipaddress.ip_network(
            f"{prefix['address_prefix']}/{prefix.get('prefix_len', 0)}", strict=False
        )
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False


def _is_domain(pattern: str, host: str) -> bool:
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def pick_virtual_host(config: JsonObject, request: Request) -> tuple[JsonObject, str] | None:
    """The virtual host and the domain that fits best: exact, longest suffix, longest prefix, then any."""
    host = request.authority.lower()
    forms = {host, host.rpartition(":")[0]} if ":" in host else {host, f"{host}:{request.port}"}
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
        _is_path(match, request.path)
        and all(_is_header(each, request.header(each["name"])) for each in match.get("headers", []))
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
    if "present_match" in matcher:
        is_taken = (value is not None) == matcher["present_match"]
    elif value is None:
        return bool(matcher.get("invert_match")) and "string_match" not in matcher
    elif "string_match" in matcher:
        is_taken = is_text(matcher["string_match"], value)
    elif "range_match" in matcher:
        bounds = matcher["range_match"]
        number = int(value) if re.fullmatch(r"-?\d+", value) else None
        is_taken = number is not None and int(bounds.get("start", 0)) <= number < int(bounds.get("end", 0))
    else:
        is_taken = True
    return bool(is_taken) != bool(matcher.get("invert_match"))


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
    """RE2's syntax is nearly a part of Python's; a pattern Python cannot read takes nothing."""
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False
