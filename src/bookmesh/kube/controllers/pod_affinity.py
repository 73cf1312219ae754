"""Whether a pod may be beside those that are on a node already: required affinity and anti-affinity to other pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.controllers import pods, selectors

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_OWN_RULES: Final = "node(s) didn't match pod anti-affinity rules"
_RULES_OF_OTHERS: Final = "node(s) didn't satisfy existing pods anti-affinity rules"
ENDING_WITH_PODS: Final = frozenset({_OWN_RULES, _RULES_OF_OTHERS})
"""What would keep a pod from a node no more if other pods were gone."""


def misfit(
    pod: JsonObject,
    node: JsonObject,
    others: Sequence[JsonObject],
    namespaces: Mapping[str, Mapping[str, str]],
) -> str:
    """
    Say why a pod cannot be where `others`, pods of this node, are; `namespaces` are labels by name.

    Returns:
        The scheduler's words, as `fitting.misfit` does. All nodes there are is one, so what is on it is all there is.
    """
    there = [other for other in others if pods.is_active(other)]
    for term in _terms(pod, "podAffinity"):
        fits = _has_topology(term, node) and any(_selects(term, pod, other, namespaces) for other in there)
        # The first of a group that wants to be together has nobody to join.
        is_first = _has_topology(term, node) and _selects(term, pod, pod, namespaces)
        if not fits and not is_first:
            return "node(s) didn't match pod affinity rules"
    for term in _terms(pod, "podAntiAffinity"):
        if _has_topology(term, node) and any(_selects(term, pod, other, namespaces) for other in there):
            return _OWN_RULES
    for other in there:
        for term in _terms(other, "podAntiAffinity"):
            if _has_topology(term, node) and _selects(term, other, pod, namespaces):
                return _RULES_OF_OTHERS
    return ""


def is_wanted(pod: JsonObject) -> bool:
    """Tell whether the pod says anything about other pods."""
    return any(True for kind in ("podAffinity", "podAntiAffinity") for _ in _terms(pod, kind))


def _terms(pod: JsonObject, kind: str) -> Iterator[JsonObject]:
    affinity = (pod["spec"].get("affinity") or {}).get(kind) or {}
    yield from affinity.get(_REQUIRED) or ()


def _has_topology(term: JsonObject, node: JsonObject) -> bool:
    return term["topologyKey"] in selectors.labels_of(node)


def _selects(
    term: JsonObject, owner: JsonObject, pod: JsonObject, namespaces: Mapping[str, Mapping[str, str]]
) -> bool:
    """Whether a term of `owner` is about `pod`; without a word on namespaces it is about its own."""
    namespace = pod["metadata"].get("namespace", "")
    listed, selector = term.get("namespaces") or (), term.get("namespaceSelector")
    is_in = namespace in listed
    if selector is not None:
        is_in = is_in or selectors.matches(selector, namespaces.get(namespace, {}))
    elif not listed:
        is_in = namespace == owner["metadata"].get("namespace", "")
    return is_in and selectors.matches(term.get("labelSelector"), selectors.labels_of(pod))
