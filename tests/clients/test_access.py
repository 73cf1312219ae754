"""Who may do what, seen with real kubectl: roles, bindings, service accounts, impersonation, and questions about it."""

from __future__ import annotations

import orjson
import pytest
from tests.clients.conftest import Cluster
from tests.clients.manifests import POD

ROBOT = "system:serviceaccount:default:robot"


@pytest.fixture
async def robot(cluster: Cluster) -> tuple[str, ...]:
    """Arguments that make kubectl a service account of namespace default."""
    await cluster.ok("create", "serviceaccount", "robot")
    token = (await cluster.ok("create", "token", "robot")).strip()
    return (f"--token={token}", "--user=nobody")


async def as_robot(cluster: Cluster, robot: tuple[str, ...], *arguments: str) -> tuple[int, str]:
    result = await cluster.kubectl("--context=nobody", robot[0], *arguments)
    return result.code, result.out + result.err


async def test_a_service_account_may_nothing_at_first(cluster: Cluster, robot: tuple[str, ...]) -> None:
    code, text = await as_robot(cluster, robot, "get", "pods")
    assert code != 0
    assert (
        f'pods is forbidden: User "{ROBOT}" cannot list resource "pods" in API group "" in the namespace "default"'
    ) in text
    code, text = await as_robot(cluster, robot, "get", "deployment", "web")
    assert f'deployments.apps "web" is forbidden: User "{ROBOT}" cannot get resource "deployments"' in text


async def test_a_role_and_its_binding_allow_just_that(cluster: Cluster, robot: tuple[str, ...]) -> None:
    await cluster.ok("create", "role", "reader", "--verb=get,list", "--resource=pods")
    await cluster.ok("create", "rolebinding", "robot", "--role=reader", "--serviceaccount=default:robot")
    await cluster.ok("apply", "-f", "-", stdin=POD)
    code, text = await as_robot(cluster, robot, "get", "pods")
    assert (code, "sleeper" in text) == (0, True)
    code, text = await as_robot(cluster, robot, "get", "pods", "-n", "kube-system")
    assert code != 0
    code, text = await as_robot(cluster, robot, "delete", "pod", "sleeper")
    assert f'pods "sleeper" is forbidden: User "{ROBOT}" cannot delete resource "pods"' in text
    await cluster.ok("delete", "rolebinding", "robot")
    assert (await as_robot(cluster, robot, "get", "pods"))[0] != 0


async def test_view_is_read_only_and_has_no_secrets(cluster: Cluster, robot: tuple[str, ...]) -> None:
    await cluster.ok(
        "create", "clusterrolebinding", "v", "--clusterrole=view", "--serviceaccount=default:robot"
    )
    assert (await as_robot(cluster, robot, "get", "pods", "-A"))[0] == 0
    assert (await as_robot(cluster, robot, "get", "secrets"))[0] != 0
    assert (await as_robot(cluster, robot, "create", "configmap", "x"))[0] != 0


@pytest.mark.covers("kubectl", "auth can-i --list")
async def test_can_i_says_what_would_happen(cluster: Cluster, robot: tuple[str, ...]) -> None:
    await cluster.ok("create", "role", "reader", "--verb=get", "--resource=pods,pods/log")
    await cluster.ok("create", "rolebinding", "robot", "--role=reader", "--serviceaccount=default:robot")
    assert await cluster.ok("auth", "can-i", "delete", "nodes") == "yes\n"
    code, text = await as_robot(cluster, robot, "auth", "can-i", "get", "pods")
    assert (code, text) == (0, "yes\n")
    code, text = await as_robot(cluster, robot, "auth", "can-i", "get", "pods", "--subresource=log")
    assert (code, text) == (0, "yes\n")
    code, text = await as_robot(cluster, robot, "auth", "can-i", "delete", "pods")
    assert (code, text) == (1, "no\n")
    assert "no" in (await cluster.kubectl("auth", "can-i", "list", "secrets", f"--as={ROBOT}")).out
    code, text = await as_robot(cluster, robot, "auth", "can-i", "--list")
    assert "pods/log" in text


