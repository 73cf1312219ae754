"""
What the image `nginx` adds to the program: its directories and user, a configuration, logs that go to the container's.

The program is the host's. Where it may not become another user (a lab of an ordinary user has one uid), user `nginx`
is the one that runs already.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

CONFIGURATION: Final = "etc/nginx/nginx.conf"
_USER: Final = re.compile(r"^\s*user\s", re.MULTILINE)
_UID: Final = 101
_DIRECTORIES: Final = ("var/log/nginx", "var/lib/nginx", "var/cache/nginx", "run", "etc")
_LOGS: Final = {"access.log": "/dev/stdout", "error.log": "/dev/stderr"}
_DEFAULT: Final = """\
user nginx;
events {}
http {
  access_log /var/log/nginx/access.log;
  server {
    listen 80;
    location / {
      root /usr/share/nginx/html;
      index index.html;
    }
  }
}
"""


def main() -> None:
    """
    Become nginx; arguments are its own.

    Raises:
        SystemExit: 1, the host has no nginx.
    """
    program = shutil.which("nginx")
    if program is None:
        raise SystemExit("nginx: this host does not have it")
    text = prepare(Path("/"), can_change_user=can_change_user())
    os.execv(program, build_arguments(program, text, sys.argv[1:]))  # noqa: S606 - a program with its arguments


def can_change_user() -> bool:
    """Whether the user namespace knows more users than the one that runs."""
    ranges = Path("/proc/self/uid_map").read_text().split()
    return any(int(count) > _UID for count in ranges[2::3])


def prepare(root: Path, *, can_change_user: bool) -> str:
    """Make below `root` what is missing, and return the configuration that counts."""
    for name in _DIRECTORIES:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, target in _LOGS.items():
        link = root / "var/log/nginx" / name
        if not link.is_symlink():
            link.symlink_to(target)
    number = _UID if can_change_user else 0
    _add_line(root / "etc/passwd", f"nginx:x:{number}:{number}:nginx:/nonexistent:/bin/false")
    _add_line(root / "etc/group", f"nginx:x:{number}:")
    file = root / CONFIGURATION
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text(_DEFAULT)
    return file.read_text()


def build_arguments(program: str, configuration: str, given: Sequence[str]) -> list[str]:
    """Stay in the foreground, as user `nginx` where the configuration names none."""
    if given:
        return [program, *given]
    user = "" if _USER.search(configuration) else " user nginx;"
    return [program, "-g", f"daemon off;{user}"]


def _add_line(file: Path, line: str) -> None:
    text = file.read_text() if file.exists() else ""
    if line not in text.splitlines():
        file.write_text(f"{text}{line}\n")
