"""What a route does with a request, besides choosing destinations: redirect, fixed response, retries, mirroring."""

from __future__ import annotations

import base64
from typing import Final

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.model import http_actions, internal, load_balancers, matching, virtual_services
from bookmesh.mesh.translate import route_filters
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import route as wire

_DEFAULT_RETRY_ON: Final = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
_DEFAULT_RETRIES: Final = 2
ALL: Final = matching.Percent(value=100.0)
_HOST_ATTEMPTS: Final = 5
_PRIORITY_UPDATES: Final = 2
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def build_redirect(
    redirect: http_actions.HttpRedirect, *, port: int, is_tls: bool = False
) -> wire.RedirectAction:
    """
    Build a redirection; `port` is the one on which the request came in, `is_tls` whether by TLS.

    Source: VirtualService `http[].redirect`.
    """
    codes = {
        0: wire.RedirectAction.MOVED_PERMANENTLY,
        301: wire.RedirectAction.MOVED_PERMANENTLY,
        302: wire.RedirectAction.FOUND,
        303: wire.RedirectAction.SEE_OTHER,
        307: wire.RedirectAction.TEMPORARY_REDIRECT,
        308: wire.RedirectAction.PERMANENT_REDIRECT,
    }
    action = wire.RedirectAction(
        host_redirect=redirect.authority, response_code=codes[redirect.redirect_code]
    )
    if isinstance(redirect, internal.RegexRedirect) and redirect.uri_regex_rewrite is not None:
        action.regex_rewrite.CopyFrom(build_regex_rewrite(redirect.uri_regex_rewrite))
    elif redirect.prefix_rewrite:
        action.prefix_rewrite = redirect.prefix_rewrite
    elif redirect.uri:
        action.path_redirect = redirect.uri
    if redirect.scheme:
        action.scheme_redirect = redirect.scheme
    target = port if redirect.derive_port == "FROM_REQUEST_PORT" else redirect.port or 0
    if target != _DEFAULT_PORTS.get(redirect.scheme or ("https" if is_tls else "http")):
        action.port_redirect = target
    return action


def build_regex_rewrite(rewrite: http_actions.RegexRewrite) -> core.RegexMatchAndSubstitute:
    return core.RegexMatchAndSubstitute(
        pattern=core.RegexMatcher(regex=rewrite.match), substitution=rewrite.rewrite
    )


def build_direct_response(response: http_actions.HttpDirectResponse) -> wire.DirectResponseAction:
    """
    Build a fixed response.

    Source: VirtualService `http[].directResponse`.
    """
    action = wire.DirectResponseAction(status=response.status)
    body = response.body
    if body is not None and body.string is not None:
        action.body.inline_string = body.string
    elif body is not None and body.bytes is not None:
        action.body.inline_bytes = base64.b64decode(body.bytes)
    return action


def build_retry_policy(
    retries: http_actions.HttpRetry | None, *, is_consistent_hash: bool = False
) -> wire.RetryPolicy | None:
    """
    Build the retry policy of a route; None when retries are switched off.

    Without a word from the user there are two retries, on another host, for failures that reached no application.
    With consistent hashing the same host is tried again.

    Source: VirtualService `http[].retries`.
    """
    if retries is not None and retries.attempts <= 0:
        return None
    policy = wire.RetryPolicy(
        num_retries=messages.uint32(retries.attempts if retries is not None else _DEFAULT_RETRIES),
        retry_on=_DEFAULT_RETRY_ON,
        host_selection_retry_max_attempts=_HOST_ATTEMPTS,
    )
    avoids_hosts = retries.retry_ignore_previous_hosts if retries is not None else None
    if avoids_hosts is None:
        avoids_hosts = not is_consistent_hash
    if avoids_hosts:
        predicate = wire.RetryPolicy.RetryHostPredicate(
            name="envoy.retry_host_predicates.previous_hosts",
            typed_config=messages.pack(wire.PreviousHostsPredicate()),
        )
        policy.retry_host_predicate.append(predicate)
    if retries is not None:
        _apply_retry_settings(policy, retries)
    return policy


def _apply_retry_settings(policy: wire.RetryPolicy, retries: http_actions.HttpRetry) -> None:
    if retries.retry_on:
        conditions = [part.strip() for part in retries.retry_on.split(",") if part.strip()]
        codes = [int(condition) for condition in conditions if condition.isdigit()]
        names = [condition for condition in conditions if not condition.isdigit()]
        if codes and "retriable-status-codes" not in names:
            names.append("retriable-status-codes")
        policy.retry_on = ",".join(names)
        policy.retriable_status_codes.extend(codes)
    if retries.retry_remote_localities:
        policy.retry_priority.name = "envoy.retry_priorities.previous_priorities"
        others = wire.PreviousPrioritiesConfig(update_frequency=_PRIORITY_UPDATES)
        policy.retry_priority.typed_config.CopyFrom(messages.pack(others))
    if retries.per_try_timeout is not None:
        policy.per_try_timeout.CopyFrom(messages.duration(parse_duration_s(retries.per_try_timeout)))
    if retries.backoff is not None:
        interval = messages.duration(parse_duration_s(retries.backoff))
        policy.retry_back_off.base_interval.CopyFrom(interval)


def build_inbound_retry_policy() -> wire.RetryPolicy:
    """The application closed an idle connection in the very moment it was used: nothing was processed, so try again."""
    return wire.RetryPolicy(num_retries=messages.uint32(_DEFAULT_RETRIES), retry_on="reset-before-request")


def mirror_percent(route: virtual_services.HttpRoute) -> matching.Percent:
    """How many requests `mirror` copies; the newest spelling wins, and without any all are."""
    if route.mirror_percentage is not None:
        return route.mirror_percentage
    for spelling in (route.mirror_percent, route.mirror_percent_snake):
        if spelling is not None:
            return matching.Percent(value=float(spelling))
    return ALL


def build_mirror(cluster: str, percent: matching.Percent) -> wire.RouteAction.RequestMirrorPolicy:
    """Build what copies requests to a cluster; a copy has the `Host` of its request, without Envoy's `-shadow`."""
    return wire.RouteAction.RequestMirrorPolicy(
        cluster=cluster,
        runtime_fraction=core.RuntimeFractionalPercent(default_value=route_filters.build_percent(percent)),
        trace_sampled=messages.boolean(False),
        disable_shadow_host_suffix_append=True,
    )


def build_hash_policy(settings: load_balancers.ConsistentHash) -> wire.RouteAction.HashPolicy | None:
    """
    What a consistent hash is taken from; None when the rule names nothing.

    Source: DestinationRule `trafficPolicy.loadBalancer.consistentHash`.
    """
    policy = wire.RouteAction.HashPolicy()
    if settings.http_header_name is not None:
        policy.header.header_name = settings.http_header_name
    elif settings.http_cookie is not None:
        cookie = settings.http_cookie
        policy.cookie.name = cookie.name
        policy.cookie.path = cookie.path
        if cookie.ttl is not None:
            policy.cookie.ttl.CopyFrom(messages.duration(parse_duration_s(cookie.ttl)))
        for attribute in cookie.attributes:
            policy.cookie.attributes.add(name=attribute.name, value=attribute.value)
    elif settings.use_source_ip:
        policy.connection_properties.source_ip = True
    elif settings.http_query_parameter_name is not None:
        policy.query_parameter.name = settings.http_query_parameter_name
    else:
        return None
    return policy