@pytest.mark.covers("kubectl", "auth whoami", "--as")
async def test_who_am_i_and_who_i_stand_in_for(cluster: Cluster, robot: tuple[str, ...]) -> None:
    found = orjson.loads(await cluster.ok("auth", "whoami", "-o", "json"))["status"]["userInfo"]
    assert found["username"] == "tester"
    stood_in = orjson.loads(await cluster.ok("auth", "whoami", "-o", "json", f"--as={ROBOT}"))
    assert "system:serviceaccounts:default" in stood_in["status"]["userInfo"]["groups"]
    code, text = await as_robot(cluster, robot, "get", "pods", "--as=tester")
    assert code != 0
    assert "Forbidden" in text


async def test_nobody_gives_away_what_he_may_not(cluster: Cluster, robot: tuple[str, ...]) -> None:
    await cluster.ok("create", "role", "manager", "--verb=create,get", "--resource=roles,rolebindings")
    await cluster.ok("create", "rolebinding", "robot", "--role=manager", "--serviceaccount=default:robot")
    code, text = await as_robot(cluster, robot, "create", "role", "all", "--verb=get", "--resource=secrets")
    assert code != 0
    assert "is attempting to grant RBAC permissions not currently held" in text
    code, text = await as_robot(
        cluster,
        robot,
        "create",
        "rolebinding",
        "up",
        "--clusterrole=cluster-admin",
        "--serviceaccount=default:robot",
    )
    assert code != 0
    assert "is attempting to grant RBAC permissions not currently held" in text


async def test_reviews_about_others(cluster: Cluster, robot: tuple[str, ...]) -> None:
    attributes = {"verb": "get", "resource": "pods", "namespace": "default"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": ROBOT, "resourceAttributes": attributes},
    }
    out = await cluster.ok("create", "-f", "-", "-o", "json", stdin=orjson.dumps(review))
    assert orjson.loads(out)["status"] == {"allowed": False}
    token = robot[0].removeprefix("--token=")
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    out = await cluster.ok("create", "-f", "-", "-o", "json", stdin=orjson.dumps(asked))
    assert orjson.loads(out)["status"]["user"]["username"] == ROBOT


def with_token(token: str) -> tuple[str, ...]:
    return (f"--token={token.strip()}", "--context=nobody")


@pytest.mark.covers("kubectl", "create token --bound-object-kind")
async def test_a_token_ends_with_what_it_is_bound_to(cluster: Cluster) -> None:
    await cluster.ok("create", "serviceaccount", "robot")
    await cluster.ok("create", "secret", "generic", "lease")
    bound = ("--bound-object-kind=Secret", "--bound-object-name=lease")
    token = await cluster.ok("create", "token", "robot", *bound)
    assert ROBOT in await cluster.ok(*with_token(token), "auth", "whoami")
    await cluster.ok("delete", "secret", "lease")
    assert "You must be logged in to the server" in await cluster.fails(*with_token(token), "get", "pods")
    text = await cluster.fails("create", "token", "robot", *bound)
    assert 'secrets "lease" not found' in text


async def test_a_token_ends_with_its_account(cluster: Cluster) -> None:
    await cluster.ok("create", "serviceaccount", "robot")
    token = await cluster.ok("create", "token", "robot")
    assert ROBOT in await cluster.ok(*with_token(token), "auth", "whoami")
    await cluster.ok("delete", "serviceaccount", "robot")
    assert "You must be logged in to the server" in await cluster.fails(*with_token(token), "get", "pods")


@pytest.mark.covers("kubectl", "--as-group")
async def test_standing_in_for_a_group(cluster: Cluster, robot: tuple[str, ...]) -> None:
    await cluster.ok("create", "clusterrolebinding", "team", "--clusterrole=view", "--group=team")
    ann = ("--as=ann", "--as-group=team")
    assert "No resources found" in (await cluster.kubectl("get", "pods", *ann)).err
    assert 'User "ann" cannot list resource "pods"' in await cluster.fails("get", "pods", "--as=ann")
    assert 'User "ann" cannot delete' in await cluster.fails("delete", "pod", "x", *ann)
    # Who may stand in for a user may not stand in for every group.
    await cluster.ok("create", "clusterrole", "stand-in", "--verb=impersonate", "--resource=users")
    await cluster.ok(
        "create", "clusterrolebinding", "stand-in", "--clusterrole=stand-in", "--serviceaccount=default:robot"
    )
    code, text = await as_robot(cluster, robot, "get", "pods", *ann)
    assert code != 0
    assert f'groups "team" is forbidden: User "{ROBOT}" cannot impersonate resource "groups"' in text
