"""Methods on paths: status codes and bodies."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.unit.kube.api.conftest import Send, decoded

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import verbs

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = {"Content-Type": "application/merge-patch+json"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def _config_map(name: str = "a") -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


async def test_life_of_an_object(send: Send) -> None:
    created = await send("POST", CONFIG_MAPS, body=_config_map())
    assert created.status == 201
    assert decoded(await send("GET", f"{CONFIG_MAPS}/a")) == decoded(created)
    replaced = await send("PUT", f"{CONFIG_MAPS}/a", body={**_config_map(), "data": {"x": "y"}})
    assert (replaced.status, decoded(replaced)["data"]) == (200, {"x": "y"})
    patched = await send("PATCH", f"{CONFIG_MAPS}/a", body={"data": {"x": None}}, headers=MERGE)
    assert decoded(patched)["data"] == {}
    deleted = decoded(await send("DELETE", f"{CONFIG_MAPS}/a"))
    assert (deleted["status"], deleted["details"]["name"]) == ("Success", "a")
    assert (await send("GET", f"{CONFIG_MAPS}/a")).status == 404


async def test_some_kinds_are_shown_when_they_are_gone(send: Send) -> None:
    accounts = CONFIG_MAPS.replace("configmaps", "serviceaccounts")
    await send("POST", accounts, body={"metadata": {"name": "a"}})
    deleted = decoded(await send("DELETE", f"{accounts}/a"))
    assert (deleted["kind"], deleted["metadata"]["name"]) == ("ServiceAccount", "a")
    assert (await send("GET", f"{accounts}/a")).status == 404


async def test_yaml_in_and_out(send: Send) -> None:
    headers = {"Content-Type": "application/yaml", "Accept": "application/yaml"}
    response = await send("POST", CONFIG_MAPS, body=b"metadata: {name: a}\ndata: {x: y}", headers=headers)
    assert response.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(response.body)["data"] == {"x": "y"}  # type: ignore[attr-defined]
    listed = await send("GET", CONFIG_MAPS, headers={"Accept": "application/yaml"})
    assert yaml.safe_load(listed.body)["kind"] == "ConfigMapList"  # type: ignore[attr-defined]


async def test_unknown_field_is_a_warning_header_or_an_error(send: Send) -> None:
    body = {**_config_map(), "dada": {}}
    response = await send("POST", CONFIG_MAPS, body=body)
    assert response.headers["Warning"] == '299 - "unknown field \\"dada\\""'
    assert (await send("POST", f"{CONFIG_MAPS}?fieldValidation=Strict", body=body)).status == 400


async def test_pages_follow_each_other_in_one_state(send: Send) -> None:
    for name in ("a", "b", "c"):
        await send("POST", CONFIG_MAPS, body=_config_map(name))
    first = decoded(await send("GET", f"{CONFIG_MAPS}?limit=2"))
    assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 1
    token = first["metadata"]["continue"]
    await send("POST", CONFIG_MAPS, body=_config_map("d"))
    second = decoded(await send("GET", f"{CONFIG_MAPS}?limit=2&continue={token}"))
    assert [item["metadata"]["name"] for item in second["items"]] == ["c"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert "continue" not in second["metadata"]


async def test_lists_are_the_same_joined_or_built(send: Send) -> None:
    await send("POST", CONFIG_MAPS, body=_config_map())
    listed = decoded(await send("GET", "/api/v1/configmaps"))
    assert (listed["kind"], listed["apiVersion"], len(listed["items"])) == ("ConfigMapList", "v1", 1)
    assert listed["items"][0] == decoded(await send("GET", f"{CONFIG_MAPS}/a"))


async def test_tables_and_metadata(send: Send) -> None:
    await send("POST", CONFIG_MAPS, body=_config_map())
    assert decoded(await send("GET", CONFIG_MAPS, headers=TABLE))["rows"][0]["cells"][0] == "a"
    assert decoded(await send("GET", f"{CONFIG_MAPS}/a", headers=TABLE))["kind"] == "Table"
    partial = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
    listed = decoded(await send("GET", CONFIG_MAPS, headers=partial))
    assert listed["items"][0]["kind"] == "PartialObjectMetadata"


async def test_delete_options_in_body_or_query(send: Send, over: verbs.Verbs, deployment: JsonObject) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments/web"
    over.create(kubernetes.DEPLOYMENTS, deployment)
    response = decoded(await send("DELETE", f"{path}?propagationPolicy=Foreground"))
    assert response["metadata"]["finalizers"] == ["foregroundDeletion"]
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    assert decoded(await send("DELETE", path, body=options))["status"] == "Success"


async def test_collection_is_deleted_by_selector(send: Send) -> None:
    for name in ("a", "b"):
        body = _config_map(name)
        body["metadata"]["labels"] = {"name": name}
        await send("POST", CONFIG_MAPS, body=body)
    gone = decoded(await send("DELETE", f"{CONFIG_MAPS}?labelSelector=name%3Da"))
    assert [item["metadata"]["name"] for item in gone["items"]] == ["a"]


async def test_scale_and_status(send: Send, over: verbs.Verbs, deployment: JsonObject) -> None:
    over.create(kubernetes.DEPLOYMENTS, deployment)
    path = "/apis/apps/v1/namespaces/default/deployments/web"
    assert decoded(await send("GET", f"{path}/scale"))["spec"]["replicas"] == 1
    assert (
        decoded(await send("PATCH", f"{path}/scale", body={"spec": {"replicas": 3}}, headers=MERGE))["kind"]
        == "Scale"
    )
    status = await send("PATCH", f"{path}/status", body={"status": {"replicas": 3}}, headers=MERGE)
    assert decoded(status)["status"]["replicas"] == 3
    assert decoded(await send("GET", f"{path}/status"))["spec"]["replicas"] == 3
    assert (await send("POST", f"{path}/status", body={})).status == 405
    assert (await send("GET", f"{path}/log")).status == 404


async def test_binding_and_eviction(send: Send, over: verbs.Verbs, pod: JsonObject) -> None:
    over.create(kubernetes.PODS, pod)
    path = "/api/v1/namespaces/default/pods/web"
    assert (await send("POST", f"{path}/binding", body={"target": {}})).status == 400
    assert (await send("POST", f"{path}/binding", body={"target": {"name": "bookmesh"}})).status == 201
    assert over.get(kubernetes.PODS, "web", "default").object["spec"]["nodeName"] == "bookmesh"
    evicted = await send("POST", f"{path}/eviction", body={"deleteOptions": {"gracePeriodSeconds": 0}})
    assert evicted.status == 201
    assert (await send("GET", path)).status == 404


async def test_cluster_scoped_kind_below_a_namespace_does_not_exist(send: Send) -> None:
    assert (await send("GET", "/api/v1/namespaces/default/nodes")).status == 404


async def test_token_needs_an_issuer(send: Send, over: verbs.Verbs) -> None:
    over.create(kubernetes.SERVICE_ACCOUNTS, {"metadata": {"name": "web", "namespace": "default"}})
    response = await send("POST", "/api/v1/namespaces/default/serviceaccounts/web/token", body={"spec": {}})
    assert response.status == 501


async def test_an_object_of_a_namespace_is_nowhere_else_and_namespaces_go_one_by_one(send: Send) -> None:
    assert (await send("GET", "/api/v1/configmaps")).status == 200
    nowhere = await send("GET", "/api/v1/configmaps/a")
    assert (nowhere.status, decoded(nowhere)["details"]) == (404, {})
    assert (await send("DELETE", "/api/v1/namespaces")).status == 405


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        (
            "merge",
            [],
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            "strategic-merge",
            "a",
            "json: cannot unmarshal string into Go value of type map[string]interface {}",
        ),
        (
            "json",
            {},
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ),
    ],
)
async def test_a_patch_of_another_form_is_a_bad_request(
    send: Send, kind: str, body: Any, message: str
) -> None:
    given = {"Content-Type": f"application/{kind}-patch+json"}
    answer = await send("PATCH", "/api/v1/namespaces/default", body=body, headers=given)
    assert (answer.status, decoded(answer)["message"]) == (400, message)
