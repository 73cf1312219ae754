from __future__ import annotations

import pytest

from bookmesh.lab.images import platforms


@pytest.mark.parametrize(
    ("machine", "architecture"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("mips64", "mips64")]
)
def test_machines_have_the_names_that_images_use(machine: str, architecture: str) -> None:
    assert platforms.architecture(machine) == architecture


def test_this_machine_has_a_name() -> None:
    assert platforms.architecture()
