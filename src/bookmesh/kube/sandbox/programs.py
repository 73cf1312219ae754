"""
How a prepared process becomes its program: by executing a file, or by calling a function of a preloaded module.

Error texts are those that people know from runc, as `kubectl describe` shows them.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from bookmesh.kube.sandbox import specification, syscalls

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class CommandError(Exception):
    """The command cannot be executed."""


def settle(
    *,
    cwd: str,
    uid: int | None,
    gid: int | None,
    groups: Sequence[int] = (),
    capabilities: int,
    no_new_privileges: bool,
) -> None:
    """Give up privileges and go to the working directory, which is made when it is missing."""
    os.umask(0o022)
    os.makedirs(cwd, exist_ok=True)
    kept = capabilities & specification.MOST_CAPABILITIES
    # Becoming somebody else wants capabilities that may not be kept, so they go in two steps.
    syscalls.bound_capabilities(kept)
    if uid is not None or gid is not None or groups:
        os.setgroups(list(groups))
        os.setgid(gid if gid is not None else 0)
        os.setuid(uid if uid is not None else 0)
    syscalls.keep_capabilities(kept)
    if no_new_privileges:
        syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    os.chdir(cwd)


def execute(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """
    Replace this process by a program.

    Raises:
        CommandError: it does not exist, is no program, or may not be executed.
    """
    path = find_executable(argv[0], env.get("PATH", DEFAULT_PATH))
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(path, list(argv), dict(env))  # noqa: S606 - that is the point
    except OSError as error:
        raise CommandError(f"exec {path}: {_go_text(error)}") from error


def find_executable(name: str, search_path: str) -> str:
    """
    Look a command up as a shell does.

    Raises:
        CommandError: nothing executable of that name.
    """
    if "/" in name:
        try:
            _check_executable(name)
        except FileNotFoundError as error:
            raise CommandError(f'exec: "{name}": stat {name}: {_go_text(error)}') from error
        except OSError as error:
            raise CommandError(f'exec: "{name}": {_go_text(error)}') from error
        return name
    for directory in search_path.split(":"):
        candidate = os.path.join(directory or ".", name)
        try:
            _check_executable(candidate)
        except OSError:
            continue
        return candidate
    raise CommandError(f'exec: "{name}": executable file not found in $PATH')


def call(entry: str, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Call `package.module:function` as if this interpreter had been started for it; always raises SystemExit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv = list(argv)
    os.environ.clear()
    os.environ.update(env)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    gc.enable()
    module, _, function = entry.partition(":")
    sys.exit(getattr(importlib.import_module(module), function)())


def _check_executable(path: str) -> None:
    mode = os.stat(path).st_mode
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not mode & 0o111 or not os.access(path, os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _go_text(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
