"""A mesh of N services with 5 endpoints, a VirtualService and a DestinationRule each, over ten namespaces."""

from __future__ import annotations

from bookmesh.base.kubernetes import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES, JsonObject, Resource
from simulated.memory import MemoryClient

VIRTUAL_SERVICES = Resource("networking.istio.io", "v1", "virtualservices")
DESTINATION_RULES = Resource("networking.istio.io", "v1", "destinationrules")
GATEWAYS = Resource("networking.istio.io", "v1", "gateways")
SIDECARS = Resource("networking.istio.io", "v1", "sidecars")
PEER_AUTHENTICATIONS = Resource("security.istio.io", "v1", "peerauthentications")
NAMESPACE_COUNT = 10
ENDPOINTS_EACH = 5
SERVICES_A_PORT = 10
_FIRST_PORT = 9080


class World:
    """
    `client` holds the objects. With `is_port_shared` all services have one port and so one route configuration, which
    Envoy gets as a whole; otherwise ten services share a port.
    """

    def __init__(self, services: int, proxies: int, *, is_port_shared: bool) -> None:
        self.client = MemoryClient()
        self.services = services
        self._is_port_shared = is_port_shared
        for number in range(NAMESPACE_COUNT):
            self.client.put(NAMESPACES, {"metadata": {"name": f"space-{number}"}})
        for number in range(services):
            self._add_service(number)
        self.pods = [self._add_client(number) for number in range(proxies)]

    def set_ready(self, service: int, *, last_is_ready: bool) -> None:
        """One endpoint more or less."""
        self.client.put(ENDPOINT_SLICES, self._slice(service, last_is_ready=last_is_ready))

    def set_timeout(self, service: int, seconds: int) -> None:
        """Change one route."""
        self.client.put(VIRTUAL_SERVICES, self._virtual_service(service, seconds))

    def set_connections(self, service: int, most: int) -> None:
        """Change one DestinationRule."""
        self.client.put(DESTINATION_RULES, self._rule(service, most))

    def set_protocol(self, service: int, port_name: str) -> None:
        """Change one Service: the name of its port says what it speaks."""
        self.client.put(SERVICES, self._service(service, port_name))

    def add_alias(self, service: int) -> None:
        """One Service more, in front of pods that are there, on the port of others."""
        obj = self._service(service, "http")
        obj["metadata"]["name"] = f"alias-{service}"
        obj["spec"]["clusterIP"] = f"10.97.{service // 250}.{service % 250 + 1}"
        self.client.put(SERVICES, obj)

    def remove_alias(self, service: int) -> None:
        self.client.remove(SERVICES, f"alias-{service}", _namespace(service))

    def set_gateway(self, label: str) -> None:
        """One Gateway with another selector, which finds no pod."""
        server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
        spec = {"selector": {"istio": label}, "servers": [server]}
        self.client.put(GATEWAYS, _config("Gateway", "public", _namespace(0), spec))

    def set_sidecar(self, service: int) -> None:
        """One Sidecar: the proxies of a namespace see the services there, and one of another namespace."""
        spec = {"egress": [{"hosts": ["./*", f"*/svc-{service}.{_namespace(service)}.svc.cluster.local"]}]}
        self.client.put(SIDECARS, _config("Sidecar", "default", _namespace(0), spec))

    def set_mode(self, service: int, mode: str) -> None:
        """What the pods of one service accept."""
        name = f"svc-{service}"
        spec = {"selector": {"matchLabels": {"app": name}}, "mtls": {"mode": mode}}
        self.client.put(PEER_AUTHENTICATIONS, _config("PeerAuthentication", name, _namespace(service), spec))

    def _add_service(self, number: int) -> None:
        name, namespace = f"svc-{number}", _namespace(number)
        for index in range(ENDPOINTS_EACH):
            self.client.put(PODS, _pod(f"{name}-{index}", namespace, _pod_ip(number, index), {"app": name}))
        self.client.put(SERVICES, self._service(number, "http"))
        self.set_ready(number, last_is_ready=True)
        self.set_connections(number, 1000)
        self.set_timeout(number, 10)

    def _add_client(self, number: int) -> JsonObject:
        pod = _pod(f"client-{number}", _namespace(number), f"10.9.{number // 250}.{number % 250 + 1}", {})
        self.client.put(PODS, pod)
        return pod

    def _port(self, number: int) -> int:
        return _FIRST_PORT if self._is_port_shared else _FIRST_PORT + number // SERVICES_A_PORT

    def _service(self, number: int, port_name: str) -> JsonObject:
        name = f"svc-{number}"
        port = {"name": port_name, "port": self._port(number), "targetPort": 8080, "protocol": "TCP"}
        spec = {
            "type": "ClusterIP",
            "clusterIP": _cluster_ip(number),
            "ports": [port],
            "selector": {"app": name},
        }
        return {"metadata": {"name": name, "namespace": _namespace(number)}, "spec": spec}

    def _rule(self, number: int, connections: int) -> JsonObject:
        name = f"svc-{number}"
        spec = {
            "host": name,
            "trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": connections}}},
            "subsets": [{"name": "all", "labels": {"app": name}}],
        }
        return _config("DestinationRule", name, _namespace(number), spec)

    def _slice(self, number: int, *, last_is_ready: bool) -> JsonObject:
        name = f"svc-{number}"
        endpoints = [
            {
                "addresses": [_pod_ip(number, index)],
                "conditions": {"ready": last_is_ready or index < ENDPOINTS_EACH - 1},
            }
            for index in range(ENDPOINTS_EACH)
        ]
        return {
            "metadata": {
                "name": f"{name}-x",
                "namespace": _namespace(number),
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }

    def _virtual_service(self, number: int, seconds: int) -> JsonObject:
        name = f"svc-{number}"
        route = {"route": [{"destination": {"host": name, "subset": "all"}}], "timeout": f"{seconds}s"}
        return _config("VirtualService", name, _namespace(number), {"hosts": [name], "http": [route]})


def _namespace(number: int) -> str:
    return f"space-{number % NAMESPACE_COUNT}"


def _pod_ip(number: int, index: int) -> str:
    return f"10.{10 + number // 250}.{number % 250}.{index + 1}"


def _cluster_ip(number: int) -> str:
    return f"10.96.{number // 250}.{number % 250 + 1}"


def _pod(name: str, namespace: str, ip: str, labels: dict[str, str]) -> JsonObject:
    marks = {"security.istio.io/tlsMode": "istio"}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels | marks, "annotations": {}},
        "spec": {"serviceAccountName": name.rpartition("-")[0], "containers": [{"name": "app"}]},
        "status": {"podIP": ip, "phase": "Running"},
    }


def _config(kind: str, name: str, namespace: str, spec: JsonObject) -> JsonObject:
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z"}
    group = "security" if kind == "PeerAuthentication" else "networking"
    return {"apiVersion": f"{group}.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
