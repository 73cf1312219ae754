"""The HTTP filter that hands facts from a request to the connection to the upstream."""

from __future__ import annotations

from envoy.extensions.filters.common.set_filter_state.v3.value_pb2 import FilterStateValue
from envoy.extensions.filters.http.set_filter_state.v3.set_filter_state_pb2 import Config

__all__ = [
    "Config",
    "FilterStateValue",
]
