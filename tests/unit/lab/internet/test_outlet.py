"""The way out to the real Internet, as far as it needs no network namespace."""

from __future__ import annotations

import socket
from typing import Any, cast

import dns.message
import pytest

from bookmesh.lab.internet import outlet


def test_name_servers_are_those_of_version_four_in_order() -> None:
    lines = [
        "# none here",
        "search example",
        "nameserver 192.0.2.2",
        "nameserver ::1",
        "nameserver",
        "nameserver 192.0.2.1",
    ]
    assert outlet.nameservers(lines) == ["192.0.2.2", "192.0.2.1"]


async def test_without_name_servers_the_reason_is_told() -> None:
    query = dns.message.make_query("a.example", "A")
    with pytest.raises(OSError, match="names no server"):
        await outlet.Outlet(cast(Any, None), []).resolve(query)


def test_a_connection_that_was_not_redirected_has_no_other_destination() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted, pytest.raises(OSError, match=r"."):
            outlet.original_destination(accepted)
