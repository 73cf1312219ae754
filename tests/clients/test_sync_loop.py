"""
A sync loop, as GitOps controllers run it: what is applied again and is as it was, changes nothing and tells nobody.

A thousand applies: most of them on the server's side over HTTP, as such controllers send them, and a hundred with real
kubectl on the client's side.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
import pytest
import yaml
from tests.clients import kubectls
from tests.clients.conftest import Cluster, Keys
from tests.clients.manifests import ROUTE_DEFINITION

from bookmesh.base.kubernetes import JsonObject

# Applications applied on the server's side, and by kubectl, which sends no more than 50 requests a second for long.
ON_SERVER: Final = 150
ON_CLIENT: Final = 17
# (what, path of the collection), in the order in which manifests are made
KINDS: Final = (
    ("deployments", "/apis/apps/v1"),
    ("services", "/api/v1"),
    ("configmaps", "/api/v1"),
    ("serviceaccounts", "/api/v1"),
    ("ingresses", "/apis/networking.k8s.io/v1"),
    ("routes", "/apis/example.com/v1"),
)
APP: Final = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: &labels {app: NAME, tier: back}}
spec:
  selector: {matchLabels: {app: NAME}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 1}}
  template:
    metadata: {labels: *labels, annotations: {prometheus.io/scrape: "true"}}
    spec:
      serviceAccountName: NAME
      containers:
      - name: app
        image: registry.example.com/NAME:1.4.2
        args: [--listen, ":8080"]
        env:
        - {name: LEVEL, value: info}
        - {name: HOST, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]
        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 0.5Gi}}
        readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 5}
        volumeMounts: [{name: settings, mountPath: /etc/app}]
      volumes: [{name: settings, configMap: {name: NAME}}]
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec:
  selector: {app: NAME}
  ports: [{name: http, port: 80, targetPort: http}, {name: metrics, port: 9090}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME}
data: {app.yaml: "level: info\\nhosts: [a, b]\\n", other: "1"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME}
automountServiceAccountToken: false
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: NAME}
spec:
  rules:
  - host: NAME.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: NAME, port: {name: http}}}}]}
---
apiVersion: example.com/v1
kind: Route
metadata: {name: NAME}
spec: {hosts: [NAME.example.com]}
"""


@pytest.fixture
def kubectl_binary() -> Path:
    """One version is enough: what it sends is the same."""
    return kubectls.find("1.37")


def manifests(prefix: str, *, apps: int) -> list[JsonObject]:
    """All objects of all applications, of every kind in turn."""
    return [
        document
        for number in range(apps)
        for document in yaml.load_all(APP.replace("NAME", f"{prefix}-{number}"), yaml.CSafeLoader)
    ]


class Session:
    """The server over HTTP, as its administrator; `answers` hold resourceVersion and generation by name."""

    def __init__(self, http: aiohttp.ClientSession, origin: str) -> None:
        self._http, self._origin = http, origin

    async def apply(self, documents: list[JsonObject]) -> list[tuple[str, int | None]]:
        """Apply on the server's side, eight at a time; gives what each is then."""
        gate = asyncio.Semaphore(8)

        async def one(index: int, document: JsonObject) -> tuple[str, int | None]:
            plural, prefix = KINDS[index % len(KINDS)]
            path = f"{prefix}/namespaces/default/{plural}/{document['metadata']['name']}"
            async with gate:
                found = await self.send("PATCH", path, document)
            return found["metadata"]["resourceVersion"], found["metadata"].get("generation")

        return await asyncio.gather(*(one(index, each) for index, each in enumerate(documents)))

    async def send(self, method: str, path: str, body: JsonObject) -> Any:
        query = {"fieldManager": "sync", "force": "true", "fieldValidation": "Strict"}
        headers = {"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"}
        async with self._http.request(
            method, self._origin + path, params=query, headers=headers, data=orjson.dumps(body)
        ) as response:
            answer = orjson.loads(await response.read())
            assert response.status in (200, 201), answer
            return answer

    async def events_since(self, version: str) -> list[str]:
        """What watches of all kinds tell within a second."""

        async def one(plural: str, prefix: str) -> list[str]:
            query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "1"}
            async with self._http.get(f"{self._origin}{prefix}/{plural}", params=query) as response:
                assert response.status == 200
                return [plural for line in (await response.read()).splitlines() if line]

        told = await asyncio.gather(*(one(*kind) for kind in KINDS))
        return [plural for plurals in told for plural in plurals]


def _client_context(keys: Keys) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(keys.authority))
    context.load_cert_chain(keys.client)
    return context


@pytest.mark.timeout(300)
@pytest.mark.covers("sync loop", "apply --server-side", "apply")
async def test_a_thousand_applies_change_nothing_the_second_time(cluster: Cluster, keys: Keys) -> None:
    await cluster.ok("apply", "-f", "-", stdin=ROUTE_DEFINITION)
    on_server, on_client = manifests("server", apps=ON_SERVER), manifests("client", apps=ON_CLIENT)
    assert len(on_server) + len(on_client) >= 1000
    file = cluster.directory / "all.yaml"
    # kubectl compares texts: what a server stores in another form it calls configured, though nothing changes.
    file.write_text(yaml.dump_all(on_client, Dumper=yaml.CSafeDumper).replace("0.5Gi", "512Mi"))
    connector = aiohttp.TCPConnector(ssl=_client_context(keys))
    async with aiohttp.ClientSession(connector=connector) as http:
        session = Session(http, f"https://127.0.0.1:{cluster.port}")
        first = await session.apply(on_server)
        created = await cluster.ok("apply", "-f", str(file))
        assert created.count(" created\n") == len(on_client)
        before = cluster.over.store.version
        assert await session.apply(on_server) == first
        unchanged = await cluster.ok("apply", "-f", str(file))
        assert unchanged.count(" unchanged\n") == len(on_client)
        assert cluster.over.store.version == before
        assert await session.events_since(str(before)) == []

        on_server[0]["spec"]["replicas"] = 3
        assert [a == b for a, b in zip(await session.apply(on_server), first, strict=True)].count(False) == 1
        assert await session.events_since(str(before)) == ["deployments"]
