"""A small proxy: one HTTP service in two versions, one TCP service, as an Envoy would dump it; and a fake kubectl."""

from __future__ import annotations

import json
from typing import Any

import click

from bookmesh.cli.istioctl import dumps, flags
from bookmesh.cli.istioctl.kubernetes import Kubectl

HOST = "reviews.default.svc.cluster.local"
DESTINATIONS = "/apis/networking.istio.io/v1/namespaces/default/destination-rule/reviews"
RULE = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews"


def named(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/envoy.admin.v3.{kind}", **fields}


def http_filter(routes: str) -> dict[str, Any]:
    manager = {"rds": {"route_config_name": routes}}
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}


def tcp_filter(cluster: str) -> dict[str, Any]:
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": {"cluster": cluster}}


def listener(address: str, port: int, *chains: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    place = {"socket_address": {"address": address, "port_value": port}}
    own = {
        "name": f"{address}_{port}",
        "address": place,
        "listener_filters": [
            {"name": f"envoy.filters.listener.{name}_inspector"} for name in ("tls", "http")
        ],
        "filter_chains": list(chains),
        "default_filter_chain": default,
    }
    return {"name": own["name"], "active_state": {"listener": own}}


def route(prefix: str, cluster: str, *headers: dict[str, Any], config: str = RULE) -> dict[str, Any]:
    # As the mesh writes it: a rule without conditions has nothing but the prefix.
    match = {"prefix": prefix, **({"case_sensitive": True, "headers": list(headers)} if headers else {})}
    return {
        "match": match,
        "route": {"cluster": cluster},
        "metadata": metadata(config),
    }


def metadata(config: str) -> dict[str, Any]:
    return {"filter_metadata": {"istio": {"config": config}}}


def endpoint(address: str, port: int) -> dict[str, Any]:
    place = {"socket_address": {"address": address, "port_value": port}}
    return {"endpoint": {"address": place}, "health_status": "HEALTHY"}


def assignment(cluster: str, *found: dict[str, Any]) -> dict[str, Any]:
    return {"endpoint_config": {"cluster_name": cluster, "endpoints": [{"lb_endpoints": list(found)}]}}


def cluster(subset: str) -> str:
    return f"outbound|9080|{subset}|{HOST}"


JASON = {"name": "end-user", "string_match": {"exact": "jason"}}
HTTP_CHAIN = {
    "filter_chain_match": {"transport_protocol": "raw_buffer", "application_protocols": ["http/1.1", "h2c"]},
    "filters": [http_filter("9080")],
}
REST = {"filters": [tcp_filter("PassthroughCluster")]}
DUMP: dict[str, Any] = {
    "configs": [
        named("BootstrapConfigDump", bootstrap={"node": {"metadata": {"ISTIO_VERSION": "1.2.3"}}}),
        named(
            "ClustersConfigDump",
            dynamic_active_clusters=[
                {"cluster": {"name": cluster(subset), "type": "EDS", "metadata": metadata(DESTINATIONS)}}
                for subset in ("v2", "", "v1")
            ]
            + [{"cluster": {"name": "PassthroughCluster", "type": "ORIGINAL_DST"}}],
        ),
        named(
            "ListenersConfigDump",
            dynamic_listeners=[
                listener("0.0.0.0", 9080, HTTP_CHAIN, default=REST),
                listener(
                    "10.96.0.9",
                    5432,
                    default={"filters": [tcp_filter("outbound|5432||db.default.svc.cluster.local")]},
                ),
                {"name": "refused", "error_state": {"details": "no"}},
            ],
        ),
        named(
            "RoutesConfigDump",
            dynamic_route_configs=[
                {
                    "route_config": {
                        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
                        "name": "9080",
                        "virtual_hosts": [
                            {
                                "name": f"{HOST}:9080",
                                "domains": [
                                    HOST,
                                    "reviews.default.svc",
                                    "reviews.default",
                                    "reviews",
                                    "10.96.0.8",
                                ],
                                "routes": [route("/", cluster("v2"), JASON), route("/", cluster("v1"))],
                            },
                            {
                                "name": "allow_any",
                                "domains": ["*"],
                                "routes": [
                                    {"match": {"prefix": "/"}, "route": {"cluster": "PassthroughCluster"}}
                                ],
                            },
                        ],
                    }
                }
            ],
        ),
        named(
            "EndpointsConfigDump",
            dynamic_endpoint_configs=[
                assignment(cluster("v1"), endpoint("10.244.0.5", 9080)),
                assignment(cluster("v2")),
            ],
        ),
    ]
}


# What Envoy answers to `clusters?format=json`.
STATUSES: dict[str, Any] = {
    "cluster_statuses": [
        {
            "name": cluster("v1"),
            "host_statuses": [
                {
                    "address": {"socket_address": {"address": "10.244.0.5", "port_value": 9080}},
                    "health_status": {"eds_health_status": "HEALTHY"},
                }
            ],
        },
        {"name": cluster("v2"), "host_statuses": []},
    ]
}


def dump() -> dumps.Dump:
    return dumps.parse(DUMP)


class FakeKubectl(Kubectl):
    """Answers by the first words of a command; everything asked is in `asked`."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__({})
        self.answers = answers
        self.asked: list[str] = []
        self.given: list[str] = []

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        command = " ".join(arguments)
        self.asked.append(command)
        if stdin is not None:
            self.given.append(stdin)
        for start, answer in self.answers.items():
            if command.startswith(start):
                return answer if isinstance(answer, str) else json.dumps(answer)
        raise click.ClickException(f"nobody expected: kubectl {command}")

    def stay(self, *arguments: str) -> int:
        self.asked.append(" ".join(arguments))
        return 0


class FakeSession(flags.Session):
    """A session whose cluster is a table of answers."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(dict)
        self.fake = FakeKubectl({"config view": "", **answers})

    @property
    def kubectl(self) -> Kubectl:
        return self.fake
