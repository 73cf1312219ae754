"""An Envoy's configuration in a few words for people: matches, what routes do, how clusters are called. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bookmesh.cli.istioctl import summaries
from bookmesh.cli.istioctl.dumps import JsonObject

_TLS: Final = "envoy.transport_sockets.tls"
_POLICIES: Final = {
    "LEAST_REQUEST": "least requests",
    "ROUND_ROBIN": "round robin",
    "RANDOM": "random",
    "RING_HASH": "consistent hash (ring)",
    "MAGLEV": "consistent hash (maglev)",
}


def describe_match(match: JsonObject) -> str:
    """What a route asks of a request."""
    asked = [summaries.describe_match(match) or "any path"]
    asked += [_describe_header(each) for each in match.get("headers", [])]
    asked += [_describe_query(each) for each in match.get("query_parameters", [])]
    return ", ".join(asked)


def describe_route(route: JsonObject) -> str:
    """What a route asks for, and what it does besides routing."""
    return "; ".join([describe_match(route.get("match", {})), *_effects(route)])


def _effects(route: JsonObject) -> Iterator[str]:
    action = route.get("route", {})
    if action.get("timeout") not in (None, "0s"):
        yield f"timeout {action['timeout']}"
    if action.get("retry_policy"):
        yield describe_retries(action["retry_policy"])
    if action.get("prefix_rewrite"):
        yield f"prefix rewritten to {action['prefix_rewrite']}"
    if action.get("regex_rewrite"):
        rewrite = action["regex_rewrite"]
        yield f"path rewritten: {rewrite['pattern']['regex']} -> {rewrite.get('substitution', '')}"
    if action.get("host_rewrite_literal"):
        yield f"host rewritten to {action['host_rewrite_literal']}"
    yield from (describe_mirror(each) for each in action.get("request_mirror_policies", []))
    yield from describe_headers(route)
    for policy in action.get("hash_policy", []):
        yield f"hashed by {_describe_hash(policy)}"


def describe_retries(policy: JsonObject) -> str:
    """How often, and on which failures; Envoy tries once more when no number is given."""
    per_try = f", {policy['per_try_timeout']} each" if policy.get("per_try_timeout") else ""
    codes = "".join(f",{code}" for code in policy.get("retriable_status_codes", []))
    return f"up to {policy.get('num_retries', 1)} retries on {policy.get('retry_on', '')}{codes}{per_try}"


def describe_mirror(policy: JsonObject) -> str:
    share = percent_of(policy.get("runtime_fraction", {}).get("default_value"), missing=100.0)
    part = "" if share == 100 else f" ({share:g} %)"
    return f"mirrored to {policy.get('cluster', '')}{part}"


def describe_headers(message: JsonObject) -> Iterator[str]:
    """Changes of headers by a route, a virtual host or a weighted cluster."""
    for side in ("request", "response"):
        for each in message.get(f"{side}_headers_to_add", []):
            header, does_add = each["header"], each.get("append_action", "APPEND_IF_EXISTS_OR_ADD")
            verb = "added to" if does_add.startswith(("APPEND", "ADD")) else "set in"
            yield f"{header['key']}: {header.get('value', '')} {verb} the {side}"
        for name in message.get(f"{side}_headers_to_remove", []):
            yield f"{name} removed from the {side}"


def percent_of(fraction: JsonObject | None, *, missing: float = 0.0) -> float:
    """Envoy's FractionalPercent as percent; `missing` when there is none at all."""
    if fraction is None:
        return missing
    scale = {"HUNDRED": 1.0, "TEN_THOUSAND": 100.0, "MILLION": 10_000.0}
    return float(fraction.get("numerator", 0)) / scale[fraction.get("denominator", "HUNDRED")]


def describe_redirect(redirect: JsonObject) -> str:
    parts = {
        "scheme": redirect.get("scheme_redirect") or ("https" if redirect.get("https_redirect") else ""),
        "host": redirect.get("host_redirect"),
        "port": redirect.get("port_redirect"),
        "path": redirect.get("path_redirect"),
        "prefix": redirect.get("prefix_rewrite"),
    }
    return "redirected: " + ", ".join(f"{name} {value}" for name, value in parts.items() if value)


def describe_cluster(cluster: JsonObject) -> str:
    """How a cluster is called: where its endpoints come from, load balancing, TLS, limits."""
    kind = cluster.get("type") or cluster.get("cluster_type", {}).get("name") or "STATIC"
    parts = [kind]
    if kind != "ORIGINAL_DST":
        policy = cluster.get("lb_policy", "ROUND_ROBIN")
        parts.append(_POLICIES.get(policy, policy.lower()))
    tls = _client_tls(cluster.get("transport_socket"))
    if cluster.get("transport_socket_matches"):
        parts.append("mutual TLS with endpoints that have a sidecar")
    elif tls:
        parts.append(tls)
    if cluster.get("outlier_detection"):
        parts.append("outlier detection")
    return ", ".join(parts)


def describe_server_tls(chain: JsonObject) -> str:
    """What a filter chain does with TLS; "" when it does nothing."""
    config = _tls_config(chain.get("transport_socket"))
    if config is None:
        return ""
    is_mutual = config.get("require_client_certificate", False)
    return "ends mutual TLS: the client needs a certificate" if is_mutual else "ends TLS"


def _client_tls(socket: JsonObject | None) -> str:
    config = _tls_config(socket)
    if config is None:
        return ""
    context = config.get("common_tls_context", {})
    is_mutual = bool(context.get("tls_certificates") or context.get("tls_certificate_sds_secret_configs"))
    name = f" as {config['sni']}" if config.get("sni") else ""
    return f"originates {'mutual ' if is_mutual else ''}TLS{name}"


def _tls_config(socket: JsonObject | None) -> JsonObject | None:
    if socket is None or socket.get("name") != _TLS:
        return None
    config: JsonObject = socket.get("typed_config", {})
    return config


def _describe_header(matcher: JsonObject) -> str:
    kind, value = _describe_text(matcher.get("string_match", {}))
    if "range_match" in matcher:
        bounds = matcher["range_match"]
        kind, value = "between", f"{bounds.get('start', 0)} and {bounds.get('end', 0)}"
    sign = "not " if matcher.get("invert_match") else ""
    if not kind and matcher.get("present_match") is False:
        return f"{sign}{matcher['name']} absent"
    return f"{sign}{matcher['name']} {kind} {value}".strip() if kind else f"{sign}{matcher['name']} present"


def _describe_query(matcher: JsonObject) -> str:
    kind, value = _describe_text(matcher.get("string_match", {}))
    return f"?{matcher['name']} {kind} {value}" if kind else f"?{matcher['name']} present"


def _describe_text(matcher: Mapping[str, Any]) -> tuple[str, str]:
    """The kind of a string matcher and what it looks for; ("", "") for none."""
    if "safe_regex" in matcher:
        return "regex", matcher["safe_regex"].get("regex", "")
    kind = next((name for name in ("exact", "prefix", "suffix", "contains") if name in matcher), "")
    return kind, str(matcher.get(kind, ""))


def _describe_hash(policy: JsonObject) -> str:
    if "header" in policy:
        return f"header {policy['header'].get('header_name', '')}"
    if "cookie" in policy:
        return f"cookie {policy['cookie'].get('name', '')}"
    if "query_parameter" in policy:
        return f"query parameter {policy['query_parameter'].get('name', '')}"
    return "source address"
