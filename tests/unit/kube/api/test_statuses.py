"""Refusals in the words of a real server."""

from __future__ import annotations

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.api import statuses
from bookmesh.kube.api.statuses import Cause


def test_one_cause_and_several() -> None:
    one = Cause("spec.a", "FieldValueRequired", "Required value")
    two = Cause("spec.b", "FieldValueInvalid", "Invalid value: 1: no")
    single = statuses.invalid(group="apps", kind="Deployment", name="web", causes=[one])
    assert single.message == 'Deployment.apps "web" is invalid: spec.a: Required value'
    both = statuses.invalid(group="", kind="Pod", name="web", causes=[one, two])
    assert both.message == 'Pod "web" is invalid: [spec.a: Required value, spec.b: Invalid value: 1: no]'
    assert [cause["field"] for cause in both.status()["details"]["causes"]] == ["spec.a", "spec.b"]


def test_deleted_names_the_object() -> None:
    details = statuses.deleted(Resource("apps", "v1", "deployments"), "web", "u")["details"]
    assert details == {"name": "web", "kind": "deployments", "uid": "u", "group": "apps"}
