from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node.sources import SourceError, Sources
from bookmesh.kube.node.volumes import PodVolumes, VolumeError
from bookmesh.kube.sandbox.specification import Mount

DRIVER = "fake.example.com"


class Rig:
    def __init__(self, directory: Path) -> None:
        self.driver = fakes.FakeDriver()
        self.tokens = fakes.FakeTokens()
        self.directory = directory / "volumes"
        self.volumes = PodVolumes(
            directory=self.directory,
            drivers={DRIVER: self.driver},
            tokens=self.tokens,
            allocatable={},
            claims=directory / "claims",
        )
        self.pod = fakes.pod()

    async def set_up(self, *volumes: Mapping[str, Any], **config_maps: dict[str, str]) -> None:
        self.pod = fakes.pod(volumes=list(volumes))
        self.pod["status"] = {"podIP": "10.244.0.2"}
        await self.volumes.set_up(self.pod, sources(**config_maps))

    def mount(self, **mount: Any) -> Mount:
        container = {"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v", **mount}]}
        (made,) = self.volumes.build_mounts(container, {"POD": "web"})
        return made


def sources(**config_maps: dict[str, str]) -> Sources:
    return Sources("default", config_maps={name: {"data": data} for name, data in config_maps.items()})


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_an_empty_dir_is_open_to_all_and_survives_a_restart_of_the_node(
    rig: Rig, tmp_path: Path
) -> None:
    await rig.set_up({"name": "v", "emptyDir": {}})
    mount = rig.mount()
    assert mount == Mount(str(rig.directory / "v"), "/v", read_only=False)
    assert Path(mount.source).stat().st_mode & 0o777 == 0o777
    (Path(mount.source) / "kept").write_text("yes")
    again = Rig(tmp_path)
    await again.set_up({"name": "v", "emptyDir": {}})
    assert (again.directory / "v" / "kept").read_text() == "yes"


async def test_tear_down_removes_everything(rig: Rig) -> None:
    await rig.set_up({"name": "v", "emptyDir": {}}, {"name": "w", "csi": {"driver": DRIVER}})
    assert (rig.directory / "w" / "address").read_text() == "10.244.0.2"
    await rig.volumes.tear_down(rig.pod)
    assert not rig.directory.exists()
    assert rig.driver.published == {}


async def test_api_volumes_are_read_only_and_refreshed(rig: Rig) -> None:
    await rig.set_up({"name": "v", "configMap": {"name": "m"}}, m={"a": "1"})
    mount = rig.mount()
    assert mount.read_only
    assert (Path(mount.source) / "a").read_text() == "1"
    await rig.volumes.refresh(rig.pod, sources(m={"a": "2"}))
    assert (Path(mount.source) / "a").read_text() == "2"


async def test_a_source_that_went_leaves_the_last_files(rig: Rig) -> None:
    await rig.set_up({"name": "v", "configMap": {"name": "m"}}, m={"a": "1"})
    with pytest.raises(VolumeError, match='SetUp failed for volume "v" : configmap "m" not found'):
        await rig.volumes.refresh(rig.pod, sources())
    assert (rig.directory / "v" / "a").read_text() == "1"


async def test_tokens_are_issued_once_until_they_grow_old(rig: Rig) -> None:
    assert rig.volumes.refresh_due_in_s() is None
    source = {"serviceAccountToken": {"path": "token", "audience": "istio-ca", "expirationSeconds": 3600}}
    await rig.set_up({"name": "v", "projected": {"sources": [source]}})
    assert (rig.directory / "v" / "token").read_text() == "token-1:default,default,istio-ca"
    due_s = rig.volumes.refresh_due_in_s()
    assert due_s is not None
    assert 2870 < due_s < 2890
    await rig.volumes.refresh(rig.pod, sources())
    assert rig.tokens.issued == 1


