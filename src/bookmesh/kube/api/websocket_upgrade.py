"""The upgrade of a request to WebSocket, and what messages carry."""

from __future__ import annotations

from typing import Final

from aiohttp import WSMessage, WSMsgType, web

from bookmesh.kube.api import statuses

_LARGEST_MESSAGE: Final = 4 << 20


async def accept(request: web.Request, protocols: tuple[str, ...]) -> web.WebSocketResponse:
    """Upgrade to a WebSocket; raises 400 when that is not what the client asks for."""
    upgrade = request.headers.get("Upgrade", "").lower()
    if upgrade != "websocket":
        if upgrade:
            raise statuses.bad_request(f"streams run over WebSocket or SPDY/3.1, not over {upgrade}")
        raise statuses.bad_request("Upgrade request required")
    socket = web.WebSocketResponse(protocols=protocols, compress=False, max_msg_size=_LARGEST_MESSAGE)
    if not socket.can_prepare(request).ok:
        raise statuses.bad_request("the WebSocket handshake is not complete")
    await socket.prepare(request)
    return socket


def payload(message: WSMessage) -> bytes:
    """What a message carries: some clients send what they have as text, which means the same on a channel."""
    if message.type is WSMsgType.TEXT:
        return str(message.data).encode()
    return bytes(message.data) if message.type is WSMsgType.BINARY else b""
