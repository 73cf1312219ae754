"""Pod addresses: who has which, and who had which before."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from bookmesh.base import cluster


class PodAddresses:
    """
    Hands out IPv4 addresses from one network, lowest first and freed ones last; the first address is the gateway's.

    An address that was freed is not handed out again before all others had their turn, so that nobody who still
    remembers it talks to the wrong pod.
    """

    def __init__(self, network: str = cluster.POD_NETWORK) -> None:
        self._network = ipaddress.IPv4Network(network)
        self._first = int(self._network.network_address) + 2
        self._last = int(self._network.broadcast_address) - 1
        self._next = self._first
        self._by_pod: dict[str, int] = {}
        self._reserved: dict[int, str] = {}

    def reserve(self, owners: Iterable[tuple[str, str]]) -> None:
        """Keep addresses for pods that had them before a restart: (uid, address) pairs; bad ones are left out."""
        for uid, address in owners:
            try:
                number = int(ipaddress.IPv4Address(address))
            except ValueError:
                continue
            if self._first <= number <= self._last and number not in self._reserved:
                self._reserved[number] = uid
                self._by_pod[uid] = number

    def allocate(self, uid: str) -> str:
        """
        Give the pod its address: the one it has or had, else a free one.

        Raises:
            RuntimeError: all addresses are taken.
        """
        if uid not in self._by_pod:
            number = self._free()
            self._by_pod[uid] = number
            self._reserved[number] = uid
        return str(ipaddress.IPv4Address(self._by_pod[uid]))

    def release(self, uid: str) -> None:
        """Take the address back; unknown pods are no error."""
        number = self._by_pod.pop(uid, None)
        if number is not None:
            del self._reserved[number]

    def _free(self) -> int:
        size = self._last - self._first + 1
        for step in range(size):
            number = self._first + (self._next - self._first + step) % size
            if number not in self._reserved:
                self._next = number + 1
                return number
        raise RuntimeError(f"no free pod address in {self._network}")
