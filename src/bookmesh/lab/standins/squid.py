"""
What the image `squid` adds to the program: its directories, user and a configuration.

The program is the host's. It refuses to be root; where it may not become another user (a lab of an ordinary user has
one uid), it sees itself as user `proxy`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from bookmesh.lab.standins import accounts

CONFIGURATION: Final = "etc/squid/squid.conf"
USER: Final = "proxy"
UID: Final = 13
_OWN_DIRECTORIES: Final = ("var/log/squid", "var/spool/squid")
_DEFAULT: Final = """\
http_port 3128
acl SSL_ports port 443
acl CONNECT method CONNECT
http_access deny CONNECT !SSL_ports
http_access allow all
"""


def main() -> None:
    """
    Become squid; arguments are its own.

    Raises:
        SystemExit: 1, the host has no squid.
    """
    program = shutil.which("squid")
    if program is None:
        raise SystemExit("squid: this host does not have it")
    can_become = accounts.can_become(UID)
    prepare(Path("/"), owner=UID if can_become else None)
    if not can_become:
        accounts.be_called(UID)
    os.execv(program, [program, *(sys.argv[1:] or ["-N"])])  # noqa: S606 - a program with its arguments


def prepare(root: Path, *, owner: int | None) -> None:
    """Make below `root` what is missing; `owner` gets the directories that squid writes to, None leaves them ours."""
    for name in ("run", *_OWN_DIRECTORIES):
        (root / name).mkdir(parents=True, exist_ok=True)
    if owner is not None:
        for name in _OWN_DIRECTORIES:
            os.chown(root / name, owner, owner)
    accounts.add(root, USER, UID)
    file = root / CONFIGURATION
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_DEFAULT)
