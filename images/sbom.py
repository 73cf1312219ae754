"""A software bill of materials in CycloneDX 1.5, from the metadata that installed packages bring. No dependency."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any


def render(directory: Path, *, name: str, version: str) -> str:
    """List the packages that are installed in a folder, sorted; equal folders give equal text."""
    found = sorted(importlib.metadata.distributions(path=[str(directory)]), key=_name)
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"pkg:generic/{name}@{version}",
                "name": name,
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
            }
        },
        "components": [_component(one) for one in found],
        "dependencies": [
            {"ref": f"pkg:generic/{name}@{version}", "dependsOn": [_purl(one) for one in found]}
        ],
    }
    return json.dumps(body, indent=2) + "\n"


def _component(found: importlib.metadata.Distribution) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(found),
        "name": _name(found),
        "version": found.version,
        "purl": _purl(found),
    }
    expression, text = found.metadata.get("License-Expression"), found.metadata.get("License") or ""
    if expression:
        component["licenses"] = [{"expression": expression}]
    elif text and "\n" not in text:  # some packages put the whole licence there
        component["licenses"] = [{"license": {"name": text}}]
    return component


def _name(found: importlib.metadata.Distribution) -> str:
    """The name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()


def _purl(found: importlib.metadata.Distribution) -> str:
    return f"pkg:pypi/{_name(found)}@{found.version}"
