"""
The Linux calls that Python 3.11 does not offer: thin, checked, named as in the manual pages.

Every function raises OSError with the kernel's errno. Imported by the fork server, so it stays small and has no state.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

CLONE_NEWNS: Final = 0x0002_0000
CLONE_NEWUTS: Final = 0x0400_0000
CLONE_NEWIPC: Final = 0x0800_0000
CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWPID: Final = 0x2000_0000
CLONE_NEWNET: Final = 0x4000_0000

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18

MNT_DETACH: Final = 2

PR_CAPBSET_DROP: Final = 24
PR_SET_CHILD_SUBREAPER: Final = 36
PR_SET_NO_NEW_PRIVS: Final = 38

_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_MOUNT_ATTR_RDONLY: Final = 1
_OPEN_TREE_CLONE: Final = 1
_MOVE_MOUNT_F_EMPTY_PATH: Final = 4
# One number on every architecture, as for all calls since Linux 5.1.
_NR_OPEN_TREE: Final = 428
_NR_MOVE_MOUNT: Final = 429
_NR_MOUNT_SETATTR: Final = 442
_CAPABILITY_VERSION_3: Final = 0x2008_0522

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones; CLONE_NEWPID takes effect for the children made from now on."""
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, flags: int) -> None:
    """Enter namespaces; `fd` is a namespace file, or a pidfd together with several CLONE_NEW* flags."""
    _check(_libc.setns(fd, flags), "setns")


def mount(
    source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None
) -> None:
    """Mount, or with MS_BIND make a tree visible a second time."""
    arguments = (source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags))
    _check(_libc.mount(*arguments, options and options.encode()), f'mount "{source}" on "{target}"')


def make_read_only(target: str, *, recursive: bool = True) -> None:
    """
    Make the mount at `target` read-only, with all mounts below it or alone, whatever other flags they have.

    A remount would have to repeat the flags that a user namespace has locked; `mount_setattr` (Linux 5.12) need not.
    """
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_NR_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        target.encode(),
        ctypes.c_uint(_AT_RECURSIVE if recursive else 0),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _check(result, f'make "{target}" read-only')


def copy_tree(path: str) -> int:
    """
    Copy a mount, or the part of one below `path`, with all that is mounted there, without showing it anywhere yet.

    Returns:
        A descriptor for `attach_tree`, the caller's to close; fstat tells whether it is a directory.
    """
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE
    number: int = _libc.syscall(
        ctypes.c_long(_NR_OPEN_TREE), ctypes.c_int(_AT_FDCWD), path.encode(), ctypes.c_uint(flags)
    )
    _check(0 if number >= 0 else number, f'copy the mount of "{path}"')
    return number


def attach_tree(tree: int, target: str) -> None:
    """Show what `copy_tree` copied at `target`; once."""
    result = _libc.syscall(
        ctypes.c_long(_NR_MOVE_MOUNT),
        ctypes.c_int(tree),
        b"",
        ctypes.c_int(_AT_FDCWD),
        target.encode(),
        ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH),
    )
    _check(result, f'attach a mount to "{target}"')


def unmount(target: str) -> None:
    """Detach a mount and all below it; it goes when nobody uses it any more."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f'unmount "{target}"')


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` the root of this mount namespace and show the old one at `put_old`, below it."""
    _check(_libc.pivot_root(new_root.encode(), put_old.encode()), "pivot_root")


def set_hostname(name: str) -> None:
    encoded = name.encode()
    _check(_libc.sethostname(encoded, ctypes.c_size_t(len(encoded))), "sethostname")


def prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def bound_capabilities(kept: int) -> None:
    """Take every capability whose bit is not in `kept` from the bounding set: what an executed program can get."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for number in range(last + 1):
        if not kept >> number & 1:
            prctl(PR_CAPBSET_DROP, number)


def keep_capabilities(kept: int) -> None:
    """Give up every capability whose bit is not in `kept`, of those that this process has now."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    present = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable of bits 0-31, then of 32-63
    _check(_libc.capget(ctypes.byref(header), ctypes.byref(present)), "capget")
    low, high = kept & 0xFFFF_FFFF, kept >> 32
    remaining = [value & (low if index < 3 else high) for index, value in enumerate(present)]
    reduced = (ctypes.c_uint32 * 6)(*remaining)
    _check(_libc.capset(ctypes.byref(header), ctypes.byref(reduced)), "capset")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
