"""Webhooks out of the store, in the order in which they are asked."""

from __future__ import annotations

import base64
from typing import Any

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.api import verbs
from bookmesh.kube.api.webhooks import configurations

RESOURCE = Resource("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations")


def source(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": f"{name}.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"url": "https://127.0.0.1/"},
        **changed,
    }


def test_by_name_of_the_configuration_then_as_listed(over: verbs.Verbs) -> None:
    known = configurations.Configurations(over.store, configurations.MUTATING)
    assert known.webhooks() == ()
    over.create(RESOURCE, {"metadata": {"name": "b"}, "webhooks": [source("one")]})
    over.create(RESOURCE, {"metadata": {"name": "a"}, "webhooks": [source("two"), source("three")]})
    names = [each.name.partition(".")[0] for each in known.webhooks()]
    assert names == ["two", "three", "one"]
    assert known.webhooks() is known.webhooks()
    over.delete(RESOURCE, "a")
    assert [each.name for each in known.webhooks()] == ["one.example.com"]


def test_what_a_webhook_says_is_read(over: verbs.Verbs) -> None:
    bundle = base64.b64encode(b"PEM").decode()
    condition = {"name": "a", "expression": " object.kind == 'Pod' "}
    changed: dict[str, Any] = {
        "clientConfig": {"url": "https://127.0.0.1/", "caBundle": bundle},
        "failurePolicy": "Ignore",
        "matchConditions": [condition],
        "reinvocationPolicy": "IfNeeded",
        "timeoutSeconds": 3,
    }
    webhook = configurations.parse(source("one", **changed))
    assert (webhook.authority, webhook.timeout_s, len(webhook.conditions)) == ("PEM", 3, 1)
    assert (webhook.is_ignored_on_failure, webhook.is_reinvoked) == (True, True)
    plain = configurations.parse(source("one"))
    assert (plain.authority, plain.timeout_s, plain.conditions) == ("", 10, ())
    assert (plain.is_ignored_on_failure, plain.is_reinvoked) == (False, False)
