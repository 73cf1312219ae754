"""
The node's network: one namespace that routes between the sandboxes and holds the service addresses.

Each sandbox has a pair of virtual interfaces (veth) to the node's namespace and a route of its own there; there is no
bridge, so replies always come back through the node, where address translation needs them. Interface indexes are
chosen here, so that everything is said to the kernel in two system calls without asking it anything.

    sandbox  eth0 10.244.1.7/32, default via 10.244.0.1  ───  node  veth7, 10.244.1.7/32 dev veth7
"""

from __future__ import annotations

import errno
import itertools
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Final

from bookmesh.base import cluster
from bookmesh.kube.sandbox import netlink, nft, nft_transactions
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.kube.sandbox.netlink import Message, attribute, nested, string, u32

# A load balancer's address is of this network on the host and for programs, and of the other one on the way.
LOAD_BALANCER_NETWORK: Final = "127.97.0.0/16"
LOAD_BALANCER_TRANSIT: Final = "10.97.0.0/16"
LOAD_BALANCER_TABLE: Final = "load-balancers"
# After the interception by a proxy (priority -100), so that a rule there can catch this traffic first.
LOAD_BALANCER_PRIORITY: Final = nft.DSTNAT + 10

_LOOPBACK: Final = 1
_FIRST_INDEX: Final = 1000  # above those of interfaces that some kernels put into every new namespace
_NEW_LINK, _DELETE_LINK, _NEW_ADDRESS, _NEW_ROUTE = 16, 17, 20, 24
_UP: Final = 1
_MAIN_TABLE, _STATIC, _UNICAST, _LINK_SCOPE = 254, 4, 1, 253


class NodeNetwork:
    """The node's namespace and what is attached to it. Its methods take milliseconds: call them in a thread."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        self.namespace = namespace
        self._kernel = namespace.run(lambda: netlink.NetlinkSocket(netlink.ROUTE))
        self._lock = threading.Lock()
        self._indexes = itertools.count(_FIRST_INDEX)
        self._attached: dict[str, int] = {}

    @classmethod
    def create(cls, node_address: str) -> NodeNetwork:
        """
        Make the node's namespace.

        `node_address`, of the load balancers' network, is where node ports answer. Besides it the namespace has the
        gateway's and the DNS server's address; sockets for them come from `namespace.socket`.

        Raises:
            OSError: the host does not allow it.
        """
        network = cls(NetworkNamespace.create())
        network._kernel.request(
            [
                _link_up(_LOOPBACK),
                *(
                    _add_address(_LOOPBACK, address)
                    for address in (cluster.GATEWAY, cluster.DNS_IP, node_address)
                ),
                # Without a route to it, a connection to a service address fails before its translation.
                _add_route(cluster.SERVICE_NETWORK, _LOOPBACK, source=cluster.GATEWAY),
                _add_route(LOAD_BALANCER_TRANSIT, _LOOPBACK, source=cluster.GATEWAY),
            ]
        )
        network.namespace.run(_set_node_options)
        return network

    def attach(self, sandbox: NetworkNamespace, address: str) -> None:
        """
        Give a fresh namespace its network: `lo`, and `eth0` with `address`, reachable from all others at once.

        Raises:
            OSError: the address is attached already, or the kernel refuses.
        """
        index = next(self._indexes)
        with self._lock:
            if address in self._attached:
                raise FileExistsError(errno.EEXIST, f"address {address} is in use in this network")
            self._attached[address] = index
        try:
            sandbox.run(_set_sandbox_options)
            with self._lock:
                self._kernel.request(
                    [_add_veth(index, sandbox.fd), _add_route(f"{address}/32", index, source=cluster.GATEWAY)]
                )
            sandbox.run(lambda: _configure_sandbox(address))
        except OSError:
            self.detach(address)
            raise

    def add_addresses(self, sandbox: NetworkNamespace, of: str, addresses: Sequence[str]) -> None:
        """
        Give an attached sandbox, known by its address `of`, more addresses: on its loopback, routed to it from here.

        Raises:
            OSError: the kernel refuses. KeyError: nothing is attached at `of`.
        """
        index = self._attached[of]
        with self._lock:
            self._kernel.request(
                [_add_route(f"{address}/32", index, source=cluster.GATEWAY) for address in addresses]
            )

        def add() -> None:
            with netlink.NetlinkSocket(netlink.ROUTE) as kernel:
                kernel.request([_add_address(_LOOPBACK, address) for address in addresses])

        sandbox.run(add)

    def add_default_route(self, of: str) -> None:
        """
        Send what goes to no known address to the sandbox attached at `of`; without this, there is no way to it.

        Raises:
            OSError: there is such a route already. KeyError: nothing is attached at `of`.
        """
        index = self._attached[of]
        with self._lock:
            self._kernel.request([_add_route("0.0.0.0/0", index, gateway=of, source=cluster.GATEWAY)])

    def detach(self, address: str) -> None:
        """Take an address out of the network; an unknown one, or one whose namespace is gone, is fine."""
        with self._lock:
            index = self._attached.pop(address, None)
            if index is None:
                return
            body = _link_header(index)
            try:
                self._kernel.request(
                    [Message(_DELETE_LINK, netlink.REQUEST | netlink.ACK, body, f"remove veth {index}")]
                )
            except netlink.NetlinkError as error:
                if error.errno != errno.ENODEV:  # it may have gone with the namespace at its other end
                    raise

    def close(self) -> None:
        """Let go of the namespace; it ends when no socket or sandbox uses it any more."""
        self._kernel.close()
        self.namespace.close()


def load_balancer_table() -> nft.Table:
    """
    Build the rules of a sandbox that make load balancers' addresses, which are loopback ones, lead to the node.

    They act on connections that no earlier rule of the sandbox has translated. A sandbox whose proxy must see such
    connections first redirects them in its own chain of priority -100; what the proxy sends then comes here.
    """
    rewrite = nft.rule(nft.daddr(LOAD_BALANCER_NETWORK), nft.dnat_prefix(LOAD_BALANCER_TRANSIT))
    outside = nft.rule(nft.to_loopback(negate=True), nft.saddr("127.0.0.0/8"), nft.masquerade())
    return nft.Table(
        LOAD_BALANCER_TABLE,
        (
            nft.Chain("output", (rewrite,), nft.Hook("nat", "output", LOAD_BALANCER_PRIORITY)),
            nft.Chain("postrouting", (outside,), nft.Hook("nat", "postrouting", nft.SRCNAT)),
        ),
    )


def transit_address(address: str) -> str:
    """Translate a load balancer's address to the one its traffic has inside the node: 127.97.0.7 to 10.97.0.7."""
    host_part = struct.unpack(">I", socket.inet_aton(address))[0] & 0xFFFF
    network = struct.unpack(">I", socket.inet_aton(LOAD_BALANCER_TRANSIT.partition("/")[0]))[0]
    return socket.inet_ntoa(struct.pack(">I", network | host_part))


