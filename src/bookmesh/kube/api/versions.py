"""What the server says it is."""

from __future__ import annotations

import platform
from typing import Final

from bookmesh.base.kubernetes import JsonObject

MAJOR: Final = "1"
MINOR: Final = "37"
GIT_VERSION: Final = f"v{MAJOR}.{MINOR}.0+bookmesh"
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def version_document() -> JsonObject:
    """`/version`: the Kubernetes that is spoken; `+bookmesh` says by whom."""
    machine = platform.machine()
    return {
        "major": MAJOR,
        "minor": MINOR,
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "python",
        "platform": f"linux/{_MACHINES.get(machine, machine)}",
    }
