"""
One OCI archive out of several, each with one image of its own platform: an index of them all, which registries and
`bookmesh image load` take as one image. Nothing in an image changes, nor its digest; the same parts give the same
bytes.

Source: the OCI image specification 1.1 (image-layout, image-index).
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
NAMES: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
"""By which engines find an image in an archive."""


def merge(parts: Sequence[Path], target: Path, *, name: str) -> None:
    """
    Write an archive of the images of all parts under one name.

    Raises:
        ValueError: a part has not exactly one image.
    """
    with ExitStack() as stack:
        archives = [stack.enter_context(tarfile.open(part)) for part in parts]
        entries = sorted((_entry(one) for one in archives), key=lambda entry: str(entry["platform"]))
        index = _document({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": entries})
        digest = hashlib.sha256(index).hexdigest()
        top = {"mediaType": INDEX_TYPE, "digest": f"sha256:{digest}", "size": len(index)}
        top["annotations"] = dict.fromkeys(NAMES, name)
        with tarfile.open(target, "w") as whole:
            _add(whole, "index.json", _document({"schemaVersion": 2, "manifests": [top]}))
            _add(whole, "oci-layout", _document({"imageLayoutVersion": "1.0.0"}))
            _add(whole, f"blobs/sha256/{digest}", index)
            _copy_blobs(archives, whole)


def _entry(archive: tarfile.TarFile) -> dict[str, Any]:
    """What the index says of a part: where its manifest is, and for which platform."""
    found = _read(archive, "index.json")["manifests"]
    if len(found) != 1:
        raise ValueError(f"{archive.name}: {len(found)} images where one was expected")
    manifest = {key: found[0][key] for key in ("mediaType", "digest", "size")}
    config = _blob(archive, _blob(archive, manifest["digest"])["config"]["digest"])
    platform = {key: config[key] for key in ("architecture", "os", "variant") if config.get(key)}
    return manifest | {"platform": platform}


def _blob(archive: tarfile.TarFile, digest: str) -> Any:
    return _read(archive, f"blobs/{digest.replace(':', '/')}")


def _read(archive: tarfile.TarFile, name: str) -> Any:
    file = archive.extractfile(name)
    assert file is not None
    return json.load(file)


def _copy_blobs(archives: Iterable[tarfile.TarFile], whole: tarfile.TarFile) -> None:
    """Copy each blob once, in the order of their digests."""
    found = {
        member.name: (archive, member)
        for archive in archives
        for member in archive
        if member.isfile() and member.name.startswith("blobs/")
    }
    for name, (archive, member) in sorted(found.items()):
        entry = tarfile.TarInfo(name)
        entry.size = member.size
        whole.addfile(entry, archive.extractfile(member))


def _add(whole: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    whole.addfile(entry, io.BytesIO(content))


def _document(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
