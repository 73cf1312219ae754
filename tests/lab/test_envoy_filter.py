"""EnvoyFilter: changes that people make to real proxies, seen from outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.lab import labs, test_mtls

pytestmark = pytest.mark.lab
NAMESPACE = "filters"
LIMIT = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: limit, namespace: filters}
spec:
  workloadSelector: {labels: {app: httpbin}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_INBOUND
      listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: envoy.filters.http.local_ratelimit
        typed_config:
          "@type": type.googleapis.com/udpa.type.v1.TypedStruct
          type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
          value:
            stat_prefix: http_local_rate_limiter
            token_bucket: {max_tokens: 4, tokens_per_fill: 4, fill_interval: 3600s}
            filter_enabled: {runtime_key: enabled, default_value: {numerator: 100, denominator: HUNDRED}}
            filter_enforced: {runtime_key: enforced, default_value: {numerator: 100, denominator: HUNDRED}}
            response_headers_to_add:
            - append_action: OVERWRITE_IF_EXISTS_OR_ADD
              header: {key: x-local-rate-limit, value: "true"}
"""
OUTBOUND = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: outbound, namespace: filters}
spec:
  workloadSelector: {labels: {app: meshed}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_OUTBOUND
      listener:
        filterChain:
          filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}
    patch:
      operation: INSERT_BEFORE
      value:
        name: lua
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          default_source_code:
            inline_string: |
              function envoy_on_request(handle) handle:headers():add("x-lua", "was here") end
  - applyTo: HTTP_ROUTE
    match:
      context: SIDECAR_OUTBOUND
      routeConfiguration: {vhost: {name: "httpbin.filters.svc.cluster.local:8000"}}
    patch:
      operation: INSERT_FIRST
      value: {match: {path: /from-the-filter}, direct_response: {status: 218, body: {inline_string: hello}}}
  - applyTo: CLUSTER
    match: {context: SIDECAR_OUTBOUND, cluster: {service: gone.filters.svc.cluster.local}}
    patch: {operation: REMOVE}
"""
BROKEN = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: broken, namespace: filters}
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    patch:
      operation: INSERT_FIRST
      value: {name: x, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.nothing.v3.Nothing}}
"""


@pytest.fixture(scope="module")
def filters(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    workloads = (test_mtls.WORKLOADS + test_mtls.CLIENT.format(name="meshed", inject="true")).replace(
        "mtls", NAMESPACE
    )
    bookinfo.apply(workloads)
    test_mtls.wait_for_workloads(bookinfo, NAMESPACE, "meshed")
    yield bookinfo
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


def curl(lab: labs.Lab, path: str, *arguments: str) -> str:
    command = ("exec", "-n", NAMESPACE, "meshed", "-c", "curl", "--", "curl", "-s", *arguments)
    return lab.kubectl(*command, f"http://httpbin:8000{path}", check=False).stdout


def code(lab: labs.Lab, path: str) -> str:
    return curl(lab, path, "-o", "/dev/null", "-w", "%{http_code}")


def test_local_rate_limit_of_the_task(filters: labs.Lab) -> None:
    assert code(filters, "/status/200") == "200"
    filters.apply(LIMIT)
    labs.wait_until(lambda: code(filters, "/status/200") == "429", what="requests over the limit")
    assert "x-local-rate-limit: true" in curl(filters, "/status/200", "-i")
    filters.kubectl("delete", "envoyfilter", "-n", NAMESPACE, "limit")
    labs.wait_until(lambda: code(filters, "/status/200") == "200", what="no limit any more")


def test_filters_and_routes_of_a_caller(filters: labs.Lab) -> None:
    assert "X-Lua" not in curl(filters, "/headers")
    assert code(filters, "/from-the-filter") == "404"
    filters.apply(OUTBOUND)
    labs.wait_until(lambda: "was here" in curl(filters, "/headers"), what="the header that the script adds")
    labs.wait_until(lambda: curl(filters, "/from-the-filter") == "hello", what="the route of the filter")
    filters.kubectl("delete", "envoyfilter", "-n", NAMESPACE, "outbound")
    labs.wait_until(lambda: "X-Lua" not in curl(filters, "/headers"), what="no script any more")


def test_an_unknown_type_is_reported_and_harms_nobody(filters: labs.Lab) -> None:
    filters.apply(BROKEN)

    def findings() -> list[str]:
        return [found["code"] for found in filters.status()["findings"]]

    labs.wait_until(lambda: "BM0242" in findings(), what="BM0242")
    assert "BM0206" not in findings()  # no Envoy was sent what it cannot read
    assert code(filters, "/status/200") == "200"
    filters.kubectl("delete", "envoyfilter", "-n", NAMESPACE, "broken")
