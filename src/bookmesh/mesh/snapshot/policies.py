"""
Which DestinationRules decide about the traffic of one namespace to one service.

Rules of one namespace for one host count together when they are for the same audience (`exportTo`) and the same
clients (`workloadSelector`); the oldest says most. A client's own namespace comes first, then that of the service, then
the root namespace; within a namespace the most specific host. All of it as Istio has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Final

import msgspec

from bookmesh.base import overlays
from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model import base, destination_rules, parsing
from bookmesh.mesh.snapshot import configs, hosts
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
    _policy: HostPolicy | None = field(default=None, compare=False, repr=False)

    @property
    def policy(self) -> HostPolicy:
        """What they say together; ask when all of them are there."""
        if self._policy is None:
            self._policy = _joined(self.rules)
        return self._policy

    @property
    def namespace(self) -> str:
        return self.rules[0].metadata.namespace

    @property
    def selector(self) -> Mapping[str, str] | None:
        return _selector(self.rules[0])

    def is_seen_in(self, namespace: str) -> bool:
        return not self.audience or bool(self.audience & {EVERYBODY, namespace})


@dataclass(frozen=True, slots=True)
class _Rules:
    """
    The rules of one namespace for one host, in merge order. `local` are for clients of the namespace, `exported` for
    others, `private_root` for those in the root namespace, if this is it.
    """

    ordered: tuple[parsing.Parsed, ...]
    local: tuple[Merged, ...]
    exported: tuple[Merged, ...]
    private_root: tuple[Merged, ...]


_Select = Callable[[_Rules], tuple[Merged, ...]]


@dataclass(frozen=True, slots=True)
class Policies:
    """
    All DestinationRules, by host (fully qualified, in lower case) and by namespace; `wildcards` are the patterns among
    the hosts of a namespace, no entry where there are none.

    Make it with `build_policies`, and the next one from it with `replaced`.
    """

    root_namespace: str
    domain: str
    default_export_to: tuple[str, ...]
    hosts: Mapping[str, Mapping[str, _Rules]] = field(default_factory=dict)
    wildcards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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
        return chosen.policy if chosen is not None else NO_POLICY

    def rules_for(self, host: str) -> Iterator[parsing.Parsed]:
        """All that may count for a host, in whatever namespace."""
        patterns = {pattern for own in self.wildcards.values() for pattern in own}
        for name in (host, *sorted(pattern for pattern in patterns if hosts.matches(pattern, host))):
            for rules in self.hosts.get(name, {}).values():
                yield from rules.ordered

    def host_of(self, rule: parsing.Parsed) -> str:
        """The host or the pattern that a rule is for."""
        return hosts.qualified(spec_of(rule).host, rule.metadata.namespace, self.domain).lower()

    def replaced(self, difference: configs.Difference[parsing.Parsed]) -> Policies:
        """Take out the very rules that are gone, and put in others; at the cost of those for the same hosts."""
        if difference == configs.Difference():
            return self
        changed: dict[str, Mapping[str, _Rules] | None] = {}
        wildcards = {namespace: set(patterns) for namespace, patterns in self.wildcards.items()}
        for host, for_host in difference.grouped(self.host_of).items():
            known = dict(self.hosts.get(host, {}))
            for namespace, own in for_host.grouped(lambda rule: rule.metadata.namespace).items():
                before = known.pop(namespace).ordered if namespace in known else ()
                ordered = configs.spliced(before, own, key=configs.merge_order)
                if ordered:
                    known[namespace] = self._rules(ordered)
                if host.startswith("*"):
                    patterns = wildcards.setdefault(namespace, set())
                    patterns.add(host) if ordered else patterns.discard(host)
            changed[host] = known or None
        return replace(
            self,
            hosts=overlays.changed(self.hosts, changed),
            wildcards={namespace: tuple(sorted(own)) for namespace, own in wildcards.items() if own},
        )

    def _rules(self, ordered: tuple[parsing.Parsed, ...]) -> _Rules:
        local: list[Merged] = []
        exported: list[Merged] = []
        private_root: list[Merged] = []
        for rule in sorted(ordered, key=lambda rule: _selector(rule) is None):
            namespace, audience = rule.metadata.namespace, _audience(rule)
            if not audience or audience & {EVERYBODY, OWN, namespace}:
                _add(local, rule, audience)
            is_private = audience in ({OWN}, {namespace}) or (not audience and OWN in self.default_export_to)
            if not is_private:
                _add(exported, rule, audience)
            elif namespace == self.root_namespace:
                _add(private_root, rule, audience)
        return _Rules(ordered, tuple(local), tuple(exported), tuple(private_root))

    def _candidates(self, host: str, client: str, service: str) -> Sequence[Merged]:
        own: _Select = attrgetter("private_root" if client == self.root_namespace else "local")
        found: Sequence[Merged] = self._most_specific(client, host, own)
        for namespace in (service, self.root_namespace):
            if not found:
                exported = self._most_specific(namespace, host, attrgetter("exported"))
                found = [merged for merged in exported if merged.is_seen_in(client)]
        return found

    def _most_specific(self, namespace: str, host: str, select: _Select) -> tuple[Merged, ...]:
        exact = self.hosts.get(host, {}).get(namespace)
        if exact is not None and select(exact):
            return select(exact)
        patterns = (p for p in self.wildcards.get(namespace, ()) if select(self.hosts[p][namespace]))
        pattern = hosts.most_specific(patterns, host)
        return select(self.hosts[pattern][namespace]) if pattern is not None else ()


def build_policies(
    rules: Iterable[parsing.Parsed],
    *,
    root_namespace: str,
    domain: str,
    default_export_to: Sequence[str] = (EVERYBODY,),
) -> Policies:
    """Index parsed DestinationRules, which come in merge order."""
    none = Policies(root_namespace, domain, tuple(default_export_to))
    return none.replaced(configs.Difference(come=tuple(rules)))


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


def _add(known: list[Merged], rule: parsing.Parsed, audience: frozenset[str]) -> None:
    """Join a rule to those it counts together with; where it differs in anything, it also stands for itself."""
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
