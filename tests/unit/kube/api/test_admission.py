"""Hooks change, warn and refuse."""

from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import admission, verbs, writing
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store


class Labeller:
    """Puts a label on everything and says so."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.requests: list[admission.AdmissionRequest] = []

    def review(self, request: admission.AdmissionRequest) -> admission.Review:
        self.requests.append(request)
        fields = request.object["metadata"]
        labels = {**fields.get("labels", {}), self.label: "x"}
        return admission.Review({**request.object, "metadata": {**fields, "labels": labels}}, (self.label,))


class Refuser:
    def review(self, request: admission.AdmissionRequest) -> admission.Review:
        raise ApiError(403, "Forbidden", "not today")


def _over(*hooks: admission.AdmissionHook) -> verbs.Verbs:
    return verbs.Verbs(store.Store.open(None), kinds.Kinds(), schemas.Schemas.load(), hooks=hooks)


def test_hooks_run_in_order_on_each_others_results() -> None:
    request = admission.AdmissionRequest("CREATE", kubernetes.PODS, "default", "a", {"metadata": {}})
    second = Labeller("two")
    review = admission.review_all((Labeller("one"), second), request)
    assert review.object["metadata"]["labels"] == {"one": "x", "two": "x"}
    assert review.warnings == ("one", "two")
    assert second.requests[0].object["metadata"]["labels"] == {"one": "x"}


def test_what_a_hook_adds_is_defaulted_validated_and_stored(pod: JsonObject) -> None:
    class Injector:
        def review(self, request: admission.AdmissionRequest) -> admission.Review:
            if request.resource != kubernetes.PODS:
                return admission.Review(request.object)
            spec = request.object["spec"]
            containers = [*spec["containers"], {"name": "proxy", "image": "envoy"}]
            return admission.Review({**request.object, "spec": {**spec, "containers": containers}})

    over = _over(Injector())
    over.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
    injected = over.create(kubernetes.PODS, pod).object["spec"]["containers"][1]
    assert injected["name"] == "proxy"
    assert injected["terminationMessagePath"] == "/dev/termination-log"


def test_warnings_reach_the_writer_and_updates_are_reviewed() -> None:
    hook = Labeller("seen")
    over = _over(hook)
    written = over.create(kubernetes.NAMESPACES, {"metadata": {"name": "shop"}})
    assert written.warnings == ("seen",)
    over.patch(kubernetes.NAMESPACES, "shop", "", {"metadata": {"labels": {"a": "b"}}}, patch_type="merge")
    assert [request.operation for request in hook.requests] == ["CREATE", "UPDATE"]
    assert hook.requests[1].old is not None


def test_refusal_stores_nothing() -> None:
    over = _over(Refuser())
    with pytest.raises(ApiError, match="not today"):
        over.create(kubernetes.NAMESPACES, {"metadata": {"name": "shop"}})
    assert over.store.version == 0


def test_dry_run_is_told_to_the_hook() -> None:
    hook = Labeller("seen")
    over = _over(hook)
    over.create(
        kubernetes.NAMESPACES, {"metadata": {"name": "s"}}, options=writing.WriteOptions(dry_run=True)
    )
    assert hook.requests[0].dry_run
    assert over.store.version == 0
