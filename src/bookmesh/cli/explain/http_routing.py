"""From a connection manager to clusters: virtual host, filters that may answer, route and what it does. Pure."""

from __future__ import annotations

import re
from typing import Final

from bookmesh.cli.explain import describing, forwarding, matching, outcomes, sources
from bookmesh.cli.explain.outcomes import Answer, Outcome
from bookmesh.cli.explain.sources import Source
from bookmesh.cli.explain.trails import Trail
from bookmesh.cli.istioctl.dumps import JsonObject

FAULT: Final = "envoy.filters.http.fault"
CORS: Final = "envoy.filters.http.cors"
# Filters that only pass on, or act by what a route says.
_QUIET: Final = frozenset({"router", "fault", "cors", "set_filter_state", "grpc_stats", "stats", "alpn"})
_REDIRECTS: Final = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}


def through_routes(trail: Trail, manager: JsonObject) -> Outcome:
    """Follow the request from a connection manager on."""
    name = manager.get("rds", {}).get("route_config_name", "")
    config = manager.get("route_config") or next(
        (c for c in trail.proxy.dump.routes() if c.get("name") == name), None
    )
    if config is None:
        trail.add("virtual host", "none", f"the route configuration {name} has not arrived; 404")
        return outcomes.answered(404, f"route configuration {name} has not arrived")
    picked = matching.pick_virtual_host(config, trail.request)
    if picked is None:
        trail.add(
            "virtual host", "none", f"no domain in {config.get('name')} fits {trail.request.authority}; 404"
        )
        return outcomes.answered(404, "no virtual host")
    host, domain = picked
    where = f'domain "{domain}" in route configuration {config.get("name", "")}'
    found = sources.of_host(trail.world, trail.request, host, trail.place)
    trail.add("virtual host", host["name"], "; ".join([where, *describing.describe_headers(host)]), found)
    if host.get("require_tls") == "ALL" and not trail.request.is_tls:
        trail.add("answer", "status 301", "plain HTTP is redirected to https", found)
        return outcomes.answered(301, "plain HTTP is redirected to https")
    _name_filters(trail, manager)
    position = matching.pick_route(host, trail.request)
    if position is None:
        trail.add("route", "none", "no route takes the request; 404")
        return outcomes.answered(404, "no route")
    return _take(trail, host, position)


def _name_filters(trail: Trail, manager: JsonObject) -> None:
    """Filters before the router that may answer a request by themselves: what they decide is not followed."""
    names = [each.get("name", "") for each in manager.get("http_filters", [])]
    telling = [name for name in names if name.rpartition(".")[2] not in _QUIET]
    if telling:
        trail.add(
            "filters", ", ".join(telling), "may answer the request before it is routed; not followed here"
        )


def _take(trail: Trail, host: JsonObject, position: int) -> Outcome:
    route = host["routes"][position]
    rule = sources.of_route(trail.world, route, trail.place)
    label = route.get("name") or f"route {position + 1} of {len(host['routes'])}"
    trail.add("route", label, describing.describe_route(route), rule)
    preflight = _preflight(trail, route, rule)
    if preflight is not None:
        return preflight
    fault = route.get("typed_per_filter_config", {}).get(FAULT)
    if fault is None:
        return _act(trail, route, rule)
    return _with_faults(trail, route, rule, fault)


def _preflight(trail: Trail, route: JsonObject, rule: tuple[Source, ...]) -> Outcome | None:
    """The CORS filter answers preflights of origins it allows."""
    policy = route.get("typed_per_filter_config", {}).get(CORS)
    request = trail.request
    asks = request.method == "OPTIONS" and request.header("access-control-request-method")
    origin = request.header("origin")
    if policy is None or not asks or origin is None:
        return None
    allowed = policy.get("allow_origin_string_match", [])
    if not any(matching.is_text(each, origin) for each in allowed):
        return None
    why = f"a CORS preflight of an allowed origin, {origin}"
    trail.add("answer", "status 200", why, sources.inside(rule, "corsPolicy"))
    return outcomes.answered(200, why)


