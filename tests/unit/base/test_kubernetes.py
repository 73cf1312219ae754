from __future__ import annotations

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import Resource


@pytest.mark.parametrize(
    ("resource", "api_version", "qualified"),
    [
        (Resource("", "v1", "pods"), "v1", "pods"),
        (Resource("apps", "v1", "deployments"), "apps/v1", "deployments.apps"),
    ],
)
def test_a_resource_is_written_as_kubernetes_does(
    resource: Resource, api_version: str, qualified: str
) -> None:
    assert (resource.api_version, resource.qualified) == (api_version, qualified)


def test_not_found_is_worded_as_by_a_real_server() -> None:
    error = kubernetes.not_found(kubernetes.DEPLOYMENTS, "web")
    assert error.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "web" not found',
        "reason": "NotFound",
        "details": {"name": "web", "group": "apps", "kind": "deployments"},
        "code": 404,
    }


def test_conflict_is_worded_as_by_a_real_server() -> None:
    error = kubernetes.conflict(kubernetes.PODS, "web", "the object has been modified")
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == 'Operation cannot be fulfilled on pods "web": the object has been modified'


def test_an_error_without_details_has_none_in_its_status() -> None:
    assert "details" not in kubernetes.ApiError(500, "InternalError", "boom").status()


def test_headers_of_an_error_are_its_own() -> None:
    headers = {"Retry-After": "1"}
    error = kubernetes.ApiError(429, "TooManyRequests", "slow down", headers=headers)
    headers.clear()
    assert error.headers == {"Retry-After": "1"}


def test_a_copy_shares_nothing() -> None:
    given = {"metadata": {"labels": {"a": "b"}}, "spec": {"ports": [{"port": 80}]}}
    copied = kubernetes.copy_json(given)
    copied["spec"]["ports"][0]["port"] = 81
    copied["metadata"]["labels"].clear()
    assert given == {"metadata": {"labels": {"a": "b"}}, "spec": {"ports": [{"port": 80}]}}


def test_resources_name_different_things() -> None:
    listed = [value for value in vars(kubernetes).values() if isinstance(value, Resource)]
    assert len(listed) == len(set(listed)) > 5
