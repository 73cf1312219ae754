"""Exec requests and exit codes; the streams themselves are tested with real clients."""

from __future__ import annotations

import pytest
from aiohttp import WSMessage, WSMsgType
from tests.unit.kube.api.conftest import Streams, request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.base.pods import ExecOptions
from bookmesh.kube.api import streaming

POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main"}]}}


async def test_command_is_a_list() -> None:
    request = request_for("GET", "/x?command=sh&command=-c&command=a%20b&stdin=true&tty=1")
    assert streaming.parse_exec(request, POD) == ExecOptions(
        "main", ("sh", "-c", "a b"), stdin=True, tty=True
    )
    with pytest.raises(ApiError, match="at least 1 command"):
        streaming.parse_exec(request_for("GET", "/x"), POD)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Upgrade request required"),
        ({"Upgrade": "SPDY/3.1", "Connection": "Upgrade"}, "not over spdy/3.1"),
        ({"Upgrade": "websocket"}, "handshake is not complete"),
    ],
)
async def test_requests_that_are_no_websocket(headers: dict[str, str], message: str) -> None:
    with pytest.raises(ApiError, match=message) as refusal:
        await streaming.accept(request_for("GET", "/x", headers=headers), streaming.PROTOCOLS)
    assert refusal.value.code == 400


async def test_attach_with_standard_input_is_refused() -> None:
    with pytest.raises(ApiError, match="use exec"):
        await streaming.serve_attach(request_for("GET", "/x?stdin=true"), POD, Streams())


def test_exit_status() -> None:
    assert streaming.exit_status(0) == {"metadata": {}, "status": "Success"}
    failed = streaming.exit_status(7)
    assert failed["reason"] == "NonZeroExitCode"
    assert failed["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]


@pytest.mark.parametrize(
    ("message", "content"),
    [
        (WSMessage(WSMsgType.BINARY, b"\0abc", None), b"\0abc"),
        (WSMessage(WSMsgType.TEXT, "\0abc", None), b"\0abc"),
        (WSMessage(WSMsgType.PING, b"x", None), b""),
    ],
)
def test_text_means_the_same_as_bytes_on_a_channel(message: WSMessage, content: bytes) -> None:
    assert streaming.payload(message) == content
