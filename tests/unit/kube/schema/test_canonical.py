"""Quantities are stored in one form, wherever they are in a built-in object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bookmesh.kube.schema import canonical, kinds, schemas


def test_quantities_anywhere_in_an_object_are_rewritten(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]
) -> None:
    resources = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": 2}}
    container = {"name": "1000m", "args": ["1000m"], "resources": resources}
    volume = {"name": "v", "emptyDir": {"sizeLimit": "1024Ki"}}
    spec = {"containers": [container], "volumes": [volume], "overhead": None}
    obj: dict[str, Any] = {"spec": {"template": {"metadata": {"labels": {"cpu": "1000m"}}, "spec": spec}}}
    canonical.rewrite_quantities(loaded, kind_of("Deployment"), obj)
    assert resources == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}}
    assert volume["emptyDir"] == {"sizeLimit": "1Mi"}
    assert (container["name"], container["args"]) == ("1000m", ["1000m"])
    assert obj["spec"]["template"]["metadata"]["labels"] == {"cpu": "1000m"}
