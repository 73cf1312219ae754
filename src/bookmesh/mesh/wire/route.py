"""Routes and what hangs on them."""

from __future__ import annotations

from envoy.config.route.v3.route_components_pb2 import (
    Decorator,
    DirectResponseAction,
    HeaderMatcher,
    QueryParameterMatcher,
    RedirectAction,
    RetryPolicy,
    Route,
    RouteAction,
    RouteMatch,
    VirtualHost,
    WeightedCluster,
)
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.common.fault.v3.fault_pb2 import FaultDelay
from envoy.extensions.filters.http.cors.v3.cors_pb2 import CorsPolicy
from envoy.extensions.filters.http.fault.v3.fault_pb2 import FaultAbort, HTTPFault
from envoy.extensions.retry.host.previous_hosts.v3.previous_hosts_pb2 import PreviousHostsPredicate
from envoy.extensions.retry.priority.previous_priorities.v3.previous_priorities_config_pb2 import (
    PreviousPrioritiesConfig,
)

__all__ = [
    "CorsPolicy",
    "Decorator",
    "DirectResponseAction",
    "FaultAbort",
    "FaultDelay",
    "HTTPFault",
    "HeaderMatcher",
    "PreviousHostsPredicate",
    "PreviousPrioritiesConfig",
    "QueryParameterMatcher",
    "RedirectAction",
    "RetryPolicy",
    "Route",
    "RouteAction",
    "RouteConfiguration",
    "RouteMatch",
    "VirtualHost",
    "WeightedCluster",
]
