"""Types that all resources share: addresses, metadata, headers, matchers, options of HTTP connections."""

from __future__ import annotations

from envoy.config.core.v3.address_pb2 import Address, BindConfig, CidrRange, Pipe, SocketAddress
from envoy.config.core.v3.base_pb2 import (
    DataSource,
    HeaderValue,
    HeaderValueOption,
    Locality,
    Metadata,
    RuntimeFractionalPercent,
    TrafficDirection,
    TransportSocket,
)
from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.health_check_pb2 import HealthStatus
from envoy.config.core.v3.protocol_pb2 import HttpProtocolOptions
from envoy.config.core.v3.socket_option_pb2 import SocketOption
from envoy.config.core.v3.substitution_format_string_pb2 import SubstitutionFormatString
from envoy.type.matcher.v3.regex_pb2 import RegexMatchAndSubstitute, RegexMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from envoy.type.v3.percent_pb2 import FractionalPercent, Percent
from envoy.type.v3.range_pb2 import Int32Range

__all__ = [
    "Address",
    "AggregatedConfigSource",
    "ApiVersion",
    "BindConfig",
    "CidrRange",
    "ConfigSource",
    "DataSource",
    "FractionalPercent",
    "HeaderValue",
    "HeaderValueOption",
    "HealthStatus",
    "HttpProtocolOptions",
    "Int32Range",
    "Locality",
    "Metadata",
    "Percent",
    "Pipe",
    "RegexMatchAndSubstitute",
    "RegexMatcher",
    "RuntimeFractionalPercent",
    "SocketAddress",
    "SocketOption",
    "StringMatcher",
    "SubstitutionFormatString",
    "TrafficDirection",
    "TransportSocket",
]
