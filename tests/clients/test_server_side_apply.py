"""Real kubectl applies on the server's side: ownership, conflicts, and moving over from client-side apply."""

from __future__ import annotations

import orjson
import pytest
from tests.clients.conftest import Cluster
from tests.clients.manifests import DEPLOYMENT, ROUTE, ROUTE_DEFINITION

WITH_PORT = DEPLOYMENT.replace("replicas: 2", "replicas: 3")


async def managers_of(cluster: Cluster, name: str = "deployment/reviews") -> list[tuple[str, str, str]]:
    out = await cluster.ok("get", name, "-o", "json", "--show-managed-fields")
    return [
        (each["manager"], each["operation"], each.get("subresource", ""))
        for each in orjson.loads(out)["metadata"]["managedFields"]
    ]


@pytest.mark.covers("kubectl", "apply --server-side", "diff --server-side")
async def test_apply_diff_and_apply_again(cluster: Cluster) -> None:
    apply = ("apply", "--server-side", "-f", "-")
    assert "reviews serverside-applied" in await cluster.ok(*apply, stdin=DEPLOYMENT)
    assert await managers_of(cluster) == [("kubectl", "Apply", "")]
    before = await cluster.ok("get", "deployment/reviews", "-o", "jsonpath={.metadata.resourceVersion}")
    await cluster.ok(*apply, stdin=DEPLOYMENT)
    after = await cluster.ok("get", "deployment/reviews", "-o", "jsonpath={.metadata.resourceVersion}")
    assert before == after
    assert await cluster.ok("diff", "--server-side", "-f", "-", stdin=DEPLOYMENT) == ""
    difference = await cluster.kubectl("diff", "--server-side", "-f", "-", stdin=WITH_PORT)
    assert difference.code == 1
    assert "+  replicas: 3" in difference.out


@pytest.mark.covers("kubectl", "apply --server-side --force-conflicts")
async def test_what_somebody_scaled_is_a_conflict_until_it_is_forced(cluster: Cluster) -> None:
    await cluster.ok("apply", "--server-side", "-f", "-", stdin=DEPLOYMENT)
    await cluster.ok("scale", "deployment/reviews", "--replicas=5")
    assert ("kubectl", "Update", "scale") in await managers_of(cluster)
    error = await cluster.fails("apply", "--server-side", "-f", "-", stdin=WITH_PORT)
    assert (
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1'
        in error
    )
    assert ".spec.replicas" in error
    await cluster.ok("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=WITH_PORT)
    assert await managers_of(cluster) == [("kubectl", "Apply", "")]


async def test_fields_that_nobody_applies_any_more_go(cluster: Cluster) -> None:
    labelled = DEPLOYMENT.replace(
        "  labels: {app: reviews}\nspec:", "  labels: {app: reviews, tier: back}\nspec:"
    )
    apply = ("apply", "--server-side", "-f", "-")
    await cluster.ok(*apply, stdin=labelled)
    await cluster.ok("label", "deployment/reviews", "own=1")
    await cluster.ok(*apply, "--field-manager=other", stdin=labelled)
    await cluster.ok(*apply, stdin=DEPLOYMENT)
    labels = await cluster.ok("get", "deployment/reviews", "-o", "jsonpath={.metadata.labels}")
    assert orjson.loads(labels) == {"app": "reviews", "tier": "back", "own": "1"}
    await cluster.ok(*apply, "--field-manager=other", stdin=DEPLOYMENT)
    labels = await cluster.ok("get", "deployment/reviews", "-o", "jsonpath={.metadata.labels}")
    assert orjson.loads(labels) == {"app": "reviews", "own": "1"}


async def test_moving_over_from_client_side_apply(cluster: Cluster) -> None:
    await cluster.ok("apply", "-f", "-", stdin=DEPLOYMENT)
    assert await managers_of(cluster) == [("kubectl-client-side-apply", "Update", "")]
    await cluster.ok("apply", "--server-side", "-f", "-", stdin=WITH_PORT)
    found = await managers_of(cluster)
    assert ("kubectl", "Apply", "") in found
    assert ("kubectl-client-side-apply", "Update", "") not in found
    without = DEPLOYMENT.replace("  labels: {app: reviews}\nspec:", "spec:")
    await cluster.ok("apply", "--server-side", "-f", "-", stdin=without)
    assert await cluster.ok("get", "deployment/reviews", "-o", "jsonpath={.metadata.labels}") == ""


async def test_an_apply_that_creates_is_validated(cluster: Cluster) -> None:
    wrong = DEPLOYMENT.replace("    matchLabels: {app: reviews}", "    matchLabels: {app: other}")
    error = await cluster.fails("apply", "--server-side", "-f", "-", stdin=wrong)
    assert "`selector` does not match template `labels`" in error
    error = await cluster.fails(
        "apply", "--server-side", "-f", "-", stdin=DEPLOYMENT.replace("image:", "imagee:")
    )
    assert (
        "strict decoding error" in error or 'unknown field "spec.template.spec.containers[0].imagee"' in error
    )
    assert "(NotFound)" in await cluster.fails("get", "deployment/reviews")


async def test_custom_kinds_are_applied_too(cluster: Cluster) -> None:
    apply = ("apply", "--server-side", "-f", "-")
    await cluster.ok(*apply, stdin=ROUTE_DEFINITION)
    await cluster.ok("wait", "--for=condition=Established", "crd/routes.example.com", "--timeout=50s")
    assert "home serverside-applied" in await cluster.ok(*apply, stdin=ROUTE)
    await cluster.ok("patch", "route/home", "--type=merge", "-p", '{"spec":{"hosts":["other.example.com"]}}')
    assert "conflict with" in await cluster.fails(*apply, stdin=ROUTE)


async def test_the_account_can_be_forgotten(cluster: Cluster) -> None:
    await cluster.ok("apply", "--server-side", "-f", "-", stdin=DEPLOYMENT)
    await cluster.ok(
        "patch", "deployment/reviews", "--type=merge", "-p", '{"metadata":{"managedFields":[{}]}}'
    )
    out = await cluster.ok("get", "deployment/reviews", "-o", "json", "--show-managed-fields")
    assert "managedFields" not in orjson.loads(out)["metadata"]
