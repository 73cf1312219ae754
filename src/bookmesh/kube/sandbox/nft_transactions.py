"""
Changes of nf_tables: transactions that replace all of a table, or some chains of it, in the calling thread's namespace.

The kernel takes a transaction as a whole or not at all.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Sequence
from typing import Final

from bookmesh.kube.sandbox import netlink, nft, nft_expressions
from bookmesh.kube.sandbox.netlink import attribute, be32, nested, string

_POINTS: Final[tuple[nft.Point, ...]] = ("prerouting", "input", "forward", "output", "postrouting")
_SUBSYSTEM: Final = 10
_BATCH_BEGIN: Final = 0x10
_BATCH_END: Final = 0x11
_NEW_TABLE, _DELETE_TABLE, _NEW_CHAIN, _DELETE_CHAIN, _NEW_RULE, _DELETE_RULE = 0, 2, 3, 5, 6, 8
_NEW_SET, _DELETE_SET = 9, 11
_TIMEOUT_SET, _DYNAMIC_SET, _IPV4_KEY = 0x10, 0x20, 7


def install(table: nft.Table) -> None:
    """
    Make the table as given, in one transaction, in place of one of the same name.

    Connections that exist keep the translation they have. A new table takes 0.3 ms; replacing one takes about 15 ms,
    as the kernel waits until no processor uses the old rules.

    Raises:
        NetlinkError: the kernel refused a chain or rule, which the text names; nothing was changed then.
    """
    try:
        _commit(_new_table(table, netlink.CREATE | netlink.EXCLUSIVE))
    except netlink.NetlinkError as error:
        if error.errno != errno.EEXIST:
            raise
        made = _message(_NEW_TABLE, netlink.CREATE, f"table {table.name}", string(1, table.name))
        delete = _message(_DELETE_TABLE, 0, f"delete table {table.name}", string(1, table.name))
        _commit([made, delete, *_new_table(table, netlink.CREATE)])


def replace_chains(
    table: str,
    chains: Sequence[nft.Chain],
    remove: Iterable[str] = (),
    *,
    memories: Sequence[nft.Memory] = (),
    forget: Sequence[str] = (),
) -> None:
    """
    Make chains of an existing table as given, new or not, and remove others, in one transaction.

    `memories` are made, those called `forget` removed; others keep what they know. Nothing may refer to a removed chain
    or memory any more when the transaction ends.

    Raises:
        NetlinkError: as for `install`.
    """
    messages = [_new_memory(table, memory, number) for number, memory in enumerate(memories, 1)]
    messages += [_new_chain(table, chain) for chain in chains]
    removed = list(remove)
    messages += [
        _message(_DELETE_RULE, 0, f"flush chain {name}", string(1, table), string(2, name))
        for name in (*(chain.name for chain in chains), *removed)
    ]
    messages += [message for chain in chains for message in _new_rules(table, chain)]
    messages += [
        _message(_DELETE_CHAIN, 0, f"delete chain {name}", string(1, table), string(3, name))
        for name in removed
    ]
    messages += [
        _message(_DELETE_SET, 0, f"delete set {name}", string(1, table), string(2, name)) for name in forget
    ]
    if messages:
        _commit(messages)


def _new_table(table: nft.Table, flags: int) -> list[netlink.Message]:
    return [
        _message(_NEW_TABLE, flags, f"table {table.name}", string(1, table.name)),
        *(_new_chain(table.name, chain) for chain in table.chains),
        *(message for chain in table.chains for message in _new_rules(table.name, chain)),
    ]


def _commit(messages: Sequence[netlink.Message]) -> None:
    asked = messages[-1]
    asked = netlink.Message(asked.kind, asked.flags | netlink.ACK, asked.body, asked.text)
    with netlink.NetlinkSocket(netlink.NETFILTER) as kernel:
        kernel.request([_edge(_BATCH_BEGIN), *messages[:-1], asked, _edge(_BATCH_END)])


def _edge(kind: int) -> netlink.Message:
    return netlink.Message(
        kind, netlink.REQUEST, struct.pack(">BBH", 0, 0, _SUBSYSTEM), "nf_tables transaction"
    )


def _message(kind: int, flags: int, text: str, *attributes: bytes) -> netlink.Message:
    body = struct.pack(">BBH", nft_expressions.FAMILY_IP, 0, 0) + b"".join(attributes)
    return netlink.Message(_SUBSYSTEM << 8 | kind, netlink.REQUEST | flags, body, text)


def _new_chain(table: str, chain: nft.Chain) -> netlink.Message:
    attributes = [string(1, table), string(3, chain.name)]
    if chain.hook is not None:
        number = _POINTS.index(chain.hook.point)
        attributes.append(nested(4, be32(1, number), be32(2, chain.hook.priority)))
        attributes += [be32(5, nft_expressions.ACCEPT), string(7, chain.hook.kind)]
    return _message(_NEW_CHAIN, netlink.CREATE, f"chain {table} {chain.name}", *attributes)


def _new_memory(table: str, memory: nft.Memory, number: int) -> netlink.Message:
    """`number` tells it apart in its transaction."""
    timeout_ms = struct.pack(">Q", memory.timeout_s * 1000)
    return _message(
        _NEW_SET,
        netlink.CREATE,
        f"set {table} {memory.name}",
        string(1, table),
        string(2, memory.name),
        be32(3, _TIMEOUT_SET | _DYNAMIC_SET),
        be32(4, _IPV4_KEY),
        be32(5, 4),
        be32(10, number),
        attribute(11, timeout_ms),
    )


def _new_rules(table: str, chain: nft.Chain) -> list[netlink.Message]:
    flags = netlink.CREATE | netlink.APPEND
    place = string(1, table) + string(2, chain.name)
    named = f"rule in {table} {chain.name}"
    return [
        _message(_NEW_RULE, flags, f"{named}: {one.text}", place, nested(4, one.data)) for one in chain.rules
    ]
