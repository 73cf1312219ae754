"""
Which DestinationRules decide about the traffic of one namespace to one service.

Rules of one namespace for one host count together when they are for the same audience (`exportTo`) and the same
clients (`workloadSelector`); the oldest says most. A client's own namespace comes first, then that of the service, then
the root namespace; within a namespace the most specific host. All of it as Istio has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import base, destination_rules, parsing
from bookmesh.mesh.snapshot import hosts
from bookmesh.mesh.snapshot.visibility import EVERYBODY, OWN


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """
    What the DestinationRules of one namespace for one host say together: the first traffic policy, and all subsets,
    of which the first of a name counts. Equal when the content is. `is_selective`: a rule among them is for some
    clients only, which may then take certificates from secrets. `path` names the first rule in config dumps.
    """

    refs: tuple[ObjectRef, ...] = ()
    digests: tuple[str, ...] = ()
    traffic_policy: destination_rules.TrafficPolicy | None = field(default=None, compare=False)
    subsets: tuple[destination_rules.Subset, ...] = field(default=(), compare=False)
    is_selective: bool = field(default=False, compare=False)
    path: str = field(default="", compare=False)

    def subset(self, name: str) -> destination_rules.Subset | None:
        return next((subset for subset in self.subsets if subset.name == name), None)


NO_POLICY: Final = HostPolicy()


@dataclass(slots=True)
class Merged:
    """Rules that count together, in order; the first one says where they are and who they are for."""

    rules: list[parsing.Parsed]
    audience: frozenset[str]

    @property
    def namespace(self) -> str:
        return self.rules[0].metadata.namespace

    @property
    def selector(self) -> Mapping[str, str] | None:
        return _selector(self.rules[0])

    def is_seen_in(self, namespace: str) -> bool:
        return not self.audience or bool(self.audience & {EVERYBODY, namespace})


_Table = dict[str, list[Merged]]


@dataclass(frozen=True, slots=True)
class Policies:
    """
    All DestinationRules; `ordered` has them in merge order. The tables are by namespace and fully qualified host:
    `local` is for clients of the namespace, `exported` for others, `private_root` for those in the root namespace.
    """

    local: Mapping[str, _Table]
    exported: Mapping[str, _Table]
    private_root: _Table
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
        Find the policy for traffic from one namespace to one service; without labels also what is for some clients.
        """
        found = self._candidates(host, client_namespace, service_namespace)
        if client_labels is None:
            return _joined(rule for merged in found for rule in merged.rules)
        chosen: Merged | None = None
        for merged in found:
            selector = merged.selector
            if selector is None:
                chosen = merged
            elif merged.namespace == client_namespace and selector.items() <= client_labels.items():
                chosen = merged
                break
        return _joined(chosen.rules) if chosen is not None else NO_POLICY

    def _candidates(self, host: str, client: str, service: str) -> Sequence[Merged]:
        own = self.private_root if client == self.root_namespace else self.local.get(client, {})
        found: Sequence[Merged] = _most_specific(own, host)
        for namespace in (service, self.root_namespace):
            if not found:
                exported = _most_specific(self.exported.get(namespace, {}), host)
                found = [merged for merged in exported if merged.is_seen_in(client)]
        return found


def build_policies(
    rules: Iterable[parsing.Parsed],
    *,
    root_namespace: str,
    domain: str,
    default_export_to: Sequence[str] = (EVERYBODY,),
) -> Policies:
    """Index parsed DestinationRules, which come in merge order."""
    ordered = tuple(rules)
    local: defaultdict[str, _Table] = defaultdict(dict)
    exported: defaultdict[str, _Table] = defaultdict(dict)
    private_root: _Table = {}
    for rule in sorted(ordered, key=lambda rule: _selector(rule) is None):
        namespace, audience = rule.metadata.namespace, _audience(rule)
        host = hosts.qualified(spec_of(rule).host, namespace, domain).lower()
        if not audience or audience & {EVERYBODY, OWN, namespace}:
            _add(local[namespace], host, rule, audience)
        is_private = audience in ({OWN}, {namespace}) or (not audience and OWN in default_export_to)
        if not is_private:
            _add(exported[namespace], host, rule, audience)
        elif namespace == root_namespace:
            _add(private_root, host, rule, audience)
    return Policies(local, exported, private_root, root_namespace, ordered)


def spec_of(rule: parsing.Parsed) -> destination_rules.DestinationRule:
    """
    Narrow the type of a parsed rule.

    Raises:
        TypeError: it is no DestinationRule.
    """
    if not isinstance(rule.spec, destination_rules.DestinationRule):
        raise TypeError(f"{rule.ref} is not a DestinationRule")
    return rule.spec


def _selector(rule: parsing.Parsed) -> Mapping[str, str] | None:
    selector = spec_of(rule).workload_selector
    return selector.match_labels if selector is not None else None


def _audience(rule: parsing.Parsed) -> frozenset[str]:
    """What is for some clients is for those of its own namespace."""
    return frozenset({OWN}) if _selector(rule) is not None else frozenset(spec_of(rule).export_to)


def _add(table: _Table, host: str, rule: parsing.Parsed, audience: frozenset[str]) -> None:
    """Join a rule to those it counts together with; where it differs in anything, it also stands for itself."""
    known = table.setdefault(host, [])
    stands_alone = True
    for merged in known:
        if audience == merged.audience:
            stands_alone = False
        elif not (merged.audience and audience >= merged.audience):
            stands_alone = True
            continue
        else:
            stands_alone = True
        own, theirs = _selector(rule), merged.selector
        if own is not None and theirs is not None and own != theirs:
            stands_alone = True
            continue
        if own == theirs:
            stands_alone = False
        merged.rules.append(rule)
    if stands_alone:
        known.append(Merged([rule], audience))


def _most_specific(table: _Table, host: str) -> Sequence[Merged]:
    if host in table:
        return table[host]
    pattern = hosts.most_specific((pattern for pattern in table if pattern.startswith("*")), host)
    return table[pattern] if pattern is not None else ()


def _joined(rules: Iterable[parsing.Parsed]) -> HostPolicy:
    rules = tuple(dict.fromkeys(rules))
    specs = [spec_of(rule) for rule in rules]
    subsets: dict[str, destination_rules.Subset] = {}
    for spec in specs:
        for subset in spec.subsets:
            subsets.setdefault(subset.name, subset)
    return HostPolicy(
        refs=tuple(dict.fromkeys(ref for rule in rules for ref in rule.refs)),
        path=rules[0].path if rules else "",
        digests=tuple(rule.digest for rule in rules),
        traffic_policy=_traffic_policy(rules),
        subsets=tuple(subsets.values()),
        is_selective=any(spec.workload_selector is not None for spec in specs),
    )


def _traffic_policy(rules: Sequence[parsing.Parsed]) -> destination_rules.TrafficPolicy | None:
    """The first one. What people wrote wins over what was made of a policy of another API, which fills the gaps."""

    def first(*, is_derived: bool) -> destination_rules.TrafficPolicy | None:
        found = (spec_of(rule).traffic_policy for rule in rules if rule.is_derived is is_derived)
        return next((policy for policy in found if policy is not None), None)

    written, made = first(is_derived=False), first(is_derived=True)
    if written is None or made is None:
        return written or made
    gaps = {name: getattr(made, name) for name in made.__struct_fields__ if not base.is_set(written, name)}
    return msgspec.structs.replace(written, **gaps)
