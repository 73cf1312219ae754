"""The real kubectl on objects, in each minor version that is installed, against the API server in this process."""

from __future__ import annotations

import asyncio
import json

import jwt
import pytest
import yaml
from tests.clients.conftest import DEADLINE_S, Cluster, line_of
from tests.clients.manifests import (
    DEPLOYMENT,
    POD,
    ROUTE,
    ROUTE_DEFINITION,
    SERVICE,
    cells,
    running_pod,
    within,
)

from bookmesh.base import kubernetes


class TestApply:
    @pytest.mark.covers("kubectl", "apply")
    async def test_says_created_unchanged_configured(self, cluster: Cluster) -> None:
        both = DEPLOYMENT + "---" + SERVICE
        created = await cluster.ok("apply", "-f", "-", stdin=both)
        assert created == "deployment.apps/reviews created\nservice/reviews created\n"
        version = cluster.over.store.version
        unchanged = await cluster.ok("apply", "-f", "-", stdin=both)
        assert unchanged == "deployment.apps/reviews unchanged\nservice/reviews unchanged\n"
        assert cluster.over.store.version == version
        changed = both.replace("replicas: 2", "replicas: 3")
        configured = await cluster.ok("apply", "-f", "-", stdin=changed)
        assert configured == "deployment.apps/reviews configured\nservice/reviews unchanged\n"
        deployment = await cluster.client.get(kubernetes.DEPLOYMENTS, "reviews", "default")
        assert (deployment["spec"]["replicas"], deployment["metadata"]["generation"]) == (3, 2)

    @pytest.mark.covers("kubectl", "apply")
    async def test_removes_what_is_no_longer_in_the_file(self, cluster: Cluster) -> None:
        with_env = DEPLOYMENT.replace("        ports:", "        env: [{name: A, value: b}]\n        ports:")
        await cluster.ok("apply", "-f", "-", stdin=with_env)
        await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        deployment = await cluster.client.get(kubernetes.DEPLOYMENTS, "reviews", "default")
        assert "env" not in deployment["spec"]["template"]["spec"]["containers"][0]

    @pytest.mark.covers("kubectl", "diff", "apply --dry-run=server")
    async def test_diff_is_empty_then_shows_the_change_and_stores_nothing(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        version = cluster.over.store.version
        assert await cluster.ok("diff", "-f", "-", stdin=DEPLOYMENT) == ""
        changed = DEPLOYMENT.replace("replicas: 2", "replicas: 5")
        result = await cluster.kubectl("diff", "-f", "-", stdin=changed)
        assert result.code == 1
        assert "+  replicas: 5" in result.out
        await cluster.ok("apply", "--dry-run=server", "-f", "-", stdin=changed)
        assert cluster.over.store.version == version

    async def test_definition_and_its_object_in_one_go(self, cluster: Cluster) -> None:
        out = await cluster.ok("apply", "-f", "-", stdin=ROUTE_DEFINITION)
        assert "routes.example.com created" in out
        await cluster.ok("wait", "--for=condition=Established", "crd/routes.example.com", "--timeout=50s")
        assert await cluster.ok("apply", "-f", "-", stdin=ROUTE) == "route.example.com/home created\n"
        assert await cluster.ok("apply", "-f", "-", stdin=ROUTE) == "route.example.com/home unchanged\n"


class TestBadInput:
    @pytest.mark.covers("kubectl", "apply --validate")
    async def test_unknown_field_is_rejected_with_its_path(self, cluster: Cluster) -> None:
        error = await cluster.fails("apply", "-f", "-", stdin=DEPLOYMENT.replace("image:", "imagee:"))
        assert 'unknown field "spec.template.spec.containers[0].imagee"' in error
        assert "strict decoding error" in error

    async def test_unknown_field_of_a_custom_kind_is_rejected(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=ROUTE_DEFINITION)
        error = await cluster.fails("apply", "-f", "-", stdin=ROUTE.replace("hosts:", "hots:"))
        assert 'unknown field "spec.hots"' in error

    @pytest.mark.covers("kubectl", "apply --validate")
    async def test_unknown_field_is_a_warning_when_asked(self, cluster: Cluster) -> None:
        wrong = SERVICE.replace("selector:", "selektor: {a: b}\n  selector:")
        result = await cluster.kubectl("apply", "--validate=warn", "-f", "-", stdin=wrong)
        assert result.code == 0
        assert 'Warning: unknown field "spec.selektor"' in result.err

    async def test_wrong_type_is_rejected(self, cluster: Cluster) -> None:
        error = await cluster.fails(
            "apply", "-f", "-", stdin=DEPLOYMENT.replace("replicas: 2", "replicas: two")
        )
        assert "spec.replicas" in error

    async def test_every_invalid_field_of_a_custom_object_is_named(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=ROUTE_DEFINITION)
        wrong = ROUTE.replace("{hosts: [home.example.com]}", "{weight: 101}")
        error = await cluster.fails("apply", "-f", "-", stdin=wrong)
        assert "spec.hosts: Required value" in error
        assert "spec.weight" in error

    async def test_malformed_yaml(self, cluster: Cluster) -> None:
        error = await cluster.fails("apply", "-f", "-", stdin="kind: [Pod\n")
        assert "error parsing STDIN" in error or "error converting YAML" in error

    async def test_unknown_kind_says_so(self, cluster: Cluster) -> None:
        error = await cluster.fails("apply", "-f", "-", stdin=ROUTE)
        assert 'no matches for kind "Route" in version "example.com/v1"' in error
        error = await cluster.fails("get", "gizmos")
        assert 'the server doesn\'t have a resource type "gizmos"' in error

    async def test_missing_namespace_and_object(self, cluster: Cluster) -> None:
        assert 'namespaces "shop" not found' in await cluster.fails(
            "apply", "-n", "shop", "-f", "-", stdin=POD
        )
        assert 'pods "nobody" not found' in await cluster.fails("get", "pod", "nobody")

    async def test_wrong_token_is_unauthorized(self, cluster: Cluster) -> None:
        error = await cluster.fails("--context=nobody", "get", "pods")
        assert "You must be logged in to the server" in error or "Unauthorized" in error
        assert "No resources found" in (await cluster.kubectl("--context=token", "get", "pods")).err


class TestGet:
    @pytest.mark.covers("kubectl", "get -o wide")
    async def test_pod_columns(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        rows = cells(await cluster.ok("get", "pods"))
        assert rows[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
        assert rows[1][:4] == ["sleeper", "1/1", "Running", "0"]
        wide = await cluster.ok("get", "pods", "-o", "wide", "-A")
        assert wide.split("\n")[0].split()[:2] == ["NAMESPACE", "NAME"]
        assert "10.244.0.7" in wide
        assert "bookmesh" in wide

    @pytest.mark.covers(
        "kubectl",
        "get -o yaml",
        "get -o json",
        "get -o name",
        "get -o jsonpath",
        "get -o custom-columns",
        "get -o go-template",
    )
    async def test_output_formats(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=SERVICE)
        assert yaml.safe_load(await cluster.ok("get", "svc", "reviews", "-o", "yaml"))["kind"] == "Service"
        listed = json.loads(await cluster.ok("get", "svc", "-o", "json"))
        assert [item["kind"] for item in listed["items"]] == ["Service"]
        assert await cluster.ok("get", "svc", "-o", "name") == "service/reviews\n"
        path = "jsonpath={.items[*].spec.ports[0].port}"
        assert await cluster.ok("get", "svc", "-o", path) == "9080"
        columns = "custom-columns=N:.metadata.name,T:.spec.type"
        assert cells(await cluster.ok("get", "svc", "-o", columns))[1] == ["reviews", "ClusterIP"]
        template = "go-template={{(index .spec.ports 0).name}}"
        assert await cluster.ok("get", "svc", "reviews", "-o", template) == "http"

    @pytest.mark.covers("kubectl", "get -l", "get -A")
    async def test_selectors_and_namespaces(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=SERVICE + "---" + DEPLOYMENT)
        await running_pod(cluster)
        assert await cluster.ok("get", "svc,deploy,pod", "-l", "app=reviews", "-o", "name") == (
            "service/reviews\ndeployment.apps/reviews\n"
        )
        assert (
            await cluster.ok("get", "pods", "-l", "app in (sleeper,other),app!=other", "-o", "name")
            == "pod/sleeper\n"
        )
        assert (
            await cluster.ok("get", "pods", "--field-selector", "status.phase!=Running", "-o", "name") == ""
        )
        assert await cluster.ok("get", "pods", "-n", "kube-system", "-o", "name") == ""
        assert "deployment.apps/reviews" in await cluster.ok("get", "all", "-A")

    @pytest.mark.covers("kubectl", "get --chunk-size")
    async def test_pages(self, cluster: Cluster) -> None:
        for number in range(5):
            body = within("default", {"metadata": {"name": f"cm-{number}"}})
            await cluster.client.create(kubernetes.CONFIG_MAPS, body)
        names = await cluster.ok("get", "cm", "--chunk-size=2", "-o", "name")
        assert names.split() == [f"configmap/cm-{number}" for number in range(5)]

    @pytest.mark.covers("kubectl", "get -w")
    async def test_watch_prints_changes_as_they_come(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        async with cluster.running("get", "pods", "-w") as watching:
            assert (await line_of(watching)).split()[0] == "NAME"
            assert (await line_of(watching)).split()[:3] == ["sleeper", "1/1", "Running"]
            ended = {"phase": "Succeeded", "containerStatuses": []}
            await cluster.client.patch(
                kubernetes.PODS, "sleeper", "default", {"status": ended}, subresource="status"
            )
            assert (await line_of(watching)).split()[:3] == ["sleeper", "0/1", "Succeeded"]

    @pytest.mark.covers("kubectl", "get -w")
    async def test_watch_with_a_selector_sees_objects_leave(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        arguments = ("get", "pods", "-l", "app=sleeper", "-w", "--output-watch-events", "--no-headers")
        async with cluster.running(*arguments) as watching:
            assert (await line_of(watching)).split()[0] == "ADDED"
            labels = {"metadata": {"labels": {"app": "other"}}}
            await cluster.client.patch(kubernetes.PODS, "sleeper", "default", labels)
            assert (await line_of(watching)).split()[0] == "DELETED"

    @pytest.mark.covers("kubectl", "get (custom columns of a CRD)")
    async def test_custom_kind_shows_its_own_columns(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=ROUTE_DEFINITION)
        await cluster.ok("apply", "-f", "-", stdin=ROUTE)
        rows = cells(await cluster.ok("get", "rt"))
        assert rows[0] == ["NAME", "HOSTS", "READY", "AGE"]
        assert rows[1][:2] == ["home", '["home.example.com"]']
        assert cells(await cluster.ok("get", "all-routes", "-o", "wide"))[0][3] == "WEIGHT"
        old = yaml.safe_load(await cluster.ok("get", "routes.v1beta1.example.com", "home", "-o", "yaml"))
        assert (old["apiVersion"], old["spec"]["weight"]) == ("example.com/v1beta1", 100)

    @pytest.mark.covers("kubectl", "describe")
    async def test_describe_shows_events(self, cluster: Cluster) -> None:
        pod = await running_pod(cluster)
        event = {
            "metadata": {"name": "sleeper.1", "namespace": "default"},
            "involvedObject": {
                "kind": "Pod",
                "apiVersion": "v1",
                "name": "sleeper",
                "namespace": "default",
                "uid": pod["metadata"]["uid"],
            },
            "type": "Warning",
            "reason": "Failed",
            "message": "nobody knows this image",
            "count": 2,
        }
        await cluster.client.create(kubernetes.EVENTS, event)
        described = await cluster.ok("describe", "pod", "sleeper")
        assert "nobody knows this image" in described
        assert "Service Account:  default" in described
        assert "nobody knows this image" in await cluster.ok("get", "events")
        assert "nobody knows this image" in await cluster.ok("events", "--for", "pod/sleeper")

    @pytest.mark.covers("kubectl", "describe")
    async def test_describe_service_and_deployment(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=SERVICE + "---" + DEPLOYMENT)
        assert "10.96." in await cluster.ok("describe", "svc", "reviews")
        assert "RollingUpdate" in await cluster.ok("describe", "deploy", "reviews")

    @pytest.mark.covers("kubectl", "explain")
    async def test_explain(self, cluster: Cluster) -> None:
        assert "containerPort" in await cluster.ok("explain", "pod.spec.containers.ports")
        assert "FIELDS:" in await cluster.ok("explain", "deployment", "--recursive")
        await cluster.ok("apply", "-f", "-", stdin=ROUTE_DEFINITION)
        assert "Who is routed." in await cluster.ok("explain", "routes.spec.hosts")


class TestCreate:
    async def test_typed_commands_send_protobuf(self, cluster: Cluster) -> None:
        assert await cluster.ok("create", "ns", "shop") == "namespace/shop created\n"
        await cluster.ok("create", "cm", "settings", "-n", "shop", "--from-literal=color=blue")
        await cluster.ok("create", "secret", "generic", "key", "-n", "shop", "--from-literal=a=b")
        config_map = await cluster.client.get(kubernetes.CONFIG_MAPS, "settings", "shop")
        secret = await cluster.client.get(kubernetes.SECRETS, "key", "shop")
        assert config_map["data"] == {"color": "blue"}
        assert (secret["data"], secret["type"]) == ({"a": "Yg=="}, "Opaque")
        assert "already exists" in await cluster.fails("create", "ns", "shop")

    @pytest.mark.covers("kubectl", "run", "expose")
    async def test_run_and_expose(self, cluster: Cluster) -> None:
        await cluster.ok("run", "web", "--image=httpbin", "--port=80")
        await cluster.ok("expose", "pod", "web", "--port=8000", "--target-port=80")
        service = await cluster.client.get(kubernetes.SERVICES, "web", "default")
        assert service["spec"]["selector"] == {"run": "web"}

    @pytest.mark.covers("kubectl", "create token")
    async def test_token_of_a_service_account(self, cluster: Cluster) -> None:
        account = within("default", {"metadata": {"name": "web"}})
        await cluster.client.create(kubernetes.SERVICE_ACCOUNTS, account)
        token = await cluster.ok("create", "token", "web", "--duration=20m")
        claims = jwt.decode(token.strip(), options={"verify_signature": False})
        assert claims["sub"] == "system:serviceaccount:default:web"
        assert claims["exp"] - claims["iat"] == 1200

    @pytest.mark.covers("kubectl", "auth can-i", "auth whoami")
    async def test_access_reviews(self, cluster: Cluster) -> None:
        assert await cluster.ok("auth", "can-i", "delete", "pods") == "yes\n"
        assert "tester" in await cluster.ok("auth", "whoami")
        assert "token-user" in await cluster.ok("--context=token", "auth", "whoami")


class TestChange:
    @pytest.mark.covers("kubectl", "label", "annotate")
    async def test_label_and_annotate(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=SERVICE)
        assert "labeled" in await cluster.ok("label", "svc", "reviews", "tier=back")
        assert "already has a value" in await cluster.fails("label", "svc", "reviews", "tier=front")
        await cluster.ok("annotate", "svc", "reviews", "note=hello")
        await cluster.ok("label", "ns", "default", "istio-injection=enabled")
        service = await cluster.client.get(kubernetes.SERVICES, "reviews", "default")
        assert service["metadata"]["labels"] == {"app": "reviews", "tier": "back"}
        assert service["metadata"]["annotations"]["note"] == "hello"

    @pytest.mark.covers("kubectl", "scale")
    async def test_scale(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        assert "scaled" in await cluster.ok("scale", "deploy/reviews", "--replicas=4")
        assert "scaled" in await cluster.ok("scale", "deploy/reviews", "--replicas=1", "--current-replicas=4")
        deployment = await cluster.client.get(kubernetes.DEPLOYMENTS, "reviews", "default")
        assert (deployment["spec"]["replicas"], deployment["metadata"]["generation"]) == (1, 3)

    @pytest.mark.covers("kubectl", "patch --type=strategic", "patch --type=merge", "patch --type=json")
    async def test_patch_in_each_way(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        image = {"spec": {"template": {"spec": {"containers": [{"name": "reviews", "image": "x"}]}}}}
        await cluster.ok("patch", "deploy", "reviews", "-p", json.dumps(image))
        await cluster.ok("patch", "deploy", "reviews", "--type=merge", "-p", '{"spec":{"paused":true}}')
        operation = '[{"op":"replace","path":"/spec/replicas","value":7}]'
        await cluster.ok("patch", "deploy", "reviews", "--type=json", "-p", operation)
        spec = (await cluster.client.get(kubernetes.DEPLOYMENTS, "reviews", "default"))["spec"]
        container = spec["template"]["spec"]["containers"][0]
        assert (container["image"], container["ports"][0]["containerPort"]) == ("x", 9080)
        assert (spec["paused"], spec["replicas"]) == (True, 7)

    @pytest.mark.covers("kubectl", "replace", "edit")
    async def test_replace_and_edit(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=SERVICE)
        before = await cluster.client.get(kubernetes.SERVICES, "reviews", "default")
        await cluster.ok("replace", "-f", "-", stdin=SERVICE.replace("9080", "9081"))
        after = await cluster.client.get(kubernetes.SERVICES, "reviews", "default")
        assert after["spec"]["clusterIP"] == before["spec"]["clusterIP"]
        assert after["spec"]["ports"][0]["port"] == 9081

    async def test_rollout_status_waits_for_the_status(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT)
        async with cluster.running("rollout", "status", "deploy/reviews") as rollout:
            assert "Waiting for deployment" in await line_of(rollout)
            status = {
                "observedGeneration": 1,
                "replicas": 2,
                "updatedReplicas": 2,
                "readyReplicas": 2,
                "availableReplicas": 2,
            }
            await cluster.client.patch(
                kubernetes.DEPLOYMENTS, "reviews", "default", {"status": status}, subresource="status"
            )
            lines = [await line_of(rollout)]
            while "successfully rolled out" not in lines[-1]:
                assert lines[-1], lines
                lines.append(await line_of(rollout))
        rows = cells(await cluster.ok("get", "deploy"))
        assert rows[0] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
        assert rows[1][:4] == ["reviews", "2/2", "2", "2"]
        await cluster.ok("rollout", "restart", "deploy/reviews")

    @pytest.mark.covers("kubectl", "wait --for=condition", "wait --for=delete")
    async def test_wait_for_a_condition_and_for_deletion(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        await cluster.ok("wait", "--for=condition=Ready", "pod/sleeper", "--timeout=50s")
        assert "timed out" in await cluster.fails(
            "wait", "--for=condition=Odd", "pod/sleeper", "--timeout=100ms"
        )
        async with cluster.running("wait", "--for=delete", "pod/sleeper", "--timeout=50s") as waiting:
            await cluster.until_watched("pods")
            await cluster.client.delete(kubernetes.PODS, "sleeper", "default", grace_s=0)
            assert await line_of(waiting) == "pod/sleeper condition met"


class TestDelete:
    @pytest.mark.covers("kubectl", "delete", "delete -l")
    async def test_by_file_and_by_label(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=SERVICE + "---" + DEPLOYMENT)
        out = await cluster.ok("delete", "-f", "-", stdin=SERVICE)
        assert out.startswith('service "reviews" deleted')
        assert 'services "reviews" not found' in await cluster.fails("delete", "-f", "-", stdin=SERVICE)
        await cluster.ok("delete", "deploy", "-l", "app=reviews")
        assert await cluster.ok("get", "deploy", "-o", "name") == ""
        await cluster.ok("delete", "svc", "reviews", "--ignore-not-found")

    async def test_pod_stays_terminating_until_the_node_is_done(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        async with cluster.running("delete", "pod", "sleeper") as deleting:
            assert (await line_of(deleting)).startswith('pod "sleeper" deleted')
            assert cells(await cluster.ok("get", "pods"))[1][2] == "Terminating"
            assert deleting.returncode is None
            await cluster.client.delete(kubernetes.PODS, "sleeper", "default", grace_s=0)
            assert await asyncio.wait_for(deleting.wait(), DEADLINE_S) == 0

    @pytest.mark.covers("kubectl", "delete --force")
    async def test_by_force(self, cluster: Cluster) -> None:
        await running_pod(cluster)
        await cluster.ok("delete", "pod", "sleeper", "--force", "--grace-period=0")
        assert await cluster.ok("get", "pods", "-o", "name") == ""

    @pytest.mark.covers("kubectl", "delete (a CRD with its objects)")
    async def test_definition_takes_its_objects_along(self, cluster: Cluster) -> None:
        await cluster.ok("apply", "-f", "-", stdin=ROUTE_DEFINITION)
        await cluster.ok("apply", "-f", "-", stdin=ROUTE)
        await cluster.ok("delete", "-f", "-", stdin=ROUTE_DEFINITION)
        # kubectl may still believe in the kind, from its discovery cache; the server does not.
        error = await cluster.fails("get", "routes")
        assert "doesn't have a resource type" in error or "could not find the requested resource" in error
        await cluster.ok("apply", "-f", "-", stdin=ROUTE_DEFINITION)
        assert await cluster.ok("get", "routes", "-o", "name") == ""

    async def test_a_namespace_that_must_stay(self, cluster: Cluster) -> None:
        assert "may not be deleted" in await cluster.fails("delete", "ns", "default")


@pytest.mark.parametrize("context", ["certificate", "token"])
async def test_both_kinds_of_credentials(cluster: Cluster, context: str) -> None:
    assert "default" in await cluster.ok(f"--context={context}", "get", "ns")
