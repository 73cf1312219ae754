"""Exec requests and exit codes; the streams themselves are tested with real clients."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.base.pods import ExecOptions
from bookmesh.kube.api import remotes, streaming

POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main"}]}}


async def test_command_is_a_list() -> None:
    request = request_for("GET", "/x?command=sh&command=-c&command=a%20b&stdin=true&tty=1")
    assert streaming.parse_exec(request, POD, remotes.parse_wanted(request)) == ExecOptions(
        "main", ("sh", "-c", "a b"), stdin=True, tty=True
    )
    with pytest.raises(ApiError, match="at least 1 command"):
        streaming.parse_exec(request_for("GET", "/x"), POD, remotes.Wanted(False, True, True, False))


def test_exit_status() -> None:
    assert streaming.exit_status(0) == {"metadata": {}, "status": "Success"}
    failed = streaming.exit_status(7)
    assert failed["reason"] == "NonZeroExitCode"
    assert failed["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]
