"""
One layer of an image, from its tar stream to a directory that an overlay can stack on those below it.

What a layer removes becomes the overlay's own marks: a whiteout is a character device 0/0, a directory that hides what
is below it has the attribute `overlay.opaque`. Every path is looked up inside the layer, as if it were the root: a
symbolic link leads nowhere else. Devices are left out. An ordinary user owns all files, whoever should.

Source: "Layer" of the OCI image specification; Documentation/filesystems/overlayfs.rst of Linux.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bookmesh.lab.images import limits, lookups, problems, reading

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_METADATA: Final = ".wh..wh."
_LARGEST_HEADER: Final = 1 << 20
_XATTR: Final = "SCHILY.xattr."
_CAPABILITY: Final = "security.capability"


class _Header(tarfile.TarInfo):
    """Refuses headers that would be read into memory however large they claim to be."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        header = super().frombuf(buf, encoding, errors)
        is_extension = header.type in (
            tarfile.XHDTYPE,
            tarfile.XGLTYPE,
            tarfile.SOLARIS_XHDTYPE,
            tarfile.GNUTYPE_LONGNAME,
            tarfile.GNUTYPE_LONGLINK,
        )
        if is_extension and header.size > _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {header.size} bytes")
        return header


class Unpacker:
    """
    Unpacks one layer into `root`, an empty directory. Not for use a second time.

    Args:
        below: the unpacked layers below, the uppermost first.
        owning: give files to the owners that the layer names, with their privileges; takes root.
        budget: of the whole image.
        where: what people know the layer as.
    """

    def __init__(
        self,
        root: Path,
        *,
        below: Sequence[Path],
        owning: bool,
        budget: limits.Budget,
        where: str,
    ) -> None:
        self._tree = lookups.Layer(root, below, owning=owning, where=where)
        self._owning = owning
        self._budget = budget
        self._where = where
        self._directories: dict[Path, tarfile.TarInfo] = {}

    def unpack(self, stream: object) -> None:
        """
        Read a tar stream to its end.

        Raises:
            BookmeshError: BM0351, BM0354 to BM0356; what is in `root` then is of no use.
        """
        try:
            with reading.damage(self._where), self._open(stream) as archive:
                self._tree.inherit(self._tree.root)
                for member in archive:
                    self._budget.spend_entry()
                    self._take(archive, member)
                # Last, since a directory may forbid to write into it, and changes its time when one does.
                for path, member in sorted(self._directories.items(), reverse=True):
                    self._describe(path, member)
        except OSError as error:
            raise problems.not_here(self._where, error) from error
        except (ValueError, OverflowError) as error:
            raise problems.damaged(self._where, str(error)) from error

    def _open(self, stream: object) -> tarfile.TarFile:
        return tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header, bufsize=reading.CHUNK_BYTES)  # type: ignore[call-overload,no-any-return]

    def _take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        parts = self._tree.parts(member.name)
        if not parts:
            if member.isdir():
                self._directories[self._tree.root] = member
            return
        directory, name = self._tree.directory(parts[:-1]), parts[-1]
        if name == _OPAQUE:
            self._tree.hide_below(directory)
        elif name.startswith(_METADATA):
            return
        elif name.startswith(_WHITEOUT):
            self._remove(directory, name.removeprefix(_WHITEOUT))
        elif not (member.ischr() or member.isblk()):
            self._make(archive, member, directory / name)

    def _remove(self, directory: Path, name: str) -> None:
        """A layer removes what is below it, never what it brings itself."""
        if name in ("", ".", ".."):
            raise problems.leads_out(self._where, _WHITEOUT + name)
        path = directory / name
        if not os.path.lexists(path):
            os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))
        elif path.is_dir() and not path.is_symlink():
            self._tree.hide_below(path)

    def _make(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        if member.isdir():
            self._make_directory(member, path)
            return
        self._clear(path)
        if member.islnk():
            self._link(member, path)
            return
        if member.issym():
            path.symlink_to(member.linkname)
        elif member.isfifo():
            os.mkfifo(path, 0o600)
        else:
            self._write(archive, member, path)
        self._describe(path, member)

    def _make_directory(self, member: tarfile.TarInfo, path: Path) -> None:
        if path.is_symlink() or not path.is_dir():
            hides = lookups.is_whiteout(path)
            self._clear(path)
            path.mkdir(0o700)
            if hides:
                self._tree.hide_below(path)
        self._directories[path] = member

    def _clear(self, path: Path) -> None:
        """Make way for what comes later in the same layer."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            gone = [known for known in self._directories if known.is_relative_to(path)]
            for known in gone:
                del self._directories[known]
        else:
            path.unlink(missing_ok=True)

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        content = archive.extractfile(member)
        if content is None:
            raise problems.damaged(self._where, f"{member.name} is of a kind that no layer has")
        written = 0
        with path.open("xb") as file:
            while data := content.read(reading.CHUNK_BYTES):
                self._budget.spend_bytes(len(data))
                written += file.write(data)
        if written != member.size:
            raise problems.damaged(self._where, f"{member.name} has {written} bytes of {member.size}")

    def _link(self, member: tarfile.TarInfo, path: Path) -> None:
        """Link to a file of this layer; one of a layer below is copied into this one first."""
        parts = self._tree.parts(member.linkname)
        if not parts:
            raise problems.damaged(self._where, f"{member.name} is a link to the root")
        target = self._tree.directory(parts[:-1]) / parts[-1]
        if not os.path.lexists(target):
            below = self._tree.below(target)
            if below is None:
                raise problems.damaged(
                    self._where, f"{member.name} is a link to {member.linkname}, which is not there"
                )
            self._budget.spend_bytes(below.lstat().st_size)
            shutil.copy2(below, target, follow_symlinks=False)
            if self._owning:
                found = below.lstat()
                os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)
                if not target.is_symlink():
                    target.chmod(stat.S_IMODE(found.st_mode))
        os.link(target, path, follow_symlinks=False)

    def _describe(self, path: Path, member: tarfile.TarInfo) -> None:
        """Owner first, since a change of it takes setuid away; then mode, attributes, time."""
        if self._owning:
            os.chown(path, member.uid, member.gid, follow_symlinks=False)
        if not member.issym():
            path.chmod(stat.S_IMODE(member.mode))
        for header, value in member.pax_headers.items():
            name = header.removeprefix(_XATTR)
            if header != name and self._keeps(name):
                data = value.encode("utf-8", "surrogateescape")
                os.setxattr(path, name, data, follow_symlinks=False)
        os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)

    def _keeps(self, attribute: str) -> bool:
        """What overlays go by is theirs alone, also when it looks like a user's."""
        if attribute == _CAPABILITY:
            return self._owning
        return attribute.startswith("user.") and not attribute.startswith("user.overlay.")
