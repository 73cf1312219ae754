"""Objects that the tests of several files apply, and what a node would say about a pod."""

from __future__ import annotations

import yaml
from tests.clients.conftest import Cluster

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: reviews
  labels: {app: reviews}
spec:
  replicas: 2
  selector:
    matchLabels: {app: reviews}
  template:
    metadata:
      labels: {app: reviews}
    spec:
      containers:
      - name: reviews
        image: docker.io/istio/examples-bookinfo-reviews-v1:1.20.2
        ports:
        - containerPort: 9080
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: reviews
  labels: {app: reviews}
spec:
  selector: {app: reviews}
  ports:
  - {name: http, port: 9080}
"""
POD = """
apiVersion: v1
kind: Pod
metadata:
  name: sleeper
  labels: {app: sleeper}
spec:
  containers:
  - {name: main, image: curl}
"""
ROUTE_DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: routes.example.com
spec:
  group: example.com
  names: {kind: Route, plural: routes, shortNames: [rt], categories: [all-routes]}
  scope: Namespaced
  versions:
  - &version
    name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Hosts, type: string, jsonPath: .spec.hosts}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    - {name: Weight, type: integer, jsonPath: .spec.weight, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [hosts]
            properties:
              hosts: {type: array, description: Who is routed., items: {type: string}}
              weight: {type: integer, default: 100, maximum: 100}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
  - {<<: *version, name: v1beta1, storage: false}
"""
ROUTE = """
apiVersion: example.com/v1
kind: Route
metadata: {name: home}
spec: {hosts: [home.example.com]}
"""


async def running_pod(cluster: Cluster, manifest: str = POD) -> JsonObject:
    """Create a pod and say about it what a node would."""
    pod = (await cluster.client.create(kubernetes.PODS, within("default", yaml.safe_load(manifest)))).copy()
    name = pod["metadata"]["name"]
    await cluster.client.patch(kubernetes.PODS, name, "default", {"spec": {"nodeName": "bookmesh"}})
    statuses = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        }
        for container in pod["spec"]["containers"]
    ]
    status = {
        "phase": "Running",
        "podIP": "10.244.0.7",
        "podIPs": [{"ip": "10.244.0.7"}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": statuses,
    }
    return await cluster.client.patch(
        kubernetes.PODS, name, "default", {"status": status}, subresource="status"
    )


def within(namespace: str, obj: JsonObject) -> JsonObject:
    obj["metadata"]["namespace"] = namespace
    return obj


def cells(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]
