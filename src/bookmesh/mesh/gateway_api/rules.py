"""Rules of HTTPRoute and GRPCRoute as HTTP routes of a VirtualService, each with one condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.gateway_api import backends, conditions, http_filters
from bookmesh.mesh.gateway_api.conditions import Problem
from bookmesh.mesh.model import http_actions, internal, matching, virtual_services
from bookmesh.mesh.model.gateway_api import grpc_routes, http_routes

_RETRY_ON: Final = ("connect-failure", "refused-stream", "unavailable", "cancelled")
_DEFAULT_ATTEMPTS: Final = 2
_ERROR: Final = http_actions.HttpDirectResponse(status=500)
_PER_BACKEND: Final = ("RequestHeaderModifier", "ResponseHeaderModifier")


Rule = http_routes.HttpRouteRule | grpc_routes.GrpcRouteRule


@dataclass(frozen=True, slots=True)
class Converted:
    """Routes in the order of the rules, and what is wrong with references and filters; without routes none work."""

    routes: tuple[virtual_services.HttpRoute, ...]
    problem: Problem | None = None


def convert(
    rules: Sequence[http_routes.HttpRouteRule] | Sequence[grpc_routes.GrpcRouteRule],
    context: backends.Context,
) -> Converted:
    """Convert all rules of one route. A filter that is not supported, or no reference at all, makes the route void."""
    routes: list[virtual_services.HttpRoute] = []
    problems: list[Problem | None] = []
    each: Iterable[Rule] = rules
    for index, rule in enumerate(each):
        unsupported = _unsupported_filter(rule)
        if unsupported is not None:
            return Converted((), unsupported)
        action = _Action.of(rule, context)
        problems += action.problems
        fatal = conditions.fatal(problems)
        if fatal is not None:
            return Converted((), fatal)
        name = rule.name or f"{context.namespace}.{context.route.metadata.name}.{index}"
        routes += [_route(rule, name, match, action) for match in rule.matches or (None,)]
    return Converted(tuple(routes), conditions.joined(problems))


@dataclass(frozen=True, slots=True)
class _Action:
    """What a rule does with all requests that match, whatever their path was."""

    targets: tuple[virtual_services.HttpRouteDestination, ...]
    mirrors: tuple[http_actions.HttpMirrorPolicy, ...]
    problems: tuple[Problem | None, ...]

    @classmethod
    def of(cls, rule: Rule, context: backends.Context) -> _Action:
        used = [ref for ref in rule.backend_refs if ref.weight > 0]
        found = [backends.destination(ref, context) for ref in used]
        targets = tuple(
            virtual_services.HttpRouteDestination(
                destination=target, weight=ref.weight, headers=http_filters.headers(ref.filters)
            )
            for ref, (target, _) in zip(used, found, strict=True)
        )
        mirrors: list[http_actions.HttpMirrorPolicy] = []
        for each in rule.filters:
            if each.request_mirror is not None:
                target, problem = backends.destination(each.request_mirror.backend_ref, context)
                if problem is not None:
                    is_fatal = isinstance(rule, grpc_routes.GrpcRouteRule)  # and in Istio not for HTTP
                    problem = replace(problem, is_fatal=is_fatal)
                found.append((target, problem))
                if target != internal.NOWHERE:
                    percentage = http_filters.mirror_percentage(each.request_mirror)
                    mirrors.append(http_actions.HttpMirrorPolicy(destination=target, percentage=percentage))
        return cls(targets, tuple(mirrors), tuple(problem for _, problem in found))


def _route(
    rule: Rule,
    name: str,
    match: http_routes.HttpRouteMatch | grpc_routes.GrpcRouteMatch | None,
    action: _Action,
) -> virtual_services.HttpRoute:
    condition, prefix = _condition(match)
    redirect = rewrite = cors = timeout = retries = None
    if isinstance(rule, http_routes.HttpRouteRule):
        for each in rule.filters:
            if each.request_redirect is not None:
                redirect = http_filters.redirect(each.request_redirect, prefix)
            if each.url_rewrite is not None:
                rewrite = http_filters.rewrite(each.url_rewrite, prefix)
            if each.cors is not None:
                cors = http_filters.cors(each.cors)
        timeout, retries = _limits(rule)
    is_forwarded = redirect is None and any(t.destination != internal.NOWHERE for t in action.targets)
    return virtual_services.HttpRoute(
        name=name,
        match=(condition,) if condition is not None else (),
        headers=http_filters.headers(rule.filters),
        redirect=redirect,
        direct_response=_ERROR if redirect is None and not is_forwarded else None,
        route=action.targets if is_forwarded else (),
        rewrite=rewrite if is_forwarded else None,
        mirrors=action.mirrors if is_forwarded else (),
        timeout=timeout,
        retries=retries,
        cors_policy=cors,
    )


def _limits(rule: http_routes.HttpRouteRule) -> tuple[str | None, http_actions.HttpRetry | None]:
    """Timeout and retries; the limit of one try is that of the request when nothing is retried."""
    timeouts = rule.timeouts or http_routes.HttpRouteTimeouts()
    timeout, per_try = _positive(timeouts.request), _positive(timeouts.backend_request)
    if rule.retry is None:
        return per_try or timeout, None
    attempts = _DEFAULT_ATTEMPTS if rule.retry.attempts is None else rule.retry.attempts
    retries = http_actions.HttpRetry(
        attempts=attempts,
        per_try_timeout=per_try,
        retry_on=",".join((*_RETRY_ON, *map(str, rule.retry.codes))) if attempts else "",
        backoff=_positive(rule.retry.backoff),
    )
    return timeout, retries


def _positive(duration: str | None) -> str | None:
    return duration if duration is not None and parse_duration_s(duration) > 0 else None


def _unsupported_filter(rule: Rule) -> Problem | None:
    kinds: list[str] = [each.type for each in rule.filters if each.type == "ExtensionRef"]
    kinds += [each.type for ref in rule.backend_refs for each in ref.filters if each.type not in _PER_BACKEND]
    return Problem("InvalidFilter", f'unsupported filter type "{kinds[0]}"') if kinds else None


def _condition(
    match: http_routes.HttpRouteMatch | grpc_routes.GrpcRouteMatch | None,
) -> tuple[virtual_services.HttpMatchRequest | None, str]:
    """The condition, and the path prefix that it asks for, if it does."""
    if match is None:
        return None, ""
    headers = dict(reversed([(each.name.lower(), _text(each)) for each in match.headers]))
    if isinstance(match, grpc_routes.GrpcRouteMatch):
        return virtual_services.HttpMatchRequest(uri=_method(match.method), headers=headers), ""
    uri, prefix = _path(match.path)
    condition = virtual_services.HttpMatchRequest(
        uri=uri,
        headers=headers,
        query_params=dict(reversed([(each.name, _text(each)) for each in match.query_params])),
        method=matching.StringMatch(exact=match.method) if match.method is not None else None,
    )
    return condition, prefix


def _text(match: http_routes.HeaderMatch | http_routes.QueryParamMatch) -> matching.StringMatch:
    if match.type == "RegularExpression":
        return matching.StringMatch(regex=match.value)
    return matching.StringMatch(exact=match.value)


def _path(path: http_routes.PathMatch) -> tuple[matching.StringMatch, str]:
    match path.type:
        case "Exact":
            return matching.StringMatch(exact=path.value), ""
        case "RegularExpression":
            return matching.StringMatch(regex=path.value), ""
        case "PathPrefix":
            prefix = path.value.rstrip("/") or "/"
            return matching.StringMatch(prefix=prefix), prefix


def _method(method: grpc_routes.GrpcMethodMatch | None) -> matching.StringMatch | None:
    """The path of a call is /SERVICE/METHOD."""
    if method is None:
        return None
    if method.type == "Exact" and method.service is not None and method.method is not None:
        return matching.StringMatch(exact=f"/{method.service}/{method.method}")
    if method.type == "Exact" and method.service is not None:
        return matching.StringMatch(prefix=f"/{method.service}/")
    service = method.service if method.service is not None else "[^/]+"
    return matching.StringMatch(regex=f"/{service}/{method.method if method.method is not None else '.+'}")


def at_port(routes: Sequence[virtual_services.HttpRoute], port: int) -> Iterator[virtual_services.HttpRoute]:
    """The same routes for one port of a service only; for all of them when it is 0."""
    for route in routes:
        if not port:
            yield route
            continue
        matches = route.match or (virtual_services.HttpMatchRequest(),)
        narrowed = tuple(msgspec.structs.replace(match, port=port) for match in matches)
        yield msgspec.structs.replace(route, match=narrowed)
