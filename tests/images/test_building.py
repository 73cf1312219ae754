"""Bookinfo's images: what is in them, what is not, and that they are the same bytes each time."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.images import bases, conftest

from bookmesh.lab.images import archives, contents, limits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first one waits for the build

TOOL = conftest.ROOT / "tools" / "build_images"
REQUIREMENTS = runpy.run_path(str(conftest.ROOT / "tools" / "gen_image_requirements.py"))


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


def test_a_build_from_the_beginning_gives_the_same_digests(built: conftest.Built, tmp_path: Path) -> None:
    archives_ = conftest.build(built.builder, built.bases, tmp_path, "ratings")
    assert (
        content(archives_["ratings"], tmp_path).digests
        == content(built.archives["ratings"], tmp_path).digests
    )


@pytest.mark.parametrize("service", conftest.SERVICES)
def test_an_image_adds_bookinfo_and_its_packages_and_nothing_else(
    service: str, built: conftest.Built, tmp_path: Path
) -> None:
    members = added(built.archives[service], tmp_path)
    assert f"opt/bookinfo/bookinfo/{service}/app.py" in members
    assert f"opt/bookinfo/bookinfo/__pycache__/main.cpython-{bases.VERSION.replace('.', '')}.pyc" in members
    outside = [name for name in members if not f"{name}/".startswith(("opt/bookinfo/", "opt/"))]
    assert outside == []
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, 0)}
    assert ("opt/bookinfo/asyncpg" in members) is (service == "ratings")
    assert not [name for name in members if "direct_url" in name or name.endswith((".whl", "pip.conf"))]


@pytest.mark.parametrize("service", conftest.SERVICES)
def test_the_bill_of_materials_names_what_is_installed(
    service: str, built: conftest.Built, tmp_path: Path
) -> None:
    bill = document(built.archives[service], tmp_path, "opt/bookinfo/sbom.cdx.json")
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    pins = (conftest.ROOT / "images" / "bookinfo" / "requirements.txt").read_text()
    if service == "ratings":
        pins += (conftest.ROOT / "images" / "bookinfo" / "requirements-databases.txt").read_text()
    pinned = {line.split(" ")[0] for line in pins.splitlines() if "==" in line}
    assert {f"{one['name']}=={one['version']}" for one in bill["components"]} == pinned
    assert all(one["purl"].startswith("pkg:pypi/") for one in bill["components"])
    licensed = [one for one in bill["components"] if "licenses" in one]
    assert len(licensed) > len(pinned) / 2


@pytest.mark.parametrize("service", conftest.SERVICES)
def test_an_image_says_how_it_is_run_and_what_it_is(
    service: str, built: conftest.Built, tmp_path: Path
) -> None:
    found = content(built.archives[service], tmp_path)
    assert found.names == (f"bookmesh/bookinfo-{service}:{conftest.VERSION}",)
    running = found.config.config
    assert running is not None
    assert running.entrypoint == ["python3", "/opt/bookinfo"]
    assert running.user == "10001:10001"
    with archives.opened(built.archives[service], scratch=tmp_path) as source:
        algorithm, value = found.digests[-1].split(":")
        with source.open(f"blobs/{algorithm}/{value}") as file:
            config = json.load(file)
    labels = config["config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == f"bookinfo-{service}"
    assert labels["org.opencontainers.image.version"] == conftest.VERSION
    assert labels["org.opencontainers.image.revision"] == "abc"
    assert labels["org.opencontainers.image.base.name"] == built.bases.run
    assert config["created"] == "1970-01-01T00:00:00Z"
    assert config["config"]["ExposedPorts"] == {"9080/tcp": {}}


def test_a_base_without_its_digest_is_refused() -> None:
    command = [sys.executable, str(TOOL), "--build-base", "python:3.11", "--run-base", "python:3.11"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "python:3.11 has no digest" in done.stderr


def test_the_requirements_are_all_that_the_roots_want() -> None:
    lock = (
        "a==1 \\\n    --hash=sha256:1\n    # via bookmesh (pyproject.toml)\n"
        "b==2 \\\n    --hash=sha256:2\n    # via\n    #   a\n    #   z\n"
        "c==3 \\\n    --hash=sha256:3\n    # via b\n"
        "z==4 \\\n    --hash=sha256:4\n    # via bookmesh (pyproject.toml)\n"
    )
    packages = REQUIREMENTS["blocks"](lock)
    assert REQUIREMENTS["closure"](packages, ["a"]) == ["a", "b", "c"]
    with pytest.raises(KeyError):
        REQUIREMENTS["closure"](packages, ["missing"])