def _with_faults(trail: Trail, route: JsonObject, rule: tuple[Source, ...], fault: JsonObject) -> Outcome:
    delay, abort = fault.get("delay"), fault.get("abort")
    delay_s = 0.0
    if delay is not None:
        share = describing.percent_of(delay.get("percentage"))
        duration = delay.get("fixed_delay", "0s")
        delay_s = float(duration.removesuffix("s")) if share == 100 else 0.0
        trail.add(
            "fault", f"delay {duration}", f"{share:g} % of requests wait", sources.inside(rule, "fault.delay")
        )
    if abort is None:
        found = _act(trail, route, rule)
        return Outcome(found.kind, found.targets, found.answers, delay_s)
    share = describing.percent_of(abort.get("percentage"))
    status = int(abort.get("http_status", 200))
    name = f"status {status}" if "http_status" in abort else f"grpc-status {abort.get('grpc_status', 0)}"
    trail.add(
        "fault", f"abort {name}", f"{share:g} % of requests get it", sources.inside(rule, "fault.abort")
    )
    answer = Answer(status, share, "an injected fault")
    if share >= 100:
        return Outcome("answered", answers=(answer,), delay_s=delay_s)
    found = _act(trail, route, rule)
    return outcomes.after_abort(Outcome(found.kind, found.targets, found.answers, delay_s), answer)


def _act(trail: Trail, route: JsonObject, rule: tuple[Source, ...]) -> Outcome:
    """What the route does: an answer of its own, or clusters."""
    if "redirect" in route:
        status = _REDIRECTS[route["redirect"].get("response_code", "MOVED_PERMANENTLY")]
        why = describing.describe_redirect(route["redirect"])
        trail.add("answer", f"status {status}", why, sources.inside(rule, "redirect"))
        return outcomes.answered(status, why)
    if "direct_response" in route:
        status = int(route["direct_response"].get("status", 200))
        trail.add(
            "answer",
            f"status {status}",
            "answered by the proxy itself",
            sources.inside(rule, "directResponse"),
        )
        return outcomes.answered(status, "a direct response")
    action = route.get("route", {})
    rewritten = rewritten_path(route, trail.request.normalized_path)
    if rewritten != trail.request.normalized_path:
        trail.add("rewrite", rewritten, "the path that the endpoint sees", sources.inside(rule, "rewrite"))
    return forwarding.forward(trail, _shares(action), rule, is_http=True)


def _shares(action: JsonObject) -> list[forwarding.Share]:
    """Clusters with their part of the requests; those that get none are left out."""
    if "cluster" in action:
        return [forwarding.Share(action["cluster"], 100.0, "requests")]
    weighted = action.get("weighted_clusters", {}).get("clusters", [])
    total = sum(each.get("weight", 0) for each in weighted)
    return [
        forwarding.Share(
            each["name"],
            100.0 * each.get("weight", 0) / total,
            "requests",
            tuple(describing.describe_headers(each)),
        )
        for each in weighted
        if each.get("weight", 0)
    ]


def rewritten_path(route: JsonObject, path: str) -> str:
    """The path after the rewrite that a route asks for; the same when it asks for none."""
    action, match = route.get("route", {}), route.get("match", {})
    if action.get("prefix_rewrite"):
        if "path" in match or "safe_regex" in match:
            return str(action["prefix_rewrite"])
        matched = match.get("prefix") or match.get("path_separated_prefix") or ""
        return f"{action['prefix_rewrite']}{path[len(matched) :]}"
    rewrite = action.get("regex_rewrite")
    if rewrite is None:
        return path
    try:
        substitution = re.sub(r"\\(\d)", r"\\g<\1>", rewrite.get("substitution", ""))
        return re.sub(rewrite["pattern"]["regex"], substitution, path)
    except re.error:
        return path
