"""Which images this machine can run, in the words of the OCI image specification. Pure but for the machine's name."""

from __future__ import annotations

import platform
from typing import Final

_ARCHITECTURES: Final = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i686": "386",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
}


def architecture(machine: str | None = None) -> str:
    """This machine's architecture as images call it; an unknown one by its own name."""
    name = machine or platform.machine()
    return _ARCHITECTURES.get(name, name)
