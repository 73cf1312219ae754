"""
Which group of the API comes before which, where two have a kind of the same name.

The numbers are those under which a real API server registers its own groups (`spec.groupPriorityMinimum` and
`versionPriority` of their APIServices).
"""

from __future__ import annotations

from typing import Final

from bookmesh.kube.schema import kinds

REGISTRATION: Final = "apiregistration.k8s.io"
"""The group of APIServices themselves: always the first, and registered by none of them."""
_GROUPS: Final = {
    REGISTRATION: 20_000,
    "": 18_000,
    "apps": 17_800,
    "authentication.k8s.io": 17_700,
    "authorization.k8s.io": 17_600,
    "autoscaling": 17_500,
    "batch": 17_400,
    "certificates.k8s.io": 17_300,
    "networking.k8s.io": 17_200,
    "policy": 17_100,
    "rbac.authorization.k8s.io": 17_000,
    "storage.k8s.io": 16_800,
    "admissionregistration.k8s.io": 16_700,
    "apiextensions.k8s.io": 16_700,
    "scheduling.k8s.io": 16_600,
    "coordination.k8s.io": 16_500,
    "node.k8s.io": 16_300,
    "discovery.k8s.io": 16_200,
}
_VERSIONS: Final = {("", "v1"): 1, ("autoscaling", "v2"): 30}
_USUAL_VERSION: Final = 15
_CUSTOM: Final = (1000, 100)
_UNREGISTERED: Final = 100


def priority_of(kind: kinds.Kind) -> tuple[int, int]:
    """The priorities of a kind's group and version; higher comes first."""
    if kind.is_custom:
        return _CUSTOM
    group = _GROUPS.get(kind.group, _UNREGISTERED)
    return group, _VERSIONS.get((kind.group, kind.version), _USUAL_VERSION)
