"""Admission webhooks: real HTTPS between the API server and a program, seen by the real kubectl."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.clients import webhooks
from tests.clients.conftest import Cluster
from tests.clients.manifests import DEPLOYMENT, POD

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject, Resource

ADD_LABEL = {"op": "add", "path": "/metadata/labels", "value": {"by": "hook"}}


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[webhooks.Program]:
    async with webhooks.serving(tmp_path) as found:
        yield found


async def configure(cluster: Cluster, kind: str, *hooks: JsonObject, name: str = "tests") -> None:
    await cluster.ok("apply", "-f", "-", stdin=webhooks.configuration(kind, *hooks, name=name))


async def config_map(cluster: Cluster, name: str) -> JsonObject:
    found: JsonObject = orjson.loads(await cluster.ok("get", "configmap", name, "-o", "json"))
    return found


async def test_a_denial_reaches_the_user_in_a_real_servers_words(
    cluster: Cluster, program: webhooks.Program
) -> None:
    await cluster.ok("create", "configmap", "before")
    await configure(cluster, "Validating", program.webhook("/deny", webhooks.deny))
    text = await cluster.fails("create", "configmap", "a")
    assert (
        'error: failed to create configmap: admission webhook "deny.example.com" denied the request: '
        "not on a Friday"
    ) in text
    text = await cluster.fails("delete", "configmap", "before")
    assert (
        'Error from server (Forbidden): admission webhook "deny.example.com" denied the request: not on a Friday'
    ) in text
    await cluster.ok("delete", "validatingwebhookconfiguration", "tests")
    await cluster.ok("delete", "configmap", "before")


async def test_what_a_webhook_is_asked(cluster: Cluster, program: webhooks.Program) -> None:
    await configure(cluster, "Validating", program.webhook("/see", webhooks.allow))
    await cluster.ok("create", "configmap", "a", "--from-literal=x=1")
    await cluster.ok("label", "configmap", "a", "y=2")
    await cluster.ok("delete", "configmap", "a", "--dry-run=server")
    await cluster.ok("delete", "configmap", "a")
    asked = [question for _, question in program.asked]
    assert [each["operation"] for each in asked] == ["CREATE", "UPDATE", "DELETE", "DELETE"]
    created, changed, tried, deleted = asked
    assert created["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert created["resource"] == created["requestResource"]
    assert created["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (created["name"], created["namespace"]) == ("a", "default")
    assert created["userInfo"] == {
        "username": "tester",
        "groups": ["system:masters", "system:authenticated"],
    }
    assert (created["object"]["data"], created["oldObject"]) == ({"x": "1"}, None)
    assert created["object"]["kind"] == "ConfigMap"
    assert changed["object"]["metadata"]["labels"] == {"y": "2"}
    assert "labels" not in changed["oldObject"]["metadata"]
    assert (tried["dryRun"], deleted["dryRun"]) == (True, False)
    assert (deleted["object"], deleted["oldObject"]["data"]) == (None, {"x": "1"})


async def test_an_object_is_changed_in_order_and_asked_about_again(
    cluster: Cluster, program: webhooks.Program
) -> None:
    def count(asked: JsonObject) -> JsonObject:
        seen = (asked["object"].get("data") or {}).get("seen", "")
        data = {"seen": seen + "x", "labels": str(len(asked["object"]["metadata"].get("labels") or {}))}
        change = {"op": "add", "path": "/data", "value": data}
        answer = webhooks.patch(change)(asked)
        assert isinstance(answer, dict)
        return answer

    first = program.webhook("/first", count, reinvocationPolicy="IfNeeded")
    second = program.webhook("/second", webhooks.patch(ADD_LABEL))
    await configure(cluster, "Mutating", second, name="b")
    await configure(cluster, "Mutating", first, name="a")
    await configure(cluster, "Validating", program.webhook("/last", webhooks.allow))
    await cluster.ok("create", "configmap", "a")
    assert program.paths() == ["/first", "/second", "/first", "/last"]
    found = await config_map(cluster, "a")
    assert found["data"] == {"seen": "xx", "labels": "1"}
    assert found["metadata"]["labels"] == {"by": "hook"}
    assert program.asked[-1][1]["object"]["data"] == found["data"]


async def test_a_webhook_that_changes_nothing_leads_to_no_second_question(
    cluster: Cluster, program: webhooks.Program
) -> None:
    first = program.webhook("/first", webhooks.patch(ADD_LABEL), reinvocationPolicy="IfNeeded")
    await configure(cluster, "Mutating", first, program.webhook("/second", webhooks.allow))
    await cluster.ok("create", "configmap", "a")
    assert program.paths() == ["/first", "/second"]


async def test_warnings_are_shown(cluster: Cluster, program: webhooks.Program) -> None:
    def warn(_: JsonObject) -> JsonObject:
        return {"allowed": True, "warnings": ["think twice"]}

    await configure(cluster, "Mutating", program.webhook("/a", warn))
    await configure(cluster, "Validating", program.webhook("/b", warn))
    result = await cluster.kubectl("create", "configmap", "a")
    assert (result.code, result.err.count("Warning: think twice")) == (
        0,
        1,
    )  # kubectl says the same thing once


async def test_what_a_webhook_makes_of_an_object_is_checked(
    cluster: Cluster, program: webhooks.Program
) -> None:
    change = {"op": "add", "path": "/spec/containers/0/image", "value": 7}
    rule = {**webhooks.PODS}
    await configure(cluster, "Mutating", program.webhook("/a", webhooks.patch(change), rules=[rule]))
    text = await cluster.fails("apply", "-f", "-", stdin=POD)
    assert "Internal error occurred: json: cannot unmarshal number" in text
    assert "spec.containers.image of type string" in text
    change = {"op": "add", "path": "/spec/restartPolicy", "value": "Sometimes"}
    program.answers["/a"] = webhooks.patch(change)
    text = await cluster.fails("apply", "-f", "-", stdin=POD)
    assert 'spec.restartPolicy: Unsupported value: "Sometimes"' in text
    bad = {"op": "remove", "path": "/spec/nothing"}
    program.answers["/a"] = webhooks.patch(bad)
    text = await cluster.fails("apply", "-f", "-", stdin=POD)
    assert "Internal error occurred" in text


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"raw": "no"}, "received invalid webhook response: couldn't get version/kind; json parse error"),
        ({"raw": "{}"}, "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got"),
        ({"uid": "other", "allowed": True}, "expected response.uid="),
        (
            {"allowed": True, "patch": "W10="},
            'received invalid webhook response: webhook returned invalid response.patchType of ""',
        ),
        ({"raw": "broken", "code": 500}, 'an error on the server ("broken") has prevented the request'),
        ({"raw": "", "code": 404}, "the server could not find the requested resource"),
    ],
)
async def test_answers_that_are_none(
    cluster: Cluster, program: webhooks.Program, answer: JsonObject, why: str
) -> None:
    strict = program.webhook("/a", lambda _: answer)
    await configure(cluster, "Validating", strict)
    text = await cluster.fails("create", "configmap", "a")
    assert 'Internal error occurred: failed calling webhook "a.example.com": ' in text
    assert why in text
    await configure(cluster, "Validating", {**strict, "failurePolicy": "Ignore"})
    await cluster.ok("create", "configmap", "a")


async def test_a_program_that_cannot_be_reached_or_trusted_or_is_too_slow(
    cluster: Cluster, program: webhooks.Program
) -> None:
    async def sleep(_: JsonObject) -> JsonObject:
        await asyncio.Event().wait()
        return {}

    slow = program.webhook("/a", sleep, timeoutSeconds=1)
    await configure(cluster, "Validating", slow)
    url = f"https://127.0.0.1:{program.port}/a"
    text = await cluster.fails("create", "configmap", "a")
    assert 'failed calling webhook "a.example.com": failed to call webhook: ' in text
    assert f'Post "{url}?timeout=1s": context deadline exceeded' in text
    patient = {**slow, "timeoutSeconds": 30}
    other = {**slow["clientConfig"], "caBundle": _other_authority(cluster)}
    await configure(cluster, "Validating", {**patient, "clientConfig": other})
    text = await cluster.fails("create", "configmap", "a")
    assert (
        f'Post "{url}?timeout=30s": tls: failed to verify certificate: x509: certificate signed by unknown authority'
        in text
    )
    await configure(cluster, "Validating", {**patient, "clientConfig": {"url": "https://127.0.0.1:9/"}})
    text = await cluster.fails("create", "configmap", "a")
    assert "dial tcp 127.0.0.1:9: connect: connection refused" in text
    plain = await asyncio.start_server(_answer_without_tls, "127.0.0.1", 0)
    async with plain:
        port = plain.sockets[0].getsockname()[1]
        await configure(
            cluster, "Validating", {**patient, "clientConfig": {"url": f"https://127.0.0.1:{port}/"}}
        )
        text = await cluster.fails("create", "configmap", "a")
    assert "http: server gave HTTP response to HTTPS client" in text


async def _answer_without_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


def _other_authority(cluster: Cluster) -> str:
    config = orjson.loads((cluster.directory / "kubeconfig").read_bytes())
    bundle: str = config["clusters"][0]["cluster"]["certificate-authority-data"]
    return bundle


async def test_a_service_is_reached_at_its_endpoints(cluster: Cluster, program: webhooks.Program) -> None:
    hook = program.webhook("/a", webhooks.deny)
    service: dict[str, Any] = {"namespace": "default", "name": "hook", "path": "/a"}
    hook["clientConfig"] = {"service": service, "caBundle": program.bundle}
    await configure(cluster, "Validating", hook)
    text = await cluster.fails("create", "configmap", "a")
    assert 'failed calling webhook "a.example.com": failed to call webhook: service "hook" not found' in text
    await cluster.ok("create", "service", "clusterip", "hook", "--tcp=443:8443")
    text = await cluster.fails("create", "configmap", "a")
    assert 'no endpoints available for service "hook"' in text
    ports = [{"name": "443-8443", "port": program.port}]
    slice_ = {
        "metadata": {
            "name": "hook-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "hook"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": ports,
    }
    await cluster.client.create(kubernetes.ENDPOINT_SLICES, slice_)
    assert "not on a Friday" in await cluster.fails("create", "configmap", "a")
    assert program.paths() == ["/a"]
    await configure(cluster, "Validating", {**hook, "clientConfig": {"service": {**service, "port": 8443}}})
    assert 'no service port 8443 found for service "hook"' in await cluster.fails("create", "cm", "a")


async def test_selectors_and_conditions_choose(cluster: Cluster, program: webhooks.Program) -> None:
    await cluster.ok("create", "namespace", "shop")
    await cluster.ok("label", "namespace", "shop", "team=shop")
    await configure(
        cluster,
        "Validating",
        program.webhook("/place", webhooks.deny, namespaceSelector={"matchLabels": {"team": "shop"}}),
        program.webhook("/label", webhooks.deny, objectSelector={"matchLabels": {"a": "b"}}),
        program.webhook(
            "/condition",
            webhooks.deny,
            matchConditions=[
                {"name": "big", "expression": "request.operation == 'CREATE' && size(object.data) > 1"}
            ],
        ),
        program.webhook(
            "/broken",
            webhooks.allow,
            matchConditions=[{"name": "broken", "expression": "object.data.nothing == 'x'"}],
            rules=[{**webhooks.CONFIG_MAPS, "resources": ["secrets"]}],
        ),
    )
    await cluster.ok("create", "configmap", "a", "--from-literal=x=1")
    assert program.asked == []
    assert '"place.example.com" denied' in await cluster.fails("create", "configmap", "a", "-n", "shop")
    assert '"label.example.com" denied' in await cluster.fails("label", "configmap", "a", "a=b")
    two = ("--from-literal=x=1", "--from-literal=y=2")
    assert '"condition.example.com" denied' in await cluster.fails("create", "configmap", "b", *two)
    text = await cluster.fails("create", "secret", "generic", "s", "--from-literal=x=1")
    assert "expression 'object.data.nothing == 'x'' resulted in error: no such key: nothing" in text


async def test_a_condition_that_is_no_expression_is_refused(
    cluster: Cluster, program: webhooks.Program
) -> None:
    conditions = [{"name": "a", "expression": "params.x == 1"}]
    hook = program.webhook("/a", webhooks.allow, matchConditions=conditions)
    text = await cluster.fails("apply", "-f", "-", stdin=webhooks.configuration("Validating", hook))
    assert "webhooks[0].matchConditions[0].expression: Invalid value" in text
    assert "compilation failed: ERROR: <input>:1:1: undeclared reference to 'params'" in text


async def test_subresources_are_asked_about_apart(cluster: Cluster, program: webhooks.Program) -> None:
    scale = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["UPDATE"],
        "resources": ["deployments/scale"],
    }
    await configure(cluster, "Validating", program.webhook("/scale", webhooks.deny, rules=[scale]))
    await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT)
    await cluster.ok("label", "deployment", "reviews", "a=b")
    assert '"scale.example.com" denied' in await cluster.fails(
        "scale", "deployment", "reviews", "--replicas=3"
    )
    (_, asked) = program.asked[0]
    assert (asked["subResource"], asked["kind"]["kind"]) == ("scale", "Scale")
    assert (asked["object"]["spec"]["replicas"], asked["oldObject"]["spec"]["replicas"]) == (3, 2)


async def test_a_stream_into_a_pod_can_be_refused(cluster: Cluster, program: webhooks.Program) -> None:
    await cluster.ok("apply", "-f", "-", stdin=POD)
    assert "hello" in await cluster.ok("exec", "sleeper", "--", "echo", "hello")
    rule = {**webhooks.PODS, "operations": ["CONNECT"], "resources": ["pods/exec"]}
    await configure(cluster, "Validating", program.webhook("/a", webhooks.deny, rules=[rule]))
    assert '"a.example.com" denied' in await cluster.fails("exec", "sleeper", "--", "echo", "hello")
    asked = program.asked[0][1]
    assert (asked["operation"], asked["subResource"], asked["name"]) == ("CONNECT", "exec", "sleeper")
    assert asked["object"]["kind"] == "PodExecOptions"
    assert asked["object"]["command"] == ["echo", "hello"]


async def test_an_equivalent_version_is_asked_about_in_the_version_of_the_rule(
    cluster: Cluster, program: webhooks.Program
) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [
        {"name": name, "served": True, "storage": name == "v1", "schema": schema}
        for name in ("v1", "v1beta1")
    ]
    names = {"kind": "Route", "plural": "routes"}
    definition = {
        "metadata": {"name": "routes.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions},
    }
    await cluster.client.create(kubernetes.CUSTOM_RESOURCE_DEFINITIONS, definition)
    rule = {
        "apiGroups": ["example.com"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["routes"],
    }
    equivalent = program.webhook("/a", webhooks.patch(ADD_LABEL), rules=[rule])
    exact = program.webhook("/b", webhooks.deny, rules=[rule], matchPolicy="Exact")
    await configure(cluster, "Mutating", equivalent, exact)
    route = {"metadata": {"name": "a", "namespace": "default"}}
    made = await cluster.client.create(Resource("example.com", "v1beta1", "routes"), route)
    assert (made["apiVersion"], made["metadata"]["labels"]) == ("example.com/v1beta1", {"by": "hook"})
    assert program.paths() == ["/a"]
    asked = program.asked[0][1]
    assert (asked["resource"]["version"], asked["requestResource"]["version"]) == ("v1", "v1beta1")
    assert asked["object"]["apiVersion"] == "example.com/v1"


async def test_a_write_that_was_overtaken_starts_again(cluster: Cluster, program: webhooks.Program) -> None:
    await cluster.ok("create", "configmap", "a")
    resource = kubernetes.CONFIG_MAPS
    is_first = True

    async def overtake(_: JsonObject) -> JsonObject:
        nonlocal is_first
        if is_first:
            is_first = False
            cluster.over.store.update(
                cluster.over.get(resource, "a", "default").group_resource,
                "default",
                "a",
                {**cluster.over.get(resource, "a", "default").object, "data": {"other": "1"}},
            )
        return {"allowed": True}

    await configure(cluster, "Validating", program.webhook("/a", overtake))
    await cluster.ok("label", "configmap", "a", "x=y")
    found = await config_map(cluster, "a")
    assert (found["data"], found["metadata"]["labels"]) == ({"other": "1"}, {"x": "y"})
    assert program.paths() == ["/a", "/a"]
    is_first = True
    stale = {**found, "data": {"mine": "1"}}
    text = await cluster.fails("replace", "-f", "-", stdin=orjson.dumps(stale))
    assert "the object has been modified; please apply your changes to the latest version" in text


async def test_nobody_is_asked_about_webhooks_themselves(cluster: Cluster, program: webhooks.Program) -> None:
    everything = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["*"],
        "resources": ["*/*"],
    }
    await configure(cluster, "Validating", program.webhook("/a", webhooks.deny, rules=[everything]))
    assert "denied" in await cluster.fails("create", "configmap", "a")
    table = await cluster.ok("get", "validatingwebhookconfigurations")
    assert table.splitlines()[1].split()[:2] == ["tests", "1"]
    await cluster.ok("delete", "validatingwebhookconfiguration", "tests")
    await cluster.ok("create", "configmap", "a")
