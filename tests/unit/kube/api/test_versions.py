"""What the server says it is."""

from __future__ import annotations

from bookmesh.kube.api import versions


def test_version_names_kubernetes_and_who_speaks_it() -> None:
    document = versions.version_document()
    assert document["gitVersion"] == "v1.37.0+bookmesh"
    assert (document["major"], document["minor"]) == ("1", "37")
    assert document["platform"].startswith("linux/")
