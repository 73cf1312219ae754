"""Who sees what."""

from __future__ import annotations

import pytest

from bookmesh.mesh.snapshot import visibility


@pytest.mark.parametrize(
    ("export_to", "namespace", "expected"),
    [
        ((), "other", True),
        (("*",), "other", True),
        ((".",), "other", False),
        ((".",), "own", True),
        (("other",), "other", True),
        (("other",), "own", False),
        (("own",), "own", True),
        (("~",), "own", False),
        (("~", "other"), "other", False),
        (("~", "*"), "other", True),
    ],
)
def test_export_decides_who_sees_an_object(
    export_to: tuple[str, ...], namespace: str, expected: bool
) -> None:
    assert visibility.is_visible(export_to, owner="own", namespace=namespace) is expected


@pytest.mark.parametrize(
    ("default", "namespace", "expected"),
    [((".",), "other", False), ((".",), "own", True), (("~",), "own", False)],
)
def test_without_export_the_default_of_the_mesh_counts(
    default: tuple[str, ...], namespace: str, expected: bool
) -> None:
    assert visibility.is_visible((), owner="own", namespace=namespace, default=default) is expected
    assert visibility.is_visible(("*",), owner="own", namespace=namespace, default=default)
