"""Requests that are to become a WebSocket, and what its messages carry."""

from __future__ import annotations

import pytest
from aiohttp import WSMessage, WSMsgType
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import remotes, websocket_upgrade


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Upgrade request required"),
        ({"Upgrade": "h2c", "Connection": "Upgrade"}, "over WebSocket or SPDY/3.1, not over h2c"),
        ({"Upgrade": "websocket"}, "handshake is not complete"),
    ],
)
async def test_requests_that_are_no_websocket(headers: dict[str, str], message: str) -> None:
    with pytest.raises(ApiError, match=message) as refusal:
        await websocket_upgrade.accept(request_for("GET", "/x", headers=headers), remotes.WEBSOCKET_PROTOCOLS)
    assert refusal.value.code == 400


@pytest.mark.parametrize(
    ("message", "content"),
    [
        (WSMessage(WSMsgType.BINARY, b"\0abc", None), b"\0abc"),
        (WSMessage(WSMsgType.TEXT, "\0abc", None), b"\0abc"),
        (WSMessage(WSMsgType.PING, b"x", None), b""),
    ],
)
def test_text_means_the_same_as_bytes_on_a_channel(message: WSMessage, content: bytes) -> None:
    assert websocket_upgrade.payload(message) == content
