"""Rows of roles, bindings and admission webhooks."""

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
