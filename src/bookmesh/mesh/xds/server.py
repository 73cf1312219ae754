"""
The gRPC shell: one small server per proxy, on that proxy's own unix socket.

The socket is the identity. It is mounted into one pod only and its server knows one feed only, so no proxy can ask for
another one's secrets, whatever it claims to be. One server per socket costs 0.4 ms, a file descriptor and no thread
(all gRPC servers of a process share theirs); a shared server could not tell which socket a stream came in on.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Final

# The daemon forks through its fork server; gRPC's own fork handlers would complain at each one. Read at import.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

import grpc
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf.message import DecodeError

from bookmesh.mesh.xds.pushing import Feed, Stream
from bookmesh.mesh.xds.turns import Turns

SOCKET_NAME: Final = "xds.sock"
_SERVICE: Final = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_METHOD: Final = "DeltaAggregatedResources"
_OPTIONS: Final = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))


class ProxySocket:
    """Serves one feed at `directory`/xds.sock; sockets that share `turns` do so one after the other."""

    def __init__(self, feed: Feed, directory: Path, turns: Turns | None = None) -> None:
        self.path = directory / SOCKET_NAME
        self._feed = feed
        self._directory = directory
        self._server: Any = None
        self._directory_fd = -1
        self._turns = turns if turns is not None else Turns()

    async def start(self) -> None:
        """
        Make the socket; the directory must exist. A socket left over from a crash is replaced.

        Raises:
            OSError: the directory is missing, or the socket cannot be made there.
        """
        self.path.unlink(missing_ok=True)
        # Socket addresses are limited to 107 bytes; going through a descriptor makes any path short enough.
        self._directory_fd = os.open(self._directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        server = grpc.aio.server(options=_OPTIONS)
        handler: Any = grpc.stream_stream_rpc_method_handler(self._serve)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: handler}),))
        try:
            server.add_insecure_port(f"unix:/proc/self/fd/{self._directory_fd}/{SOCKET_NAME}")
        except RuntimeError as error:
            os.close(self._directory_fd)
            raise OSError(f"cannot listen on {self.path}: {error}") from error
        await server.start()
        self._server = server
        # Envoy may run as another user; who can get here is decided by the directory, mode 0700, and by the mount.
        self.path.chmod(0o666)

    async def stop(self) -> None:
        """End open streams and remove the socket."""
        if self._server is not None:
            await self._server.stop(grace=None)
            self._server = None
            os.close(self._directory_fd)
            self.path.unlink(missing_ok=True)

    async def _serve(self, _requests: object, context: Any) -> None:
        """Serve one stream: a task takes requests in, this one writes whatever is pending."""
        stream = self._feed.open_stream()
        reader = asyncio.create_task(self._read(context, stream))
        try:
            while not stream.is_closed:
                async with self._turns.next():
                    messages = self._feed.pending(stream)
                for message in messages:
                    await context.write(message)
                await self._feed.wait(stream)
            await self._refuse_bad_request(reader, context)
        finally:
            reader.cancel()
            self._feed.close_stream(stream)

    async def _read(self, context: Any, stream: Stream) -> None:
        try:
            while (message := await context.read()) is not grpc.aio.EOF:
                async with self._turns.next():
                    self._feed.receive(stream, discovery_pb2.DeltaDiscoveryRequest.FromString(message))
        finally:
            self._feed.close_stream(stream)

    async def _refuse_bad_request(self, reader: asyncio.Task[None], context: Any) -> None:
        """Turn the reader's complaint into a gRPC status, so that Envoy logs it."""
        try:
            await reader
        except DecodeError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"not a DeltaDiscoveryRequest: {error}")
        except PermissionError as error:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
