"""What real kubectl makes by itself: every `create`, and the verbs that change one field of what is there."""

from __future__ import annotations

from typing import Final

import orjson
import pytest
from tests.clients.conftest import Cluster, Keys
from tests.clients.manifests import DEPLOYMENT, POD, SERVICE, running_pod

from bookmesh.base import kubernetes

# `kubectl create` …, the object that it makes, a path in it and what stands there
_GENERATED: Final = {
    "configmap": ("configmap a --from-literal=k=v", "configmap/a", "{.data.k}", "v"),
    "secret generic": ("secret generic a --from-literal=k=v", "secret/a", "{.data.k}", "dg=="),
    "secret docker-registry": (
        "secret docker-registry b --docker-server=r --docker-username=u --docker-password=p",
        "secret/b",
        "{.type}",
        "kubernetes.io/dockerconfigjson",
    ),
    "namespace": ("namespace a", "namespace/a", "{.status.phase}", "Active"),
    "serviceaccount": ("serviceaccount a", "serviceaccount/a", "{.metadata.name}", "a"),
    "deployment": ("deployment a --image=web --replicas=2", "deployment/a", "{.spec.replicas}", "2"),
    "job": ("job a --image=web -- run it", "job/a", "{.spec.template.spec.containers[0].command[1]}", "it"),
    "service": ("service clusterip a --tcp=80:8080", "service/a", "{.spec.ports[0].targetPort}", "8080"),
    "ingress": ("ingress a --rule=h/p=s:80", "ingress/a", "{.spec.rules[0].host}", "h"),
    "role": ("role a --verb=get --resource=pods", "role/a", "{.rules[0].resources[0]}", "pods"),
    "rolebinding": ("rolebinding a --role=r --user=u", "rolebinding/a", "{.subjects[0].name}", "u"),
    "clusterrole": (
        "clusterrole a --verb=get --resource=nodes",
        "clusterrole/a",
        "{.rules[0].verbs[0]}",
        "get",
    ),
    "clusterrolebinding": (
        "clusterrolebinding a --clusterrole=view --group=g",
        "clusterrolebinding/a",
        "{.roleRef.name}",
        "view",
    ),
    "quota": ("quota a --hard=pods=3", "resourcequota/a", "{.spec.hard.pods}", "3"),
    "poddisruptionbudget": (
        "poddisruptionbudget a --selector=x=y --min-available=1",
        "pdb/a",
        "{.spec.minAvailable}",
        "1",
    ),
    "priorityclass": ("priorityclass a --value=7", "priorityclass/a", "{.value}", "7"),
}


@pytest.mark.covers(
    "kubectl",
    "create configmap",
    "create secret generic",
    "create secret docker-registry",
    "create namespace",
    "create serviceaccount",
    "create deployment",
    "create job",
    "create service",
    "create ingress",
    "create role",
    "create rolebinding",
    "create clusterrole",
    "create clusterrolebinding",
    "create quota",
    "create poddisruptionbudget",
    "create priorityclass",
)
async def test_each_generator_makes_what_it_says(cluster: Cluster) -> None:
    for command, name, path, expected in _GENERATED.values():
        assert "created" in await cluster.ok("create", *command.split())
        assert await cluster.ok("get", name, "-o", f"jsonpath={path}") == expected, command


@pytest.mark.covers("kubectl", "create cronjob")
async def test_a_cron_job(cluster: Cluster) -> None:
    await cluster.ok("create", "cronjob", "a", "--image=web", "--schedule=*/5 * * * *", "--", "date")
    assert await cluster.ok("get", "cronjob/a", "-o", "jsonpath={.spec.schedule}") == "*/5 * * * *"


@pytest.mark.covers("kubectl", "create secret tls")
async def test_a_secret_of_a_certificate(cluster: Cluster, keys: Keys) -> None:
    certificate, mark, key = keys.client.read_bytes().partition(b"-----BEGIN PRIVATE KEY-----")
    files = {"cert": cluster.directory / "tls.crt", "key": cluster.directory / "tls.key"}
    files["cert"].write_bytes(certificate)
    files["key"].write_bytes(mark + key)
    await cluster.ok("create", "secret", "tls", "a", *(f"--{flag}={path}" for flag, path in files.items()))
    secret = await cluster.client.get(kubernetes.SECRETS, "a", "default")
    assert (secret["type"], set(secret["data"])) == ("kubernetes.io/tls", {"tls.crt", "tls.key"})


