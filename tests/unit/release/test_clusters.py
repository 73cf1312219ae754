from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from bookmesh.base.findings import BookmeshError
from bookmesh.release import clusters, ports
from bookmesh.release.contracts import ReleaseId


@dataclass
class Done:
    exit: int = 0
    stdout: str = ""
    stderr: str = ""


@dataclass
class FakeKubectl:
    """A cluster with one kind of route and, perhaps, a lease."""

    lease: dict[str, Any] | None = None
    namespaces: set[str] = field(default_factory=lambda: {"shop"})
    services: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *arguments: str, stdin: str | None = None) -> Done:
        self.calls.append(arguments)
        match arguments:
            case ("get", "services", *_):
                return Done(stdout=json.dumps({"items": self.services}))
            case ("get", "lease", *_):
                return Done(stdout=json.dumps(self.lease))
            case ("get", kind, *rest) if rest[-1] == "name":
                return (
                    Done() if kind.startswith("virtual") else Done(1, stderr="doesn't have a resource type")
                )
            case ("get", *_):
                return Done(stdout='{"items": [{"kind": "Pod"}]}')
            case ("apply" | "create", *_, "shop", "-f", "-"):
                return Done()
            case ("create", "namespace", name):
                self.namespaces.add(name)
                return Done()
            case ("create", *_) if "shop" not in self.namespaces:
                return Done(1, stderr='Error from server (NotFound): namespaces "shop" not found')
            case ("create", *_) if self.lease is not None:
                return Done(1, stderr='Error from server (AlreadyExists): leases "x" already exists')
            case ("create" | "replace", *_):
                self.lease = json.loads(stdin or "")
                self.lease["metadata"]["resourceVersion"] = "7"
                return Done()
            case ("delete", *_):
                self.lease = None
                return Done()
        raise AssertionError(arguments)


def held(renewed: str) -> dict[str, Any]:
    spec = {"holderIdentity": "ann@host", "leaseDurationSeconds": 30, "renewTime": renewed}
    return {"metadata": {"name": clusters.LOCK, "resourceVersion": "7"}, "spec": spec}


def test_only_kinds_that_the_cluster_serves_are_asked_for() -> None:
    kubectl = FakeKubectl()
    cluster = clusters.KubectlCluster(kubectl)
    assert cluster.objects("shop") == [{"kind": "Pod"}]
    cluster.objects("shop")
    asked = [call for call in kubectl.calls if call[-1] == "json"]
    assert [call[1] for call in asked] == [
        "deployments.apps,pods,services,virtualservices.networking.istio.io"
    ] * 2
    assert len(kubectl.calls) == 5


def test_the_lock_is_there_while_it_is_held() -> None:
    kubectl = FakeKubectl()
    with clusters.KubectlCluster(kubectl).lock("shop", "me"):
        assert kubectl.lease is not None
        assert kubectl.lease["spec"]["holderIdentity"] == "me"
    assert kubectl.lease is None


def test_a_lock_that_somebody_renews_is_respected() -> None:
    kubectl = FakeKubectl(held("2999-01-01T00:00:00.000000Z"))
    with pytest.raises(BookmeshError) as refusal, clusters.KubectlCluster(kubectl).lock("shop", "me"):
        pass
    assert refusal.value.finding.code == "BM0607"
    assert "ann@host" in refusal.value.finding.known
    assert kubectl.lease is not None


def test_the_lock_of_somebody_who_died_is_taken_over_unless_it_changed() -> None:
    kubectl = FakeKubectl(held("2020-01-01T00:00:00.000000Z"))
    with clusters.KubectlCluster(kubectl).lock("shop", "me"):
        assert kubectl.lease is not None
        assert kubectl.lease["spec"]["holderIdentity"] == "me"
    assert ("replace", "-f", "-") in kubectl.calls


def test_other_answers_are_passed_on() -> None:
    class Refusing(FakeKubectl):
        def run(self, *arguments: str, stdin: str | None = None) -> Done:
            return Done(1, stderr="Error from server (Forbidden): no")

    with pytest.raises(ports.ClusterFailedError, match="Forbidden"):
        clusters.KubectlCluster(Refusing()).objects("shop")


@pytest.mark.parametrize(
    ("fields", "verb"),
    [
        ([], ("create",)),
        ([{"manager": "helm", "operation": "Update"}], ("create",)),
        (
            [{"manager": "x", "operation": "Update"}, {"manager": "helm", "operation": "Apply"}],
            ("apply", "--server-side", "--field-manager=helm"),
        ),
    ],
)
def test_an_object_is_created_the_way_helm_writes_the_others(
    fields: list[dict[str, str]], verb: tuple[str, ...]
) -> None:
    kubectl = FakeKubectl(services=[{"metadata": {"managedFields": fields}}])
    clusters.KubectlCluster(kubectl).create(ReleaseId("shop", "reviews"), {"kind": "Deployment"})
    assert kubectl.calls[-1] == (*verb, "-n", "shop", "-f", "-")


def test_an_object_that_is_there_is_brought_in_line_and_keeps_what_nobody_says() -> None:
    live = {"metadata": {"name": "reviews-v2", "uid": "1"}, "spec": {"replicas": 3, "template": "old"}}

    class Holding(FakeKubectl):
        def run(self, *arguments: str, stdin: str | None = None) -> Done:
            if arguments[0] == "create":
                return Done(1, stderr="Error from server (AlreadyExists): deployments.apps already exists")
            if arguments[:2] == ("get", "deployment"):
                return Done(stdout=json.dumps(live))
            return super().run(*arguments, stdin=stdin)

    kubectl = Holding(services=[])
    wanted = {"kind": "Deployment", "metadata": {"name": "reviews-v2"}, "spec": {"template": "new"}}
    clusters.KubectlCluster(kubectl).create(ReleaseId("shop", "reviews"), wanted)
    assert kubectl.calls[-1] == ("replace", "-f", "-")
    assert kubectl.lease is not None
    assert kubectl.lease["metadata"]["uid"] == "1"
    assert kubectl.lease["spec"] == {"replicas": 3, "template": "new"}


def test_the_lock_of_a_namespace_that_is_yet_to_come_makes_it() -> None:
    kubectl = FakeKubectl(namespaces=set())
    with clusters.KubectlCluster(kubectl).lock("shop", "me"):
        assert kubectl.lease is not None
    assert kubectl.namespaces == {"shop"}


def test_the_lock_of_somebody_who_is_known_to_be_gone_is_taken_over_at_once() -> None:
    kubectl = FakeKubectl(held("2999-01-01T00:00:00.000000Z"))
    cluster = clusters.KubectlCluster(kubectl, is_gone=lambda holder: holder == "ann@host")
    with cluster.lock("shop", "me"):
        assert kubectl.lease is not None
        assert kubectl.lease["spec"]["holderIdentity"] == "me"