async def test_an_old_token_is_replaced(rig: Rig) -> None:
    rig.tokens.life = datetime.timedelta(0)
    await rig.set_up({"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}})
    assert rig.volumes.refresh_due_in_s() == 0
    await rig.volumes.refresh(rig.pod, sources())
    assert (rig.directory / "v" / "token").read_text() == "token-2:default,default"


async def test_a_failed_volume_is_tried_again_and_the_others_stay(rig: Rig) -> None:
    rig.driver.failures = [OSError("not yet")]
    volumes = ({"name": "first", "emptyDir": {}}, {"name": "v", "csi": {"driver": DRIVER}})
    with pytest.raises(VolumeError, match='SetUp failed for volume "v" : not yet'):
        await rig.set_up(*volumes)
    await rig.volumes.set_up(rig.pod, sources())
    assert rig.mount().source == str(rig.directory / "v")


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "m"}}, 'configmap "m" not found'),
        (
            {"csi": {"driver": "other"}},
            r"driver name other not found in the list of CSI drivers \(fake.example.com\)",
        ),
        ({"nfs": {"server": "x", "path": "/"}}, "BM0302 volumes of kind nfs"),
        ({"hostPath": {"path": "/nowhere"}}, "/nowhere is not a path of the host"),
        ({"hostPath": {"path": "/etc/passwd", "type": "Directory"}}, "/etc/passwd is not a directory"),
        (
            {"hostPath": {"path": "/nowhere", "type": "DirectoryOrCreate"}},
            "/nowhere is not a directory of the host, and none is made there",
        ),
    ],
)
async def test_a_volume_that_cannot_be_made_is_named(rig: Rig, volume: dict[str, Any], message: str) -> None:
    with pytest.raises(VolumeError, match=message):
        await rig.set_up({"name": "v", **volume})


async def test_a_host_path_is_mounted_as_it_is(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    await rig.set_up({"name": "v", "hostPath": {"path": str(tmp_path / "data"), "type": "Directory"}})
    assert rig.mount() == Mount(str(tmp_path / "data"), "/v", read_only=False)
    assert rig.mount(readOnly=True).read_only
    await rig.volumes.tear_down(rig.pod)
    assert (tmp_path / "data").exists()


async def test_sub_paths_are_made_and_stay_inside(rig: Rig) -> None:
    await rig.set_up({"name": "v", "emptyDir": {}})
    assert rig.mount(subPath="a/b").source == str(rig.directory / "v" / "a" / "b")
    assert rig.mount(subPathExpr="$(POD)").source == str(rig.directory / "v" / "web")
    for outside in ("../x", "/etc"):
        with pytest.raises(SourceError, match="failed to prepare subPath"):
            rig.mount(subPath=outside)


async def test_a_sub_path_of_a_config_map_is_its_file(rig: Rig) -> None:
    await rig.set_up({"name": "v", "configMap": {"name": "m"}}, m={"a": "1"})
    source = Path(rig.mount(subPath="a").source)
    assert source.read_text() == "1"
    assert not source.is_symlink()


async def test_a_mount_of_no_volume_is_refused(rig: Rig) -> None:
    with pytest.raises(SourceError, match='cannot find volume "v" to mount into container "c"'):
        rig.mount()


async def test_a_claim_outlives_its_pods(rig: Rig, tmp_path: Path) -> None:
    rig.pod = fakes.pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    found = claimed("data", tmp_path)
    await rig.volumes.set_up(rig.pod, found)
    (Path(rig.mount().source) / "kept").write_text("x")
    await rig.volumes.tear_down(rig.pod)
    await rig.volumes.set_up(rig.pod, found)
    assert (Path(rig.mount().source) / "kept").read_text() == "x"


async def test_an_ephemeral_volume_is_the_claim_of_its_name(rig: Rig, tmp_path: Path) -> None:
    rig.pod = fakes.pod(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {}}}])
    await rig.volumes.set_up(rig.pod, claimed(f"{rig.pod['metadata']['name']}-v", tmp_path))
    assert rig.mount() == Mount(str(tmp_path / "claims" / "pvc-1"), "/v", read_only=False)


def claimed(name: str, tmp_path: Path) -> Sources:
    """A claim that is bound to a volume of the lab."""
    claim = {"spec": {"volumeName": "pvc-1"}, "status": {"phase": "Bound"}}
    volume = {"metadata": {"name": "pvc-1"}, "spec": {"hostPath": {"path": f"{tmp_path}/claims/pvc-1"}}}
    return Sources("default", claims={name: claim}, volumes={"pvc-1": volume})


async def test_a_claim_that_is_not_there_is_waited_for(rig: Rig) -> None:
    rig.pod = fakes.pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    with pytest.raises(VolumeError, match='persistentvolumeclaim "data" not found'):
        await rig.volumes.set_up(rig.pod, Sources("default"))
