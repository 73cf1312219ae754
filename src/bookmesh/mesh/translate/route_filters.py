"""Per-route settings of HTTP filters: injected faults and CORS."""

from __future__ import annotations

from typing import Final

from bookmesh.base.durations import parse_duration_s
from bookmesh.mesh.model import faults, http_actions, matching
from bookmesh.mesh.translate import matches
from bookmesh.mesh.wire import core, messages
from bookmesh.mesh.wire import route as wire

FAULT_FILTER: Final = "envoy.filters.http.fault"
CORS_FILTER: Final = "envoy.filters.http.cors"

_MILLION: Final = 1_000_000


def build_percent(percent: matching.Percent) -> core.FractionalPercent:
    """Percent with a resolution of a ten thousandth."""
    return core.FractionalPercent(
        numerator=round(percent.value * _MILLION / 100), denominator=core.FractionalPercent.MILLION
    )


def build_fault(fault: faults.HttpFaultInjection) -> wire.HTTPFault | None:
    """
    Build the faults of one route; None when there is nothing to inject.

    Source: VirtualService `http[].fault`. As in Istio a delay without any percentage is never injected.
    """
    built = wire.HTTPFault()
    delay, abort = fault.delay, fault.abort
    if delay is not None and delay.fixed_delay is not None:
        percent = delay.percentage or matching.Percent(value=delay.percent)
        built.delay.fixed_delay.CopyFrom(messages.duration(parse_duration_s(delay.fixed_delay)))
        built.delay.percentage.CopyFrom(build_percent(percent))
    if abort is not None and abort.http_status is not None:
        built.abort.http_status = abort.http_status
    elif abort is not None and abort.grpc_status is not None:
        built.abort.grpc_status = faults.grpc_status_number(abort.grpc_status)
    if built.HasField("abort") and abort is not None and abort.percentage is not None:
        built.abort.percentage.CopyFrom(build_percent(abort.percentage))
    return built if built.HasField("delay") or built.HasField("abort") else None


def build_cors(policy: http_actions.CorsPolicy) -> wire.CorsPolicy:
    """
    Build the CORS settings of one route.

    Source: VirtualService `http[].corsPolicy`.
    """
    origins = policy.allow_origins or tuple(matching.StringMatch(exact=o) for o in policy.allow_origin)
    built = wire.CorsPolicy(
        allow_origin_string_match=[matches.build_string_matcher(origin) for origin in origins],
        allow_methods=",".join(policy.allow_methods),
        allow_headers=",".join(policy.allow_headers),
        expose_headers=",".join(policy.expose_headers),
        forward_not_matching_preflights=messages.boolean(policy.unmatched_preflights != "IGNORE"),
        filter_enabled=core.RuntimeFractionalPercent(default_value=core.FractionalPercent(numerator=100)),
    )
    if policy.max_age is not None:
        built.max_age = str(round(parse_duration_s(policy.max_age)))
    if policy.allow_credentials is not None:
        built.allow_credentials.value = policy.allow_credentials
    return built
