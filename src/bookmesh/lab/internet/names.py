"""
Names outside the cluster: what the cluster DNS asks when a name is none of its own.

A name of the simulated Internet has its addresses; any other does not exist, and is remembered, so that a person learns
why a program of theirs finds nothing. Sans I/O.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Final

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from bookmesh.base import findings

TTL_S: Final = 60
_REMEMBERED: Final = 20

Lookup = Callable[[str], tuple[str, ...]]


class Names:
    """Answers queries with `lookup`, which returns the addresses of a name or ()."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._unknown: collections.OrderedDict[str, None] = collections.OrderedDict()

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Answer a query with one question: addresses, no records of that type (NOERROR), or NXDOMAIN."""
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        response = dns.message.make_response(query, recursion_available=True)
        addresses = self._lookup(name)
        if not addresses:
            response.set_rcode(dns.rcode.NXDOMAIN)
            self._remember(name)
        elif question.rdtype == dns.rdatatype.A:
            start = query.id % len(addresses)
            turned = [*addresses[start:], *addresses[:start]]
            response.answer.append(dns.rrset.from_text(question.name, TTL_S, "IN", "A", *turned))
        return response

    def findings(self) -> list[findings.Finding]:
        """Tell which names were asked for in vain, the latest of them, by name."""
        return [
            findings.Finding(
                code="BM0341",
                message=f'a pod asked for "{name}", which the simulated Internet does not have',
                known="the hosts in docs/reference/internet.md, and those of bookmesh up --hosts FILE",
                hint="declare it with --hosts, or let real traffic out with bookmesh up --internet",
                severity="warning",
            )
            for name in sorted(self._unknown)
        ]

    def _remember(self, name: str) -> None:
        """Names without a dot, and reverse look-ups, are what search lists and tools ask for by themselves."""
        if "." not in name or name.endswith(".arpa"):
            return
        self._unknown[name] = None
        self._unknown.move_to_end(name)
        while len(self._unknown) > _REMEMBERED:
            self._unknown.popitem(last=False)
