"""VirtualServices with resolved names."""

from __future__ import annotations

import pytest

from bookmesh.mesh.snapshot import routing


@pytest.mark.parametrize(
    ("name", "expected"), [("mesh", "mesh"), ("main", "shop/main"), ("edge/main", "edge/main")]
)
def test_gateway_without_namespace_is_in_that_of_the_object(name: str, expected: str) -> None:
    assert routing.qualified_gateway(name, "shop") == expected


@pytest.mark.parametrize(
    ("export_to", "namespace", "expected"),
    [
        ((), "other", True),
        (("*",), "other", True),
        ((".",), "other", False),
        ((".",), "own", True),
        (("other",), "other", True),
        (("other",), "own", False),
    ],
)
def test_export_decides_who_sees_an_object(
    export_to: tuple[str, ...], namespace: str, expected: bool
) -> None:
    assert routing.is_exported(export_to, "own", namespace) is expected
