"""
What is in a cluster before anybody applies anything.

What no cluster is without is ensured at every start. The rest is made once, in a new store: what a person deletes or
changes stays so when the cluster comes back.
"""

from __future__ import annotations

import datetime
import importlib.resources
from collections.abc import Iterator

import yaml

from bookmesh.base import cluster, kubernetes, pods
from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api.aggregation import backends
from bookmesh.lab import credentials, keys

NODE_NAME = "bookmesh"
API_PORT_IN_NODE = 6443
_RESOURCES = {
    "Namespace": kubernetes.NAMESPACES,
    "Service": kubernetes.SERVICES,
    "ServiceAccount": kubernetes.SERVICE_ACCOUNTS,
    "Deployment": kubernetes.DEPLOYMENTS,
    "StorageClass": kubernetes.STORAGE_CLASSES,
}
_ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles")
_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
# How pods find the API server: it listens in the node's network too.
_API_SERVER_SERVICE: JsonObject = {
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"component": "apiserver", "provider": "kubernetes"},
    },
    "spec": {
        "clusterIP": cluster.API_SERVER_IP,
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": API_PORT_IN_NODE}],
    },
}
_API_SERVER_SLICE: JsonObject = {
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"kubernetes.io/service-name": "kubernetes"},
    },
    "addressType": "IPv4",
    "endpoints": [{"addresses": [cluster.GATEWAY], "conditions": {"ready": True}}],
    "ports": [{"name": "https", "port": API_PORT_IN_NODE, "protocol": "TCP"}],
}


def build_api_server_pod(node_name: str) -> JsonObject:
    """
    Build the mirror pod of the API server, which is a part of the lab process: what tools read its flags from.

    It has no grace period, since the node has nothing to end when somebody deletes it.
    """
    return {
        "metadata": {
            "name": f"kube-apiserver-{node_name}",
            "namespace": "kube-system",
            "labels": {"component": "kube-apiserver", "tier": "control-plane"},
            "annotations": {pods.MIRROR_ANNOTATION: "bookmesh", "kubernetes.io/config.source": "file"},
        },
        "spec": {
            "nodeName": node_name,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "kube-apiserver",
                    "image": f"registry.k8s.io/kube-apiserver:v{cluster.KUBERNETES_VERSION}",
                    "command": [
                        "kube-apiserver",
                        f"--secure-port={API_PORT_IN_NODE}",
                        f"--service-cluster-ip-range={cluster.SERVICE_NETWORK}",
                    ],
                }
            ],
        },
    }


def build_running_status(pod: JsonObject, *, host_ip: str) -> JsonObject:
    """Build the status of a mirror pod: it runs for as long as anybody can read that."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "phase": "Running",
        "hostIP": host_ip,
        "startTime": now,
        "qosClass": "BestEffort",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in kinds],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "lastState": {},
                "state": {"running": {"startedAt": now}},
            }
            for container in pod["spec"]["containers"]
        ],
    }


async def seed_api_server_pod(client: kubernetes.Client, *, node_name: str, host_ip: str) -> None:
    """Make the API server's mirror pod if it is not there, and have it say that it runs since now."""
    pod = build_api_server_pod(node_name)
    await create(client, kubernetes.PODS, pod)
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    status = {"status": build_running_status(pod, host_ip=host_ip)}
    await client.patch(kubernetes.PODS, name, namespace, status, subresource="status")


async def seed_cluster(client: kubernetes.Client, *, has_node: bool = True) -> None:
    """
    Make what is missing of first namespaces and the Service `kubernetes`.

    Args:
        has_node: whether pods reach the API server in a network of theirs; without, the Service has no endpoint.
    """
    for name in _NAMESPACES:
        await create(client, kubernetes.NAMESPACES, {"metadata": {"name": name}})
    await create(client, kubernetes.SERVICES, _API_SERVER_SERVICE)
    if has_node:
        await create(client, kubernetes.ENDPOINT_SLICES, _API_SERVER_SLICE)


async def seed_aggregation(client: kubernetes.Client, own: keys.Keys) -> None:
    """Publish how servers of aggregated APIs know this one and who sends a request, and who may read that."""
    name, namespace = "extension-apiserver-authentication", "kube-system"
    data = {
        "client-ca-file": own.authority.read_text(),
        "requestheader-allowed-names": f'["{credentials.FRONT_PROXY_USER}"]',
        "requestheader-client-ca-file": own.front_proxy_authority.read_text(),
        "requestheader-extra-headers-prefix": f'["{backends.EXTRA_PREFIX}"]',
        "requestheader-group-headers": f'["{backends.GROUP_HEADER}"]',
        "requestheader-username-headers": f'["{backends.USER_HEADER}"]',
    }
    body = {"metadata": {"name": name, "namespace": namespace}, "data": data}
    there = await create(client, kubernetes.CONFIG_MAPS, body)
    if there is not None and there.get("data") != data:
        await client.patch(kubernetes.CONFIG_MAPS, name, namespace, {"data": data})
    rule = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [name]}
    role = {
        "metadata": {"name": f"{name}-reader", "namespace": namespace},
        "rules": [{**rule, "verbs": ["get", "list", "watch"]}],
    }
    await create(client, _ROLES, role)


async def seed_services(client: kubernetes.Client) -> None:
    """Fill a new store with what a node serves to its pods: the cluster DNS."""
    await create_packaged(client, "services.yaml")


async def seed_classes(client: kubernetes.Client) -> None:
    """Fill a new store with what claims for volumes can be of."""
    await create_packaged(client, "storage_classes.yaml")


async def create_packaged(client: kubernetes.Client, name: str) -> None:
    """Create the objects of a packaged manifest that are not there."""
    for document in _documents(name):
        await create(client, _RESOURCES[document["kind"]], document)


async def create(client: kubernetes.Client, resource: Resource, body: JsonObject) -> JsonObject | None:
    """Create an object that is not there; returns the one that is, if so."""
    metadata = body["metadata"]
    try:
        return await client.get(resource, metadata["name"], metadata.get("namespace", ""))
    except ApiError as error:
        if error.code != 404:
            raise
    await client.create(resource, body)
    return None


def _documents(name: str) -> Iterator[JsonObject]:
    text = (importlib.resources.files(__package__) / "manifests" / name).read_text()
    yield from (document for document in yaml.safe_load_all(text) if document)
