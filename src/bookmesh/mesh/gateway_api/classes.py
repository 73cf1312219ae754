"""GatewayClasses: which Gateways are ours."""

from __future__ import annotations

from typing import Final

from bookmesh.mesh.gateway_api import inputs as inputs_
from bookmesh.mesh.model.gateway_api import gateway_classes, gateways

CONTROLLER: Final = "istio.io/gateway-controller"
MESH_CONTROLLER: Final = "istio.io/mesh-controller"
DEFAULT_CLASS: Final = "istio"
DESCRIPTION: Final = "Gateways that this mesh deploys and programs"


def is_ours(gateway: gateways.Gateway, inputs: inputs_.Inputs) -> bool:
    """Whether the class of a Gateway is one of this controller; `istio` is, also while its object is missing."""
    for parsed, each in inputs.of(gateway_classes.GatewayClass):
        if parsed.metadata.name == gateway.gateway_class_name:
            return each.controller_name == CONTROLLER
    return gateway.gateway_class_name == DEFAULT_CLASS