@pytest.mark.covers("kubectl", "autoscale")
async def test_autoscale_makes_an_autoscaler(cluster: Cluster) -> None:
    await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT)
    await cluster.ok("autoscale", "deployment/reviews", "--min=2", "--max=5", "--cpu=80%")
    found = orjson.loads(await cluster.ok("get", "hpa/reviews", "-o", "json"))["spec"]
    assert (found["minReplicas"], found["maxReplicas"]) == (2, 5)
    assert found["scaleTargetRef"]["name"] == "reviews"


@pytest.mark.covers("kubectl", "set selector", "set serviceaccount", "set subject", "patch --subresource")
async def test_single_fields_are_set(cluster: Cluster) -> None:
    await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT + "---" + SERVICE)
    await cluster.ok("set", "selector", "service/reviews", "app=other")
    assert await cluster.ok("get", "service/reviews", "-o", "jsonpath={.spec.selector.app}") == "other"
    await cluster.ok("set", "serviceaccount", "deployment/reviews", "robot")
    account = "jsonpath={.spec.template.spec.serviceAccountName}"
    assert await cluster.ok("get", "deployment/reviews", "-o", account) == "robot"
    await cluster.ok("create", "rolebinding", "readers", "--clusterrole=view", "--user=one")
    await cluster.ok("set", "subject", "rolebinding/readers", "--user=two")
    subjects = "jsonpath={.subjects[*].name}"
    assert await cluster.ok("get", "rolebinding/readers", "-o", subjects) == "one two"
    patch = '{"status": {"observedGeneration": 1, "replicas": 7}}'
    await cluster.ok("patch", "deployment/reviews", "--subresource=status", "--type=merge", "-p", patch)
    assert await cluster.ok("get", "deployment/reviews", "-o", "jsonpath={.status.replicas}") == "7"


@pytest.mark.covers("kubectl", "delete (with finalizers)")
async def test_a_finalizer_holds_an_object_until_it_is_removed(cluster: Cluster) -> None:
    await cluster.ok("create", "configmap", "held")
    held = '{"metadata": {"finalizers": ["example.com/hold"]}}'
    await cluster.ok("patch", "configmap/held", "--type=merge", "-p", held)
    await cluster.ok("delete", "configmap/held", "--wait=false")
    stamp = "jsonpath={.metadata.deletionTimestamp}"
    assert await cluster.ok("get", "configmap/held", "-o", stamp)
    await cluster.ok("patch", "configmap/held", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    assert "NotFound" in await cluster.fails("get", "configmap/held")


@pytest.mark.covers("kubectl", "cordon", "uncordon", "taint")
async def test_a_node_is_closed_and_opened(cluster: Cluster) -> None:
    await cluster.client.create(kubernetes.NODES, {"metadata": {"name": "node"}, "spec": {}})
    await cluster.ok("cordon", "node")
    assert await cluster.ok("get", "node/node", "-o", "jsonpath={.spec.unschedulable}") == "true"
    await cluster.ok("uncordon", "node")
    assert await cluster.ok("get", "node/node", "-o", "jsonpath={.spec.unschedulable}") == ""
    await cluster.ok("taint", "node", "node", "key=value:NoSchedule")
    assert await cluster.ok("get", "node/node", "-o", "jsonpath={.spec.taints[0].effect}") == "NoSchedule"
    await cluster.ok("taint", "node", "node", "key-")
    assert await cluster.ok("get", "node/node", "-o", "jsonpath={.spec.taints}") == ""


@pytest.mark.covers("kubectl", "auth reconcile")
async def test_roles_are_reconciled_and_never_shrink(cluster: Cluster) -> None:
    role = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: default}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
"""
    await cluster.ok("create", "role", "reader", "--verb=list", "--resource=secrets")
    assert "reconciled" in await cluster.ok("auth", "reconcile", "-f", "-", stdin=role)
    found = orjson.loads(await cluster.ok("get", "role/reader", "-o", "json"))["rules"]
    assert {tuple(rule["resources"]) for rule in found} == {("pods",), ("secrets",)}


@pytest.mark.covers("kubectl", "api-versions", "cluster-info", "version", "get --field-selector")
async def test_what_the_server_says_about_itself(cluster: Cluster) -> None:
    assert {"v1", "apps/v1", "autoscaling/v2"} <= set((await cluster.ok("api-versions")).split())
    assert f"https://127.0.0.1:{cluster.port}" in await cluster.ok("cluster-info")
    shown = orjson.loads(await cluster.ok("version", "-o", "json"))
    assert shown["serverVersion"]["minor"] == "37"
    await running_pod(cluster)
    await running_pod(cluster, POD.replace("name: sleeper", "name: other"))
    chosen = await cluster.ok("get", "pods", "--field-selector=metadata.name=other", "-o", "name")
    assert chosen == "pod/other\n"
    running = await cluster.ok("get", "pods", "--field-selector=status.phase!=Running", "-o", "name")
    assert running == ""
