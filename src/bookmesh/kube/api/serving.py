"""
Runs the application on a listening socket.

Handlers are cancelled when their client leaves (`handler_cancellation`): that is what ends a watch, a followed log or
a command whose kubectl was killed.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final

from aiohttp import web

# Streams are ended first; whatever else is not done after this time is cancelled.
_SHUTDOWN_S: Final = 1.0


class Serving:
    """A running server."""

    def __init__(self, runner: web.AppRunner, port: int) -> None:
        self._runner = runner
        self.port = port

    async def stop(self) -> None:
        """Stop listening, end what is running, and wait for it."""
        await self._runner.cleanup()


async def start(
    app: web.Application, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None
) -> Serving:
    """
    Listen and serve.

    Args:
        port: 0 picks a free one; see `Serving.port`.
        tls: must ask for client certificates (`verify_mode = CERT_OPTIONAL`) if users have some.

    Raises:
        OSError: the address is in use.
    """
    listener = socket.create_server((host, port))
    try:
        return await start_on(app, listener, tls=tls)
    except BaseException:
        listener.close()
        raise


async def start_on(app: web.Application, listener: socket.socket, *, tls: ssl.SSLContext | None) -> Serving:
    """Serve on a socket that listens already, wherever it was made (another network namespace, say)."""
    runner = web.AppRunner(
        app, access_log=None, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_S, handle_signals=False
    )
    await runner.setup()
    await web.SockSite(runner, listener, ssl_context=tls).start()
    return Serving(runner, listener.getsockname()[1])
