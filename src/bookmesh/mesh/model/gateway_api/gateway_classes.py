"""GatewayClass (gateway.networking.k8s.io): which controller looks after the Gateways of a class."""

from __future__ import annotations

from typing import Annotated

import msgspec

from bookmesh.mesh.model.base import NOT_ACTED_ON, Model


class ParametersReference(Model, frozen=True):
    """
    An object with parameters of the class.

    group: Its API group.
    kind: Its kind.
    name: Its name.
    namespace: Its namespace.
    """

    group: str
    kind: str
    name: str
    namespace: str = ""


class GatewayClass(Model, frozen=True):
    """
    A class of Gateways.

    controller_name: The controller that looks after its Gateways; this mesh is istio.io/gateway-controller.
    parameters_ref: Parameters of the class.
    description: For people.
    """

    controller_name: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    parameters_ref: Annotated[ParametersReference | None, NOT_ACTED_ON] = None
    description: str = ""
