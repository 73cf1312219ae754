"""How much of a cluster runs: from the API server alone to a node with a mesh."""

from __future__ import annotations

import enum


class Extent(enum.StrEnum):
    """Each has what the ones before it have."""

    API = "api"
    """The API server: objects are stored, checked and watched; nothing acts on them."""

    CONTROLLERS = "controllers"
    """Deployments make pods, namespaces empty; without a node pods stay Pending. Needs nothing of the host."""

    NODE = "node"
    """Pods run, as sandboxed processes."""

    MESH = "mesh"
    """Istio's kinds, sidecars, gateways."""

    @property
    def has_controllers(self) -> bool:
        return self is not Extent.API

    @property
    def has_node(self) -> bool:
        return self in (Extent.NODE, Extent.MESH)

    @property
    def described(self) -> str:
        """How it is told to people, after "the cluster runs"."""
        return {
            Extent.API: "as an API server alone",
            Extent.CONTROLLERS: "without a node",
            Extent.NODE: "without a mesh",
            Extent.MESH: "with a mesh",
        }[self]
