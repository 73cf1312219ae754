"""Secrets: plain text in, base64 kept."""

from __future__ import annotations

from bookmesh.base.kubernetes import SECRETS
from bookmesh.kube.api import verbs


def test_string_data_becomes_data(over: verbs.Verbs) -> None:
    body = {
        "metadata": {"name": "a", "namespace": "default"},
        "data": {"x": "eA=="},
        "stringData": {"y": "y"},
    }
    created = over.create(SECRETS, body).object
    assert created["data"] == {"x": "eA==", "y": "eQ=="}
    assert "stringData" not in created
    assert created["type"] == "Opaque"
    after = over.patch(SECRETS, "a", "default", {"stringData": {"x": "y"}}, patch_type="merge").object
    assert after["data"] == {"x": "eQ==", "y": "eQ=="}
