"""Which namespaces a label selector of the Gateway API selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bookmesh.mesh.model.gateway_api import gateways

ALL: Final = "*"
NAME_LABEL: Final = "kubernetes.io/metadata.name"


def allowed_by(
    listener: gateways.Listener, own: str, namespaces: Mapping[str, Mapping[str, str]]
) -> tuple[str, ...]:
    """
    The namespaces whose routes may attach to a listener, in order; `*` for all of them, () for none.

    Args:
        own: the Gateway's namespace.
        namespaces: name to labels.
    """
    allowed = listener.allowed_routes.namespaces
    if allowed.from_ == "Same":
        return (own,)
    if allowed.from_ == "All" or allowed.selector is None:
        return (ALL,)
    return tuple(
        name
        for name, labels in sorted(namespaces.items())
        if selects(allowed.selector, {NAME_LABEL: name, **labels})
    )


def selects(selector: gateways.LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether labels meet every condition of a selector; an empty one selects everything."""
    if not selector.match_labels.items() <= labels.items():
        return False
    return all(_holds(each, labels) for each in selector.match_expressions)


def _holds(requirement: gateways.SelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
