"""
The root a sandbox sees, built on an empty tmpfs: the host's /usr below a private overlay, and little else.

The tmpfs becomes the root first and shows the host's at /.host until everything is in place, so that no path of the
host can be hidden by what is being built. Works in a user namespace too, where an overlay of / as a whole does not.
All of it is private to the sandbox's mount namespace and vanishes with its last process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from bookmesh.kube.sandbox import syscalls
from bookmesh.kube.sandbox.syscalls import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
)

HOST: Final = "/.host"
"""Where the host's root is while a root is being built."""
_STAGE: Final = "/tmp"  # noqa: S108 - a directory that every Linux has; its content is not touched
_WRITABLE: Final = "/.writable"
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108

_DIRECTORIES: Final = (
    *("dev", "etc", "home", "mnt", "opt", "proc", "root", "run", "srv", "sys", "usr"),
    *("var", "var/cache", "var/lib", "var/log"),
)
_OPEN_DIRECTORIES: Final = ("tmp", "var/tmp")  # everybody may write, as on any Linux
_TOP_LEVEL: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix")
DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")
_SHARED_SETTINGS: Final = (
    *(
        "alternatives",
        "ca-certificates",
        "ca-certificates.conf",
        "crypto-policies",
        "ld.so.cache",
        "ld.so.conf",
    ),
    *("ld.so.conf.d", "localtime", "mime.types", "pki", "protocols", "services", "ssl"),
)
_PROTECTED_PROC: Final = ("bus", "irq", "sys", "sysrq-trigger")
_SETTINGS: Final = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
}


def enter(
    *, mounts: Iterable[Sequence[str | bool]], files: Mapping[str, str], in_user_namespace: bool
) -> None:
    """
    Build the root and move into it; the caller is alone in fresh mount and PID namespaces.

    `mounts` are (source, target, read only). Nothing may be imported in here: Python's own files come into view with
    the mounts.

    Raises:
        OSError: a mount was refused, or a source does not exist; the text says which.
    """
    wanted = [(str(source), str(target), bool(read_only)) for source, target, read_only in mounts]
    pivot()
    _make_tree([(source, target) for source, target, _ in wanted], in_user_namespace=in_user_namespace)
    _make_settings(files)
    mount_proc()
    make_devices(lambda path: bind(path, path, read_only=False))
    mount_sys()
    for source, target, read_only in sorted(wanted, key=lambda mount: mount[1].rstrip("/").count("/")):
        bind(source, target, read_only=read_only)
    syscalls.unmount(HOST)
    os.rmdir(HOST)


def bind(source: str, target: str, *, read_only: bool) -> None:
    """Show the host's `source` at `target`, making directories (or an empty file) to mount on."""
    origin = HOST + os.path.normpath(source)
    if os.path.isdir(origin):
        os.makedirs(target, exist_ok=True)
    elif not os.path.lexists(origin):
        raise FileNotFoundError(2, f'mount "{source}" at "{target}": the source does not exist')
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC, 0o644))
    syscalls.mount(origin, target, flags=MS_BIND | MS_REC)
    if read_only:
        syscalls.make_read_only(target)


def pivot() -> None:
    """Make an empty tmpfs the root, and show the host's at `HOST`."""
    syscalls.mount("none", "/", flags=MS_REC | MS_PRIVATE)
    syscalls.mount("tmpfs", _STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=512m")
    os.mkdir(_STAGE + HOST, 0o700)
    syscalls.pivot_root(_STAGE, _STAGE + HOST)
    os.chdir("/")


def _make_tree(mounts: Iterable[tuple[str, str]], *, in_user_namespace: bool) -> None:
    for name in _DIRECTORIES:
        os.mkdir(f"/{name}")
    for name in _OPEN_DIRECTORIES:
        os.mkdir(f"/{name}")
        os.chmod(f"/{name}", 0o1777)  # noqa: S103
    os.symlink("/run", "/var/run")
    for name in _TOP_LEVEL:
        _show_as_on_host(f"/{name}")
    os.mkdir(_WRITABLE)
    syscalls.mount("tmpfs", _WRITABLE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=512m")
    os.mkdir(f"{_WRITABLE}/upper")
    os.mkdir(f"{_WRITABLE}/work")
    for source, target in mounts:
        if os.path.normpath(target).startswith("/usr/"):
            _make_place(f"{_WRITABLE}/upper", source, os.path.normpath(target))
    options = f"lowerdir={HOST}/usr,upperdir={_WRITABLE}/upper,workdir={_WRITABLE}/work"
    syscalls.mount("overlay", "/usr", "overlay", 0, options + ",userxattr" * in_user_namespace)
    syscalls.unmount(_WRITABLE)  # the overlay holds on to it; nobody else has to see it
    os.rmdir(_WRITABLE)


def _make_place(upper: str, source: str, target: str) -> None:
    """
    Make what a mount below /usr needs to be mounted on where the host has nothing, before the overlay is mounted.

    Afterwards it would be too late in a user namespace: the host's directories belong to a user who is unknown there,
    so nothing can be made in them. A directory that is in the upper layer too is our own.
    """
    if os.path.lexists(HOST + target):
        return
    place = upper + target.removeprefix("/usr")
    if os.path.isdir(HOST + os.path.normpath(source)):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_CLOEXEC, 0o644))


def _show_as_on_host(path: str) -> None:
    """Repeat a symbolic link of the host, or bind what is there read-only; nothing there is fine."""
    origin = HOST + path
    if os.path.islink(origin):
        os.symlink(os.readlink(origin), path)
    elif os.path.exists(origin):
        bind(path, path, read_only=True)


def _make_settings(files: Mapping[str, str]) -> None:
    for name in _SHARED_SETTINGS:
        _show_as_on_host(f"/etc/{name}")
    for path, text in {**_SETTINGS, **files}.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def mount_proc() -> None:
    """Show the processes of this PID namespace, and protect what belongs to the machine."""
    syscalls.mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in _PROTECTED_PROC:
        path = f"/proc/{name}"
        if os.path.exists(path):
            syscalls.mount(path, path, flags=MS_BIND | MS_REC)
            syscalls.make_read_only(path)


def make_devices(show: Callable[[str], None]) -> None:
    """Fill /dev; `show` makes one device of the host visible at its own path."""
    syscalls.mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k")
    for name in DEVICES:
        show(f"/dev/{name}")
    os.symlink("/proc/self/fd", "/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"/dev/{name}")
    os.mkdir("/dev/pts")
    syscalls.mount(
        "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"
    )
    os.symlink("pts/ptmx", "/dev/ptmx")
    os.mkdir(_SHARED_MEMORY)
    syscalls.mount("tmpfs", _SHARED_MEMORY, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")


def mount_sys() -> None:
    """Show /sys read-only; a host that is a container itself may forbid that, and few programs need it."""
    try:
        syscalls.mount("sysfs", "/sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except PermissionError:
        os.chmod("/sys", 0o555)  # noqa: S103
