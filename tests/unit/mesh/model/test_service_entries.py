"""ServiceEntries are read, though nothing acts on them yet."""

from __future__ import annotations

import msgspec
import pytest

from bookmesh.mesh.model import service_entries as models


def test_entry_of_the_documentation_is_read() -> None:
    entry = {
        "hosts": ["edition.cnn.com"],
        "ports": [{"number": 80, "name": "http-port", "protocol": "HTTP", "targetPort": 443}],
        "resolution": "DNS",
        "location": "MESH_EXTERNAL",
        "endpoints": [{"address": "10.0.0.1", "ports": {"http-port": 8080}, "labels": {"a": "b"}}],
    }
    found = msgspec.convert(entry, models.ServiceEntry)
    assert found.ports[0].target_port == 443
    assert found.endpoints[0].ports == {"http-port": 8080}


def test_entry_without_hosts_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"hosts": []}, models.ServiceEntry)
