"""Token requests."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from tests.unit.kube.api.conftest import NOW

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import tokens, verbs


class Issuer:
    """Writes down what it is asked for."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def issue(
        self,
        *,
        namespace: str,
        service_account: str,
        bound: JsonObject | None,
        audiences: Sequence[str],
        expiration_s: int,
    ) -> tuple[str, datetime.datetime]:
        self.asked = {"bound": bound, "audiences": audiences, "life": expiration_s}
        return f"{namespace}/{service_account}", NOW + datetime.timedelta(seconds=expiration_s)


@pytest.fixture
def account(over: verbs.Verbs) -> JsonObject:
    body = {"metadata": {"name": "web", "namespace": "default"}}
    return over.create(kubernetes.SERVICE_ACCOUNTS, body).object


def test_token_of_an_hour(over: verbs.Verbs, account: JsonObject) -> None:
    answer = tokens.request_token(over, Issuer(), account, {"spec": {"audiences": ["vault"]}})
    assert answer["status"] == {"token": "default/web", "expirationTimestamp": "2026-01-01T01:00:00Z"}
    assert answer["spec"] == {"audiences": ["vault"], "expirationSeconds": 3600}


def test_token_bound_to_a_pod(over: verbs.Verbs, account: JsonObject, pod: JsonObject) -> None:
    stored = over.create(kubernetes.PODS, pod).object
    issuer = Issuer()
    reference = {"kind": "Pod", "name": "web", "uid": stored["metadata"]["uid"]}
    tokens.request_token(over, issuer, account, {"spec": {"boundObjectRef": reference}})
    assert issuer.asked["bound"] == {**stored, "kind": "Pod"}


def test_token_bound_to_a_secret(over: verbs.Verbs, account: JsonObject) -> None:
    over.create(kubernetes.SECRETS, {"metadata": {"name": "s", "namespace": "default"}})
    issuer = Issuer()
    tokens.request_token(over, issuer, account, {"spec": {"boundObjectRef": {"kind": "Secret", "name": "s"}}})
    assert issuer.asked["bound"]["metadata"]["name"] == "s"


def test_an_object_that_was_made_anew_is_another_one(
    over: verbs.Verbs, account: JsonObject, pod: JsonObject
) -> None:
    over.create(kubernetes.PODS, pod)
    reference = {"kind": "Pod", "name": "web", "uid": "another"}
    with pytest.raises(ApiError, match="does not match the UID in record") as refusal:
        tokens.request_token(over, Issuer(), account, {"spec": {"boundObjectRef": reference}})
    assert refusal.value.code == 409


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"expirationSeconds": 60}, 422),
        ({"expirationSeconds": "long"}, 422),
        ({"boundObjectRef": {"kind": "Pod", "name": "none"}}, 404),
        ({"boundObjectRef": {"kind": "Node", "name": "n"}}, 404),
        ({"boundObjectRef": {"kind": "ConfigMap", "name": "n"}}, 400),
    ],
)
def test_refusals(over: verbs.Verbs, account: JsonObject, spec: JsonObject, code: int) -> None:
    with pytest.raises(ApiError) as refusal:
        tokens.request_token(over, Issuer(), account, {"spec": spec})
    assert refusal.value.code == code
