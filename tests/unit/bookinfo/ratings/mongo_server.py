"""
A made-up MongoDB: enough of its wire protocol for a driver to connect and to read one collection.

Requests come as OP_MSG, the first of a connection also as OP_QUERY; documents are BSON. Lengths and codes are 32-bit
little-endian numbers.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final

import bson

HEADER: Final = struct.Struct("<4i")
"""Length of the whole message, its id, the id it answers, operation."""

OP_REPLY: Final = 1
OP_QUERY: Final = 2004
OP_MSG: Final = 2013

Document = dict[str, Any]


class MongoServer:
    """Knows the collection `test.ratings`."""

    def __init__(self) -> None:
        self.port = 0
        self.documents: list[Document] = []
        self.failure: Document | None = None
        """Answered to a query, in place of documents."""
        self.is_silent = False
        """Whether queries get no answer."""
        self.queries: list[Document] = []
        self._connections: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/test"

    def disconnect(self) -> None:
        """Close all connections."""
        for writer in self._connections:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        self._connections.add(writer)
        try:
            while True:
                length, request_id, _, operation = HEADER.unpack(await reader.readexactly(HEADER.size))
                body = await reader.readexactly(length - HEADER.size)
                answer = self._answer(_command_of(operation, body))
                if answer is not None:
                    writer.write(_message(request_id, operation, bson.encode(answer)))
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    def _answer(self, command: Document) -> Document | None:
        name = next(iter(command))
        if name.lower() in {"hello", "ismaster"}:
            return {
                "isWritablePrimary": True,
                "ismaster": True,
                "minWireVersion": 0,
                "maxWireVersion": 21,
                "ok": 1,
            }
        if name != "find":
            return {"ok": 1}
        self.queries.append(command)
        if self.is_silent:
            return None
        if self.failure is not None:
            return self.failure
        found = self.documents[: command.get("limit", 0) or None]
        return {
            "cursor": {"id": 0, "ns": f"{command['$db']}.{command['find']}", "firstBatch": found},
            "ok": 1,
        }


def _command_of(operation: int, body: bytes) -> Document:
    if operation == OP_MSG:
        return bson.decode(body[5:])  # flags, then the kind of the only section
    assert operation == OP_QUERY
    start = body.index(b"\0", 4) + 1 + 8  # flags, collection, numbers to skip and to return
    return bson.decode(body[start:])


def _message(request_id: int, operation: int, document: bytes) -> bytes:
    if operation == OP_MSG:
        body = struct.pack("<iB", 0, 0) + document
        return HEADER.pack(HEADER.size + len(body), 1, request_id, OP_MSG) + body
    body = struct.pack("<iqii", 0, 0, 0, 1) + document
    return HEADER.pack(HEADER.size + len(body), 1, request_id, OP_REPLY) + body
