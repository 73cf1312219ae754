"""kustomize/ for people without Helm: each overlay builds what the charts render with the same versions and weights."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bookmesh.lab import client

ROOT = Path(__file__).parents[2]
KUSTOMIZE = ROOT / "kustomize"
GENERATOR = runpy.run_path(str(ROOT / "tools" / "gen_kustomize.py"))


def weights(**tracks: Any) -> dict[str, Any]:
    return {"routing": {"kind": "VirtualService"}, "versions": tracks}


OFF = {"enabled": False}
INGRESS = {"routing": {"kind": "VirtualService"}, "ingress": {"kind": "Gateway"}}
OVERLAYS: dict[str, dict[str, Any]] = {
    # overlay: the umbrella chart's values for the same
    "base": {},
    "istio": {
        "productpage": INGRESS,
        "reviews": weights(v1={"weight": 90}, v2={"weight": 10}, v3={"weight": 0}),
    },
    "istio-half": {
        "productpage": INGRESS,
        "reviews": weights(v1={"weight": 50}, v2={"weight": 0}, v3={"weight": 50}),
    },
    "istio-retired": {"productpage": INGRESS, "reviews": weights(v1=OFF, v2=OFF, v3={"weight": 100})},
}


def build(overlay: str) -> list[dict[str, Any]]:
    """What `kubectl apply -k` would apply."""
    command = [client.find_kubectl(), "kustomize", KUSTOMIZE / overlay]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return list(yaml.safe_load_all(done.stdout))


def by_name(objects: Any) -> dict[str, Any]:
    return {f"{one['kind']} {one['metadata']['name']}": one for one in objects}


def test_every_overlay_is_compared() -> None:
    assert {path.parent.name for path in KUSTOMIZE.glob("*/kustomization.yaml")} == set(OVERLAYS)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_what_the_charts_render(overlay: str) -> None:
    rendered = by_name(GENERATOR["objects"]("bookinfo", OVERLAYS[overlay]))
    built = by_name(build(overlay))
    assert built.keys() == rendered.keys()
    for name, obj in built.items():
        assert obj == rendered[name], name
