"""What APIServices register, as the store changes."""

from __future__ import annotations

import base64
from typing import Any

from bookmesh.base.kubernetes import API_SERVICES, JsonObject
from bookmesh.kube.api import verbs
from bookmesh.kube.api.aggregation import registrations

AUTHORITY = "-----BEGIN CERTIFICATE-----\n"


def api_service(**changed: Any) -> JsonObject:
    spec = {
        "group": "pets.example.com",
        "version": "v1",
        "groupPriorityMinimum": 2000,
        "versionPriority": 10,
        "service": {"namespace": "default", "name": "pets", "port": 443},
        **changed,
    }
    return {"metadata": {"name": "v1.pets.example.com"}, "spec": spec}


def registration(**changed: Any) -> registrations.Registration:
    found = registrations.parse(api_service(**changed))
    assert found is not None
    return found


def test_whom_to_trust_is_read_from_the_bundle() -> None:
    found = registration(caBundle=base64.b64encode(AUTHORITY.encode()).decode())
    assert (found.authority, found.is_verified, found.path) == (
        AUTHORITY,
        True,
        "/apis/pets.example.com/v1",
    )
    assert not registration(insecureSkipTLSVerify=True).is_verified


def test_what_names_no_service_is_not_registered() -> None:
    assert registrations.parse(api_service(service=None)) is None


def test_registrations_come_change_and_go(over: verbs.Verbs) -> None:
    changes: list[int] = []
    found = registrations.Registrations(over.store, lambda: changes.append(found.revision))
    assert found.find("pets.example.com", "v1") is None
    over.create(API_SERVICES, api_service())
    made = found.find("pets.example.com", "v1")
    assert made is not None
    assert not found.is_available(made)
    condition = {"type": "Available", "status": "True", "reason": "Passed", "message": ""}
    over.patch(
        API_SERVICES,
        made.name,
        "",
        {"status": {"conditions": [condition]}},
        patch_type="merge",
        subresource="status",
    )
    assert found.is_available(made)
    assert found.find("pets.example.com", "v1") == made
    other = registrations.Registrations(over.store, lambda: None)
    assert other.is_available(made)
    over.delete(API_SERVICES, made.name)
    assert found.all() == []
    assert changes == [1, 2, 3]
