"""Users in a sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bookmesh.lab.standins import accounts


def test_a_user_is_added_once(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    for _ in range(2):
        accounts.add(tmp_path, "proxy", 13)
    assert (tmp_path / "etc/passwd").read_text().splitlines() == [
        "root:x:0:0:root:/root:/bin/sh",
        "proxy:x:13:13:proxy:/nonexistent:/bin/false",
    ]
    assert (tmp_path / "etc/group").read_text() == "proxy:x:13:\n"


def test_one_can_become_who_one_is() -> None:
    assert accounts.can_become(os.getuid())


def test_a_process_can_be_called_otherwise() -> None:
    """In a process of its own, which cannot come back."""
    program = (
        "import os; from bookmesh.lab.standins import accounts; accounts.be_called(13); print(os.getuid())"
    )
    as_root = [] if os.getuid() == 0 else ["unshare", "--map-root-user"]  # as everybody is in a lab
    command = [*as_root, sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "13\n", done.stderr
