"""What the server says it is."""

from __future__ import annotations

import platform
from typing import Final

from bookmesh.base import cluster
from bookmesh.base.kubernetes import JsonObject

GIT_VERSION: Final = f"v{cluster.KUBERNETES_VERSION}+bookmesh"
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def version_document() -> JsonObject:
    """`/version`: the Kubernetes that is spoken; `+bookmesh` says by whom."""
    machine = platform.machine()
    major, minor, _ = cluster.KUBERNETES_VERSION.split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "python",
        "platform": f"linux/{_MACHINES.get(machine, machine)}",
    }
