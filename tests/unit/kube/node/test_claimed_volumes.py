"""From a claim to the directory behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import claimed_volumes
from bookmesh.kube.node.sources import SourceError, Sources


def claim(phase: str = "Bound") -> JsonObject:
    return {"spec": {"volumeName": "v"}, "status": {"phase": phase}}


def volume(**spec: Any) -> JsonObject:
    return {"metadata": {"name": "v"}, "spec": spec}


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (Sources("default"), 'persistentvolumeclaim "data" not found'),
        (
            Sources("default", claims={"data": claim("Pending")}),
            r"error processing PVC default/data: PVC default/data has non-bound phase \(Pending\)",
        ),
        (Sources("default", claims={"data": claim()}), 'persistentvolume "v" not found'),
    ],
)
def test_a_claim_without_a_volume_is_waited_for(sources: Sources, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        claimed_volumes.find_volume("data", sources)


def test_the_volume_of_a_claim_is_found() -> None:
    found = volume()
    sources = Sources("default", claims={"data": claim()}, volumes={"v": found})
    assert claimed_volumes.find_volume("data", sources) is found


def test_a_directory_of_the_lab_is_made_open_to_all(tmp_path: Path) -> None:
    made = claimed_volumes.make_directory(
        volume(hostPath={"path": f"{tmp_path}/claims/v"}), tmp_path / "claims"
    )
    assert made == tmp_path / "claims" / "v"
    assert made.stat().st_mode & 0o777 == 0o777


@pytest.mark.parametrize("kind", ["hostPath", "local"])
def test_a_directory_of_the_host_is_used_and_never_made(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "data"
    with pytest.raises(SourceError, match="does not exist on the host"):
        claimed_volumes.make_directory(volume(**{kind: {"path": str(path)}}), tmp_path / "claims")
    path.mkdir()
    assert claimed_volumes.make_directory(volume(**{kind: {"path": str(path)}}), tmp_path / "claims") == path


def test_a_volume_elsewhere_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="BM0302 volume v cannot be used here"):
        claimed_volumes.make_directory(volume(nfs={"server": "a", "path": "/"}), tmp_path)
