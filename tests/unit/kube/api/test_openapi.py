"""OpenAPI documents: what kubectl decides from."""

from __future__ import annotations

from tests.unit.kube.api.conftest import Send, decoded

from bookmesh.base.kubernetes import CUSTOM_RESOURCE_DEFINITIONS, JsonObject
from bookmesh.kube.api import openapi, verbs


async def test_index_leads_to_documents_that_never_change(send: Send) -> None:
    index = decoded(await send("GET", "/openapi/v3"))["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/apiextensions.k8s.io/v1"} <= index.keys()
    response = await send("GET", index["apis/apps/v1"]["serverRelativeURL"])
    assert "immutable" in response.headers["Cache-Control"]
    assert "io.k8s.api.apps.v1.Deployment" in decoded(response)["components"]["schemas"]
    assert (await send("GET", "/openapi/v3/apis/nothing/v1")).status == 404


async def test_patch_tells_what_is_understood(send: Send, over: verbs.Verbs, definition: JsonObject) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    builtin = decoded(await send("GET", "/openapi/v3/api/v1"))
    patch = builtin["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" in patch["requestBody"]["content"]
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert "/api/v1/nodes/{name}" in builtin["paths"]
    custom = decoded(await send("GET", "/openapi/v3/apis/example.com/v1"))
    patch = custom["paths"]["/apis/example.com/v1/namespaces/{namespace}/routes/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]


async def test_every_reference_can_be_followed(send: Send) -> None:
    for path in decoded(await send("GET", "/openapi/v3"))["paths"].values():
        document = decoded(await send("GET", path["serverRelativeURL"]))
        known = document["components"]["schemas"]
        for reference in _references(document):
            assert reference.removeprefix("#/components/schemas/") in known


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for child in value.values() for found in _references(child)]
    return [found for child in value for found in _references(child)] if isinstance(value, list) else []


async def test_hash_changes_with_the_definition_alone(
    send: Send, over: verbs.Verbs, definition: JsonObject
) -> None:
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    before = decoded(await send("GET", "/openapi/v3"))["paths"]
    specification = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    specification["properties"]["more"] = {"type": "string"}
    over.update(CUSTOM_RESOURCE_DEFINITIONS, "routes.example.com", "", definition)
    after = decoded(await send("GET", "/openapi/v3"))["paths"]
    assert after["api/v1"] == before["api/v1"]
    assert after["apis/example.com/v1"] != before["apis/example.com/v1"]


async def test_v2_is_a_stub(send: Send) -> None:
    response = await send("GET", "/openapi/v2")
    assert response.headers["Content-Type"] == openapi.V2_TYPE
    assert openapi.v2_stub("v1").startswith(b"\x0a\x032.0")
