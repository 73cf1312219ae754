"""All analyzers, by the names that `istioctl analyze -L` lists. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from bookmesh.cli.istioctl.analyzers import (
    destination_rules,
    gateways,
    injection,
    own,
    selectors,
    service_entries,
    services,
    virtual_services,
)
from bookmesh.cli.istioctl.analyzers.messages import LEVELS, Message
from bookmesh.cli.istioctl.analyzers.objects import Objects


class Analyzer(NamedTuple):
    description: str
    check: Callable[[Objects], Iterable[Message]]


ANALYZERS: Final = {
    "destinationrule.DestinationRuleAnalyzer": Analyzer(
        "Checks destination rules that verify nobody or are about nothing", destination_rules.check
    ),
    "gateway.GatewayAnalyzer": Analyzer(
        "Checks ports, conflicts and certificates of gateways", gateways.check
    ),
    "injection.Analyzer": Analyzer("Checks namespaces and pods for missing sidecars", injection.check),
    "mesh.Analyzer": Analyzer(
        "Checks what the mesh itself finds: references, schemas, conflicting hosts, credentials", own.check
    ),
    "selector.Analyzer": Analyzer("Checks what selects the workloads it is for", selectors.check),
    "service.PortNameAnalyzer": Analyzer("Checks the names of ports of services", services.check),
    "serviceentry.Analyzer": Analyzer(
        "Checks service entries that cannot be told apart", service_entries.check
    ),
    "virtualservice.Analyzer": Analyzer("Checks rules that are never reached", virtual_services.check),
}


def analyze(objects: Objects, names: Iterable[str] = ()) -> list[Message]:
    """Run the analyzers called so, or all; messages by level, code and object, each once."""
    wanted = list(names) or list(ANALYZERS)
    found = dict.fromkeys(_run(objects, wanted))
    return sorted(found, key=lambda each: (LEVELS.index(each.level), each.code, each.origin, each.path))


def _run(objects: Objects, names: Iterable[str]) -> Iterator[Message]:
    for name in names:
        yield from ANALYZERS[name].check(objects)
