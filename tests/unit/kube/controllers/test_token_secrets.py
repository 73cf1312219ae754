"""Secrets that hold a service account's token."""

from __future__ import annotations

import base64
from typing import Any

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import actions, token_secrets

ACCOUNT: JsonObject = {"metadata": {"name": "robot", "namespace": "shop", "uid": "uid-robot"}}


def _secret(data: dict[str, str] | None = None, **annotations: str) -> JsonObject:
    return {
        "metadata": {
            "name": "robot-token",
            "namespace": "shop",
            "uid": "u",
            "resourceVersion": "5",
            "annotations": {"kubernetes.io/service-account.name": "robot", **annotations},
        },
        "type": "kubernetes.io/service-account-token",
        "data": data or {},
    }


def _decide(secret: JsonObject, account: JsonObject | None = ACCOUNT) -> actions.Actions:
    seen = token_secrets.Seen(account, "PEM", lambda namespace, name, _secret: f"token of {namespace}/{name}")
    return token_secrets.reconcile(secret, seen)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FILLED = {"token": _encoded("kept"), "ca.crt": _encoded("PEM"), "namespace": _encoded("shop")}
KNOWN: dict[str, Any] = {token_secrets.ACCOUNT_UID: "uid-robot"}


def test_an_empty_secret_is_filled() -> None:
    (patch,) = _decide(_secret())
    assert isinstance(patch, actions.Patch)
    assert patch.patch == {
        "metadata": {"annotations": {"kubernetes.io/service-account.uid": "uid-robot"}},
        "data": {
            "token": _encoded("token of shop/robot"),
            "ca.crt": _encoded("PEM"),
            "namespace": _encoded("shop"),
        },
    }


def test_a_token_that_is_there_stays() -> None:
    assert _decide(_secret(FILLED, **KNOWN)) == ()
    (patch,) = _decide(_secret({**FILLED, "ca.crt": "eA=="}, **KNOWN))
    assert isinstance(patch, actions.Patch)
    assert patch.patch["data"] == {"ca.crt": _encoded("PEM")}


def test_a_secret_without_its_account_goes() -> None:
    for account in (None, {"metadata": {**ACCOUNT["metadata"], "uid": "another"}}):
        (delete,) = _decide(_secret(FILLED, **KNOWN), account)
        assert isinstance(delete, actions.Delete)


def test_other_secrets_are_left_alone() -> None:
    assert _decide({**_secret(), "type": "Opaque"}, None) == ()