def _configure_sandbox(address: str) -> None:
    with netlink.NetlinkSocket(netlink.ROUTE) as kernel:
        kernel.request(
            [
                _link_up(_LOOPBACK),
                _add_address(_FIRST_INDEX, address),
                _link_up(_FIRST_INDEX),
                _add_route(f"{cluster.GATEWAY}/32", _FIRST_INDEX),
                _add_route("0.0.0.0/0", _FIRST_INDEX, gateway=cluster.GATEWAY),
            ]
        )
    nft_transactions.install(load_balancer_table())


def _set_node_options() -> None:
    _set_option("ip_forward", "1")
    _set_option("conf/all/route_localnet", "1")  # connections from 127/8 to a service leave through a veth
    _set_option("conf/all/rp_filter", "0")
    _set_option("conf/default/rp_filter", "0")
    _set_option("conf/default/disable_ipv6", "1", family="ipv6")


def _set_sandbox_options() -> None:
    _set_option("conf/all/route_localnet", "1")
    _set_option("ip_unprivileged_port_start", "0")
    _set_option("conf/default/disable_ipv6", "1", family="ipv6")


def _set_option(name: str, value: str, family: str = "ipv4") -> None:
    """Write a setting of the calling thread's namespace; a kernel without IPv6 needs none of that family."""
    try:
        with open(f"/proc/sys/net/{family}/{name}", "w") as file:
            file.write(value)
    except FileNotFoundError:
        if family != "ipv6":
            raise


def _link_header(index: int, flags: int = 0) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, flags)


def _link_up(index: int) -> Message:
    return Message(
        _NEW_LINK, netlink.REQUEST | netlink.ACK, _link_header(index, _UP), f"set interface {index} up"
    )


def _add_veth(index: int, sandbox_fd: int) -> Message:
    """A pair: `vethN` here, up, and eth0 in the other namespace, down."""
    peer = attribute(1, _link_header(_FIRST_INDEX) + string(3, "eth0") + u32(28, sandbox_fd))
    body = _link_header(index, _UP) + string(3, f"veth{index - _FIRST_INDEX}")
    body += nested(18, string(1, "veth"), nested(2, peer))
    return _create(_NEW_LINK, body, f"add veth{index - _FIRST_INDEX}")


def _add_address(index: int, address: str) -> Message:
    packed = socket.inet_aton(address)
    body = (
        struct.pack("=BBBBi", socket.AF_INET, 32, 0, 0, index) + attribute(2, packed) + attribute(1, packed)
    )
    return _create(_NEW_ADDRESS, body, f"add address {address}")


def _add_route(network: str, index: int, *, gateway: str = "", source: str = "") -> Message:
    address, _, length = network.partition("/")
    scope = 0 if gateway else _LINK_SCOPE
    header = (socket.AF_INET, int(length), 0, 0, _MAIN_TABLE, _STATIC, scope, _UNICAST, 0)
    body = struct.pack("=8BI", *header) + attribute(1, socket.inet_aton(address)) + u32(4, index)
    if gateway:
        body += attribute(5, socket.inet_aton(gateway))
    if source:
        body += attribute(7, socket.inet_aton(source))
    return _create(_NEW_ROUTE, body, f"add route {network}")


def _create(kind: int, body: bytes, text: str) -> Message:
    flags = netlink.REQUEST | netlink.ACK | netlink.CREATE | netlink.EXCLUSIVE
    return Message(kind, flags, body, text)
