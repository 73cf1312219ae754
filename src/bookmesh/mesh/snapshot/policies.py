"""Which DestinationRules decide about the traffic of one namespace to one service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import destination_rules, parsing
from bookmesh.mesh.snapshot import hosts, routing


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """
    What the DestinationRules of one namespace for one host say together: the first traffic policy, and all subsets,
    of which the first of a name counts. Equal when the content is. `is_selective`: a rule among them is for some
    clients only, which may then take certificates from secrets.
    """

    refs: tuple[ObjectRef, ...] = ()
    digests: tuple[str, ...] = ()
    traffic_policy: destination_rules.TrafficPolicy | None = field(default=None, compare=False)
    subsets: tuple[destination_rules.Subset, ...] = field(default=(), compare=False)
    is_selective: bool = field(default=False, compare=False)

    def subset(self, name: str) -> destination_rules.Subset | None:
        return next((subset for subset in self.subsets if subset.name == name), None)


NO_POLICY: Final = HostPolicy()


@dataclass(frozen=True, slots=True)
class Policies:
    """All DestinationRules in merge order; `rules` has them by namespace and by fully qualified host."""

    rules: Mapping[str, Mapping[str, tuple[parsing.Parsed, ...]]]
    root_namespace: str
    ordered: tuple[parsing.Parsed, ...] = ()

    def policy_for(
        self,
        host: str,
        *,
        client_namespace: str,
        service_namespace: str,
        client_labels: Mapping[str, str] | None = None,
    ) -> HostPolicy:
        """
        Find the policy for traffic from one namespace to one service.

        The client's own namespace wins over the service's, and that over the root namespace. Within a namespace the
        most specific host wins. Without `client_labels` the rules for all clients are looked at.
        """
        for namespace in dict.fromkeys((client_namespace, service_namespace, self.root_namespace)):
            found = self._visible(namespace, client_namespace)
            pattern = hosts.most_specific(found, host)
            if pattern is not None:
                return _merge(_applicable(found[pattern], client_labels))
        return NO_POLICY

    def _visible(self, namespace: str, client_namespace: str) -> dict[str, list[parsing.Parsed]]:
        visible: defaultdict[str, list[parsing.Parsed]] = defaultdict(list)
        for pattern, rules in self.rules.get(namespace, {}).items():
            for rule in rules:
                if _is_visible(rule, client_namespace):
                    visible[pattern].append(rule)
        return visible


def build_policies(rules: Iterable[parsing.Parsed], *, root_namespace: str, domain: str) -> Policies:
    """Index parsed DestinationRules, which come in merge order."""
    rules = tuple(rules)
    index: defaultdict[str, defaultdict[str, list[parsing.Parsed]]] = defaultdict(lambda: defaultdict(list))
    for rule in rules:
        namespace = rule.metadata.namespace
        index[namespace][hosts.qualified(spec_of(rule).host, namespace, domain)].append(rule)
    frozen = {
        namespace: {host: tuple(found) for host, found in by_host.items()}
        for namespace, by_host in index.items()
    }
    return Policies(rules=frozen, root_namespace=root_namespace, ordered=rules)


def spec_of(rule: parsing.Parsed) -> destination_rules.DestinationRule:
    """
    Narrow the type of a parsed rule.

    Raises:
        TypeError: it is no DestinationRule.
    """
    if not isinstance(rule.spec, destination_rules.DestinationRule):
        raise TypeError(f"{rule.ref} is not a DestinationRule")
    return rule.spec


def _is_visible(rule: parsing.Parsed, client_namespace: str) -> bool:
    """A rule for some clients is for those of its own namespace, whatever it exports to."""
    if spec_of(rule).workload_selector is not None:
        return rule.metadata.namespace == client_namespace
    return routing.is_exported(spec_of(rule).export_to, rule.metadata.namespace, client_namespace)


def _applicable(
    rules: Sequence[parsing.Parsed], client_labels: Mapping[str, str] | None
) -> list[parsing.Parsed]:
    """
    Rules in the order in which they count: the oldest that selects the client, those with the same selector, then those
    for everybody. Of a rule that selects others nothing is used.
    """
    chosen = [(rule, selector) for rule in rules if (selector := spec_of(rule).workload_selector) is not None]
    others = [rule for rule in rules if spec_of(rule).workload_selector is None]
    if client_labels is None:
        return [*(rule for rule, _ in chosen), *others]
    labels = client_labels.items()
    first = next((s.match_labels for _, s in chosen if s.match_labels.items() <= labels), None)
    return [*(rule for rule, selector in chosen if selector.match_labels == first), *others]


def _merge(rules: Iterable[parsing.Parsed]) -> HostPolicy:
    rules = tuple(rules)
    specs = [spec_of(rule) for rule in rules]
    subsets: dict[str, destination_rules.Subset] = {}
    for spec in specs:
        for subset in spec.subsets:
            subsets.setdefault(subset.name, subset)
    return HostPolicy(
        refs=tuple(rule.ref for rule in rules),
        digests=tuple(rule.digest for rule in rules),
        traffic_policy=next((s.traffic_policy for s in specs if s.traffic_policy is not None), None),
        subsets=tuple(subsets.values()),
        is_selective=any(spec.workload_selector is not None for spec in specs),
    )
