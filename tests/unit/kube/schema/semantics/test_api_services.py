"""What is wrong with an APIService."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema.semantics import api_services

SERVICE = {"namespace": "default", "name": "pets", "port": 443}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, []),
        ({"service": None}, []),
        ({"group": "", "version": "v2"}, ["metadata.name", "spec.group"]),
        ({"version": "1"}, ["metadata.name", "spec.version"]),
        ({"groupPriorityMinimum": 0}, ["spec.groupPriorityMinimum"]),
        ({"groupPriorityMinimum": 20_001}, ["spec.groupPriorityMinimum"]),
        ({"versionPriority": 1001}, ["spec.versionPriority"]),
        ({"service": {"port": 0}}, ["spec.service.namespace", "spec.service.name", "spec.service.port"]),
        ({"caBundle": "QQ==", "insecureSkipTLSVerify": True}, ["spec.insecureSkipTLSVerify"]),
        (
            {"service": None, "caBundle": "QQ==", "insecureSkipTLSVerify": True},
            ["spec.caBundle", "spec.insecureSkipTLSVerify"],
        ),
    ],
)
def test_what_is_wrong(changed: dict[str, Any], wrong: list[str]) -> None:
    spec = {
        "group": "pets.example.com",
        "version": "v1",
        "groupPriorityMinimum": 2000,
        "versionPriority": 10,
        "service": SERVICE,
        **changed,
    }
    registered = {"metadata": {"name": "v1.pets.example.com"}, "spec": spec}
    assert [cause.field for cause in api_services.check_service(registered, None)] == wrong


def test_a_status_is_true_false_or_unknown() -> None:
    spec = {"version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}
    conditions = [{"type": "Available", "status": "maybe"}]
    registered = {"metadata": {"name": "v1."}, "spec": spec, "status": {"conditions": conditions}}
    (cause,) = api_services.check_service(registered, None)
    assert cause.field == "status.conditions[0].status"
