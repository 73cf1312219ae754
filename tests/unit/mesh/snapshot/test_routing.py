"""VirtualServices with resolved names."""

from __future__ import annotations

import pytest

from bookmesh.mesh.snapshot import routing


@pytest.mark.parametrize(
    ("name", "expected"), [("mesh", "mesh"), ("main", "shop/main"), ("edge/main", "edge/main")]
)
def test_gateway_without_namespace_is_in_that_of_the_object(name: str, expected: str) -> None:
    assert routing.qualified_gateway(name, "shop") == expected
