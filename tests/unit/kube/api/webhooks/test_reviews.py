"""Questions to webhooks, and what their answers mean."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from bookmesh.base import kubernetes
from bookmesh.kube.api import admission, authentication
from bookmesh.kube.api.webhooks import reviews

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}
ANN = authentication.User("ann", ("people",))


def test_a_question() -> None:
    request = admission.AdmissionRequest(
        "UPDATE", kubernetes.PODS, "default", "web", POD, POD, True, "Pod", "status", ANN, {"a": "b"}
    )
    asked = reviews.question(request, kubernetes.PODS)
    del asked["uid"]
    named = {"group": "", "version": "v1"}
    assert asked == {
        "kind": {**named, "kind": "Pod"},
        "resource": {**named, "resource": "pods"},
        "requestKind": {**named, "kind": "Pod"},
        "requestResource": {**named, "resource": "pods"},
        "subResource": "status",
        "requestSubResource": "status",
        "name": "web",
        "namespace": "default",
        "operation": "UPDATE",
        "userInfo": {"username": "ann", "groups": ["people"]},
        "object": POD,
        "oldObject": POD,
        "dryRun": True,
        "options": {"a": "b"},
    }


def answer(**response: Any) -> bytes:
    found = {"uid": "1", "allowed": True, **response}
    return orjson.dumps({"apiVersion": reviews.VERSION, "kind": "AdmissionReview", "response": found})


def test_an_answer() -> None:
    patch = [{"op": "add", "path": "/metadata/labels", "value": {}}]
    encoded = base64.b64encode(orjson.dumps(patch)).decode()
    verdict = reviews.parse_answer(answer(patch=encoded, patchType="JSONPatch", warnings=["a"]), "1")
    assert verdict == reviews.Verdict(True, {}, patch, ("a",))
    assert reviews.patched(POD, patch)["metadata"] == {"name": "web", "labels": {}}
    assert reviews.parse_answer(answer(allowed="yes"), "1").is_allowed is False


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "json parse error"),
        (b"[]", "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got , Kind="),
        (orjson.dumps({"apiVersion": reviews.VERSION, "kind": "AdmissionReview"}), "response was absent"),
        (answer(uid="2"), 'expected response.uid="1", got "2"'),
        (answer(patchType="JSONPatch"), "response.patchType but not response.patch"),
        (answer(patch="W10=", patchType="Other"), 'invalid response.patchType of "Other"'),
        (answer(patch="!", patchType="JSONPatch"), "cannot be read"),
        (answer(patch="e30=", patchType="JSONPatch"), "is no JSON patch"),
    ],
)
def test_answers_that_are_none(body: bytes, why: str) -> None:
    with pytest.raises(reviews.InvalidAnswerError, match=why.replace("{", r"\{")):
        reviews.parse_answer(body, "1")


@pytest.mark.parametrize(
    "patch", [[{"op": "remove", "path": "/nothing"}], [{"op": "remove", "path": "/metadata"}]]
)
def test_patches_that_cannot_be_applied(patch: list[dict[str, Any]]) -> None:
    with pytest.raises(reviews.InvalidAnswerError):
        reviews.patched(POD, patch)


@pytest.mark.parametrize(
    ("status", "code", "reason", "text"),
    [
        ({}, 400, "", " without explanation"),
        ({"message": "no"}, 400, "", ": no"),
        ({"reason": "Because"}, 400, "Because", ": Because"),
        ({"message": "no", "code": 403, "reason": "Forbidden"}, 403, "Forbidden", ": no"),
        ({"message": "no", "code": 200}, 400, "", ": no"),
    ],
)
def test_denials(status: dict[str, Any], code: int, reason: str, text: str) -> None:
    error = reviews.denial("a.example.com", status)
    assert (error.code, error.reason) == (code, reason)
    assert error.message == f'admission webhook "a.example.com" denied the request{text}'
    assert ("reason" in error.status()) == bool(reason)
