"""Archives of images made by hand: layers of any entries, in each layout that engines write."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from bookmesh.lab.images import platforms

HERE = platforms.architecture()
PACKINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


def entry(name: str, content: str | bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """One entry of a layer, by default a file of mode 0644; `fields` are those of `tarfile.TarInfo`."""
    data = content.encode() if isinstance(content, str) else content
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mtime = 1_700_000_000
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def folder(name: str, mode: int = 0o755, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.DIRTYPE, mode=mode, **fields)


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.SYMTYPE, linkname=target, mode=0o777)


def hard_link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def layer(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A layer as an uncompressed tar file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def folder_layer(root: Path) -> bytes:
    """A layer of all that is below a folder, owned by root."""
    buffer = io.BytesIO()

    def owned(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        return info

    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(root.iterdir()):
            archive.add(path, path.name, filter=owned)
    return buffer.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Made:
    """An image; `config` is what a Dockerfile says about running, in the words of its JSON."""

    layers: Sequence[bytes]
    name: str = "example.com/shop:1.0"
    architecture: str = HERE
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def document(self) -> bytes:
        body = {
            "architecture": self.architecture,
            "os": "linux",
            "config": dict(self.config),
            "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in self.layers]},
        }
        return json.dumps(body).encode()


Files = dict[str, bytes]


def saved(*images: Made) -> Files:
    """The files of an archive of `docker save`."""
    files: Files = {}
    lines = []
    for one in images:
        config = f"{digest(one.document)[7:]}.json"
        names = [f"{digest(data)[7:]}/layer.tar" for data in one.layers]
        files |= {config: one.document} | dict(zip(names, one.layers, strict=True))
        lines.append({"Config": config, "RepoTags": [one.name] if one.name else None, "Layers": names})
    return files | {"manifest.json": json.dumps(lines).encode()}


def layout(*images: Made, packing: str = "gzip", together: bool = False) -> Files:
    """The files of an OCI layout; `together` makes the images one, for several machines, with the first one's name."""
    files: Files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    entries = []
    for one in images:
        packed = [PACKINGS[packing](data) for data in one.layers]
        manifest = {
            "schemaVersion": 2,
            "config": _add(files, one.document, "application/vnd.oci.image.config.v1+json"),
            "layers": [_add(files, data, "application/vnd.oci.image.layer.v1.tar") for data in packed],
        }
        described = _add(files, json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
        described["platform"] = {"architecture": one.architecture, "os": "linux"}
        if one.name and not together:
            described["annotations"] = {"org.opencontainers.image.ref.name": one.name}
        entries.append(described)
    if together:
        document = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
        described = _add(files, document, "application/vnd.oci.image.index.v1+json")
        described["annotations"] = {"org.opencontainers.image.ref.name": images[0].name}
        entries = [described]
    return files | {"index.json": json.dumps({"schemaVersion": 2, "manifests": entries}).encode()}


def _add(files: Files, data: bytes, media_type: str) -> dict[str, Any]:
    files[f"blobs/sha256/{digest(data)[7:]}"] = data
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


def write_tar(path: Path, files: Files, *, packing: str = "plain") -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    path.write_bytes(PACKINGS[packing](buffer.getvalue()))
    return path


def write_folder(path: Path, files: Files) -> Path:
    for name, data in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


def names_below(root: Path) -> Iterable[str]:
    """Every path below a folder, relative."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))
