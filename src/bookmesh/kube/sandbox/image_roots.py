"""
The root a sandbox sees when an image brings its own: the image's layers below a private overlay.

An image may hold any symbolic link, also one to where the host's root is shown while a root is being built. So all of
the host that is wanted is copied first, as mounts that are nowhere yet; then the overlay becomes the root and the host
goes; only then is anything made, written or attached in there. A path can lead nowhere but into the image by then.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from bookmesh.kube.sandbox import roots, syscalls
from bookmesh.kube.sandbox.syscalls import MS_NODEV, MS_NOSUID

_IMAGE: Final = "/image"
_LAYERS: Final = "/layers"
_WRITABLE: Final = "/writable"
_NEEDED: Final = ("dev", "etc", "proc", "sys")


class _Tree(NamedTuple):
    """A mount that is not attached yet."""

    tree: int
    target: str
    read_only: bool


def enter(
    layers: Sequence[str],
    *,
    mounts: Iterable[Sequence[str | bool]],
    files: Mapping[str, str],
    cwd: str,
    read_only: bool,
    volumes: Iterable[str],
    in_user_namespace: bool,
) -> None:
    """
    Build the root and move into it; the caller is alone in fresh mount and PID namespaces.

    Args:
        layers: directories of the host, the uppermost first.
        mounts: (source, target, read only); they stay writable in a root that is `read_only`.
        files: text by absolute path; they replace what the image has there.
        volumes: directories of the image that stay writable, too, with what the image has in them.

    Raises:
        OSError: a mount was refused, or a source or layer does not exist; the text says which.
    """
    roots.pivot()
    wanted = [_copy(str(source), str(target), bool(read_only)) for source, target, read_only in mounts]
    devices = {f"/dev/{name}": syscalls.copy_tree(f"{roots.HOST}/dev/{name}") for name in roots.DEVICES}
    kernel = _mount_kernel()
    _mount_layers(layers, in_user_namespace=in_user_namespace)
    _leave_host()
    for name in _NEEDED:
        os.makedirs(f"/{name}", exist_ok=True)
    _write_files(files)
    os.makedirs(os.path.realpath(cwd), exist_ok=True)
    for tree in kernel:
        _attach(tree)
    roots.make_devices(lambda path: _attach(_Tree(devices[path], path, False)))
    if read_only:
        for path in volumes:
            _make_volume(path)
    for tree in sorted(wanted, key=lambda tree: tree.target.rstrip("/").count("/")):
        _attach(tree)
    if read_only:
        syscalls.make_read_only("/", recursive=False)


def _mount_kernel() -> list[_Tree]:
    """Mount /proc and /sys while the host's are in view: a user namespace may only mount what it sees already."""
    for path in ("/proc", "/sys"):
        os.mkdir(path)
    roots.mount_proc()
    roots.mount_sys()
    return [_Tree(syscalls.copy_tree(path), path, False) for path in ("/proc", "/sys")]


def _copy(source: str, target: str, read_only: bool) -> _Tree:
    origin = roots.HOST + os.path.normpath(source)
    if not os.path.lexists(origin):
        raise FileNotFoundError(2, f'mount "{source}" at "{target}": the source does not exist')
    return _Tree(syscalls.copy_tree(origin), target, read_only)


def _mount_layers(layers: Sequence[str], *, in_user_namespace: bool) -> None:
    """
    Mount the overlay at `_IMAGE`.

    Layers are named through short links: the options of a mount are one page at most, and a path may hold any comma
    or colon.
    """
    for directory in (_IMAGE, _LAYERS, _WRITABLE):
        os.mkdir(directory)
    for number, layer in enumerate(layers):
        os.symlink(roots.HOST + layer, f"{_LAYERS}/{number}")
        os.stat(f"{_LAYERS}/{number}")
    syscalls.mount("tmpfs", _WRITABLE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=512m")
    os.mkdir(f"{_WRITABLE}/work")
    os.mkdir(f"{_WRITABLE}/upper")
    top = os.stat(f"{_LAYERS}/0")
    os.chown(f"{_WRITABLE}/upper", top.st_uid, top.st_gid)
    os.chmod(f"{_WRITABLE}/upper", stat.S_IMODE(top.st_mode))
    lower = ":".join(f"{_LAYERS}/{number}" for number in range(len(layers)))
    options = f"lowerdir={lower},upperdir={_WRITABLE}/upper,workdir={_WRITABLE}/work"
    syscalls.mount("overlay", _IMAGE, "overlay", MS_NODEV, options + ",userxattr" * in_user_namespace)


def _leave_host() -> None:
    """Make the overlay the root; the host, and what the overlay was built on, go (see pivot_root(2), NOTES)."""
    os.chdir(_IMAGE)
    syscalls.pivot_root(".", ".")
    syscalls.unmount(".")
    os.chdir("/")


def _attach(tree: _Tree) -> None:
    """Attach a mount, making directories (or an empty file) to attach it to; where a link leads nowhere, too."""
    target = os.path.realpath(tree.target)
    if stat.S_ISDIR(os.fstat(tree.tree).st_mode):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC, 0o644))
    syscalls.attach_tree(tree.tree, target)
    os.close(tree.tree)
    if tree.read_only:
        syscalls.make_read_only(target)


def _make_volume(path: str) -> None:
    """Mount a directory on itself: a mount of its own stays as it is when the root becomes read-only."""
    target = os.path.realpath(f"/{path}")
    os.makedirs(target, exist_ok=True)
    _attach(_Tree(syscalls.copy_tree(target), target, False))


def _write_files(files: Mapping[str, str]) -> None:
    for path, text in files.items():
        os.makedirs(os.path.realpath(os.path.dirname(path)), exist_ok=True)
        if os.path.islink(path):
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
