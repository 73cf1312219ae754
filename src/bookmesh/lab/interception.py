"""
From a pod's interception rules to packet rules in its network namespace.

What `mesh.injection` says as data becomes one nf_tables table, installed before any container of the pod starts. The
proxy's own connections carry a socket mark, which is how they get past these rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.sandbox import network, nft, nft_transactions
from bookmesh.kube.sandbox.namespaces import NetworkNamespace
from bookmesh.mesh.injection import interception
from bookmesh.mesh.injection.interception import InterceptionRules

TABLE = "istio"
_HBONE_PORT = 15008
# The address that inbound connections of the proxy to its application come from.
_INBOUND_SOURCE = "127.0.0.6"


class Interception:
    """The lab's `NetworkHook`."""

    def apply(self, pod: JsonObject, netns: NetworkNamespace) -> None:
        """Install the rules of an injected pod; other pods stay as they are. Raises OSError."""
        rules = interception.rules_for(pod)
        if rules is not None:
            table = build_table(rules)
            netns.run(lambda: nft_transactions.install(table))


def build_table(rules: InterceptionRules) -> nft.Table:
    """Build the table: one chain for what comes in, one for what goes out."""
    return nft.Table(
        TABLE,
        (
            nft.Chain("prerouting", tuple(_inbound(rules)), nft.Hook("nat", "prerouting", nft.DSTNAT)),
            nft.Chain("output", tuple(_outbound(rules)), nft.Hook("nat", "output", nft.DSTNAT)),
        ),
    )


def _inbound(rules: InterceptionRules) -> Iterator[nft.Rule]:
    for port in rules.exclude_inbound_ports:
        yield nft.rule(nft.tcp_dport(port), nft.return_())
    to_proxy = nft.redirect(rules.inbound_port)
    if rules.include_inbound_ports is None:
        yield nft.rule(nft.protocol("tcp"), to_proxy)
    for port in rules.include_inbound_ports or ():
        yield nft.rule(nft.tcp_dport(port), to_proxy)


def _outbound(rules: InterceptionRules) -> Iterator[nft.Rule]:
    tcp, proxy, others = nft.protocol("tcp"), nft.mark(rules.mark), nft.mark(rules.mark, negate=True)
    to_proxy = nft.redirect(rules.outbound_port)
    balanced = nft.daddr(network.LOAD_BALANCER_NETWORK)
    # Load balancers' addresses are loopback ones, but lead out of the pod: the application's connections to them go
    # through the proxy like any other, and the proxy's own are translated by a later table.
    yield nft.rule(balanced, proxy, nft.return_())
    yield nft.rule(balanced, tcp, to_proxy)
    yield nft.rule(nft.to_loopback(), nft.saddr(_INBOUND_SOURCE), nft.return_())
    # The pod calls its own Service, and the proxy picked this very pod: in through the front door.
    own_service = (
        nft.to_loopback(),
        nft.daddr("127.0.0.1", negate=True),
        tcp,
        nft.not_dport(_HBONE_PORT),
        proxy,
    )
    yield nft.rule(*own_service, nft.redirect(rules.inbound_port))
    yield nft.rule(nft.to_loopback(), others, nft.return_())
    yield nft.rule(proxy, nft.return_())
    for port in rules.exclude_outbound_ports:
        yield nft.rule(nft.tcp_dport(port), nft.return_())
    for excluded in (*rules.exclude_outbound_ranges, "127.0.0.1"):
        yield nft.rule(nft.daddr(excluded), nft.return_())
    for port in rules.include_outbound_ports:
        yield nft.rule(nft.tcp_dport(port), to_proxy)
    if rules.include_outbound_ranges is None:
        yield nft.rule(tcp, to_proxy)
    for included in rules.include_outbound_ranges or ():
        yield nft.rule(nft.daddr(included), tcp, to_proxy)
