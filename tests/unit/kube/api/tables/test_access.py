"""Rows of roles, bindings, admission webhooks and requests for certificates."""

from __future__ import annotations

from tests.unit.kube.api.conftest import NOW

from bookmesh.kube.api.tables import access

METADATA = {"name": "reader", "creationTimestamp": "2026-01-01T00:00:00Z"}


def test_roles_show_when_they_were_made() -> None:
    assert access.role_row({"metadata": METADATA}, NOW) == ["reader", "2026-01-01T00:00:00Z"]


def test_bindings_show_whom_they_give_what() -> None:
    binding = {
        "metadata": METADATA,
        "roleRef": {"kind": "Role", "name": "reader"},
        "subjects": [
            {"kind": "User", "name": "ann"},
            {"kind": "User", "name": "bob"},
            {"kind": "ServiceAccount", "namespace": "shop", "name": "robot"},
        ],
    }
    row = access.binding_row(binding, NOW)
    assert row == ["reader", "Role/reader", "0s", "ann, bob", "", "shop/robot"]
    assert len(row) == len(access.BINDING_COLUMNS)


def test_webhooks_are_counted() -> None:
    row = access.webhook_row({"metadata": METADATA, "webhooks": [{}, {}]}, NOW)
    assert row == ["reader", 2, "0s"]
    assert len(row) == len(access.WEBHOOK_COLUMNS)


def test_requests_show_how_far_they_are() -> None:
    spec = {"signerName": "example.com/a", "username": "ann", "expirationSeconds": 3600}
    request = {"metadata": METADATA, "spec": spec}
    row = access.request_row(request, NOW)
    assert row == ["reader", "0s", "example.com/a", "ann", "60m", "Pending"]
    assert len(row) == len(access.REQUEST_COLUMNS)
    status = {"conditions": [{"type": "Approved"}], "certificate": "x"}
    del spec["expirationSeconds"]
    assert access.request_row({**request, "status": status}, NOW)[4:] == ["<none>", "Approved,Issued"]
