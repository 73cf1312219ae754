from __future__ import annotations

from bookmesh.lab.images import manifests
from bookmesh.lab.images.manifests import Descriptor, Platform


def descriptor(platform: Platform | None, digest: str = "sha256:0") -> Descriptor:
    return Descriptor(digest, 1, platform=platform)


def test_the_first_for_this_machine_is_chosen() -> None:
    wanted = descriptor(Platform("arm64", "linux"), "wanted")
    others = [
        descriptor(Platform("arm64", "windows")),
        descriptor(Platform("amd64", "linux")),
        descriptor(None),
    ]
    assert manifests.choose([*others, wanted, descriptor(Platform("arm64", "linux"))], "arm64") is wanted
    assert manifests.choose(others, "arm64") is others[-1]
    assert manifests.choose(others[:2], "arm64") is None


def test_attestations_are_no_platform() -> None:
    found = [descriptor(Platform("arm64", "linux", "v8")), descriptor(Platform("unknown", "unknown"))]
    assert manifests.platforms_of(found) == ["linux/arm64/v8"]


def test_containerds_name_is_the_whole_one() -> None:
    annotations = {"io.containerd.image.name": "a/b:1", "org.opencontainers.image.ref.name": "1"}
    assert Descriptor("d", 1, annotations=annotations).name == "a/b:1"
    assert Descriptor("d", 1).name == ""
