"""The images: what is in them, what is not, and what they say of themselves."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.images import bases, conftest

from bookmesh.lab.images import archives, contents, limits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # the first one waits for the build

REQUIREMENTS_OF = {
    **dict.fromkeys(conftest.BOOKINFO, ("bookinfo/requirements.txt",)),
    "bookinfo-ratings": ("bookinfo/requirements.txt", "bookinfo/requirements-databases.txt"),
    "bookmesh": ("bookmesh/requirements.txt",),
    "bookmesh-gate": ("bookmesh/requirements-gate.txt",),
}


def content(archive: Path, scratch: Path) -> contents.Content:
    with archives.opened(archive, scratch=scratch) as source:
        (found,) = contents.read(source, architecture=bases.ARCHITECTURE, limits=limits.Limits())
        return found


def added(archive: Path, scratch: Path) -> dict[str, tarfile.TarInfo]:
    """What an image has above its base, which is one layer."""
    with archives.opened(archive, scratch=scratch) as source:
        (found,) = contents.read(source, architecture=bases.ARCHITECTURE, limits=limits.Limits())
        members: dict[str, tarfile.TarInfo] = {}
        for blob in found.layers[1:]:
            with source.open(blob.name) as layer, tarfile.open(fileobj=layer, mode="r|*") as stream:
                members |= {member.name.strip("/"): member for member in stream}
        return members


def document(archive: Path, scratch: Path, path: str) -> Any:
    with archives.opened(archive, scratch=scratch) as source:
        (found,) = contents.read(source, architecture=bases.ARCHITECTURE, limits=limits.Limits())
        for blob in found.layers:
            with source.open(blob.name) as layer, tarfile.open(fileobj=layer, mode="r|*") as stream:
                for member in stream:
                    if member.name.strip("/") == path:
                        file = stream.extractfile(member)
                        assert file is not None
                        return json.load(file)
    raise AssertionError(f"{archive} has no {path}")


@pytest.mark.parametrize("service", conftest.SERVICES)
def test_an_image_adds_bookinfo_and_its_packages_and_nothing_else(
    service: str, built: conftest.Built, tmp_path: Path
) -> None:
    members = added(built.archives[f"bookinfo-{service}"], tmp_path)
    assert f"opt/bookinfo/bookinfo/{service}/app.py" in members
    assert f"opt/bookinfo/bookinfo/__pycache__/main.cpython-{bases.VERSION.replace('.', '')}.pyc" in members
    outside = [name for name in members if not f"{name}/".startswith(("opt/bookinfo/", "opt/"))]
    assert outside == []
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, 0)}
    assert ("opt/bookinfo/asyncpg" in members) is (service == "ratings")
    assert not [name for name in members if "direct_url" in name or name.endswith((".whl", "pip.conf"))]


@pytest.mark.parametrize("image", conftest.BOOKMESH)
def test_an_image_of_bookmesh_adds_it_with_kubectl_and_without_envoy(
    image: str, built: conftest.Built, tmp_path: Path
) -> None:
    members = added(built.archives[image], tmp_path)
    assert "opt/bookmesh/bookmesh/catalogue/traffic-management/request-routing/task.yaml" in members
    assert "opt/bookmesh/bookmesh/kube/schema/generated/kubernetes.json" in members
    assert [name for name in members if not f"{name}/".startswith(("opt/bookmesh/", "opt/"))] == []
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, 0)}
    programs = {
        name: member.mode & 0o777 for name, member in members.items() if name.startswith("opt/bookmesh/bin/")
    }
    assert programs == {"opt/bookmesh/bin/kubectl": 0o755}
    assert "opt/bookmesh/envoy/_bin/envoy" not in members
    helm = [member for name, member in members.items() if "/libhelm_c.so" in name]
    assert [one.isfile() for one in helm] == ([True, False, False] if image == "bookmesh" else [])


@pytest.mark.parametrize(("image", "most_bytes"), [("bookmesh", 130e6), ("bookmesh-gate", 50e6)])
def test_images_of_bookmesh_stay_as_small_as_the_guide_says(
    image: str, most_bytes: float, built: conftest.Built
) -> None:
    assert built.archives[image].stat().st_size < most_bytes


@pytest.mark.parametrize("image", REQUIREMENTS_OF)
def test_the_bill_of_materials_names_what_is_installed(
    image: str, built: conftest.Built, tmp_path: Path
) -> None:
    folder = image.partition("-")[0]
    bill = document(built.archives[image], tmp_path, f"opt/{folder}/sbom.cdx.json")
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert bill["metadata"]["component"]["name"] == image
    pins = "".join((conftest.ROOT / "images" / name).read_text() for name in REQUIREMENTS_OF[image])
    pinned = {line.split(" ")[0] for line in pins.splitlines() if "==" in line}
    if folder == "bookmesh":
        pinned.add(f"bookmesh=={conftest.VERSION}")
    assert {f"{one['name']}=={one['version']}" for one in bill["components"]} == pinned
    assert all(one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    licensed = [one for one in bill["components"] if "licenses" in one]
    assert len(licensed) > len(pinned) / 2


@pytest.mark.parametrize("image", REQUIREMENTS_OF)
def test_an_image_says_how_it_is_run_and_what_it_is(
    image: str, built: conftest.Built, tmp_path: Path
) -> None:
    found = content(built.archives[image], tmp_path)
    assert found.names == (f"bookmesh/{image}:{conftest.VERSION}",)
    running = found.config.config
    assert running is not None
    assert running.entrypoint == ["python3", f"/opt/{image.partition('-')[0]}"]
    assert running.user == "10001:10001"
    with archives.opened(built.archives[image], scratch=tmp_path) as source:
        algorithm, value = found.digests[-1].split(":")
        with source.open(f"blobs/{algorithm}/{value}") as file:
            config = json.load(file)
    labels = config["config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == image
    assert labels["org.opencontainers.image.version"] == conftest.VERSION
    assert labels["org.opencontainers.image.revision"] == "abc"
    assert labels["org.opencontainers.image.base.name"] == built.bases.run
    assert config["created"] == "1970-01-01T00:00:00Z"
    assert config["config"].get("ExposedPorts", {}) == (
        {"9080/tcp": {}} if image.startswith("bookinfo") else {}
    )
