"""
The way out to the real Internet: TCP connections and names, on behalf of pods.

The lab process is in the host's network, pods are not. Connections to addresses that nobody in the lab has lead to a
namespace where the lab accepts them all, looks where they wanted to go, and makes them from the host. That needs no
privilege and no change of the host's network. Nothing but TCP and DNS gets out.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Sequence
from typing import Final, NoReturn

import dns.asyncquery
import dns.exception
import dns.message

from bookmesh.base import findings
from bookmesh.kube.node import forwarding
from bookmesh.kube.sandbox import nft, nft_transactions
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.network import NodeNetwork

_log = logging.getLogger(__name__)

OWN_ADDRESS: Final = "198.18.0.1"
_PORT: Final = 49151
_ORIGINAL_DESTINATION: Final = 80  # SO_ORIGINAL_DST of linux/netfilter_ipv4.h
_CONNECT_S: Final = 15.0
_ASK_S: Final = 3.0


class Outlet:
    """Run it with `run`; `resolve` is the fallback of the cluster DNS. Belongs to one event loop."""

    def __init__(self, node: NodeNetwork, nameservers: Sequence[str]) -> None:
        self._node = node
        self._nameservers = list(nameservers)
        self._forwarder = forwarding.Forwarder()

    async def run(self) -> NoReturn:
        """Let connections out until cancelled; then those that are open are reset."""
        namespace = await asyncio.to_thread(self._attach)
        try:
            listener = await asyncio.to_thread(namespace.socket)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("0.0.0.0", _PORT))  # noqa: S104 - in a network of its own
            loop = asyncio.get_running_loop()
            server = await loop.create_server(self._forwarder.protocol(_connect), sock=listener, backlog=512)
            async with server:
                await server.serve_forever()
        finally:
            self._forwarder.reset_all()
            namespace.close()
        raise AssertionError("a server that serves forever has ended")

    async def resolve(self, query: dns.message.Message) -> dns.message.Message:
        """
        Ask the host's name servers in turn.

        Raises:
            OSError, dns.exception.DNSException: none of them answers.
        """
        failure: Exception = OSError("this machine's /etc/resolv.conf names no server")
        for server in self._nameservers:
            try:
                response, _ = await dns.asyncquery.udp_with_fallback(query, server, timeout=_ASK_S)
            except (OSError, dns.exception.DNSException) as error:
                failure = error
            else:
                return response
        raise failure

    def findings(self) -> list[findings.Finding]:
        return []

    def _attach(self) -> NetworkNamespace:
        namespace = NetworkNamespace.create()
        self._node.attach(namespace, OWN_ADDRESS)
        self._node.add_default_route(OWN_ADDRESS)
        rules = (nft.rule(nft.from_loopback(negate=True), nft.protocol("tcp"), nft.redirect(_PORT)),)
        chain = nft.Chain("prerouting", rules, nft.Hook("nat", "prerouting", nft.DSTNAT))
        namespace.run(lambda: nft_transactions.install(nft.Table("outlet", (chain,))))
        return namespace


async def _connect(incoming: socket.socket) -> socket.socket | None:
    """Make the connection that a pod wanted, from the host; None when it cannot be made."""
    loop = asyncio.get_running_loop()
    wanted = original_destination(incoming)
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setblocking(False)
    try:
        async with asyncio.timeout(_CONNECT_S):
            await loop.sock_connect(made, wanted)
    except OSError as error:
        made.close()
        _log.info("a pod's connection to %s:%d: %s", *wanted, error or "no answer in time")
        return None
    except BaseException:
        made.close()
        raise
    return made


def original_destination(connection: socket.socket) -> tuple[str, int]:
    """Where a redirected connection wanted to go: address and port. Raises OSError when it was not redirected."""
    raw = connection.getsockopt(socket.IPPROTO_IP, _ORIGINAL_DESTINATION, 16)
    port, address = struct.unpack("!2xH4s8x", raw)
    return socket.inet_ntoa(address), port


def nameservers(lines: Sequence[str]) -> list[str]:
    """Take the IPv4 name servers out of the lines of a resolv.conf, in order."""
    found = [
        parts[1]
        for parts in (line.split() for line in lines)
        if parts[:1] == ["nameserver"] and len(parts) > 1
    ]
    return [address for address in found if ":" not in address]
