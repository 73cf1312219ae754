"""Discovery documents in the forms that clients ask for."""

from __future__ import annotations

import orjson
import pytest
from tests.unit.kube.api.conftest import Send, decoded

from bookmesh.base.kubernetes import CUSTOM_RESOURCE_DEFINITIONS, JsonObject
from bookmesh.kube.api import discovery, verbs
from bookmesh.kube.schema import kinds

KUBECTL = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (KUBECTL, "v2"),
        ("application/json;as=APIGroupDiscoveryList;v=v2beta1;g=apidiscovery.k8s.io", "v2beta1"),
        ("application/json", None),
        ("application/json," + KUBECTL, None),
        ("*/*", None),
    ],
)
def test_wanted_form(accept: str, expected: str | None) -> None:
    assert discovery.wanted_version(accept) == expected


def test_aggregated_document() -> None:
    groups = discovery.grouped(kinds.Kinds().all())
    body, tag = discovery.aggregated(groups, "v2", is_core=True)
    (core,) = orjson.loads(body)["items"]
    pods = next(entry for entry in core["versions"][0]["resources"] if entry["resource"] == "pods")
    assert (pods["shortNames"], pods["scope"], pods["categories"]) == (["po"], "Namespaced", ["all"])
    assert {
        "subresource": "log",
        "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
        "verbs": ["get"],
    } in (pods["subresources"])
    others, other_tag = discovery.aggregated(groups, "v2", is_core=False)
    names = [item["metadata"]["name"] for item in orjson.loads(others)["items"]]
    assert "apps" in names
    assert tag != other_tag


def test_versions_are_in_order_of_preference(over: verbs.Verbs, definition: JsonObject) -> None:
    definition["spec"]["versions"].reverse()
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    groups = discovery.grouped(over.kinds.all())
    document = discovery.group_document(groups, "example.com")
    assert document
    assert document["preferredVersion"]["version"] == "v1"
    assert discovery.group_document(groups, "nothing.example.com") is None


def test_legacy_lists() -> None:
    groups = discovery.grouped(kinds.Kinds().all())
    listed = discovery.resource_list(groups, "apps", "v1")
    assert listed
    by_name = {entry["name"]: entry for entry in listed["resources"]}
    assert by_name["deployments/scale"]["kind"] == "Scale"
    assert by_name["deployments/scale"]["group"] == "autoscaling"
    assert "group" not in by_name["deployments/status"]
    assert discovery.resource_list(groups, "apps", "v2") is None
    assert "" not in [group["name"] for group in discovery.group_list(groups)["groups"]]


async def test_served_with_a_tag_and_after_changes(
    send: Send, over: verbs.Verbs, definition: JsonObject
) -> None:
    response = await send("GET", "/apis", headers={"Accept": KUBECTL})
    tag = response.headers["ETag"]
    assert response.headers["Content-Type"].endswith("as=APIGroupDiscoveryList")
    again = await send("GET", "/apis", headers={"Accept": KUBECTL, "If-None-Match": tag})
    assert again.status == 304
    over.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    changed = await send("GET", "/apis", headers={"Accept": KUBECTL, "If-None-Match": tag})
    assert "example.com" in [item["metadata"].get("name") for item in decoded(changed)["items"]]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_legacy_paths_with_and_without_a_slash(send: Send, slash: str) -> None:
    assert decoded(await send("GET", "/api" + slash))["versions"] == ["v1"]
    assert decoded(await send("GET", "/apis" + slash))["kind"] == "APIGroupList"
    assert decoded(await send("GET", "/apis/apps" + slash))["name"] == "apps"
    assert decoded(await send("GET", "/api/v1" + slash))["groupVersion"] == "v1"
    assert decoded(await send("GET", "/apis/apps/v1" + slash))["groupVersion"] == "apps/v1"
    assert decoded(await send("GET", "/version" + slash))["minor"] == "37"
    assert (await send("GET", "/apis/nothing/v1" + slash)).status == 404


def test_what_another_server_answers_for_stands_where_its_priority_puts_it() -> None:
    resources: list[JsonObject] = [{"resource": "dogs"}]
    first = discovery.Outside("pets.example.com", "v1", 19_000, 10, resources, is_current=True)
    newer = discovery.Outside("pets.example.com", "v2", 1, 20, [], is_current=False)
    groups = discovery.grouped(kinds.Kinds().all(), [first, newer])
    body, _ = discovery.aggregated(groups, "v2", is_core=False)
    items = orjson.loads(body)["items"]
    assert [item["metadata"]["name"] for item in items][:3] == [
        "apiregistration.k8s.io",
        "pets.example.com",
        "apps",
    ]
    assert items[1]["versions"] == [
        {"version": "v2", "resources": [], "freshness": "Stale"},
        {"version": "v1", "resources": resources, "freshness": "Current"},
    ]
    document = discovery.group_document(groups, "pets.example.com")
    assert document is not None
    assert document["preferredVersion"]["groupVersion"] == "pets.example.com/v2"
    assert discovery.resource_list(groups, "pets.example.com", "v1") is None
